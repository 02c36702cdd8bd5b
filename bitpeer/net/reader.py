"""From the network to the listeners: one message at a time, and only when they are ready."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Iterator
from inspect import iscoroutine
from math import inf
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, LocalError, RemoteError
from bitpeer.net.listeners import Receiver
from bitpeer.net.peer import PeerRecord
from bitpeer.net.text import name_of, printable
from bitpeer.peer.events import Answered
from bitpeer.peer.machine import Event
from bitpeer.wire.message import Message

LISTENER, QUEUE, CLOSING = 1, 2, 4
"""What can hold back the delivery of messages: a listener that is not done, a full queue, the
end."""
KEPT_OVERHEAD = 256
"""Bytes that a message takes which is kept, beside its payload."""
FOREIGN = (Exception, CancelledError)
"""What code of others may raise: with asyncio's reactor also this, which is no `Exception`."""


class PeerReader(PeerRecord, ABC):
    """The part of a peer that listens.

    *Theory of operation.*  The machine's events come from an iterator, and the
    conversation advances as that does.  Whatever holds messages back simply
    stops it: the rest of what was read stays behind, as bytes, in a backlog, and
    the transport is asked for no more.  While a listener is at work the peer is
    *corked*: what is sent meanwhile leaves together, afterwards.
    """

    _events: Iterator[Event] | None = None
    _backlog: deque[bytes] | None = None
    _kept: list[tuple[Event, bytes]] | None = None
    _kept_size = 0
    _holds = 0
    _held_since = 0.0
    _awaited: tuple[Receiver, ...] = ()
    _answer_due = inf
    _corked = False

    @abstractmethod
    def fail(self, reason: RemoteError) -> None:
        """End the connection at once, because of what the peer did."""

    @abstractmethod
    def _settle(self) -> None:
        """Write what is to be written, end what is to be ended, see to the timers."""

    @abstractmethod
    def answered(self, event: Answered) -> None:
        """Answers have come: tell those who wait for them."""

    @abstractmethod
    def _ignore(self, data: bytes) -> None:
        """Take note of what came after the end began."""

    @abstractmethod
    def _went_wrong(self, error: BaseException) -> None:
        """A mistake in this package came to light: log it, and end the connection."""

    def dataReceived(self, data: bytes) -> None:
        if self._ending is not None:
            self._ignore(data)
            return
        if self._corked or self._holds or self._backlog:
            self._backlog = self._backlog or deque()
            self._backlog.append(data)
            if not self._corked:
                self._look_for_answers()
                self._settle()
            return
        self._drive(data)
        if self._backlog and not self._holds:
            self._go_on()

    def _drive(self, data: bytes) -> None:
        """Let the conversation go on until *data* is used up or something holds it back."""
        node, machine = self._node, self._machine
        audience = node.audience
        self._corked = True
        try:
            events = self._events
            if events is None:
                events = machine.receive_data(data, node.clock.seconds())
            for event in events:
                for receive in audience[type(event)]:
                    try:
                        answer = receive(self, event)
                        if answer is not None:
                            self._wait_for(answer, receive)
                    except FOREIGN as error:
                        self._listener_raised(error)
                if self._holds:
                    self._put_back(events, data)
                    break
            else:
                self._events = None
                machine.payload = b""
        except Exception as error:
            self._went_wrong(error)
        finally:
            self._corked = False
        self._settle()

    def _put_back(self, events: Iterator[Event], data: bytes) -> None:
        """Keep what is left of *data* for later, if there will be a later."""
        if self._ending is None:
            self._events = events
            self._backlog = self._backlog or deque()
            self._backlog.appendleft(data)

    def _go_on(self) -> None:
        """Deliver what was held back."""
        self._turn_to_kept()
        while self._backlog and not self._holds:
            self._drive(self._backlog.popleft())
        if not self._backlog:
            self._backlog = None
        self._settle()

    @property
    def _unread(self) -> int:
        """Bytes kept until listeners are ready for them."""
        return sum(map(len, self._backlog)) + self._kept_size if self._backlog else 0

    # Looking for answers

    def _look_for_answers(self) -> None:
        """While a listener holds messages back, read on if it may be waiting for an answer itself.

        What is no answer is kept, up to the size of a full queue, and its turn comes later.
        """
        if self._holds != LISTENER or self._corked or self._cut:
            return
        self._corked = True
        try:
            if self._seeking:  # what is read from here on is not waited for any more
                now = self._node.clock.seconds()
                self._machine.resume(now, now - self._held_since)
                self._held_since = now
            while self._backlog and self._seeking:
                self._seek(self._backlog.popleft())
        except Exception as error:
            self._went_wrong(error)
        finally:
            self._corked = False
        if self._kept and self._events is None and self._ending is None:
            self._backlog = self._backlog or deque()
            if not self._backlog or self._backlog[0]:
                self._backlog.appendleft(b"")  # stands for what is kept
        if not self._holds:
            self._go_on()
        elif self._holds == LISTENER:
            transport = cast(IPushProducer, self.transport)
            (transport.resumeProducing if self._seeking else transport.pauseProducing)()
        self._settle()

    @property
    def _seeking(self) -> bool:
        """Whether to read on although a listener is not done."""
        return (
            self._holds == LISTENER
            and self._machine.asking
            and self._kept_size < self._node.config.pause_queue
        )

    def _seek(self, data: bytes) -> None:
        """Let the conversation go on, but deliver answers only."""
        machine, events = self._machine, self._events
        self._events = None
        if events is None:
            if not data:  # stands for what is kept already
                return
            events = machine.receive_data(data, self._node.clock.seconds())
        for event in events:
            if type(event) is Answered:
                self.answered(event)
            else:
                self._kept = self._kept or []
                self._kept.append((event, machine.payload))
                self._kept_size += len(machine.payload) + KEPT_OVERHEAD
            if not self._seeking:
                self._put_back(events, data)
                return
        machine.payload = b""

    def _turn_to_kept(self) -> None:
        """Deliver what was kept first, then the rest of what it came with."""
        if self._kept and not self._holds:
            kept, self._kept, self._kept_size = self._kept, None, 0
            self._events = self._replayed(kept, self._events or iter(()))

    def _replayed(self, kept: list[tuple[Event, bytes]], rest: Iterator[Event]) -> Iterator[Event]:
        for event, payload in kept:
            self._machine.payload = payload
            yield event
        yield from rest

    # What listeners answer

    def judged_by(self, judge: Receiver, version: VersionLike) -> object:
        """Ask a version listener; the first refusal counts, and no judgement is one."""
        try:
            return self._verdict(judge(self, version))
        except FOREIGN as error:
            self._misjudged(error)
            return None

    def _verdict(self, answer: object) -> object:
        """Take a version listener's verdict, now or when it comes."""
        if iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if isinstance(answer, Deferred):
            answer.addCallback(self._verdict)
            return answer.addErrback(self._judgement_failed)
        if answer is None or self._ending is not None or self._machine.failure is not None:
            return None
        if not isinstance(answer, Message):
            raise TypeError(f"a verdict is None or a message, not {answer!r:.100}")
        why = printable(getattr(answer, "reason", b""))
        try:
            self._machine.refuse(why, (answer,))
        except LocalError as error:  # the last words cannot be said, but no is no
            self._listener_raised(error)
            self._machine.refuse(why)
        return None

    def _judgement_failed(self, failure: Failure) -> None:
        self._misjudged(cast(BaseException, failure.value))

    def _misjudged(self, error: BaseException) -> None:
        """Let nobody in whom a version listener was to judge and could not."""
        self._listener_raised(error)
        self._machine.refuse("a version listener failed")

    def tell(self, receive: Callable[..., object], *details: object) -> None:
        """Call a listener whose answer holds nothing back."""
        try:
            answer = receive(self, *details)
            if iscoroutine(answer):
                answer = Deferred.fromCoroutine(answer)
            if isinstance(answer, Deferred):
                answer.addErrback(self._answer_failed)
        except FOREIGN as error:
            self._listener_raised(error)

    def _wait_for(self, answer: object, receive: Receiver) -> None:
        """Hold messages back until a listener is done."""
        if iscoroutine(answer):
            answer = Deferred.fromCoroutine(answer)
        if not isinstance(answer, Deferred):
            return
        self._awaited += (receive,)
        answer.addErrback(self._answer_failed)
        answer.addCallback(self._waited, receive)
        if not self._awaited:
            return
        timeout = self._node.config.listener_timeout
        if timeout is not None:
            self._answer_due = self._node.clock.seconds() + timeout
            self._machine.stirred = True
        self._hold(LISTENER)

    def _waited(self, _: object, receive: Receiver) -> None:
        waiting = list(self._awaited)
        waiting.remove(receive)
        self._awaited = tuple(waiting)
        if not waiting:
            self._answer_due = inf
            self._release(LISTENER)

    def _too_late(self, seconds: float) -> str:
        """Log which listeners are not done after so many *seconds*; return it, too."""
        why = f"{', '.join(map(name_of, self._awaited))} not done after {seconds:g} seconds"
        self._node.journal.emit(LogLevel.warn, "{peer} is given up: {why}", peer=str(self), why=why)
        return why

    def _answer_failed(self, failure: Failure) -> None:
        self._listener_raised(cast(BaseException, failure.value))

    def _listener_raised(self, error: BaseException) -> None:
        """Tell a peer's mistake, which lazy decoding may bring to light late, from a listener's."""
        if isinstance(error, RemoteError):
            self.fail(error)
        elif self._ending is None or not isinstance(error, Disconnected):
            # A listener that was waiting for the peer when it was lost is not to blame.
            self.listener_failures += 1
            self._node.listener_failed(self, error)

    # Holding back, and going on

    def _hold(self, what: int) -> None:
        was, self._holds = self._holds, self._holds | what
        if not was:
            self._held_since = self._node.clock.seconds()
        if was in (0, LISTENER) and not self._seeking:
            cast(IPushProducer, self.transport).pauseProducing()

    def _release(self, what: int) -> None:
        if not self._holds & what:
            return
        self._holds &= ~what
        if self._holds:
            self._look_for_answers()
            return
        now = self._node.clock.seconds()
        self._machine.resume(now, now - self._held_since)
        self._machine.stirred = True
        cast(IPushProducer, self.transport).resumeProducing()
        if not self._corked:
            self._go_on()
