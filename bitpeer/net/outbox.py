"""Bytes that the network has not taken yet, counted to the last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from socket import socket

from twisted.internet.interfaces import IPullProducer, IPushProducer, ITransport
from twisted.internet.tcp import Connection
from zope.interface import implementer

PIECE = 65_536
"""Bytes lent to the transport at a time when the kernel is full."""
JOINED = 65_536
"""Chunks up to this many bytes together are joined before they are sent."""


def direct_socket(transport: ITransport) -> socket | None:
    """Return the socket of a plain TCP *transport*, to which one may write oneself.

    `transport.write` costs two system calls and a turn of the reactor; a write
    straight to the socket, while nothing is queued, costs one.  Everything that
    is not exactly Twisted's own TCP transport, TLS above all, gets `None`.
    """
    if isinstance(transport, Connection) and not transport.TLS:
        handle: socket = transport.getHandle()
        return handle
    return None


def send_through(sock: socket, chunks: list[bytes]) -> int:
    """Send *chunks* at once, as far as the kernel takes them; return how many bytes it took.

    A broken connection counts as a full one: the transport will notice by itself.
    """
    try:
        if len(chunks) == 1:
            return sock.send(chunks[0])
        if sum(map(len, chunks)) <= JOINED:
            return sock.send(b"".join(chunks))
        return sock.sendmsg(chunks[:64])
    except OSError:
        return 0


def without_first(chunks: list[bytes], count: int) -> list[bytes | memoryview]:
    """Return what is left of *chunks* behind their first *count* bytes."""
    rest: list[bytes | memoryview] = []
    for chunk in chunks:
        if count >= len(chunk):
            count -= len(chunk)
        else:
            rest.append(memoryview(chunk)[count:] if count else chunk)
            count = 0
    return rest


@implementer(IPullProducer, IPushProducer)
class Outbox:
    """Queue between a peer and a transport that is full.

    Over a plain TCP socket the queue is emptied straight into the kernel.  To
    learn when the kernel has room again, one piece is lent to the transport,
    which calls back as a consumer does to its pull producer.  Every other
    transport is written to while it does not ask for a pause.

    Args:
        transport: where the bytes go.
        direct: the transport's socket, if it may be written to.
        taken: called with the number of bytes the network has just taken.
    """

    __slots__ = (
        "_blocked",
        "_chunks",
        "_direct",
        "_draining",
        "_lent",
        "_registered",
        "_taken",
        "_transport",
        "began",
        "queued",
        "total",
    )

    def __init__(
        self, transport: ITransport, direct: socket | None, taken: Callable[[int], None]
    ) -> None:
        self._transport = transport
        self._direct = direct
        self._taken = taken
        self._chunks: deque[bytes | memoryview] = deque()
        self._lent = 0
        self._blocked = False
        self._draining = False
        self._registered = False
        self.queued = 0
        """Bytes not taken yet."""
        self.began = inf
        """When the queue was last empty; infinity while it is."""
        self.total = 0
        """Bytes that went through the queue since it was last empty."""

    def open(self) -> None:
        """Ask the transport to say when it is full."""
        if not self._registered:
            self._registered = True
            self._transport.registerProducer(  # type: ignore[attr-defined]  # an IConsumer, too
                self, self._direct is None
            )

    def close(self) -> None:
        """Let go of the transport, so that it may close."""
        if self._registered:
            self._registered = False
            self._transport.unregisterProducer()  # type: ignore[attr-defined]  # as above

    def append(self, chunks: Iterable[bytes | memoryview], now: float) -> None:
        """Queue *chunks* behind what is waiting."""
        if not self.queued:
            self.began = now
            self.total = 0
        for chunk in chunks:
            self._chunks.append(chunk)
            self.queued += len(chunk)
            self.total += len(chunk)
        if not self._registered:
            self.open()
        self._drain()

    def resumeProducing(self) -> None:  # noqa: N802
        """The transport has room."""
        self._blocked = False
        if self._lent:
            lent, self._lent = self._lent, 0
            self._sent(lent)
        self._drain()

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport is full."""
        self._blocked = True

    def stopProducing(self) -> None:  # noqa: N802
        """The transport is gone."""
        self._registered = False
        self._blocked = True

    def _drain(self) -> None:
        """Pass on what can be passed on."""
        if self._draining or self._blocked or self._lent:
            return
        self._draining = True
        try:
            while self._chunks and not self._blocked:
                chunk = self._chunks.popleft()
                if self._direct is None:
                    self._transport.write(bytes(chunk))
                    self._sent(len(chunk))
                elif not self._send_directly(self._direct, chunk):
                    break
        finally:
            self._draining = False
        if not self.queued:
            self.began = inf
            if self._direct is not None:
                self.close()

    def _send_directly(self, sock: socket, chunk: bytes | memoryview) -> bool:
        """Send *chunk* straight to the kernel; return whether it took everything."""
        try:
            count = sock.send(chunk)
        except OSError:
            count = 0
        self._sent(count)
        if count == len(chunk):
            return True
        rest = memoryview(chunk)[count:]
        if len(rest) > PIECE:
            self._chunks.appendleft(rest[PIECE:])
        self._lent = min(len(rest), PIECE)
        self._transport.write(bytes(rest[:PIECE]))
        return False

    def _sent(self, count: int) -> None:
        self.queued -= count
        if count:
            self._taken(count)
