"""Bytes that the network has not taken yet, counted to the last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from socket import socket

from twisted.internet.interfaces import IPullProducer, IPushProducer, ITransport
from twisted.internet.tcp import Connection
from zope.interface import implementer

PIECE = 65_536
"""Bytes given to the transport at a time, and up to which small chunks are joined."""
BATCH = 64
"""Pieces given to the kernel at a time."""


def direct_socket(transport: ITransport) -> socket | None:
    """Return the socket of a plain stream *transport*, to which one may write oneself.

    `transport.write` costs two system calls and a turn of the reactor; a write
    straight to the socket, while nothing is queued, costs one.  Everything that
    is not Twisted's own transport over a TCP or Unix socket, TLS above all, gets
    `None`.
    """
    if isinstance(transport, Connection) and not transport.TLS:
        handle: socket = transport.getHandle()
        return handle
    return None


def send_through(
    sock: socket, chunks: Sequence[bytes | memoryview]
) -> tuple[int, Sequence[bytes | memoryview]]:
    """Send *chunks* at once, as far as the kernel takes them.

    A broken connection counts as a full one: the transport will notice by itself.

    Returns:
        How many bytes it took, and what is left.
    """
    rest = joined(chunks)
    if len(rest) == 1:
        total = _send(sock, rest)
        return total, () if total == len(rest[0]) else without_first(rest, total)
    total = 0
    while rest:
        batch = rest[:BATCH]
        count = _send(sock, batch)
        total += count
        rest = without_first(rest, count)
        if count < sum(map(len, batch)):
            break
    return total, rest


def _send(sock: socket, pieces: Sequence[bytes | memoryview]) -> int:
    """Try one system call on *pieces*; return how many bytes the kernel took."""
    try:
        if len(pieces) > 1 and hasattr(sock, "sendmsg"):  # Windows has none
            return sock.sendmsg(pieces)
        return sock.send(pieces[0])
    except OSError:
        return 0


def without_first(chunks: Sequence[bytes | memoryview], count: int) -> Sequence[bytes | memoryview]:
    """Return what is left of *chunks* behind their first *count* bytes."""
    for number, chunk in enumerate(chunks):
        if count < len(chunk):
            first = memoryview(chunk)[count:] if count else chunk
            return [first, *chunks[number + 1 :]]
        count -= len(chunk)
    return ()


def joined(chunks: Sequence[bytes | memoryview]) -> Sequence[bytes | memoryview]:
    """Return *chunks* with small neighbours put together, so that each is worth a system call."""
    if len(chunks) < 2:
        return chunks
    if sum(map(len, chunks)) <= PIECE:
        return (b"".join(chunks),)
    pieces: list[bytes | memoryview] = []
    small: list[bytes | memoryview] = []
    size = 0
    for chunk in chunks:
        if size + len(chunk) > PIECE and small:
            pieces.append(b"".join(small))
            small, size = [], 0
        if len(chunk) >= PIECE:
            pieces.append(chunk)
        else:
            small.append(chunk)
            size += len(chunk)
    if small:
        pieces.append(b"".join(small))
    return pieces


@implementer(IPullProducer, IPushProducer)
class Outbox:
    """Queue between a peer and a transport that is full.

    Over a plain socket the queue is emptied straight into the kernel.  To learn
    when the kernel has room again, one piece is lent to the transport, which
    calls back as a consumer does to its pull producer.  Every other transport is
    written to, piece by piece, while it does not ask for a pause; what it has
    got counts as taken.

    The transport knows of the queue only while there is something in it, or
    while it is full itself: some do not close as long as they have a producer.

    *Time.*  What is waiting when the clock is started must be gone within the
    time that so many bytes may take; then the clock is started again for what
    has come meanwhile.  So a peer that is slow but steady lives, however much it
    is sent, and one that reads a byte now and then does not (R-A3).

    Args:
        transport: where the bytes go.
        direct: the transport's socket, if it may be written to.
        seconds: tells the time.
        taken: called with the number of bytes the network has just taken.
    """

    __slots__ = (
        "_blocked",
        "_chunks",
        "_direct",
        "_draining",
        "_lent",
        "_lot_left",
        "_registered",
        "_seconds",
        "_taken",
        "_transport",
        "began",
        "lot",
        "queued",
    )

    def __init__(
        self,
        transport: ITransport,
        direct: socket | None,
        seconds: Callable[[], float],
        taken: Callable[[int], object],
    ) -> None:
        self._transport = transport
        self._direct = direct
        self._seconds = seconds
        self._taken = taken
        self._chunks: deque[bytes | memoryview] = deque()
        self._lent = 0
        self._lot_left = 0
        self._blocked = False
        self._draining = False
        self._registered = False
        self.queued = 0
        """Bytes not taken yet."""
        self.began = inf
        """When the clock was last started; infinity while nothing is waiting."""
        self.lot = 0
        """Bytes that were waiting then."""

    def put(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Queue *chunks* behind what is waiting; `push` sends them."""
        was_empty = not self.queued
        for chunk in joined(chunks):
            self._chunks.append(chunk)
            self.queued += len(chunk)
        if was_empty:
            self._start_clock()

    def push(self) -> None:
        """Send what can be sent."""
        if self.queued and not self._registered:
            self._registered = True
            self._transport.registerProducer(  # type: ignore[attr-defined]  # an IConsumer, too
                self, self._direct is None
            )
        self._drain()

    def drop(self) -> None:
        """Forget what is waiting: the connection is about to be cut."""
        self._chunks.clear()
        self.queued = self._lent = 0
        self.began = inf
        self._blocked = True

    def close(self) -> None:
        """Let go of the transport, so that it may close."""
        if self._registered:
            self._registered = False
            self._transport.unregisterProducer()  # type: ignore[attr-defined]  # as above

    def resumeProducing(self) -> None:  # noqa: N802
        """The transport has room."""
        self._blocked = False
        lent, self._lent = self._lent, 0
        if lent:
            self._count(lent)
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
        if self._draining:
            return
        self._draining = True
        try:
            while self._chunks and not self._blocked and not self._lent:
                if self._direct is None:
                    self._hand_over()
                else:
                    self._send(self._direct)
        finally:
            self._draining = False
        if not self.queued and not self._blocked:
            self.close()

    def _next(self) -> bytes | memoryview:
        """Take the next chunk out of the queue, together with small ones behind it."""
        chunks = self._chunks
        taken = [chunks.popleft()]
        size = len(taken[0])
        while chunks and size + len(chunks[0]) <= PIECE:
            size += len(chunks[0])
            taken.append(chunks.popleft())
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _hand_over(self) -> None:
        """Write one piece to the transport, which may then say that it is full."""
        piece = self._next()
        if len(piece) > PIECE:
            self._chunks.appendleft(memoryview(piece)[PIECE:])
            piece = memoryview(piece)[:PIECE]
        self._transport.write(bytes(piece))
        self._count(len(piece))

    def _send(self, sock: socket) -> None:
        """Send one piece straight to the kernel; lend the transport what it does not take."""
        piece = self._next()
        count = _send(sock, (piece,))
        if count < len(piece):
            rest = memoryview(piece)[count:]
            if len(rest) > PIECE:
                self._chunks.appendleft(rest[PIECE:])
            self._lent = min(len(rest), PIECE)
            self._transport.write(bytes(rest[:PIECE]))
        if count:
            self._count(count)

    def _count(self, taken: int) -> None:
        """The network has *taken* so many bytes."""
        self.queued -= taken
        self._lot_left -= taken
        if self._lot_left <= 0:
            self._start_clock()
        self._taken(taken)

    def _start_clock(self) -> None:
        self.lot = self._lot_left = self.queued
        self.began = self._seconds() if self.queued else inf
