"""What a machine does by itself with each kind of message, and what it may send."""

from dataclasses import replace

import pytest

from bitpeer.errors import (
    DecodeError,
    DisconnectReason,
    InvalidValue,
    RemoteError,
    Unexpected,
    Unwanted,
)
from bitpeer.messages.bloom import FilterAdd
from bitpeer.messages.control import FeeFilter, MemPool, Ping, Pong, SendHeaders, VerAck
from bitpeer.messages.inventory import GetData, Inv, NotFound
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.keepalive import Keepalive, Rhythm
from bitpeer.peer.reactions import Etiquette, Manners, Rule
from bitpeer.peer.speaker import Speaker
from bitpeer.peer.trickle import Trickle
from bitpeer.wire.framing import Framing
from bitpeer.wire.message import Malformed, Message, Unknown
from tests.peer.village import (
    DIALECT,
    FILTERS,
    Feature,
    Gift,
    SendGifts,
    envelope,
    hello,
    item,
    items,
    make_relay,
    said,
)
from tests.toy import Hello, Say


class Someone(Speaker):
    """As much of a machine as a reaction sees."""

    def __init__(self, *, established: bool = True) -> None:
        super().__init__(Framing(envelope(), 1_000))
        self.now = 1_000.0
        self.negotiated_version = 7
        self.keepalive = Keepalive(Rhythm(9, 99, 999, lambda: 5), 990.0) if established else None
        self.trickle: Trickle | None = None
        self.deadlines: Deadlines | None = None
        self.stirred = False
        self.wishes: list[Message] = []
        self.failure: RemoteError | None = None

    def new_trickle(self) -> Trickle:
        self.trickle = Trickle(make_relay())
        return self.trickle

    def wish_received(self, wish: Message) -> None:
        self.wishes.append(wish)

    def fail(self, reason: RemoteError) -> None:
        self.failure = reason


def react(manners: Manners, machine: Someone, message: Message) -> bool:
    """Let *machine* react to *message*; return whether the application is to hear of it."""
    reaction = manners.reactions[type(message)]
    return reaction is None or reaction(machine, message, message.encode(), b"sum!")


def manners(version: int = 7, *, services: int = 0, strict: bool = False) -> Manners:
    """Return the village's manners."""
    return Manners(replace(DIALECT, strict_versions=strict), services, version)


def test_most_messages_are_only_passed_on() -> None:
    someone = Someone()
    assert react(manners(), someone, MemPool())
    assert react(manners(), someone, Gift())
    assert react(manners(), someone, Unknown("x", b""))
    assert someone.failure is None


def test_a_ping_is_answered() -> None:
    someone = Someone()
    assert react(manners(), someone, Ping(9))
    (pong,) = someone.data_to_send()
    assert pong[4:8] == b"pong"
    assert pong[-12:] == b"sum!" + bytes([9]) + bytes(7)


def test_a_pong_ends_a_ping_and_may_make_room_for_the_next() -> None:
    someone = Someone()
    someone.keepalive.wake(999.0)
    assert react(manners(), someone, Pong(6))
    assert not someone.stirred
    assert react(manners(), someone, Pong(5))
    assert someone.stirred
    assert someone.keepalive.latency == 1.0


def test_a_pong_before_there_were_pings_is_only_passed_on() -> None:
    assert react(manners(), Someone(established=False), Pong(5))


def test_inventory_is_remembered() -> None:
    someone = Someone()
    for number in (1, 2):
        assert react(manners(), someone, Inv(items([number])))
    assert someone.trickle.knows(item(1).hash)
    assert someone.trickle.knows(item(2).hash)


def test_wishes_are_remembered() -> None:
    someone = Someone()
    assert react(manners(), someone, SendHeaders())
    assert react(manners(), someone, FeeFilter(5))
    assert someone.wishes == [SendHeaders(), FeeFilter(5)]


def test_an_answer_ends_the_wait_for_it_and_for_nothing_else() -> None:
    someone = Someone()
    someone.deadlines = Deadlines(60)
    someone.deadlines.asked([("say", said(b"a")), ("say", said(b"b"))], 1_000)
    assert react(manners(), someone, Say(b"c"))
    assert len(someone.deadlines) == 2
    assert react(manners(), someone, Say(b"a"))
    assert len(someone.deadlines) == 1
    assert react(manners(), someone, NotFound((item(0)._replace(hash=said(b"b")),)))
    assert someone.deadlines is None


def test_r_d4_an_answer_nobody_asked_for_is_only_passed_on() -> None:
    someone = Someone()
    for answer in (Say(b"a"), NotFound(items([1])), Inv(items([1]))):
        assert react(manners(), someone, answer)
    assert someone.failure is None
    assert someone.deadlines is None


def test_one_message_may_call_for_two_reactions() -> None:
    someone = Someone()
    someone.deadlines = Deadlines(60)
    someone.deadlines.asked([("inv", b"")], 1_000)
    assert react(manners(), someone, Inv(items([1])))
    assert someone.deadlines is None
    assert someone.trickle.knows(item(1).hash)


def test_a_view_that_turns_out_to_be_no_answer_ends_the_conversation() -> None:
    def look(_: Message) -> tuple[()]:
        raise InvalidValue("say", "nonsense")

    village = replace(DIALECT, answers={Say: look})
    someone = Someone()
    assert react(Manners(village, 0, 7), someone, Say(b"a"))
    someone.deadlines = Deadlines(60)
    assert not react(Manners(village, 0, 7), someone, Say(b"a"))
    assert isinstance(someone.failure, DecodeError)
    assert someone.failure.reason is DisconnectReason.MALFORMED


@pytest.mark.parametrize("message", [hello(), VerAck(), SendGifts(), Feature(1)])
@pytest.mark.parametrize("version", [2, 10])
def test_r_c4_the_handshake_is_never_repeated(message: Message, version: int) -> None:
    someone = Someone()
    assert not react(manners(version), someone, message)
    assert isinstance(someone.failure, Unexpected)
    assert str(someone.failure) == f"'{message.command}' came after verack"


def test_whoever_was_not_offered_a_service_and_knows_it_is_hung_up_on() -> None:
    someone = Someone()
    assert not react(manners(6), someone, FilterAdd(b"x"))
    assert isinstance(someone.failure, Unwanted)
    assert someone.failure.reason is DisconnectReason.UNWANTED


def test_whoever_was_not_offered_a_service_and_cannot_know_is_ignored() -> None:
    someone = Someone()
    assert not react(manners(5), someone, FilterAdd(b"x"))
    assert someone.failure is None


@pytest.mark.parametrize("version", [5, 6])
def test_whoever_was_offered_a_service_may_use_it(version: int) -> None:
    someone = Someone()
    assert react(manners(version, services=FILTERS | 1), someone, FilterAdd(b"x"))
    assert someone.failure is None


@pytest.mark.parametrize("version", [4, 8])
def test_strict_villages_hear_nothing_their_version_does_not_have(version: int) -> None:
    someone = Someone()
    someone.negotiated_version = version
    assert not react(manners(version, strict=True), someone, Gift())
    assert str(someone.failure) == f"'gift' is not part of version {version}"


@pytest.mark.parametrize("version", [4, 8])
def test_lenient_villages_hear_everything(version: int) -> None:
    assert react(manners(version), Someone(), Gift())


def test_strict_villages_hear_what_their_version_has() -> None:
    assert react(manners(7, strict=True), Someone(), Gift())


def test_before_verack_features_and_wishes_are_heard_as_far_as_the_version_has_them() -> None:
    assert manners(7).early == {SendGifts, Feature, SendHeaders, FeeFilter, Unknown, Malformed}
    assert manners(3).early == {SendGifts, Feature, SendHeaders, Unknown, Malformed}
    assert manners(2).early == {Feature, SendHeaders, Unknown, Malformed}


def test_most_messages_can_be_sent_without_further_ado() -> None:
    rules = manners().rules
    for kind in (Say, Ping, Pong, Inv, NotFound, SendHeaders, Gift, FeeFilter):
        assert kind not in rules


@pytest.mark.parametrize("kind", [Hello, VerAck, SendGifts, Feature])
def test_nothing_of_the_handshake_can_be_sent_after_it(kind: type[Message]) -> None:
    assert manners().rules[kind].needs == "a handshake under way"


def test_nothing_can_be_sent_that_the_version_does_not_have() -> None:
    for version in (4, 8):
        assert manners(version).rules[Gift].needs == "another protocol version"
    assert manners(3).rules[FeeFilter].needs == "another protocol version"


def test_what_is_for_a_service_needs_the_service_once_services_are_known() -> None:
    assert manners(6).rules[FilterAdd] == Rule(service=FILTERS)
    assert FilterAdd not in manners(5).rules


def test_requests_are_remembered_by_their_questions() -> None:
    rule = manners().rules[GetData]
    assert not rule.needs
    assert list(rule.questions(GetData(items([1])))) == [("say", item(1).hash)]


def test_a_message_that_is_not_registered_may_still_be_gated() -> None:
    class Letter(Message):
        command = "letter"

    village = replace(DIALECT, gates={Letter: (3, None)})
    assert Manners(village, 0, 2).rules[Letter].needs
    assert Letter not in Manners(village, 0, 3).rules
    assert Etiquette(village, 0).at(2) is not Etiquette(village, 0).at(3)


def test_manners_are_worked_out_once_for_all_versions_that_share_them() -> None:
    etiquette = Etiquette(DIALECT, 0)
    eras = [[1, 2], [3], [4], [5], [6, 7], [8, 9, 10, 1 << 31]]
    found = [{etiquette.at(version) for version in era} for era in eras]
    assert all(len(era) == 1 for era in found)
    assert len(set().union(*found)) == len(eras)


def test_versions_that_peers_make_up_cost_nothing() -> None:
    etiquette = Etiquette(DIALECT, 0)
    for version in range(10_000):
        etiquette.at(version)
    assert len(etiquette._known) == 6


def test_manners_are_those_of_the_version() -> None:
    etiquette = Etiquette(DIALECT, FILTERS)
    assert Gift in etiquette.at(4).rules
    assert Gift not in etiquette.at(5).rules
    assert react(etiquette.at(6), Someone(), FilterAdd(b"x"))


def test_a_dialect_may_put_up_with_no_unknown_command() -> None:
    machine = Someone()
    manners = Manners(replace(DIALECT, strict_commands=True), 0, 7)
    reaction = manners.reactions[Unknown]
    assert not reaction(machine, Unknown("news", b""), b"", b"sum!")
    assert isinstance(machine.failure, Unexpected)
    assert machine.failure.command == "news"
    assert Manners(DIALECT, 0, 7).reactions[Unknown] is None
