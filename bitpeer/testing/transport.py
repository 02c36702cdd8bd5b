"""One end of an imaginary connection, which behaves as Twisted's transport over TCP does."""
# ruff: noqa: N802  # names that Twisted gives

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import (
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    TCPTimedOutError,
)
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IPushProducer,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.testing.lane import FULL_READ, End, Lane, Piece

if TYPE_CHECKING:
    from bitpeer.testing.host import Host

Address = IPv4Address | IPv6Address


@implementer(ITCPTransport, IConsumer, IPushProducer)
class SimulatedTransport:
    """What a protocol writes to.

    Like Twisted's it does everything that may call back a moment later, buffers
    what the window does not take, asks its producer for a pause while the buffer
    is full, and, when told to close, closes once the buffer is empty and the
    producer is gone.  Like a kernel it answers what comes too late with a reset,
    and resets where bytes are thrown away unread.

    Args:
        host: where it is.
        here: the address of this end.
        there: the address of the other end.
        outward: takes bytes to the other end.
        inward: brings bytes from there.
        gone: told the reason once the protocol has been.
    """

    log = Logger()

    def __init__(
        self,
        host: Host,
        here: Address,
        there: Address,
        *,
        outward: Lane,
        inward: Lane,
        gone: Callable[[Failure], object] = lambda _: None,
    ) -> None:
        self.host = host
        self.protocol: IProtocol | None = None
        self.connected = False
        self.disconnecting = False
        self.disconnected = False
        self.reading = True
        self.blocked = False
        """Whether there are bytes for which the window has no room."""
        self._here = here
        self._there = there
        self._outward = outward
        self._inward = inward
        self._gone = gone
        self._outbox: deque[bytes] = deque()
        self._buffered = 0
        self._inbox: deque[Piece] = deque()
        self._producer: IPushProducer | None = None
        self._streaming = False
        self._asked_to_pause = False
        self._finishing = False  # asked to close the way out
        self._finished = False  # nothing more leaves
        self._aborting = False
        self._turn_planned = False
        self._read_planned = False
        self._no_delay = self._keep_alive = False

    def __repr__(self) -> str:
        return f"<{self._here.host}:{self._here.port} to {self._there.host}:{self._there.port}>"

    def begin(self, protocol: IProtocol) -> None:
        """The connection is there: introduce it to its *protocol*."""
        self.connected = True
        self.protocol = protocol
        self.host.transports[self] = None
        self._guarded(lambda: protocol.makeConnection(self))

    # ITCPTransport

    def getHost(self) -> Address:
        return self._here

    def getPeer(self) -> Address:
        return self._there

    def getTcpNoDelay(self) -> bool:
        return self._no_delay

    def setTcpNoDelay(self, enabled: bool) -> None:
        self._no_delay = bool(enabled)

    def getTcpKeepAlive(self) -> bool:
        return self._keep_alive

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self._keep_alive = bool(enabled)

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if not data or not self.connected or self._finished or self._aborting:
            return
        if not self._outbox and len(data) <= self._outward.room:
            self._outward.send(data)
        else:
            self._outbox.append(data)
            self._buffered += len(data)
            if self._streaming and self._producer is not None and self._buffered > FULL_READ:
                self._asked_to_pause = True
                self._producer.pauseProducing()
        self._plan_turn()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        for each in data:
            self.write(each)

    def loseConnection(self) -> None:
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self.reading = False
            self._plan_turn()

    def loseWriteConnection(self) -> None:
        self._finishing = True
        self._plan_turn()

    def abortConnection(self) -> None:
        if not self.connected or self._aborting:
            return
        self._aborting = True
        self.reading = False
        self._plan(self._abort)

    # IConsumer

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        if self._producer is not None:
            raise RuntimeError(f"{self!r} has a producer already")
        if self.disconnected:
            producer.stopProducing()
            return
        self._producer, self._streaming = cast(IPushProducer, producer), streaming
        self._asked_to_pause = False
        if not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self._producer = None
        if self.connected and self.disconnecting:
            self._plan_turn()

    # IPushProducer

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        if self.connected and not self.disconnecting and not self._aborting:
            self.reading = True
            self._plan_read()

    def stopProducing(self) -> None:
        self.loseConnection()

    # What the way there and the way back report

    def has_room(self) -> None:
        """The other end has read something."""
        self.blocked = False
        self._turn()

    def arrived(self, piece: Piece) -> None:
        """Something has come from the other end."""
        if not self.host.running:
            return
        if not self.connected:
            if isinstance(piece, bytes):  # nobody here knows of such a connection
                self._outward.end(End.RST)
            return
        if self.reading and not self._inbox:
            self._take(piece)
            return
        self._inbox.append(piece)
        if piece is End.RST and self._outbox:  # whoever tries to write notices at once
            self._lose(ConnectionLost())

    def timed_out(self) -> None:
        """Nothing that was sent has been acknowledged for a long time."""
        if self.connected and self.host.running:
            self._finished = True  # nobody would hear it
            self._lose(TCPTimedOutError())

    def forget(self) -> None:
        """The power is gone: nobody is told anything any more, neither here nor there."""
        self.connected = False
        self.protocol = self._producer = None
        self._outbox.clear()
        self._inbox.clear()
        if self._outward.stalled_since is not None:
            self._outward.clear()

    # Within

    def _plan(self, act: Callable[[], object]) -> None:
        timeline = self.host.timeline
        timeline.at(timeline.now, self.host.number, act)

    def _plan_turn(self) -> None:
        if self._turn_planned or self.blocked:
            return
        if self._outbox or self._producer is not None or self.disconnecting or self._finishing:
            self._turn_planned = True
            self._plan(self._turn)

    def _turn(self) -> None:
        """Send what the window takes; once everything has left, go on as was asked."""
        self._turn_planned = False
        if not self.connected or self._aborting:
            return
        while self._outbox:
            room = self._outward.room
            if room <= 0:
                self.blocked = True
                return
            data = self._outbox.popleft()
            if len(data) > room:
                self._outbox.appendleft(data[room:])
                data = data[:room]
            self._buffered -= len(data)
            self._outward.send(data)
        if self._producer is not None and (self._asked_to_pause or not self._streaming):
            self._asked_to_pause = False
            self._guarded(self._producer.resumeProducing)
        elif self._producer is None and self.disconnecting:
            self._hang_up()
        elif self._finishing and not self._finished:
            self._finish()

    def _hang_up(self) -> None:
        if any(isinstance(piece, bytes) for piece in self._inbox):
            self._finished = True
            self._outward.end(End.RST)
        self._lose(ConnectionDone())

    def _finish(self) -> None:
        self._finished = True
        self._outward.end(End.FIN)
        halved: IHalfCloseableProtocol | None = IHalfCloseableProtocol(self.protocol, None)
        if halved is not None:
            self._guarded(halved.writeConnectionLost)

    def _abort(self) -> None:
        if self.connected:
            self._finished = True
            self._outward.end(End.RST)
            self._lose(ConnectionAborted())

    def _plan_read(self) -> None:
        if self._inbox and not self._read_planned:
            self._read_planned = True
            self._plan(self._read)

    def _read(self) -> None:
        self._read_planned = False
        if self.connected and self.reading and self._inbox:
            self._take(self._inbox.popleft())
            self._plan_read()

    def _take(self, piece: Piece) -> None:
        protocol = self.protocol
        assert protocol is not None  # for mypy: it is connected
        if isinstance(piece, bytes):
            self._inward.read(len(piece))
            self._guarded(lambda: protocol.dataReceived(piece))
            return
        if piece is End.RST:
            self._finished = True
            self._lose(ConnectionLost())
            return
        halved: IHalfCloseableProtocol | None = IHalfCloseableProtocol(protocol, None)
        if halved is None:
            self._lose(ConnectionDone())
        else:
            self._guarded(halved.readConnectionLost)

    def _guarded(self, call: Callable[[], object]) -> None:
        """Call the protocol; one that raises loses its connection, as with any reactor."""
        try:
            call()
        except Exception as error:
            self.log.failure("{transport} fails its protocol", transport=self)
            if self.connected:
                self._lose(error)

    def _lose(self, reason: BaseException) -> None:
        """The connection is gone for this end; the other one hears of it, if it does not know."""
        self.connected = self.disconnecting = self.reading = False
        self.disconnected = True
        self.host.transports.pop(self, None)
        self._outbox.clear()
        self._inbox.clear()
        if not self._finished:
            self._finished = True
            self._outward.end(End.FIN)
        producer, self._producer = self._producer, None
        protocol, self.protocol = self.protocol, None
        assert protocol is not None  # for mypy: it was connected
        failure = Failure(reason)
        if producer is not None:
            self._guarded(producer.stopProducing)
        self._guarded(lambda: protocol.connectionLost(failure))
        self._gone(failure)
