"""Two machines that speak Decred, or one that hears what a node would hang up on."""

from dataclasses import replace
from itertools import count

import pytest

from bitpeer import decred
from bitpeer.decred import (
    DIALECT,
    Addr,
    AddrV2,
    Block,
    GetData,
    GetHeaders,
    GetInitState,
    GetMiningState,
    InitState,
    InvType,
    InvVect,
    MixCiphertexts,
    NodeAddress,
    NotFound,
    Ping,
    Pong,
    Reject,
    SendHeaders,
    VerAck,
    Version,
)
from bitpeer.dialect import Greeting
from bitpeer.errors import (
    DisconnectReason,
    NotNegotiated,
    TimedOut,
    TrailingBytes,
    Unencodable,
    Unexpected,
)
from bitpeer.messages.control import FeeFilter
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.reactions import Etiquette
from bitpeer.wire.framing import Envelope, Framing
from bitpeer.wire.message import Unknown
from tests.decred import vectors
from tests.pair import Pair
from tests.peer.village import make_terms

NET = decred.SIMNET
ENVELOPE = Envelope(NET.magic, DIALECT.checksum, DIALECT.registry, DIALECT.max_payload)


def machine(version=12, *, outbound=True, nonce=1):
    """Return a machine that speaks at most this *version*."""
    dialect = replace(DIALECT, protocol_version=version)

    def greeting(now, own_nonce, receiver):
        return Greeting(
            version=version,
            services=1,
            time=int(now),
            nonce=own_nonce,
            user_agent=b"/t:1/",
            receiver=receiver,
        )

    terms = make_terms(
        dialect,
        envelope=ENVELOPE,
        etiquette=Etiquette(dialect, 1),
        greeting=greeting,
        draw_nonce=count(nonce).__next__,
    )
    return PeerMachine(terms, Framing(ENVELOPE, terms.max_handshake_payload), outbound=outbound)


def meeting(ours=12, theirs=12):
    """Return two machines that have met."""
    pair = Pair(machine(ours), machine(theirs, outbound=False, nonce=1000))
    pair.start()
    pair.run()
    assert pair.dialler.machine.established
    assert pair.listener.machine.established
    return pair


def hears(ours, *messages):
    """Return a machine that dialled and heard *messages*, and the events."""
    listening, events = machine(ours), []
    listening.start(0.0)
    listening.data_to_send()
    for message in messages:
        raw = message if isinstance(message, bytes) else b"".join(ENVELOPE.wrap(message))
        events += listening.receive_data(raw, 1.0)
    return listening, events


def version(number=12, **changes):
    fields = {"services": 1, "time": 0, "receiver": decred.NetAddress.of("127.0.0.1", 1)}
    return Version(version=number, **fields, nonce=77, **changes)


@pytest.mark.parametrize(("ours", "theirs"), [(12, 12), (12, 11), (10, 12), (9, 9)])
def test_two_machines_meet_and_speak_what_both_know(ours, theirs):
    pair = meeting(ours, theirs)
    assert pair.dialler.said[:2] == pair.listener.said[:2] == ["version", "verack"]
    assert pair.dialler.machine.negotiated_version == min(ours, theirs)
    assert pair.dialler.machine.preference(SendHeaders) == SendHeaders()


def test_the_side_that_was_dialled_does_not_wait_for_verack():
    # A current node that dials sends its verack only after having got ours.
    listening = machine(outbound=False)
    listening.start(0.0)
    events = [*listening.receive_data(b"".join(ENVELOPE.wrap(version())), 1.0)]
    assert isinstance(events[0], VersionReceived)
    commands = [entry.command for entry, _, _ in Framing(ENVELOPE, 999).feed(
        b"".join(listening.data_to_send())
    )]  # fmt: skip
    assert commands == ["version", "verack"]


def test_from_version_12_on_verack_comes_next():
    peer, _ = hears(12, version(12), Ping(1))
    assert isinstance(peer.failure, Unexpected)
    peer, events = hears(12, version(12), VerAck())
    assert isinstance(events[-1], Established)


def test_below_version_12_verack_is_one_of_three():
    peer, events = hears(12, version(11), Ping(1), FeeFilter(5), VerAck())
    assert peer.failure is None
    assert peer.preference(FeeFilter) == FeeFilter(5)
    assert any(isinstance(event, Established) for event in events)
    peer, _ = hears(12, version(11), Ping(1), Ping(2), Ping(3))
    assert isinstance(peer.failure, Unexpected)


def test_what_came_before_verack_is_heard_after_it():
    peer, events = hears(12, version(11), Ping(5), VerAck())
    assert [type(event) for event in events[-2:]] == [Established, Ping]
    said = [entry.decode(payload) for entry, payload, _ in Framing(ENVELOPE, 999).feed(
        b"".join(peer.data_to_send())
    )]  # fmt: skip
    assert Pong(5) in said


def test_versions_below_nine_are_too_old():
    peer, _ = hears(12, version(8))
    assert peer.failure.reason is DisconnectReason.OBSOLETE


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (12, Addr(())),
        (11, AddrV2((NodeAddress.of("127.0.0.1", 1),))),
        (12, Reject(b"tx", 1, b"no")),
        (12, GetMiningState()),
        (12, decred.GetCFilter(bytes(32), 0)),
        (12, decred.FilterClear()),
        (10, decred.GetCFiltersV2(bytes(32), bytes(32))),
        (9, MixCiphertexts(bytes(64), bytes(33), bytes(32), 0, (), ())),
    ],
)
def test_what_a_version_does_not_have_ends_the_connection_both_ways(number, message):
    peer, _ = hears(12, version(number), VerAck(), message)
    assert isinstance(peer.failure, Unexpected)
    assert peer.failure.command == message.command
    pair = meeting(12, number)
    with pytest.raises(NotNegotiated):
        pair.dialler.machine.send(message, 1.0)


def test_unknown_commands_end_the_connection():
    peer, _ = hears(12, version(), VerAck(), Unknown("news", b""))
    assert isinstance(peer.failure, Unexpected)
    peer, _ = hears(12, version(11), Unknown("news", b""))
    assert isinstance(peer.failure, Unexpected)


def test_trailing_bytes_end_the_connection():
    peer, _ = hears(12, version(), VerAck(), Unknown("ping", bytes(8)))
    assert peer.failure is None
    peer, _ = hears(12, version(), VerAck(), Unknown("getcfilterv2", bytes(32)))
    assert peer.failure is None
    listening = Unknown("initstate", bytes(4))
    peer, _ = hears(12, version(), VerAck(), listening)
    assert isinstance(peer.failure, TrailingBytes)


def test_what_is_asked_for_is_due_by_hash():
    pair = meeting()
    block = Block.decode(vectors.BLOCK)
    asking, wanted = pair.dialler.machine, InvVect(InvType.BLOCK, block.hash)
    asking.send(GetData((wanted, InvVect(InvType.MIX, bytes(32)))), 1.0)
    asking.send(GetInitState(()), 1.0)
    asking.send(GetHeaders(12, ()), 1.0)
    pair.run(1.0)
    for answer in (block, InitState((), (), ()), NotFound((InvVect(InvType.TX, bytes(32)),))):
        pair.listener.machine.send(answer, 2.0)
    pair.run(2.0)
    assert pair.dialler.heard[-3] == block
    asking.wake(90.0)
    assert isinstance(asking.failure, TimedOut)
    assert asking.failure.what.startswith("mix")


def test_a_block_is_announced_at_once_and_a_transaction_is_not():
    pair = meeting()
    node = pair.listener.machine
    assert node.announce(InvVect(InvType.TX, b"t" * 32), 1.0)
    assert node.announce(InvVect(InvType.BLOCK, b"b" * 32), 1.0)
    pair.run(1.0)
    assert [list(event.items) for event in pair.dialler.heard if isinstance(event, decred.Inv)] == [
        [InvVect(InvType.BLOCK, b"b" * 32)]
    ]


def test_what_came_before_verack_may_still_end_the_connection():
    peer, events = hears(12, version(11), GetMiningState(), Ping(5), VerAck())
    assert isinstance(peer.failure, Unexpected)
    assert isinstance(events[-1], Established)


def test_what_the_reference_would_refuse_as_too_long_is_not_sent():
    pair = meeting()
    head = (bytes(64), bytes(33), bytes(32), 0)
    pair.dialler.machine.send(decred.MixFactoredPoly(*head, (bytes(32),) * 900, ()), 1.0)
    with pytest.raises(Unencodable, match="exceed the limit of 49291"):
        pair.dialler.machine.send(
            decred.MixFactoredPoly(*head, (bytes(32),) * 1024, (bytes(32),) * 512), 1.0
        )
