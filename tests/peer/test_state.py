"""What is known in a conversation."""

import pytest

from bitpeer.messages.control import FeeFilter, Ping, Pong, SendHeaders
from bitpeer.messages.inventory import GetData
from bitpeer.peer.handshake import Phase
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.part import NEVER
from bitpeer.peer.state import ConversationState
from tests.peer.village import (
    VERSION,
    establish,
    framed,
    hear,
    hello,
    item,
    items,
    make_machine,
    make_terms,
)
from tests.toy import Say, VerAck, frame

LONG = frame(b"say", b"\xfd\x00\x10" + bytes(4_096))
"""A frame of about 4,100 bytes: it may take 20 seconds, and one for each thousand bytes."""


def receive(machine: PeerMachine, data: bytes, now: float) -> None:
    """Let *data* arrive, and let nobody listen."""
    for _ in machine.receive_data(data, now):
        pass


def test_at_first_nothing_is_known() -> None:
    machine = make_machine(make_terms())
    assert machine.phase is Phase.AWAITING_VERSION
    assert not machine.established
    assert machine.version is None
    assert machine.negotiated_version == 0
    assert (machine.keepalive, machine.trickle, machine.deadlines) == (None, None, None)
    assert machine.last_receive is None
    assert machine.next_wake == 30
    assert machine.next_flush == NEVER
    assert machine.stirred


def test_the_phases_follow_each_other() -> None:
    machine = make_machine(make_terms())
    hear(machine, hello())
    assert machine.phase is Phase.AWAITING_VERACK
    assert not machine.established
    hear(machine, VerAck())
    assert machine.phase is Phase.DONE
    assert machine.established


def test_the_version_is_what_the_peer_said() -> None:
    machine = establish(make_terms(), version=7, services=5, time=1_060, now=1_000.5)
    assert machine.version == hello(7, services=5, time=1_060)
    assert machine.negotiated_version == 7
    assert machine.time_offset == 60


@pytest.mark.parametrize("time", [-(1 << 63), (1 << 63) - 1])
def test_r_b9_absurd_times_are_kept_as_they_are(time: int) -> None:
    assert establish(make_terms(), time=time, now=0).time_offset == time


def test_the_latest_wish_of_a_kind_counts() -> None:
    machine = establish(make_terms(), during=(FeeFilter(1), SendHeaders()))
    assert machine.preference(FeeFilter) == FeeFilter(1)
    hear(machine, FeeFilter(2))
    assert machine.preference(FeeFilter) == FeeFilter(2)
    assert machine.preference(SendHeaders) == SendHeaders()
    assert machine.preference(Ping) is None
    for number in range(100):
        hear(machine, FeeFilter(number))
    assert len(machine._wishes) == 2


def test_parts_wake_when_the_first_of_them_must() -> None:
    machine = establish(make_terms(), now=1_000)
    assert machine.keepalive is not None
    hear(machine, Pong(machine.keepalive.nonce or 0), now=1_000)
    assert 1_090 <= machine.next_wake <= 1_110
    machine.send(GetData(items([1])), 1_001)
    assert machine.next_wake == 1_061


def test_announcements_have_a_time_of_their_own() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.announce(item(1), 1_001)
    assert machine.next_flush == 1_011
    assert machine.next_wake == 1_300
    assert machine.trickle is not None
    assert machine.trickle.waiting == 1


def test_what_is_over_never_wakes() -> None:
    machine = establish(make_terms())
    machine.announce(item(1), 0)
    machine.close()
    assert machine.next_wake == NEVER
    assert machine.next_flush == NEVER
    assert machine.closed
    assert machine.over
    assert not machine.established
    assert machine.phase is Phase.DONE


def test_a_handshake_that_was_cut_off_is_not_done() -> None:
    machine = make_machine(make_terms())
    hear(machine, hello())
    machine.close()
    assert machine.phase is Phase.AWAITING_VERACK
    assert not machine.established
    assert machine.negotiated_version == VERSION


def test_bytes_and_messages_are_counted_as_they_come() -> None:
    machine = make_machine(make_terms())
    data = framed(hello())
    receive(machine, data[:30], 5.0)
    assert (machine.bytes_received, machine.messages_received) == (30, 0)
    assert machine.held == 30
    assert machine.expected == len(data)
    receive(machine, data[30:], 6.0)
    assert (machine.bytes_received, machine.messages_received) == (len(data), 1)
    assert (machine.held, machine.expected) == (0, 0)
    assert machine.last_receive == 6.0


def test_a_frame_in_progress_has_a_deadline_from_its_first_byte() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.stirred = False
    receive(machine, LONG[:1], 1_010)
    assert machine.stirred
    assert machine.next_wake == pytest.approx(1_030, abs=0.1)
    receive(machine, LONG[1:100], 1_015)
    assert machine.next_wake == pytest.approx(1_034.1, abs=0.05)
    receive(machine, LONG[100:-1], 1_020)
    assert machine.next_wake == pytest.approx(1_034.1, abs=0.05)
    receive(machine, LONG[-1:], 1_030)
    assert machine.next_wake == 1_330


def test_the_next_frame_begins_when_the_one_before_ends() -> None:
    machine = establish(make_terms(), now=1_000)
    receive(machine, LONG[:-1], 1_010)
    machine.stirred = False
    receive(machine, LONG[-1:] + LONG[:-1], 1_015)
    assert machine.next_wake == pytest.approx(1_039.1, abs=0.05)
    assert not machine.stirred  # it must be seen to later than was known


def test_a_state_may_be_looked_at_without_a_conversation() -> None:
    assert not hasattr(make_machine(make_terms()), "__dict__")
    assert issubclass(PeerMachine, ConversationState)
    machine = make_machine(make_terms(), outbound=False)
    assert machine.next_wake == machine.handshake_deadline == 30
    assert not machine.recognised
    assert not machine.outbound
    machine.new_trickle()
    assert machine.trickle is not None
    hear(machine, hello(), Say(b"too early"))
    assert machine.failure is None
