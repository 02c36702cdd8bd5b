"""A peer that says what a script tells it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from bitpeer.dialect import Greeting, Network
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.net.local import draw_nonce
from bitpeer.testing.frames import Frames, Heard, NotAFrame, Said, frame
from bitpeer.testing.transcript import Entry, Fits, Missing, Transcript
from bitpeer.wire.message import Message, Unknown

M = TypeVar("M", bound=Heard)
Reply = Said | bytes | Iterable[Said | bytes] | None
Kind = type[Any] | tuple[type[Any], ...] | str

PATIENCE = 60.0
"""Seconds that things may take, unless something else is said."""


def _any(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Habit:
    """What a scripted peer was told to answer."""

    kind: Kind
    reply: Callable[[Any], Reply]
    times: int
    after: float


class ScriptedPeer(Protocol):
    """One end of a connection, in the hands of a script.

    It decodes all that comes and keeps it, in `history`.  It answers nothing by
    itself: not a `version`, not a `ping`, unless told so by `answer`.  What the
    script does wrong it does on purpose; nothing is checked on the way out.

    It needs a clock and a transport, imaginary or real: see `dial` and `listen`.
    Whatever returns a Deferred has begun when it returns, so ask before doing what
    brings the answer, or after: both find it.

    Args:
        network: what it speaks.
        clock: the reactor.
        outbound: whether it dialled.
    """

    def __init__(self, network: Network, clock: IReactorTime, *, outbound: bool) -> None:
        self.network = network
        self.outbound = outbound
        self.transcript = Transcript(clock)
        """What was said; as text it fits into a report."""
        self._clock = clock
        self._frames = Frames(network)
        self._habits: list[Habit] = []
        self._unsaid: list[IDelayedCall] = []
        self._rest = b""
        self._rate: float | None = None
        self._lost_waiters: list[Deferred[BaseException]] = []

    @property
    def history(self) -> list[Entry]:
        """Everything that both sides said, in order."""
        return self.transcript.history

    @property
    def received(self) -> list[Heard]:
        """Every message that came, in order."""
        return self.transcript.received

    @overload
    def heard(self, kind: type[M]) -> list[M]: ...
    @overload
    def heard(self, kind: str | tuple[type[Any], ...]) -> list[Any]: ...
    def heard(self, kind: Kind) -> list[Any]:
        """Return the messages of this *kind*, as `expect` has it, that have come so far."""
        fits = _test(kind, _any)
        return [message for message in self.received if fits(message)]

    # What it says

    def send(self, *messages: Said) -> None:
        """Send *messages*, in or out of place."""
        for message in messages:
            self._write(message, frame(self.network, message))

    def send_bytes(self, data: bytes) -> None:
        """Send what need be no message at all."""
        self._write(data, data)

    def lie(self, message: Said, **lies: Any) -> None:
        """Send *message* in a frame that is not true: see `frames.frame` for what can be said."""
        self.send_bytes(frame(self.network, message, **lies))

    def begin(self, message: Said, count: int) -> None:
        """Send the first *count* bytes of a frame, and stall; `finish` sends the rest."""
        whole = frame(self.network, message)
        self.send_bytes(whole[:count])
        self._rest = whole[count:]

    def finish(self) -> None:
        """Send the rest of what `begin` began."""
        rest, self._rest = self._rest, b""
        self.send_bytes(rest)

    def answer(
        self,
        kind: Kind,
        reply: Callable[[Any], Reply] | Reply,
        *,
        times: int = 1,
        after: float = 0.0,
    ) -> None:
        """From now on, answer every message of a *kind*.

        Args:
            kind: a class of messages, or several, or a command.
            reply: what to answer: a message, bytes, several of those, or `None`; or a function
                that returns it, given the message.
            times: how often to say it.
            after: seconds to think about it first.
        """
        if not callable(reply):
            always = _several(reply)
            self.answer(kind, lambda _: always, times=times, after=after)
            return
        self._habits.append(Habit(kind, reply, times, after))

    def stop_answering(self, kind: Kind) -> None:
        """Forget what was said of answers to this *kind*."""
        self._habits = [habit for habit in self._habits if habit.kind != kind]

    def answer_pings(self) -> None:
        """From now on, send a `pong` for every `ping`, as peers should."""
        self.answer(Ping, lambda ping: Pong(ping.nonce))

    # What it waits for

    @overload
    def expect(
        self, kind: type[M], fits: Callable[[M], bool] = ..., *, timeout: float = ...
    ) -> Deferred[M]: ...
    @overload
    def expect(
        self, kind: str | tuple[type[Any], ...], fits: Fits = ..., *, timeout: float = ...
    ) -> Deferred[Any]: ...
    def expect(self, kind: Kind, fits: Fits = _any, *, timeout: float = PATIENCE) -> Deferred[Any]:
        """Wait for the next message of a *kind* that *fits*, whatever comes before it.

        Next means: after the one that was expected last.  What came since counts, and what
        is passed over on the way is not found again: it is in `history`.

        Args:
            kind: a class of messages, or several, or a command.
            fits: told the message, says whether it is the one.
            timeout: seconds.

        Returns:
            A Deferred of the message.  It fails with `Missing`, and the transcript, if time
            passes or the connection ends without it.
        """
        return self.transcript.wait(_words(kind, fits), _test(kind, fits), timeout)

    def expect_next(self, *, timeout: float = PATIENCE) -> Deferred[Heard]:
        """Wait for the very next message, whatever it is: for those who care about the order."""
        return self.transcript.wait("message", _any, timeout)

    def expect_none(
        self, kind: Kind, fits: Fits = _any, *, seconds: float = PATIENCE
    ) -> Deferred[None]:
        """Wait so many *seconds* for nothing: a message of the kind that *fits* is a failure."""
        return self.transcript.wait_in_vain(_words(kind, fits), _test(kind, fits), seconds)

    def expect_lost(self, *, timeout: float = PATIENCE) -> Deferred[BaseException]:
        """Wait for the end of the connection.

        Returns:
            A Deferred that fires with the reason: `ConnectionDone` where the other side hung
            up, `ConnectionLost` where it cut the connection, and so on (`twisted.internet.error`).
        """
        if self.transcript.lost is not None:
            return succeed(self.transcript.lost)
        waiter: Deferred[BaseException] = Deferred(self._lost_waiters.remove)
        self._lost_waiters.append(waiter)

        def too_late(*_: object) -> Failure:
            why = f"the connection has not ended within {timeout:g} seconds"
            return Failure(Missing(f"{why}; what was said:\n{self.transcript}"))

        return waiter.addTimeout(timeout, self._clock, too_late)

    def sync(self, *, timeout: float = PATIENCE) -> Deferred[Pong]:
        """Send a `ping` and wait for its `pong`: what was sent before has been dealt with."""
        nonce = draw_nonce()
        self.send(Ping(nonce))
        return self.expect(Pong, lambda pong: pong.nonce == nonce, timeout=timeout)

    # Manners

    def introduction(self, **changes: Any) -> Said:
        """Return the network's `version` message.

        Args:
            changes: fields of a `Greeting` that should be different.
        """
        ordinary: dict[str, Any] = {
            "version": self.network.dialect.protocol_version,
            "time": int(self._clock.seconds()),
            "nonce": draw_nonce(),
            "user_agent": b"/scripted:1/",
            "outbound": self.outbound,
        }
        return self.network.dialect.greet(Greeting(**ordinary | changes))

    def shake_hands(
        self,
        *features: Said,
        verack: bool = True,
        timeout: float = PATIENCE,
        **changes: Any,
    ) -> Deferred[Any]:
        """Go through the handshake as a polite peer does.

        Args:
            features: sent before `verack`.
            verack: whether to send it; without it the handshake is never complete.
            timeout: seconds that each answer may take.
            changes: see `introduction`.

        Returns:
            A Deferred of the other side's `version`.
        """
        version = self.introduction(**changes)
        return Deferred.fromCoroutine(self._shake_hands(version, features, verack, timeout))

    async def _shake_hands(
        self, version: Said, features: Iterable[Said], verack: bool, timeout: float
    ) -> Any:
        if self.outbound:
            self.send(version)
        theirs = await self.expect("version", timeout=timeout)
        if not self.outbound:
            self.send(version)
        self.send(*features)
        if verack:
            self.send(VerAck())
            await self.expect(VerAck, timeout=timeout)
        return theirs

    # How it reads, and how it leaves

    def stop_reading(self) -> None:
        """Take nothing more off the network, until `read_on`."""
        self._tcp.pauseProducing()  # type: ignore[attr-defined]  # an IPushProducer, too

    def read_on(self) -> None:
        """Read again, at full speed."""
        self._rate = None
        if self._is_open:
            self._tcp.resumeProducing()  # type: ignore[attr-defined]  # as above

    def read_slowly(self, rate: float) -> None:
        """Read so many bytes per second, on average, from now on."""
        self._rate = rate

    def close(self) -> None:
        """Hang up once everything has left."""
        self._tcp.loseConnection()

    def close_writing(self) -> None:
        """Say that nothing more will come; go on listening."""
        self._tcp.loseWriteConnection()

    def abort(self) -> None:
        """Cut the connection."""
        self._tcp.abortConnection()

    # What Twisted tells

    def connectionMade(self) -> None:
        self.transcript.begin()

    def dataReceived(self, data: bytes) -> None:
        if self._rate is not None:
            self.stop_reading()
            self._later(len(data) / self._rate, self._take_breath)
        try:
            for message in self._frames.feed(data):
                self.transcript.heard(message)
                self._react(message)
        except NotAFrame as error:
            self.abort()
            self._ended(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for call in self._unsaid:
            if call.active():
                call.cancel()
        self._ended(cast(BaseException, reason.value))

    def _ended(self, reason: BaseException) -> None:
        if self.transcript.lost is not None:
            return
        self.transcript.ended(reason)
        waiters, self._lost_waiters = self._lost_waiters, []
        for waiter in waiters:
            waiter.callback(reason)

    # Within

    @property
    def _tcp(self) -> ITCPTransport:
        return cast(ITCPTransport, self.transport)

    @property
    def _is_open(self) -> bool:
        return self.transcript.lost is None

    def _write(self, message: Said | bytes, data: bytes) -> None:
        self.transcript.said(message)
        self._tcp.write(data)

    def _react(self, message: Heard) -> None:
        for habit in tuple(self._habits):
            if _test(habit.kind, _any)(message):
                replies = _several(habit.reply(message)) * habit.times
                if habit.after:
                    self._later(habit.after, self._reply, replies)
                else:
                    self._reply(replies)

    def _reply(self, replies: list[Said | bytes]) -> None:
        for reply in replies:
            if isinstance(reply, bytes):
                self.send_bytes(reply)
            else:
                self.send(reply)

    def _take_breath(self) -> None:
        self._tcp.resumeProducing()  # type: ignore[attr-defined]  # an IPushProducer, too

    def _later(self, seconds: float, act: Callable[..., object], *args: object) -> None:
        self._unsaid = [call for call in self._unsaid if call.active()]
        self._unsaid.append(self._clock.callLater(seconds, act, *args))


def _test(kind: Kind, fits: Fits) -> Fits:
    if isinstance(kind, str):
        return lambda message: message.command == kind and fits(message)
    return lambda message: isinstance(message, kind) and fits(message)


def _words(kind: Kind, fits: Fits) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    word = " or ".join(each if isinstance(each, str) else each.__name__ for each in kinds)
    return word if fits is _any else f"{word} that fits"


def _several(reply: Reply) -> list[Said | bytes]:
    if reply is None:
        return []
    if isinstance(reply, bytes | Message | Unknown):
        return [reply]
    return list(reply)
