"""How a machine gets acquainted with its peer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bitpeer.dialect import Greeting
from bitpeer.errors import (
    DisconnectReason,
    HandshakeError,
    Oversized,
    Refused,
    Unexpected,
)
from bitpeer.messages.bloom import FilterAdd
from bitpeer.messages.control import FeeFilter, Ping, Reject, VerAck
from bitpeer.messages.inventory import Inv
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.wire.message import Message, Unknown
from tests.peer.village import (
    DIALECT,
    Feature,
    Gift,
    SendGifts,
    establish,
    framed,
    hear,
    hello,
    item,
    items,
    make_machine,
    make_terms,
    spoken,
)
from tests.toy import Hello, Say, frame


def test_who_dials_is_established_in_two_steps() -> None:
    machine = make_machine(make_terms())
    assert spoken(machine) == ["version"]
    assert hear(machine, hello()) == [VersionReceived(hello()), hello()]
    assert spoken(machine) == ["sendgifts", "feature", "verack"]
    assert hear(machine, VerAck()) == [VerAck(), Established(hello())]
    assert machine.established


def test_who_was_dialled_introduces_itself_in_turn() -> None:
    machine = make_machine(make_terms(), outbound=False)
    assert spoken(machine) == []
    hear(machine, hello())
    assert spoken(machine) == ["version", "sendgifts", "feature", "verack"]
    hear(machine, VerAck())
    assert machine.established


def test_wishes_and_the_first_ping_follow_the_handshake_at_once() -> None:
    machine = make_machine(make_terms())
    hear(machine, hello())
    machine.data_to_send()
    events = machine.receive_data(framed(VerAck()), 0)
    assert next(events) == VerAck()
    assert spoken(machine) == ["sendheaders", "feefilter", "ping"]  # no listener can hold them up
    assert [type(event) for event in events] == [Established]


def test_only_wishes_that_the_version_has_are_sent() -> None:
    machine = make_machine(make_terms())
    hear(machine, hello(3), VerAck())
    assert spoken(machine)[-3:] == ["verack", "sendheaders", "ping"]


def test_the_application_may_have_wishes_of_its_own() -> None:
    machine = make_machine(make_terms(preferences=(FeeFilter(7),)))
    hear(machine, hello(), VerAck())
    assert spoken(machine)[-3:] == ["verack", "feefilter", "ping"]
    machine = make_machine(make_terms(preferences=()))
    hear(machine, hello(), VerAck())
    assert spoken(machine)[-2:] == ["verack", "ping"]


def test_features_and_wishes_may_come_before_verack() -> None:
    machine = make_machine(make_terms())
    early = (SendGifts(), Feature(1), Feature(2), FeeFilter(3), Unknown("future", b"?"))
    assert hear(machine, hello(), *early)[2:] == list(early)
    assert machine.preference(SendGifts) == SendGifts()
    assert machine.preference(FeeFilter) == FeeFilter(3)
    assert machine.preference(Feature) is None
    hear(machine, VerAck())
    assert machine.established


def test_a_feature_that_the_version_does_not_have_is_passed_over() -> None:
    machine = make_machine(make_terms())
    assert hear(machine, hello(2), SendGifts())[2:] == []
    assert machine.preference(SendGifts) is None
    assert machine.failure is None


def test_r_c3_what_is_out_of_place_before_verack_is_neither_answered_nor_heard() -> None:
    machine = make_machine(make_terms())
    hear(machine, hello())
    machine.data_to_send()
    assert hear(machine, Ping(1), Inv(items([1])), FilterAdd(b"x"), Gift(), Say(b"hi")) == []
    assert spoken(machine) == []
    assert not machine.knows(item(1))
    assert hear(machine, VerAck())[-1] == Established(hello())


def test_r_c3_a_hundred_unknown_messages_do_no_harm() -> None:
    machine = make_machine(make_terms(max_handshake_messages=100))
    strangers = [Unknown(f"new{number}", bytes(1_000)) for number in range(100)]
    assert hear(machine, hello(), *strangers)[2:] == strangers
    hear(machine, VerAck())
    assert machine.established


def test_r_c3_what_strangers_can_cost_is_bounded_in_number_and_in_bytes() -> None:
    machine = make_machine(make_terms(max_handshake_messages=5, max_handshake_payload=1_000))
    hear(machine, hello())
    for _ in range(5):
        assert len(hear(machine, Unknown("new", bytes(1_000)))) == 1
        assert machine.held == 0
    assert hear(machine, Unknown("new", b"")) == []
    assert isinstance(machine.failure, Unexpected)
    machine = make_machine(make_terms(max_handshake_payload=1_000))
    hear(machine, hello(), Unknown("new", bytes(1_001)))
    assert isinstance(machine.failure, Oversized)


def test_r_a1_before_verack_only_little_may_come_at_once() -> None:
    for first in ((), (hello(),)):
        machine = make_machine(make_terms(max_handshake_payload=1_000))
        hear(machine, *first)
        header = frame(b"say", bytes(1_001))[:24]
        assert list(machine.receive_data(header, 0)) == []
        assert isinstance(machine.failure, Oversized)
        assert machine.held == 0
    machine = establish(make_terms(max_handshake_payload=1_000))
    assert list(machine.receive_data(header, 0)) == []
    assert machine.failure is None


@pytest.mark.parametrize(
    "first", [VerAck(), Ping(1), SendGifts(), Unknown("new", b""), Unknown("version", b"")]
)
def test_before_version_anything_else_ends_it(first: Message | Unknown) -> None:
    machine = make_machine(make_terms(tolerate_malformed=True), outbound=False)
    assert hear(machine, first, hello()) == []
    assert machine.failure is not None
    assert spoken(machine) == []


def test_r_c4_version_and_verack_come_once() -> None:
    for before in ((), (VerAck(),)):
        for again in (hello(), VerAck()) if before else (hello(),):
            machine = make_machine(make_terms())
            hear(machine, hello(), *before)
            assert hear(machine, again) == []
            assert isinstance(machine.failure, Unexpected)
            assert machine.failure.reason is DisconnectReason.OUT_OF_ORDER


@pytest.mark.parametrize("feature", [SendGifts(), Feature(1)])
def test_r_c4_features_after_verack_end_it(feature: Message) -> None:
    machine = establish(make_terms())
    assert hear(machine, feature) == []
    assert isinstance(machine.failure, Unexpected)


def test_a_peer_may_be_refused_before_anything_was_said() -> None:
    machine = make_machine(make_terms(), outbound=False)
    events = machine.receive_data(framed(hello(), VerAck()), 0)
    assert next(events) == VersionReceived(hello())
    machine.refuse("not you", (Reject(b"version", 0x10, b"not you"),))
    assert list(events) == []
    assert isinstance(machine.failure, Refused)
    assert str(machine.failure) == "not you"
    assert spoken(machine) == ["reject"]


def test_a_peer_may_be_refused_without_a_word() -> None:
    machine = make_machine(make_terms(), outbound=False)
    events = machine.receive_data(framed(hello()), 0)
    next(events)
    machine.refuse("")
    assert list(events) == []
    assert spoken(machine) == []
    assert machine.failure is not None
    assert machine.failure.reason is DisconnectReason.REFUSED


def test_a_peer_may_be_refused_after_a_pause() -> None:
    machine = make_machine(make_terms(), outbound=False)
    events = machine.receive_data(framed(hello()), 0)
    next(events)
    machine.resume(100, 100)
    machine.refuse("thought about it")
    assert list(events) == []


def test_r_c2_nobody_is_refused_with_words_before_it_was_heard() -> None:
    machine = make_machine(make_terms(), outbound=False)
    machine.refuse("too many", (Reject(b"version", 0x10, b""),))
    assert spoken(machine) == []
    assert isinstance(machine.failure, Refused)


def test_a_dialect_refuses_with_last_words() -> None:
    def review(version: Hello, _: Greeting) -> Iterator[Message]:
        yield Say(b"wrong village")
        raise HandshakeError(version)

    machine = make_machine(make_terms(replace(DIALECT, review=review)), outbound=False)
    assert hear(machine, hello()) == []
    assert spoken(machine) == ["say"]
    assert isinstance(machine.failure, HandshakeError)
    assert machine.version is None


def test_a_listener_may_end_it_at_any_event() -> None:
    reason = Refused("enough")
    for number in range(4):
        machine = make_machine(make_terms())
        events = machine.receive_data(framed(hello(), VerAck()), 0)
        for _ in range(number + 1):
            next(events)
        machine.fail(reason)
        assert list(events) == []
        assert machine.failure is reason
