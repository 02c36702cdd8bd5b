"""Getting acquainted."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bitpeer.dialect import Greeting
from bitpeer.errors import (
    DisconnectReason,
    HandshakeError,
    Redirected,
    Refused,
    SelfConnection,
    TimedOut,
    Truncated,
    Unexpected,
    VersionTooOld,
)
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.messages.control import Ping, Reject, VerAck
from bitpeer.peer.handshake import Handshake, Phase
from bitpeer.peer.part import NEVER
from bitpeer.peer.terms import Terms
from bitpeer.wire.message import Malformed, Message, Unknown
from tests.peer.village import DIALECT, VERSION, Feature, SendGifts, hello, make_terms
from tests.toy import Hello, Say

HERE = NetAddress.of("192.0.2.7", 8333)
NOW = 1_000.5
VERSIONED = replace(DIALECT, protocol_version=70_017)


def make(terms: Terms, *, outbound: bool = True) -> Handshake:
    """Return a handshake that is about to begin."""
    return Handshake(terms, outbound=outbound, receiver=HERE)


def meet(handshake: Handshake, version: Message) -> list[Message]:
    """Let the peer introduce itself; return what is answered."""
    answers = list(handshake.review(version, NOW))
    return answers + list(handshake.accept(NOW))


def ours(terms: Terms, nonce: int) -> Hello:
    """Return this side's own introduction."""
    return terms.dialect.greet(terms.greeting(NOW, nonce, HERE))


def test_who_dials_speaks_first() -> None:
    terms = make_terms()
    handshake = make(terms)
    assert list(handshake.start(NOW)) == [ours(terms, 1)]
    assert handshake.phase is Phase.AWAITING_VERSION
    assert meet(handshake, hello()) == [SendGifts(), Feature(VERSION), VerAck()]
    assert handshake.phase is Phase.AWAITING_VERACK
    assert handshake.received(VerAck())
    assert handshake.phase is Phase.DONE


def test_who_was_dialled_listens_first() -> None:
    terms = make_terms()
    handshake = make(terms, outbound=False)
    assert list(handshake.start(NOW)) == []
    assert meet(handshake, hello()) == [ours(terms, 1), SendGifts(), Feature(VERSION), VerAck()]
    assert handshake.received(VerAck())


def test_the_introduction_is_made_when_it_is_needed() -> None:
    seen: list[tuple[float, NetAddress]] = []

    def greeting(now: float, nonce: int, receiver: NetAddress) -> Greeting:
        seen.append((now, receiver))
        return Greeting(version=9, time=int(now), nonce=nonce, user_agent=b"")

    for outbound, times in ((True, [1_000.5]), (False, [1_007.0])):
        seen.clear()
        handshake = make(make_terms(greeting=greeting), outbound=outbound)
        list(handshake.start(1_000.5))
        list(handshake.review(hello(), 1_007.0))
        list(handshake.accept(1_008.0))
        assert seen == [(time, HERE) for time in times]


@pytest.mark.parametrize(("theirs", "common"), [(2, 2), (9, 9), (10, 10), (1 << 31, 10)])
def test_the_lower_version_is_spoken(theirs: int, common: int) -> None:
    handshake = make(make_terms())
    answers = meet(handshake, hello(theirs))
    assert handshake.common_version == common
    assert Feature(common) in answers


def test_peers_of_one_version_share_the_number() -> None:
    one, two = make(make_terms(VERSIONED)), make(make_terms(VERSIONED))
    for handshake in (one, two):
        meet(handshake, Hello.decode(hello(70_016).encode()))
    assert one.common_version == 70_016
    assert one.common_version is two.common_version


def test_only_features_that_the_version_has_are_announced() -> None:
    assert meet(make(make_terms()), hello(2)) == [Feature(2), VerAck()]
    assert meet(make(make_terms()), hello(3)) == [SendGifts(), Feature(3), VerAck()]


@pytest.mark.parametrize(
    "first",
    [VerAck(), Ping(1), Say(b"hi"), SendGifts(), Unknown("new", b""), Unknown("version", b"")],
)
def test_before_version_anything_else_ends_it(first: Message | Unknown) -> None:
    handshake = make(make_terms())
    with pytest.raises(Unexpected) as caught:
        list(handshake.review(first, NOW))
    assert str(caught.value) == f"'{first.command}' before version"
    assert caught.value.reason is DisconnectReason.OUT_OF_ORDER
    assert handshake.version is None


def test_before_version_nothing_malformed_is_tolerated() -> None:
    error = Truncated(4, 1)
    with pytest.raises(Truncated) as caught:
        list(make(make_terms()).review(Malformed("version", b"x", error), NOW))
    assert caught.value is error


@pytest.mark.parametrize("outbound", [True, False])
def test_a_nonce_of_ours_gives_us_away(outbound: bool) -> None:
    terms = make_terms()
    other = make(terms)
    (introduction,) = other.start(NOW)
    handshake = make(terms, outbound=outbound)
    list(handshake.start(NOW))
    with pytest.raises(SelfConnection):
        list(handshake.review(introduction, NOW))
    assert handshake.version is None


def test_the_own_nonce_sent_back_gives_us_away() -> None:
    handshake = make(make_terms())
    (introduction,) = handshake.start(NOW)
    with pytest.raises(SelfConnection) as caught:
        list(handshake.review(hello(nonce=introduction.nonce), NOW))
    assert caught.value.reason is DisconnectReason.SELF_CONNECTION


def test_both_ends_of_a_connection_to_oneself_know_of_it() -> None:
    terms = make_terms()
    dialler, dialled, other = make(terms), make(terms, outbound=False), make(terms)
    assert not dialler.recognised
    (introduction,) = dialler.start(NOW)
    list(other.start(NOW))
    assert not dialler.recognised
    for handshake in (dialled, dialler):
        with pytest.raises(SelfConnection):
            list(handshake.review(introduction, NOW))
    assert dialler.recognised
    assert not dialled.recognised
    assert not other.recognised


def test_one_may_talk_to_oneself_if_one_wants_to() -> None:
    terms = make_terms(allow_self_connections=True)
    (introduction,) = make(terms).start(NOW)
    assert VerAck() in meet(make(terms, outbound=False), introduction)


def test_r_c5_nonces_are_forgotten_with_the_handshake() -> None:
    terms = make_terms()
    for outbound in (True, False):
        handshake = make(terms, outbound=outbound)
        list(handshake.start(NOW))
        assert terms.own_nonces == ({1} if outbound else set())
        list(handshake.review(hello(), NOW))
        assert len(terms.own_nonces) == 1
        handshake.close()
        handshake.close()
        assert terms.own_nonces == set()


def test_a_handshake_that_never_began_has_nothing_to_forget() -> None:
    terms = make_terms()
    make(terms).close()
    assert terms.own_nonces == set()


@pytest.mark.parametrize("minimum", [2, 7])
def test_versions_below_the_minimum_are_too_old(minimum: int) -> None:
    terms = make_terms(min_version=minimum)
    with pytest.raises(VersionTooOld) as caught:
        list(make(terms).review(hello(minimum - 1), NOW))
    assert caught.value.reason is DisconnectReason.OBSOLETE
    assert str(caught.value) == f"version {minimum - 1} is below {minimum}"
    assert list(make(terms).review(hello(minimum), NOW)) == []


def test_a_connection_to_oneself_is_recognised_however_old_the_version() -> None:
    terms = make_terms()
    (introduction,) = make(terms).start(NOW)
    with pytest.raises(SelfConnection):
        list(make(terms).review(replace(introduction, version=0), NOW))


def test_a_dialect_may_refuse_with_last_words() -> None:
    def review(version: Hello, greeting: Greeting) -> Iterator[Message]:
        assert greeting.user_agent == b"/village:1/"
        yield Reject(b"version", 0x10, b"wrong village")
        raise HandshakeError(version)

    handshake = make(make_terms(replace(DIALECT, review=review)))
    answers = handshake.review(hello(), NOW)
    assert next(answers) == Reject(b"version", 0x10, b"wrong village")
    with pytest.raises(HandshakeError):
        next(answers)
    assert handshake.version is None


@pytest.mark.parametrize("stranger", [Ping(1), Say(b"x"), Unknown("new", b""), SendGifts()])
def test_r_c3_what_is_out_of_place_is_passed_over(stranger: Message | Unknown) -> None:
    handshake = make(make_terms())
    meet(handshake, hello())
    assert not handshake.received(stranger)
    assert handshake.received(VerAck())


def test_r_c3_but_not_without_end() -> None:
    handshake = make(make_terms(max_handshake_messages=100))
    meet(handshake, hello())
    for number in range(100):
        assert not handshake.received(Unknown(f"new{number}", b""))
    with pytest.raises(Unexpected, match="'new' came after 100 without verack"):
        handshake.received(Unknown("new", b""))


def test_r_c3_a_hundred_strangers_do_not_keep_verack_away() -> None:
    handshake = make(make_terms(max_handshake_messages=100))
    meet(handshake, hello())
    for number in range(100):
        handshake.received(Unknown(f"new{number}", b""))
    assert handshake.received(VerAck())


def test_malformed_messages_count_as_strangers() -> None:
    handshake = make(make_terms(max_handshake_messages=1))
    meet(handshake, hello())
    malformed = Malformed("say", b"", Truncated(1, 0))
    assert not handshake.received(malformed)
    with pytest.raises(Unexpected):
        handshake.received(malformed)


def test_r_c4_a_second_version_ends_it() -> None:
    handshake = make(make_terms())
    meet(handshake, hello())
    for again in (hello(), hello(5), Malformed("version", b"", Truncated(1, 0))):
        with pytest.raises(Unexpected, match="'version' came twice"):
            handshake.received(again)


def test_r_c1_one_deadline_stands_for_the_whole_handshake() -> None:
    handshake = make(make_terms(handshake_timeout=30.0))
    assert handshake.next_wake == NEVER
    list(handshake.start(1_000))
    assert handshake.next_wake == 1_030
    list(handshake.review(hello(), 1_020))
    list(handshake.accept(1_020))
    handshake.received(Ping(1))
    assert handshake.wake(1_029.9) == ()
    with pytest.raises(TimedOut) as caught:
        handshake.wake(1_030)
    assert caught.value.reason is DisconnectReason.HANDSHAKE_TIMEOUT
    assert str(caught.value) == "no handshake within 30 seconds"


def test_a_complete_handshake_has_no_deadline() -> None:
    handshake = make(make_terms())
    list(handshake.start(1_000))
    meet(handshake, hello())
    handshake.received(VerAck())
    assert handshake.next_wake == NEVER


def test_no_pause_postpones_the_deadline() -> None:
    handshake = make(make_terms(handshake_timeout=30.0))
    list(handshake.start(1_000))
    handshake.postpone(100)
    assert handshake.next_wake == 1_030
    assert handshake.wake(1_029) == ()


def test_last_words_in_place_of_a_version_are_understood_by_who_dialled() -> None:
    last_words = Reject(b"version", 0x11, b"too\nold")
    with pytest.raises(Refused, match=r"^the peer refused: too\\nold$"):
        list(make(make_terms()).review(last_words, NOW))
    with pytest.raises(Unexpected):
        list(make(make_terms(), outbound=False).review(last_words, NOW))


@pytest.mark.parametrize("outbound", [True, False])
def test_a_rejected_version_ends_the_handshake_with_the_reason(outbound: bool) -> None:
    handshake = make(make_terms(), outbound=outbound)
    meet(handshake, hello())
    assert not handshake.received(Reject(b"sendgifts", 0x10, b"no gifts"))
    with pytest.raises(Refused, match=r"^the peer refused: too old$"):
        handshake.received(Reject(b"version", 0x11, b"too old"))


def test_who_hides_its_address_tells_the_peer_none() -> None:
    def greeting(now: float, nonce: int, receiver: NetAddress) -> Greeting:
        assert receiver is NOWHERE
        return Greeting(version=9, time=int(now), nonce=nonce, user_agent=b"")

    handshake = Handshake(make_terms(greeting=greeting), outbound=True, receiver=NOWHERE)
    assert len(list(handshake.start(NOW))) == 1


ELSEWHERE = NetAddress.of("192.0.2.9", 18446)
GUIDED = replace(DIALECT, redirects={Say: lambda _: ELSEWHERE})


def test_a_peer_that_was_dialled_may_send_us_elsewhere() -> None:
    with pytest.raises(Redirected) as caught:
        list(make(make_terms(dialect=GUIDED)).review(Say(b"go"), NOW))
    assert (caught.value.host, caught.value.port) == ("192.0.2.9", 18446)


def test_a_peer_that_dialled_may_not() -> None:
    with pytest.raises(Unexpected):
        list(make(make_terms(dialect=GUIDED), outbound=False).review(Say(b"go"), NOW))
    with pytest.raises(Unexpected):
        list(make(make_terms(dialect=GUIDED)).review(Ping(1), NOW))


@pytest.mark.parametrize("outbound", [True, False])
def test_who_judges_a_peer_knows_who_dialled(outbound: bool) -> None:
    seen: list[bool] = []

    def review(_: Hello, greeting: Greeting) -> tuple[Message, ...]:
        seen.append(greeting.outbound)
        return ()

    judge = replace(DIALECT, review=review)
    meet(make(make_terms(dialect=judge), outbound=outbound), hello())
    assert seen == [outbound]


def test_a_dialect_may_say_how_many_messages_may_come_before_verack() -> None:
    dialect = replace(DIALECT, early_messages=lambda version: 1 if version < VERSION else 0)
    for version, allowed in ((VERSION - 1, 1), (VERSION, 0)):
        handshake = make(make_terms(dialect=dialect))
        meet(handshake, hello(version=version))
        for _ in range(allowed):
            assert not handshake.received(Ping(1))
        with pytest.raises(Unexpected):
            handshake.received(Ping(2))


def test_a_dialect_may_put_up_with_no_unknown_command() -> None:
    handshake = make(make_terms(dialect=replace(DIALECT, strict_commands=True)))
    meet(handshake, hello())
    with pytest.raises(Unexpected, match="not a message of this network"):
        handshake.received(Unknown("news", b""))
