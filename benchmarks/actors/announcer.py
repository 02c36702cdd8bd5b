"""A node that announces to all its peers, and what could at best be done with their sockets."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from time import process_time

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from benchmarks.actors import say
from benchmarks.actors.stage import listen, perform, reactor
from benchmarks.data import frame
from benchmarks.stage import CONFIG
from bitpeer.bitcoin.constants import InvType
from bitpeer.dialect import VersionLike
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode


class _Hall(PeerListener):
    """Waits for the audience to be complete."""

    def __init__(self, seats: int, begin: Callable[[], object]) -> None:
        self._seats = seats
        self._begin = begin

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        self._seats -= 1
        if not self._seats:
            reactor.callLater(0.2, self._begin)


def play(audience: int, rounds: int) -> None:
    """Announce one thing after the other to so many peers, in each way in turn."""

    async def begin() -> None:
        ways = _ways(node)
        best = dict.fromkeys(ways, float("inf"))
        for number in range(rounds):
            for name, announce in ways.items():
                item = InvVect(InvType.BLOCK, pack("<Q", number).ljust(32, name.encode()[:1]))
                began = process_time()
                announce(item)
                await _written()
                best[name] = min(best[name], process_time() - began)
                await deferLater(reactor, 0.01)  # the audience listens
        say(**{name: took / audience for name, took in best.items()})

    hall = _Hall(audience, lambda: Deferred.fromCoroutine(begin()))
    node = LocalNode(CONFIG, [hall], clock=reactor)
    perform(port=listen(PeerFactory(node, outbound=False)))


def _ways(node: LocalNode) -> dict[str, Callable[[InvVect], None]]:
    """Return the ways to tell everybody of one thing."""
    peers = node.established()
    transports = [peer.transport for peer in peers]
    sockets = [transport.getHandle() for transport in transports]  # type: ignore[union-attr]

    def encoded(item: InvVect) -> bytes:
        return frame("inv", b"\1" + pack("<I", item.kind) + item.hash)

    def raw(item: InvVect) -> None:
        data = encoded(item)
        for each in sockets:
            each.send(data)

    def write(item: InvVect) -> None:
        data = encoded(item)
        for transport in transports:
            transport.write(data)  # type: ignore[union-attr]  # connected

    def broadcast(item: InvVect) -> None:
        node.broadcast(Inv((item,)))

    def send(item: InvVect) -> None:
        message = Inv((item,))
        for peer in peers:
            peer.send(message)

    def announce(item: InvVect) -> None:
        for peer in peers:
            peer.announce(item)

    return {
        "raw": raw,
        "write": write,
        "broadcast": broadcast,
        "send": send,
        "announce": announce,
    }


async def _written() -> None:
    """Wait until the reactor has nothing to write any more."""
    while reactor.getWriters():
        await deferLater(reactor, 0)
