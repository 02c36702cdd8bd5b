"""The conversation with one peer."""

from dataclasses import replace

import pytest

from bitpeer.errors import (
    BadChecksum,
    BadCommand,
    DisconnectReason,
    NotEstablished,
    NotNegotiated,
    Oversized,
    Refused,
    RemoteError,
    TimedOut,
    Truncated,
    Unencodable,
    Unexpected,
    Unwanted,
    WrongNetwork,
)
from bitpeer.messages.bloom import FilterAdd
from bitpeer.messages.control import Ping, Pong, Reject, VerAck
from bitpeer.messages.inventory import GetData, Inv, NotFound
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.peer.part import NEVER
from bitpeer.wire.message import Malformed, Registry, Unknown
from tests.peer.test_speaker import Ear
from tests.peer.village import (
    DIALECT,
    FILTERS,
    NEWS,
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
    make_relay,
    make_terms,
    said,
    spoken,
)
from tests.toy import Say, frame

# The handshake; more in test_machine_handshake.py


def test_who_dials_is_established_in_two_steps() -> None:
    machine = make_machine(make_terms())
    assert spoken(machine) == ["version"]
    assert hear(machine, hello(3)) == [VersionReceived(hello(3)), hello(3)]
    assert spoken(machine) == ["sendgifts", "feature", "verack"]
    assert hear(machine, SendGifts(), Feature(1)) == [SendGifts(), Feature(1)]
    assert hear(machine, Ping(1)) == []
    assert hear(machine, VerAck()) == [VerAck(), Established(hello(3))]
    assert spoken(machine) == ["sendheaders", "ping"]


def test_a_handshake_that_takes_too_long_is_over_whatever_else_is_late() -> None:
    machine = make_machine(make_terms())
    list(machine.receive_data(framed(hello())[:30], 0))
    machine.wake(machine.handshake_deadline)
    assert machine.failure is not None
    assert machine.failure.reason is DisconnectReason.HANDSHAKE_TIMEOUT
    assert machine.handshake_deadline == NEVER


def test_what_has_no_place_in_a_handshake_ends_it() -> None:
    machine = make_machine(make_terms())
    assert hear(machine, Ping(1), hello()) == []
    assert isinstance(machine.failure, Unexpected)


def test_malformed_messages_are_bounded_before_verack() -> None:
    machine = make_machine(make_terms(tolerate_malformed=True, max_handshake_messages=2))
    assert list(machine.receive_data(frame(b"version", b"x"), 0)) == []
    assert isinstance(machine.failure, Truncated)
    machine = make_machine(make_terms(tolerate_malformed=True, max_handshake_messages=2))
    hear(machine, hello())
    assert len(list(machine.receive_data(3 * frame(b"say", b"\x05"), 0))) == 2
    assert isinstance(machine.failure, Unexpected)


def test_who_is_refused_hears_no_more_than_last_words() -> None:
    machine = make_machine(make_terms(), outbound=False)
    machine.refuse("not heard yet", (Reject(b"version", 0x10, b""),))
    assert spoken(machine) == []
    machine = make_machine(make_terms(), outbound=False)
    events = machine.receive_data(framed(hello(), VerAck()), 0)
    assert next(events) == VersionReceived(hello())
    machine.refuse("not you", (Reject(b"version", 0x10, b"not you"),))
    machine.refuse("still not you", (Reject(b"version", 0x10, b"still not you"),))
    assert list(events) == []
    assert str(machine.failure) == "not you"
    assert spoken(machine) == ["reject"]


def test_who_is_not_wanted_after_all_is_not_introduced() -> None:
    machine = make_machine(make_terms())
    events = machine.receive_data(framed(hello(), VerAck()), 0)
    for _ in range(3):
        event = next(events)
    assert event == VerAck()
    machine.fail(Refused("too late"))
    assert list(events) == []


# Time; more in test_machine_time.py


def test_what_takes_too_long_ends_it() -> None:
    machine = establish(make_terms(), now=1_000)
    list(machine.receive_data(framed(Say(b"x"))[:5], 1_001))
    machine.wake(1_002)
    machine.resume(1_011, 9)
    machine.wake(1_029)
    assert machine.failure is None
    machine.wake(1_031)
    machine.wake(1_032)
    assert isinstance(machine.failure, TimedOut)
    assert machine.failure.reason is DisconnectReason.FRAME_TIMEOUT
    machine = establish(make_terms(), now=1_000)
    machine.wake(1_300)
    assert isinstance(machine.failure, TimedOut)
    assert machine.failure.reason is DisconnectReason.IDLE


# Messages


def test_everything_is_passed_on_as_it_comes() -> None:
    machine = establish(make_terms())
    messages = [Say(b"x"), Unknown("mine", b"abc"), Ping(1), Pong(2), Inv(()), Gift()]
    assert hear(machine, *messages) == messages


def test_what_was_never_offered_reaches_nobody() -> None:
    machine = establish(make_terms(), version=5)
    assert hear(machine, FilterAdd(b"x"), Say(b"y")) == [Say(b"y")]
    machine = establish(make_terms(), version=6)
    assert hear(machine, FilterAdd(b"x"), Say(b"y")) == []
    assert isinstance(machine.failure, Unwanted)


@pytest.mark.parametrize("name", ["__init__", "class", "decode", "close"])
def test_r_b12_commands_are_only_names(name: str) -> None:
    machine = establish(make_terms())
    assert hear(machine, Unknown(name, b"x")) == [Unknown(name, b"x")]
    assert machine.failure is None


def test_r_b11_the_emptiest_messages_do_no_harm() -> None:
    machine = establish(make_terms(services=FILTERS))
    empty = [Say(b""), Inv(()), GetData(()), NotFound(()), FilterAdd(b""), Unknown("x", b"")]
    assert hear(machine, *empty) == empty
    machine.send(GetData(()), 0)
    assert machine.next_wake == machine.keepalive.next_wake


def test_pings_are_answered_before_anybody_hears_of_them() -> None:
    machine = establish(make_terms())
    events = machine.receive_data(framed(Ping(5), Ping(6)), 0)
    assert next(events) == Ping(5)
    assert b"".join(machine.data_to_send()) == frame(b"pong", bytes([5]) + bytes(7))
    assert list(events) == [Ping(6)]
    assert spoken(machine) == ["pong"]


def test_whoever_stops_listening_stops_the_conversation() -> None:
    machine = establish(make_terms())
    events = machine.receive_data(framed(Ping(1), Ping(2), Ping(3)), 0)
    next(events)
    assert machine.messages_received == 3  # with the two of the handshake
    assert spoken(machine) == ["pong"]
    assert list(events) == [Ping(2), Ping(3)]


def test_the_payload_is_that_of_the_message_being_delivered() -> None:
    machine = establish(make_terms())
    events = machine.receive_data(framed(Unknown("a", b"one"), Unknown("b", b"two")), 0)
    for expected in (b"one", b"two"):
        next(events)
        assert machine.payload == expected
    assert list(events) == []
    assert machine.payload == b""  # nothing large is kept without need


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (frame(b"say", b"\x05"), Truncated),
        (frame(b"ping", bytes(8))[:-1] + b"\1", BadChecksum),
        (frame(b"a\0b", b""), BadCommand),
    ],
)
def test_what_cannot_be_decoded_ends_it(data: bytes, error: type[RemoteError]) -> None:
    machine = establish(make_terms())
    assert list(machine.receive_data(data + framed(Say(b"x")), 0)) == []
    assert type(machine.failure) is error
    assert machine.malformed == 0


def test_what_cannot_be_decoded_may_be_tolerated() -> None:
    machine = establish(make_terms(tolerate_malformed=True))
    data = frame(b"say", b"\x05") + frame(b"a\0b", b"") + framed(Say(b"x"))
    one, two, three = machine.receive_data(data, 0)
    assert isinstance(one, Malformed)
    assert (one.command, one.payload, type(one.error)) == ("say", b"\x05", Truncated)
    assert isinstance(two, Malformed)
    assert three == Say(b"x")
    assert machine.malformed == 2
    assert machine.failure is None


def test_what_is_malformed_answers_nothing() -> None:
    machine = establish(make_terms(tolerate_malformed=True))
    machine.send(GetData((item(0)._replace(hash=said(b"a")),)), 0)
    list(machine.receive_data(frame(b"say", b"\x05a"), 0))
    list(machine.receive_data(frame(b"ping", b"short"), 0))
    assert machine.deadlines is not None
    assert spoken(machine) == ["getdata"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (frame(b"say", b"", magic=b"main"), WrongNetwork),
        (b"GET / HTTP/1.0\r\n\r\n", WrongNetwork),
        (frame(b"ping", bytes(9)), Oversized),
        (frame(b"mine", b"")[:16] + b"\xff\xff\xff\xff" + bytes(4), Oversized),
    ],
)
def test_what_is_no_frame_ends_it(data: bytes, error: type[RemoteError]) -> None:
    machine = establish(make_terms(tolerate_malformed=True))
    assert list(machine.receive_data(data, 0)) == []
    assert type(machine.failure) is error
    assert machine.held == 0


def test_an_observer_learns_of_everything_that_is_read() -> None:
    machine, ear = establish(make_terms(tolerate_malformed=True)), Ear()
    machine.observer = ear
    hear(machine, Ping(1), Unknown("x", b"abc"))
    list(machine.receive_data(frame(b"say", b"\x05"), 0))
    list(machine.receive_data(frame(b"ping", bytes(9)), 0))
    assert ear.read[:2] == [
        ("ping", 32, Ping(1), None),
        ("x", 27, Unknown("x", b"abc"), None),
    ]
    assert [(command, size, type(error)) for command, size, _, error in ear.read[2:]] == [
        ("say", 25, Truncated),
        ("ping", 0, Oversized),
    ]
    assert ear.queued == [(Pong(1), 32)]


def test_an_observer_learns_why_bytes_were_no_message() -> None:
    machine, ear = establish(make_terms()), Ear()
    machine.observer = ear
    list(machine.receive_data(frame(b"say", b"\x05"), 0))
    assert [type(error) for _, _, _, error in ear.read] == [Truncated]
    machine, ear = establish(make_terms()), Ear()
    machine.observer = ear
    list(machine.receive_data(b"nonsense", 0))
    assert [(command, type(error)) for command, _, _, error in ear.read] == [("", WrongNetwork)]


# What the application wants


def test_nothing_is_sent_before_the_handshake_is_complete() -> None:
    machine = make_machine(make_terms())
    for word in ((), (hello(),)):
        hear(machine, *word)
        machine.data_to_send()
        with pytest.raises(NotEstablished, match="say"):
            machine.send(Say(b"x"), 0)
        assert not machine.announce(item(1), 0)
        assert spoken(machine) == []


def test_r_c2_nothing_of_the_handshake_is_sent_after_it() -> None:
    machine = establish(make_terms())
    for message in (hello(), VerAck(), SendGifts(), Feature(1)):
        with pytest.raises(NotNegotiated, match="needs a handshake under way"):
            machine.send(message, 0)
    assert spoken(machine) == []


def test_only_what_the_version_has_is_sent() -> None:
    machine = establish(make_terms(), version=4)
    with pytest.raises(NotNegotiated, match=r"cannot send gift .* another protocol version"):
        machine.send(Gift(), 0)
    machine = establish(make_terms(), version=5)
    machine.send(Gift(), 0)
    machine.send(Unknown("mine", b"x"), 0)
    assert spoken(machine) == ["gift", "mine"]


def test_nothing_is_sent_that_needs_a_service_the_peer_does_not_offer() -> None:
    machine = establish(make_terms(), services=~FILTERS & 0xFF)
    with pytest.raises(NotNegotiated, match="a service that it does not offer"):
        machine.send(FilterAdd(b"x"), 0)
    assert spoken(machine) == []
    for machine in (establish(make_terms(), services=FILTERS), establish(make_terms(), version=5)):
        machine.send(FilterAdd(b"x"), 0)
        assert spoken(machine) == ["filteradd"]


def test_requests_share_their_deadlines() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.send(GetData(items([1])), 1_000)
    machine.send(GetData(items([2])), 1_010)
    hear(machine, NotFound(items([1])), now=1_020)
    assert machine.next_wake == 1_070


def test_what_cannot_be_encoded_changes_nothing() -> None:
    machine = establish(make_terms())
    for message in (Ping(1 << 64), GetData((item(0)._replace(hash=b"short"),))):
        with pytest.raises(Unencodable):
            machine.send(message, 0)
    assert spoken(machine) == []
    assert machine.deadlines is None


def test_announcements_wait_for_company() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.stirred = False
    assert machine.announce(item(1), 1_000)
    assert machine.stirred
    machine.stirred = False
    assert machine.announce(item(2), 1_001)
    assert not machine.stirred  # the time was known
    machine.flush(1_009)
    assert spoken(machine) == []
    machine.flush(1_010)
    assert b"".join(machine.data_to_send()) == framed(Inv(items([1, 2])))


def test_news_cannot_wait() -> None:
    machine = establish(make_terms())
    assert machine.announce(item(1, NEWS), 0)
    assert b"".join(machine.data_to_send()) == framed(Inv((item(1, NEWS),)))
    assert not machine.announce(item(1, NEWS), 0)
    assert spoken(machine) == []


def test_what_the_peer_knows_is_not_announced() -> None:
    machine = establish(make_terms())
    assert not machine.knows(item(1))
    hear(machine, Inv(items([1])))
    machine.add_known(item(2))
    for number in (1, 2):
        assert machine.knows(item(number))
        assert not machine.announce(item(number), 0)
        assert not machine.announce(item(number, NEWS), 0)
    assert spoken(machine) == []


def test_what_the_peer_knew_long_ago_it_may_hear_again() -> None:
    machine = establish(make_terms(relay=make_relay(known_for=10.0)), now=1_000)
    machine.add_known(item(1))
    machine.wake(1_001)
    assert machine.knows(item(1))
    machine.wake(1_011)
    assert not machine.knows(item(1))


def test_what_the_peer_knows_may_be_known_before_it_says_so() -> None:
    machine = make_machine(make_terms())
    machine.add_known(item(1))
    hear(machine, hello(), VerAck())
    assert not machine.announce(item(1), 0)


def test_a_flush_without_announcements_says_nothing() -> None:
    machine = establish(make_terms())
    machine.flush(1_000)
    assert spoken(machine) == []


def test_a_frame_for_many_is_counted_and_left_to_the_caller() -> None:
    machine = establish(make_terms())
    before = machine.bytes_produced
    assert machine.share(Say(b"to all"), 31, 7.0)
    assert machine.bytes_produced - before == 31
    assert machine.now == 7.0
    assert not machine.has_data_to_send


def test_the_short_way_is_closed_where_something_is_to_be_seen_to() -> None:
    terms = make_terms()
    stranger, gone, heard, busy, choosy = (establish(terms) for _ in range(5))
    stranger = make_machine(terms, outbound=False)
    gone.close()
    heard.observer = Ear()
    busy.send(Say(b"first"), 0.0)
    for machine in (stranger, gone, heard, busy):
        before = machine.bytes_produced
        assert not machine.share(Say(b"to all"), 31, 0.0)
        assert machine.bytes_produced == before
    assert not choosy.share(GetData((item(1),)), 61, 0.0)


# The end; more in test_machine_end.py


def test_closing_gives_back_what_was_borrowed() -> None:
    terms = make_terms()
    machine = establish(terms)
    machine.announce(item(1), 0)
    machine.close()
    machine.close()
    assert terms.relay.waiting == 0
    pending = make_machine(terms)
    assert len(terms.own_nonces) == 1
    pending.close()
    assert terms.own_nonces == set()


def test_what_is_over_stays_over() -> None:
    machine = establish(make_terms())
    machine.fail(Refused("one"))
    machine.fail(Refused("two"))
    machine.start(1)
    machine.wake(2)
    machine.flush(3)
    machine.add_known(item(1))
    assert hear(machine, Ping(1)) == []
    assert str(machine.failure) == "one"
    assert spoken(machine) == []


def test_what_came_before_verack_is_kept_if_the_dialect_lets_little_come() -> None:
    dialect = replace(DIALECT, early_messages=lambda _: 2, strict_versions=True)
    machine = make_machine(make_terms(dialect))
    hear(machine, hello(), Ping(5), Inv(items([1])))
    machine.data_to_send()
    heard = hear(machine, VerAck())
    assert heard[-2:] == [Ping(5), Inv(items([1]))]
    assert spoken(machine)[-1] == "pong"
    assert machine.knows(item(1))


def test_what_came_before_verack_may_end_the_conversation_after_it() -> None:
    dialect = replace(DIALECT, early_messages=lambda _: 2, strict_versions=True)
    machine = make_machine(make_terms(dialect))
    hear(machine, hello(4), Gift(), Ping(5))
    heard = hear(machine, VerAck())
    assert isinstance(heard[-1], Established)
    assert isinstance(machine.failure, Unexpected)


def test_what_the_dialect_finds_too_long_cannot_be_sent() -> None:
    dialect = replace(DIALECT, registry=Registry(DIALECT.registry, limits={Say: 5}))
    machine = establish(make_terms(dialect))
    machine.send(Say(b"1234"), 1.0)
    with pytest.raises(Unencodable, match="say cannot be encoded: 6 bytes exceed the limit of 5"):
        machine.send(Say(b"12345"), 1.0)
