"""The Twisted end of a `PeerMachine`: one transport, many listeners, no timer of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from inspect import iscoroutine
from math import inf
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    LocalError,
    OverBudget,
    Refused,
    RemoteError,
    TimedOut,
)
from bitpeer.messages.inventory import InvVect
from bitpeer.net.interfaces import IPeer
from bitpeer.net.outbox import Outbox, direct_socket, send_through, without_first
from bitpeer.net.peer import PeerRecord
from bitpeer.net.text import printable
from bitpeer.net.traffic import TrafficReport
from bitpeer.peer.events import Established
from bitpeer.peer.machine import Event, PeerMachine
from bitpeer.wire.message import Message, Unknown

if TYPE_CHECKING:
    from bitpeer.net.local import LocalNode

CORK = 65_536
"""While messages are being delivered, replies are held back until so many bytes can leave
together."""
LARGE_READ = 1_048_576
"""Bytes to read at a time while a large message is arriving."""
CLOSE_TIMEOUT = 5.0
"""Seconds that last words may take before the connection is cut."""

LISTENER, QUEUE, CLOSING = 1, 2, 4
"""What can hold back the delivery of messages: a listener that is not done, a full queue, the
end."""

Mark = tuple[int, Callable[[Disconnected | None], object]]
"""A count of bytes, and whom to tell once so many are taken by the network, or never will be."""


@implementer(IPeer)
class PeerProtocol(PeerRecord, Protocol):
    """One connected peer.

    Feeds the machine, writes its bytes, delivers its events.  Time comes from the
    node's tickers, so an idle peer costs nothing but its memory.

    Args:
        node: what all peers of this network share.
        machine: the conversation.
        dialled: what was dialled, if this side did; names the peer where the transport
            knows only a proxy.
    """

    log = Logger()

    _outbox: Outbox | None = None
    _direct: Any = None
    _events: Iterator[Event] | None = None
    _backlog: deque[bytes] | None = None
    _holds = 0
    _held_since = 0.0
    _waits = 0
    _corked = False
    _flushed = 0
    _charged = 0
    _wake_at = inf
    _flush_at = inf
    _close_at = inf
    _gone = False
    _marks: deque[Mark] | None = None
    _waiting: dict[str, list[Deferred[Any]]] | None = None

    def __init__(self, node: LocalNode, machine: PeerMachine, dialled: str | None = None) -> None:
        self._node = node
        self._machine = machine
        if dialled is not None:
            self.dialled = dialled

    # What the application wants

    def send(self, message: Message | Unknown) -> None:
        if self._ending is not None:
            return
        machine = self._machine
        machine.send(message, self._node.clock.seconds())
        if not self._corked or machine.bytes_produced - self._flushed > CORK:
            self._settle()

    def deliver(self, message: Message | Unknown) -> Deferred[None]:
        if self._ending is not None:
            return fail(self._ending)
        try:
            self._machine.send(message, self._node.clock.seconds())
        except LocalError as error:
            return fail(error)
        done: Deferred[None] = Deferred()

        def settled(error: Disconnected | None) -> None:
            if error is None:
                done.callback(None)
            else:
                done.errback(error)

        self.mark(settled)
        if not self._corked:
            self._settle()
        return done

    def announce(self, item: InvVect) -> bool:
        if self._ending is not None:
            return False
        needed = self._machine.announce(item, self._node.clock.seconds())
        if not self._corked:
            self._settle()
        return needed

    def add_known(self, item: InvVect) -> None:
        self._machine.add_known(item)

    def knows(self, item: InvVect) -> bool:
        return self._machine.knows(item)

    def when_established(self) -> Deferred[IPeer]:
        if self._ending is not None:
            return fail(self._ending)
        return succeed(self) if self.established else self._wait_until("established")

    def when_lost(self) -> Deferred[Disconnected]:
        if self._gone and self._ending is not None:
            return succeed(self._ending)
        return self._wait_until("lost")

    def disconnect(self) -> None:
        self._end(Disconnected(DisconnectReason.CLOSED_HERE), last_words=True)

    def fail(self, reason: RemoteError) -> None:
        """End the connection at once, because of what the peer did."""
        self._machine.fail(reason)
        self._end(Disconnected(reason.reason, reason), last_words=isinstance(reason, Refused))

    # IProtocol

    def connectionMade(self) -> None:
        node, transport = self._node, self.transport
        assert transport is not None  # Twisted has just set it
        self.connected_at = node.clock.seconds()
        self.id = node.joined(self)
        self._direct = direct_socket(transport)
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
        if self._direct is None:
            self._outbox = Outbox(transport, None, self._taken)
            self._outbox.open()
        if node.traffic:
            self._machine.observer = TrafficReport(self)
        self._machine.start(self.connected_at)
        self._settle()

    def dataReceived(self, data: bytes) -> None:
        if self._ending is not None:
            return
        if self._events is not None or self._holds:
            self._backlog = self._backlog or deque()
            self._backlog.append(data)
            return
        self._drive(self._machine.receive_data(data, self._node.clock.seconds()))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._ending is None:
            clean = reason.check(ConnectionDone) is not None
            kind = DisconnectReason.CLOSED_BY_PEER if clean else DisconnectReason.CONNECTION_BROKEN
            self._ending = Disconnected(kind, None if clean else reason.value)
        ending = self._ending
        self._gone = True
        self._holds |= CLOSING
        self._wake_at = self._flush_at = self._close_at = inf
        self._events = self._backlog = self._outbox = self._direct = None
        self._charge(0)
        self._machine.close()
        self._machine.observer = None
        marks, self._marks = self._marks, None
        for _, settled in marks or ():
            settled(ending)
        self._node.info("{peer} lost: {reason}", peer=str(self), reason=printable(str(ending)))
        self._node.left(self, ending)
        waiting, self._waiting = self._waiting or {}, None
        for waiter in waiting.get("established", ()):
            waiter.errback(ending)
        for waiter in waiting.get("lost", ()):
            waiter.callback(ending)

    # From the machine to the listeners

    def _drive(self, events: Iterator[Event]) -> None:
        """Let the conversation go on until its bytes are used up or something holds it back."""
        receivers_of = self._node.receivers
        self._events = events
        self._corked = True
        try:
            for event in events:
                for receive in receivers_of(type(event)):
                    try:
                        answer = receive(self, event)
                        if answer is not None:
                            self._wait(answer)
                    except Exception as error:
                        self._listener_raised(error)
                if type(event) is Established:
                    self._introduced()
                if self._holds:
                    break
            else:
                self._events = None
        except Exception:
            self.log.failure("bitpeer failed at {peer}; please report this", peer=str(self))
            self._end(Disconnected(DisconnectReason.INTERNAL), last_words=False)
        self._corked = False
        self._settle()

    def _introduced(self) -> None:
        self._node.info(
            "{peer} established: {agent}, version {version}",
            peer=str(self),
            agent=printable(self.user_agent),
            version=self.negotiated_version,
        )
        for waiter in (self._waiting or {}).pop("established", ()):
            waiter.callback(self)

    def judged_by(self, answer: object) -> object:
        """Take a version listener's verdict, now or when it comes."""
        if iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if isinstance(answer, Deferred):
            return answer.addCallback(self.judged_by)
        if isinstance(answer, Message):
            why = getattr(answer, "reason", b"")
            self._machine.refuse(printable(why), (answer,))
        return None

    def tell(self, receive: Callable[..., object], *details: object) -> None:
        """Call a listener whose answer holds nothing back."""
        try:
            answer = receive(self, *details)
            if iscoroutine(answer):
                answer = Deferred.fromCoroutine(answer)
            if isinstance(answer, Deferred):
                answer.addErrback(self._answer_failed)
        except Exception as error:
            self._listener_raised(error)

    def _wait(self, answer: object) -> None:
        """Hold messages back until a listener is done."""
        if iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if not isinstance(answer, Deferred):
            return
        self._waits += 1
        answer.addErrback(self._answer_failed)
        answer.addCallback(self._waited)
        if self._waits:
            self._hold(LISTENER)

    def _waited(self, _: object) -> None:
        self._waits -= 1
        if not self._waits:
            self._release(LISTENER)

    def _answer_failed(self, failure: Failure) -> None:
        self._listener_raised(cast(BaseException, failure.value))

    def _listener_raised(self, error: BaseException) -> None:
        """Tell a peer's mistake, which lazy decoding may bring to light late, from a listener's."""
        if isinstance(error, RemoteError):
            self.fail(error)
        else:
            self.listener_failures += 1
            self._node.listener_failed(self, error)

    # Holding back, and going on

    def _hold(self, what: int) -> None:
        if not self._holds:
            self._held_since = self._node.clock.seconds()
            cast(IPushProducer, self.transport).pauseProducing()
        self._holds |= what

    def _release(self, what: int) -> None:
        if not self._holds & what:
            return
        self._holds &= ~what
        if self._holds:
            return
        now = self._node.clock.seconds()
        self._machine.resume(now, now - self._held_since)
        cast(IPushProducer, self.transport).resumeProducing()
        if not self._corked:
            self._go_on()

    def _go_on(self) -> None:
        """Deliver what was held back."""
        if self._events is not None:
            self._drive(self._events)
        while self._backlog and not self._holds and self._events is None:
            now = self._node.clock.seconds()
            self._drive(self._machine.receive_data(self._backlog.popleft(), now))

    # From the machine to the network

    def mark(self, settled: Callable[[Disconnected | None], object]) -> None:
        """Call *settled* once everything queued so far is taken by the network, or lost."""
        if self._marks is None:
            self._marks = deque()
        self._marks.append((self._machine.bytes_produced, settled))

    def _settle(self) -> None:
        """Write what is to be written, end what is to be ended, see to the timers."""
        machine = self._machine
        if machine.has_data_to_send:
            self._flush()
        if machine.failure is not None:
            self.fail(machine.failure)
        held = machine.held + machine.bytes_produced - self.bytes_sent
        if held != self._charged and not self._gone:
            self._charge(held)
            if self._direct is not None:
                large = machine.expected > CORK
                self.transport.bufferSize = LARGE_READ if large else CORK  # type: ignore[union-attr]
            machine.stirred = True
        if machine.stirred:
            self._schedule()

    def _flush(self) -> None:
        chunks: Iterable[bytes | memoryview] = self._machine.data_to_send()
        if self._gone or self.transport is None:
            return
        self._flushed = self._machine.bytes_produced
        self.last_send = now = self._node.clock.seconds()
        outbox = self._outbox
        if outbox is None or (self._direct is not None and not outbox.queued):
            whole = cast(list[bytes], chunks)
            count = send_through(self._direct, whole)
            rest = without_first(whole, count)
            self._taken(count)
            if not rest:
                return
            if outbox is None:
                outbox = self._outbox = Outbox(self.transport, self._direct, self._taken)
            chunks = rest
        outbox.append(chunks, now)
        config = self._node.config
        if outbox.queued > config.max_queue:
            reason = DisconnectReason.SEND_QUEUE_FULL
            self.fail(OverBudget(reason, outbox.queued, config.max_queue))
        elif outbox.queued > config.pause_queue:
            self._hold(QUEUE)

    def _taken(self, count: int) -> None:
        """The network has taken *count* more bytes."""
        self.bytes_sent += count
        marks = self._marks
        while marks and marks[0][0] <= self.bytes_sent:
            marks.popleft()[1](None)
        if self._holds & QUEUE and self.queued < self._node.config.pause_queue // 2:
            self._release(QUEUE)
        if self._close_at != inf and not self.queued:
            self._hang_up()

    def _charge(self, held: int) -> None:
        change, self._charged = held - self._charged, held
        self._node.charge(change)

    @property
    def held(self) -> int:
        """Bytes kept for this peer: waiting to be sent, or of a message that is not complete."""
        return self._charged

    # Time

    def wake_due(self, now: float) -> None:
        """The moment for which `_schedule` asked has come; others pass without effect."""
        if now + 1e-6 < self._wake_at or self._wake_at == inf:
            return
        self._wake_at = inf
        if now >= self._close_at:
            self._abort()
        elif now >= self._send_deadline and self._ending is None:
            waited = now - self._outbox.began if self._outbox else 0.0
            self.fail(TimedOut(DisconnectReason.SEND_TIMEOUT, "room for more", waited))
        elif not self._holds:
            self._machine.wake(now)
            self._settle()
        self._schedule()

    def flush_due(self, now: float) -> None:
        """The moment has come to announce what is waiting."""
        if now + 1e-6 < self._flush_at or self._flush_at == inf:
            return
        self._flush_at = inf
        self._machine.flush(now)
        self._machine.stirred = True
        self._settle()

    @property
    def _send_deadline(self) -> float:
        outbox, config = self._outbox, self._node.config
        if outbox is None:
            return inf
        return outbox.began + config.transfer_grace + outbox.total / config.transfer_rate

    def _schedule(self) -> None:
        """See to it that the tickers come by when something is due."""
        machine, node = self._machine, self._node
        machine.stirred = False
        if self._gone:
            return
        at = min(machine.next_wake, self._send_deadline, self._close_at)
        if at < self._wake_at:
            self._wake_at = at
            node.wakes.schedule(self, at)
        at = machine.next_flush
        if at < self._flush_at:
            self._flush_at = at
            node.flushes.schedule(self, at)

    # The end

    def _end(self, ending: Disconnected, *, last_words: bool) -> None:
        """Begin to end the connection; the first reason counts."""
        if self._ending is not None:
            return
        self._ending = ending
        self._holds |= CLOSING
        if self.transport is None:
            return
        if not last_words:
            self._abort()
            return
        self._close_at = self._node.clock.seconds() + CLOSE_TIMEOUT
        if self._machine.has_data_to_send:
            self._flush()
        if not self.queued:
            self._hang_up()
        self._schedule()

    def _hang_up(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        assert self.transport is not None  # nothing is hung up that never was connected
        self.transport.loseConnection()

    def _abort(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()

    def _wait_until(self, what: str) -> Deferred[Any]:
        if self._waiting is None:
            self._waiting = {}
        waiter: Deferred[Any] = Deferred()
        self._waiting.setdefault(what, []).append(waiter)
        return waiter
