"""Two machines talk to each other, over a wire that cuts their words as it likes."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st

from bitpeer.dialect import Dialect
from bitpeer.errors import DisconnectReason, SelfConnection
from bitpeer.messages.control import Ping, Reject
from bitpeer.messages.inventory import GetData, NotFound
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.terms import Terms
from bitpeer.wire.framing import Framing
from tests.pair import Pair
from tests.peer.village import (
    DIALECT,
    NEWS,
    Feature,
    SendGifts,
    item,
    make_terms,
    said,
)
from tests.toy import Say, VerAck

NEGOTIATION = frozenset({"version", "verack", "sendgifts", "feature"})


HERE, THERE = 1_000, 2_000
"""Where the nonces of two nodes begin."""


def machine(terms: Terms, *, outbound: bool) -> PeerMachine:
    """Return a machine that is not connected yet."""
    framing = Framing(terms.envelope, terms.max_handshake_payload)
    return PeerMachine(terms, framing, outbound=outbound)


def pair(one: Terms | None = None, two: Terms | None = None) -> Pair:
    """Return two nodes' machines on a wire that is not connected yet."""
    one, two = one or make_terms(first_nonce=HERE), two or make_terms(first_nonce=THERE)
    return Pair(machine(one, outbound=True), machine(two, outbound=False))


def village(version: int) -> Dialect:
    """Return the language up to *version*."""
    return replace(DIALECT, protocol_version=version)


def established(one: Terms | None = None, two: Terms | None = None) -> Pair:
    """Return two machines that have got acquainted."""
    wire = pair(one, two)
    wire.start()
    wire.run()
    assert wire.dialler.machine.established
    assert wire.listener.machine.established
    return wire


def check_order(words: list[str], negotiation: frozenset[str] = NEGOTIATION) -> None:
    """Check that nothing was said too early or too late (R-C2)."""
    assert words[:1] in ([], ["version"])
    assert words.count("version") <= 1
    assert words.count("verack") <= 1
    until = words.index("verack") if "verack" in words else len(words)
    assert set(words[:until]) <= negotiation
    assert not set(words[until + 1 :]) & negotiation


def test_r_c2_words_come_in_order() -> None:
    wire = established()
    assert wire.dialler.said == [
        "version", "sendgifts", "feature", "verack", "sendheaders", "feefilter", "ping", "pong",
    ]  # fmt: skip
    assert sorted(wire.listener.said) == sorted(wire.dialler.said)
    for side in (wire.dialler, wire.listener):
        check_order(side.said)


def test_both_sides_agree() -> None:
    wire = established(make_terms(village(7)), make_terms(first_nonce=THERE))
    for side, other in ((wire.dialler, wire.listener), (wire.listener, wire.dialler)):
        assert side.machine.negotiated_version == 7
        assert side.machine.preference(SendGifts) == SendGifts()
        kinds = [type(event) for event in side.heard]
        assert kinds.index(VersionReceived) < kinds.index(Feature) < kinds.index(VerAck)
        assert kinds.index(VerAck) < kinds.index(Established)
        assert side.machine.bytes_received == len(other.stream)
        assert side.machine.bytes_produced == len(side.stream)
        assert side.machine.keepalive.latency == 0


deliveries = st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=200)


@given(deliveries, st.integers(2, 10), st.integers(2, 10))
def test_however_words_are_cut_both_sides_get_acquainted_and_agree(
    cuts: list[tuple[bool, int]], one: int, two: int
) -> None:
    wire = pair(make_terms(village(one)), make_terms(village(two), first_nonce=THERE))
    wire.start()
    for outward, count in cuts:
        wire.deliver(wire.dialler if outward else wire.listener, count)
    wire.run()
    for side, other in ((wire.dialler, wire.listener), (wire.listener, wire.dialler)):
        assert side.machine.established
        assert side.machine.failure is None
        assert side.machine.negotiated_version == min(one, two)
        assert side.machine.messages_received == len(other.said)
        assert side.machine.held == 0
        check_order(side.said)


@settings(max_examples=20)
@given(st.integers(1, 7))
def test_a_byte_at_a_time_is_enough(count: int) -> None:
    whole, cut = established(), pair()
    cut.start()
    cut.run(count=count)
    for ours, theirs in ((cut.dialler, whole.dialler), (cut.listener, whole.listener)):
        assert ours.machine.established
        assert sorted(ours.said) == sorted(theirs.said)
        assert [type(event) for event in ours.heard] == [type(event) for event in theirs.heard]


@given(deliveries, st.integers(0, 300))
def test_requests_and_answers_find_each_other_however_they_are_cut(
    cuts: list[tuple[bool, int]], size: int
) -> None:
    wire = established()
    text = bytes(size)

    def serve(event: object) -> None:
        if isinstance(event, GetData):
            for wanted in event.items:
                known = wanted.hash == said(text)
                answer = Say(text) if known else NotFound((wanted,))
                wire.listener.machine.send(answer, 1.0)

    wire.listener.react = serve
    wire.dialler.machine.send(GetData((item(0)._replace(hash=said(text)), item(1))), 1.0)
    wire.dialler.fetch()
    for outward, count in cuts:
        wire.deliver(wire.dialler if outward else wire.listener, count, 1.0)
    wire.run(1.0)
    assert wire.dialler.heard[-2:] == [Say(text), NotFound((item(1),))]
    assert wire.dialler.machine.deadlines is None


def test_what_one_announces_the_other_does_not_announce_back() -> None:
    wire = established()
    assert wire.dialler.machine.announce(item(1), 1.0)
    assert wire.dialler.machine.announce(item(2), 1.0)
    assert wire.listener.machine.announce(item(2), 1.0)
    wire.wake(11.0)
    assert wire.listener.machine.knows(item(1))
    assert not wire.listener.machine.announce(item(1), 12.0)
    assert not wire.dialler.machine.announce(item(2), 12.0)
    assert wire.dialler.machine.announce(item(3, NEWS), 12.0)
    wire.run(12.0)
    assert wire.listener.machine.knows(item(3))
    assert wire.dialler.said.count("inv") == 2


def test_two_idle_peers_keep_each_other_alive() -> None:
    wire = established()
    now = 0.0
    for _ in range(1_000):
        now = min(side.machine.next_wake for side in (wire.dialler, wire.listener))
        wire.wake(now)
    assert wire.dialler.machine.established
    assert wire.listener.machine.established
    assert now > 40_000
    pings = wire.dialler.said.count("ping")
    assert 490 <= pings <= 510
    assert wire.listener.said.count("pong") == pings


def test_r_c2_who_is_refused_hears_last_words_and_no_others() -> None:
    wire = pair()
    rejection = Reject(b"version", 0x10, b"no")
    wire.listener.react = lambda event: (
        wire.listener.machine.refuse("no", (rejection,))
        if isinstance(event, VersionReceived)
        else None
    )
    wire.start()
    wire.run()
    assert wire.listener.said == ["reject"]
    assert wire.dialler.said == ["version"]
    assert wire.dialler.machine.failure.reason is DisconnectReason.OUT_OF_ORDER


def test_oneself_is_recognised() -> None:
    terms = make_terms()
    wire = pair(terms, terms)
    wire.start()
    wire.run()
    assert isinstance(wire.listener.machine.failure, SelfConnection)
    assert wire.listener.said == []
    wire.close()
    assert terms.own_nonces == set()


def test_one_may_talk_to_oneself_if_one_wants_to() -> None:
    terms = make_terms(allow_self_connections=True)
    wire = established(terms, terms)
    assert terms.own_nonces == set()
    wire.dialler.machine.send(Ping(7), 1.0)
    wire.run()


def test_r_c5_five_thousand_connections_to_oneself_are_all_recognised() -> None:
    terms = make_terms()
    wires = [pair(terms, terms) for _ in range(5_000)]
    for wire in wires:
        wire.start()
    assert len(terms.own_nonces) == 5_000
    for wire in wires:
        wire.run()
    assert all(isinstance(wire.listener.machine.failure, SelfConnection) for wire in wires)
    assert len(terms.own_nonces) <= 10_000
    for wire in wires:
        wire.close()
    assert terms.own_nonces == set()


def test_r_c5_strangers_among_oneself_are_welcome() -> None:
    terms = make_terms()
    wires = [pair(terms, make_terms(draw_nonce=lambda: 1 << 50)) for _ in range(100)]
    for wire in wires:
        wire.start()
    for wire in wires:
        wire.run()
        assert wire.listener.machine.established
    assert terms.own_nonces == set()


def test_what_is_announced_to_many_is_encoded_once() -> None:
    terms = make_terms()
    wires = [established(make_terms(first_nonce=THERE), terms) for _ in range(3)]
    for wire in wires:
        assert wire.listener.machine.announce(item(1, NEWS), 1.0)
    first, *others = [wire.listener.machine.data_to_send() for wire in wires]
    for other in others:
        assert other[0] is first[0]
