"""The Twisted end of a `PeerMachine`: one connection, from its first moment to its last."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    HandshakeError,
    RemoteError,
    SelfConnection,
    TimedOut,
)
from bitpeer.net.asking import TOLERANCE, AskingPeer
from bitpeer.net.interfaces import IPeer
from bitpeer.net.outbox import Outbox, direct_socket
from bitpeer.net.reader import CLOSING
from bitpeer.net.traffic import TrafficReport
from bitpeer.peer.machine import PeerMachine

if TYPE_CHECKING:
    from bitpeer.net.local import LocalNode

SMALL_READ = 65_536
LARGE_READ = 1_048_576
"""Bytes to read at a time: few, so that one peer does not keep the others waiting, but more of
a large message that is arriving."""
CLOSE_TIMEOUT = 5.0
"""Seconds that last words may take before the connection is cut."""
STRANGER_TIMEOUT = 2.0
"""The same for those who never got through the handshake."""
MAX_FAREWELL = 1_048_576
"""Bytes read, and thrown away, from a peer that has been told everything and does not close."""


@implementer(IPeer)
class PeerProtocol(AskingPeer, Protocol):
    """One connected peer.

    Feeds the machine, writes its bytes, delivers its events.  Time comes from the
    node's tickers, so an idle peer costs nothing but its memory.

    A connection ends in one of two ways.  It is *closed* by `disconnect`, or when
    a peer is refused: what is queued still leaves, within five seconds, or two
    before the handshake is complete; the tickers may be a moment late.  It is
    *cut* in every other case, and if the peer talks on: at once, whatever is queued.
    Either way the first reason counts, and `connectionLost` tells it.

    Args:
        node: what all peers of this network share.
        machine: the conversation.
        dialled: what was dialled, if this side did; names the peer where the transport
            knows only a proxy.
    """

    _wake_at = inf
    _flush_at = inf
    _close_at = inf
    _ignored = 0
    _waiting: dict[str, list[Deferred[Any]]] | None = None

    def __init__(self, node: LocalNode, machine: PeerMachine, dialled: str | None = None) -> None:
        self._node = node
        self._machine = machine
        # What most peers will have, from the start: CPython finds an attribute of an instance
        # faster, and does without a dictionary of 800 bytes for it, as long as nothing is added
        # to the names that the first instances had (and those are fewer than 30).
        self.transport = None
        self.connected = self.id = self.bytes_sent = 0
        self._holds = self._waits = self._charged = 0
        self._corked = self._cut = False
        self._ending = self._outbox = self._marks = self._backlog = self._events = None
        self._direct = self._local_address = self._facts = None
        self.last_send = self.last_block = self.last_announced_block = None
        self.connected_at = self._held_since = 0.0
        self._wake_at = self._flush_at = inf
        if dialled is not None:
            self.dialled = dialled

    # IProtocol

    def connectionMade(self) -> None:
        node, transport = self._node, self.transport
        assert transport is not None  # Twisted has just set it
        self.connected_at = node.clock.seconds()
        self.id = node.joined(self)
        if self._ending is not None:
            self._abort()
            return
        try:
            self._direct = direct_socket(transport)
            if self._direct is not None:
                self._remember_local_address()
            if ITCPTransport.providedBy(transport):
                with suppress(OSError):  # before Twisted 25, Unix sockets claim to be TCP
                    transport.setTcpNoDelay(True)
            if node.audience.traffic:
                self.observe()
            self._machine.start(self.connected_at)
        except Exception as error:
            self._went_wrong(error)
        self._settle()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._machine.closed:
            return
        ending = self._ending
        if ending is None:
            ending = self._ending = self._broken(reason)
        established = self._machine.keepalive is not None
        self._let_go()
        self._abandon(ending)
        self._machine.close()
        self._machine.observer = None
        marks, self._marks = self._marks, None
        for _, settled in marks or ():
            settled(ending)
        self._node.left(self, ending, established=established)
        waiting, self._waiting = self._waiting or {}, None
        for waiter in waiting.get("established", ()):
            waiter.errback(ending)
        for waiter in waiting.get("lost", ()):
            waiter.callback(ending)

    def _broken(self, reason: Failure) -> Disconnected:
        """Return what it means that the connection is gone although nobody here ended it."""
        if self._machine.recognised:
            return Disconnected(DisconnectReason.SELF_CONNECTION, SelfConnection())
        if reason.check(ConnectionDone) is None:
            return Disconnected(DisconnectReason.CONNECTION_BROKEN, reason.value)
        if getattr(self.transport, "disconnecting", False):  # a service closed it over our head
            return Disconnected(DisconnectReason.CLOSED_HERE)
        return Disconnected(DisconnectReason.CLOSED_BY_PEER)

    # Those who wait

    def when_established(self) -> Deferred[IPeer]:
        if self._ending is not None:
            return fail(self._ending)
        return succeed(self) if self.established else self._wait_until("established")

    def when_lost(self) -> Deferred[Disconnected]:
        if self._machine.closed and self._ending is not None:
            return succeed(self._ending)
        return self._wait_until("lost")

    def introduced(self) -> None:
        """All listeners have heard that the peer is established: tell the others."""
        if self._ending is not None:
            return
        self._remember_local_address()
        self._node.welcomed(self)
        for waiter in (self._waiting or {}).pop("established", ()):
            waiter.callback(self)

    def _wait_until(self, what: str) -> Deferred[Any]:
        if self._waiting is None:
            self._waiting = {}
        waiter: Deferred[Any] = Deferred()
        self._waiting.setdefault(what, []).append(waiter)
        return waiter

    def observe(self) -> None:
        """Report what is read and written from now on to those who want to know."""
        if self._machine.observer is None:
            self._machine.observer = TrafficReport(self)

    # After everything that happens

    def _settle(self) -> None:
        machine = self._machine
        if self._cut:
            return
        try:
            if machine.has_data_to_send:
                self._flush()
            if machine.failure is not None and self._ending is None:
                self.fail(machine.failure)
            held = machine.held + machine.bytes_produced - self.bytes_sent
            if self._backlog:
                held += self._unread
            if held != self._charged and not self._cut:
                self._charge(held)
                self._choose_read_size()
                machine.stirred = True
            if machine.stirred:
                self._schedule()
        except Exception as error:
            self._went_wrong(error)

    def _choose_read_size(self) -> None:
        """Read no more at a time than the rest of a large message: small ones take their time."""
        if self._direct is not None:
            left = self._machine.expected - self._machine.held
            size = min(max(left, SMALL_READ), LARGE_READ)
            self.transport.bufferSize = size  # type: ignore[union-attr]  # our own TCP transport

    # Time

    def wake_due(self, now: float) -> None:
        """The moment for which `_schedule` asked has come; others pass without effect."""
        if now + TOLERANCE < self._wake_at or self._wake_at == inf:
            return
        self._wake_at = inf
        self._machine.stirred = True
        try:
            self._look_at_the_time(now)
            if now >= self._close_at:
                self._abort()
            elif now >= self._send_deadline and self._ending is None:
                allowed = self._send_deadline - cast(Outbox, self._outbox).began
                self.fail(TimedOut(DisconnectReason.SEND_TIMEOUT, "room for more", allowed))
            elif now >= self._answer_due and self._ending is None:
                self._give_up_waiting()
            elif not self._holds or now >= self._machine.handshake_deadline:
                if self._awaited:
                    self._too_late(now - self._held_since)
                self._machine.wake(now)
        except Exception as error:
            self._went_wrong(error)
        self._settle()

    def flush_due(self, now: float) -> None:
        """The moment has come to announce what is waiting."""
        if now + TOLERANCE < self._flush_at or self._flush_at == inf:
            return
        self._flush_at = inf
        if self._ending is not None:
            return
        self._machine.stirred = True
        try:
            self._machine.flush(now)
        except Exception as error:
            self._went_wrong(error)
        self._settle()

    def _schedule(self) -> None:
        """See to it that the tickers come by when something is due."""
        machine, node = self._machine, self._node
        machine.stirred = False
        due = machine.next_wake
        if self._holds:
            due = min(machine.handshake_deadline, self._answer_due)
        at = min(self._send_deadline, self._close_at, due)
        if machine.inquiries is not None:
            at = min(at, machine.next_expiry)
        if at < self._wake_at:
            self._wake_at = at
            node.wakes.schedule(self, at)
        at = machine.next_flush
        if at < self._flush_at and self._ending is None:
            self._flush_at = at
            node.flushes.schedule(self, at)

    # The end

    def disconnect(self) -> None:
        self._end(Disconnected(DisconnectReason.CLOSED_HERE), last_words=True)

    def fail(self, reason: RemoteError) -> None:
        """End the connection at once, because of what the peer did."""
        reason.__traceback__ = reason.__context__ = None  # they would keep alive what came
        last_words = isinstance(reason, HandshakeError) and self._machine.keepalive is None
        self._machine.fail(reason)
        self._end(Disconnected(reason.reason, reason), last_words=last_words)

    def _went_wrong(self, error: BaseException) -> None:
        self._node.journal.failure(
            "bitpeer failed at {peer}; please report this", error, peer=str(self)
        )
        self._end(Disconnected(DisconnectReason.INTERNAL, error), last_words=False)

    def _give_up_waiting(self) -> None:
        """Listeners are not done, and may never be: a peer must not be held for ever."""
        why = self._too_late(cast(float, self._node.config.listener_timeout))
        ending = Disconnected(DisconnectReason.INTERNAL, TimeoutError(why))
        self._end(ending, last_words=False)

    def _end(self, ending: Disconnected, *, last_words: bool) -> None:
        """Begin to end the connection; the first reason counts, and cutting beats closing."""
        self._begin_to_end(ending, last_words)
        self._abandon(self._ending or ending)

    def _begin_to_end(self, ending: Disconnected, last_words: bool) -> None:
        if self._ending is None:
            self._ending = ending
            self._holds |= CLOSING
            self._answer_due = inf
        elif last_words:
            return
        if self.transport is None:
            return
        if not last_words:
            self._abort()
            return
        stranger = self._machine.keepalive is None
        patience = STRANGER_TIMEOUT if stranger else CLOSE_TIMEOUT
        self._close_at = self._node.clock.seconds() + patience
        self._machine.stirred = True
        if self._holds != CLOSING:
            cast(IPushProducer, self.transport).resumeProducing()  # to see it go
        if not self.queued:
            self._emptied()
        self._settle()

    def _emptied(self) -> None:
        """The last words have left: hang up."""
        if self._cut:
            return
        if self._outbox is not None:
            self._outbox.close()
        transport = cast(ITCPTransport, self.transport)
        if self._direct is not None and self.bytes_sent:
            # Were it closed while there are bytes to read, the other end's kernel would throw
            # away what the peer has not read yet, last words and all.
            transport.loseWriteConnection()
        else:
            transport.loseConnection()

    def _ignore(self, data: bytes) -> None:
        """Read on to see the peer close, but not for long if it floods instead."""
        if not self.queued:
            self._ignored += len(data)
            if self._ignored > MAX_FAREWELL:
                self._abort()

    def _abort(self) -> None:
        """Cut the connection, and forget what was kept for it."""
        if self._cut:
            return
        self._let_go()
        transport = cast(ITCPTransport, self.transport)
        abort = getattr(transport, "abortConnection", transport.loseConnection)
        abort()

    def _let_go(self) -> None:
        """Keep nothing for a peer that will neither read nor be read any more."""
        self._cut = True
        self._holds |= CLOSING
        self._wake_at = self._flush_at = self._close_at = inf
        if self._outbox is not None:
            self._outbox.drop()
        self._events = self._backlog = self._direct = None
        if self._kept is not None:
            self._kept, self._kept_size = None, 0
        self._charge(0)
