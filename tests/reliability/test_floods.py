"""Whatever a peer pours over us, nothing of it stays, and none of it costs more than its size."""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from bitpeer.bitcoin import Headers, Tx
from bitpeer.bitcoin.language import DIALECT
from bitpeer.messages.addresses import Addr, TimedNetAddress
from bitpeer.messages.inventory import GetData, InvVect
from bitpeer.peer.machine import PeerMachine
from bitpeer.wire.message import Message
from tests.peer.test_noise import framed, handshake, make
from tests.peer.village import make_terms


def established() -> PeerMachine:
    """Return a machine that speaks Bitcoin and has its handshake behind it."""
    machine = make(make_terms(DIALECT), outbound=False)
    list(machine.receive_data(handshake(DIALECT, DIALECT.protocol_version, 2), 0.0))
    assert machine.established
    machine.data_to_send()
    return machine


def pour(machine: PeerMachine, messages: Iterator[Message], times: int) -> None:
    """Let the peer send so many of *messages*, each of which the application hears of and drops."""
    for _, message in zip(range(times), messages, strict=False):
        data = framed(DIALECT, message.command.encode(), message.encode())
        (heard,) = machine.receive_data(data, 0.0)
        assert type(heard) is type(message)


def growth(machine: PeerMachine, messages: Iterator[Message], times: int) -> int:
    """Return how many bytes more are in use after *times* messages than after the first ten."""
    pour(machine, messages, 10)
    tracemalloc.start()
    try:
        pour(machine, messages, 10)
        before, _ = tracemalloc.get_traced_memory()
        pour(machine, messages, times)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def calls(work: Callable[[], object]) -> int:
    """Return how many calls of Python functions *work* takes: a clock that never varies."""
    found = [0]

    def note(*_: object) -> None:
        found[0] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found[0]


def headers() -> Iterator[Headers]:
    """Yield messages of 2,000 headers, none of which is worth any work."""
    for number in count():
        texts = (bytes(72) + (2_000 * number + each).to_bytes(8, "little") for each in range(2_000))
        yield Headers.decode(b"\xfd\xd0\x07" + b"".join(text + b"\0" for text in texts))


def addresses() -> Iterator[Addr]:
    """Yield messages of 1,000 addresses that nobody has heard of."""
    for number in count():
        hosts = ((20 << 120) + 1_000 * number + each for each in range(1_000))
        yield Addr([TimedNetAddress(0, 1, host.to_bytes(16, "big"), 8333) for host in hosts])


def orphans() -> Iterator[Tx]:
    """Yield transactions that spend what nobody has heard of."""
    tail = b"\0" + b"\xff" * 4 + b"\1" + bytes(8) + b"\0" + bytes(4)
    for number in count():
        parent = number.to_bytes(32, "little")
        yield Tx.decode(b"\1\0\0\0\1" + parent + bytes(4) + tail)


@pytest.mark.parametrize("kinds", [(0,), (77, 2**32 - 1), (1,)], ids=["zero", "unknown", "repeat"])
def test_r_a5_absurd_requests_cost_next_to_nothing(kinds: tuple[int, ...]) -> None:
    """CVE-2024-52920: what cannot be served must not be tried again and again."""
    machine = established()
    items = [InvVect(kinds[each % len(kinds)], bytes(32)) for each in range(50_000)]
    data = framed(DIALECT, b"getdata", GetData(items).encode())
    heard = []
    work = calls(lambda: heard.extend(machine.receive_data(data, 0.0)))
    assert [type(each) for each in heard] == [GetData]
    assert work < 200
    assert machine.held == 0
    assert not machine.has_data_to_send
    assert list(machine.receive_data(framed(DIALECT, b"getdata", b"\0"), 0.0)) == [GetData(())]
    assert machine.failure is None


def test_r_a5_more_than_fifty_thousand_are_refused() -> None:
    machine = established()
    data = framed(
        DIALECT, b"getdata", b"\xfe" + (50_001).to_bytes(4, "little") + bytes(36 * 50_001)
    )
    assert list(machine.receive_data(data, 0.0)) == []
    assert machine.failure is not None


def test_r_a6_headers_are_not_kept() -> None:
    """CVE-2024-52916: there is no store of headers that worthless ones could fill."""
    machine = established()
    assert growth(machine, headers(), 100) < 65_536
    assert machine.held == 0


def test_r_a9_addresses_are_not_kept() -> None:
    """CVE-2024-52919: there is no table of addresses that gossip could fill."""
    machine = established()
    assert growth(machine, addresses(), 100) < 65_536
    assert machine.held == 0


def test_r_a10_transactions_without_parents_are_not_kept() -> None:
    """CVE-2024-52914: there is no pool of orphans that could be looked through for hours."""
    machine = established()
    assert growth(machine, orphans(), 5_000) < 65_536
    assert machine.held == 0
