"""A node that serves one block again and again, and what could at best be done."""

from __future__ import annotations

from socket import create_server, socket
from time import process_time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from benchmarks.actors import say
from benchmarks.actors.stage import listen, perform, reactor
from benchmarks.data import block, frame
from benchmarks.stage import CONFIG
from bitpeer.bitcoin.block import Block
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode


@implementer(IPullProducer)
class _Pulled(Protocol):
    """Writes to the transport whenever that wants more, as Twisted's own file sender does."""

    def serve(self, data: bytes, count: int) -> Deferred[None]:
        self._data, self._left = data, count
        self._done: Deferred[None] = Deferred()
        self.transport.registerProducer(self, False)  # type: ignore[union-attr]  # connected
        return self._done

    def resumeProducing(self) -> None:  # noqa: N802
        transport: Any = self.transport
        if self._left:
            self._left -= 1
            transport.write(self._data)
        else:
            transport.unregisterProducer()
            self._done.callback(None)

    def stopProducing(self) -> None:  # noqa: N802
        pass


def play(size: float) -> None:
    """Serve a block of the given size, so often and in such a way as is ordered."""
    payload = block("C", size)
    data = frame("block", payload)
    served = Block.decode(payload)
    node = LocalNode(CONFIG, clock=reactor)
    puller = _Pulled()
    factory: Any = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _: puller
    plain = create_server(("127.0.0.1", 0))
    accepted: list[socket] = []

    async def bitpeer(count: int) -> None:
        (peer,) = node.established()
        for _ in range(count):
            await peer.deliver(served)

    async def raw(count: int) -> None:
        if not accepted:
            accepted.append(plain.accept()[0])
        for _ in range(count):
            accepted[0].sendall(data)

    async def write(count: int) -> None:
        await puller.serve(data, count)

    ways = {"bitpeer": bitpeer, "raw": raw, "write": write}

    async def obey(way: str, count: int) -> None:
        began = process_time()
        await ways[way](count)
        say(seconds=process_time() - began)

    perform(
        lambda **order: Deferred.fromCoroutine(obey(**order)),
        bitpeer=listen(PeerFactory(node, outbound=False)),
        raw=plain.getsockname()[1],
        write=listen(factory),
        size=len(data),
    )
