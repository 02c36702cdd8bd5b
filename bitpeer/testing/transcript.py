"""All that was said on one connection, in order, and those who wait for more of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bitpeer.testing.brief import brief
from bitpeer.testing.frames import Heard, Said

SHOWN = 20
"""Entries shown of a long transcript when something is missing."""
SHOWN_OF_ONE = 160
"""Characters shown of one entry."""

Fits = Callable[[Any], bool]


class Missing(AssertionError):
    """What should have been said was not, or what should not have been was."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said."""

    at: float
    """When, in seconds since the connection was made."""
    ours: bool
    """Whether the script said it."""
    message: Said | Heard | bytes
    """Bytes, if the script said something that is no message."""

    def __str__(self) -> str:
        head = f"{self.at:10.3f} {'>' if self.ours else '<'} "
        return head + brief(self.message, SHOWN_OF_ONE - len(head))


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who waits for a message."""

    what: str
    fits: Fits
    found: Deferred[Any]


class Transcript:
    """The order of what was said, by both sides.

    Args:
        clock: tells the time.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.history: list[Entry] = []
        """Everything, in order."""
        self.received: list[Heard] = []
        """What the other side said, in order."""
        self.lost: BaseException | None = None
        """Why there will be no more, if that is so."""
        self._clock = clock
        self._began = clock.seconds()
        self._next = 0
        self._found: set[int] = set()
        self._waiters: list[Waiter] = []

    def __str__(self) -> str:
        shown = [str(entry) for entry in self.history[-SHOWN:]]
        omitted = len(self.history) - len(shown)
        if omitted:
            shown.insert(0, f"           ... {omitted} more before")
        if self.lost is not None:
            shown.append(f"           and then: {self.lost}")
        return "\n".join(shown) or "           nothing was said"

    def begin(self) -> None:
        """The connection is made: count time from here."""
        self._began = self._clock.seconds()

    def said(self, message: Said | bytes) -> None:
        """Take note of what the script said."""
        self._note(message, ours=True)

    def heard(self, message: Heard) -> None:
        """Take note of what the other side said, and tell those who wait for it."""
        self._note(message, ours=False)
        self.received.append(message)
        count = len(self.received)
        for waiter, fits in [(each, _fits(each, message)) for each in self._waiters]:
            if waiter not in self._waiters:  # another one's joy may have ended its patience
                continue
            if isinstance(fits, Failure):
                self._waiters.remove(waiter)
                waiter.found.errback(fits)
            elif fits:
                self._waiters.remove(waiter)
                self._next = max(self._next, count)
                self._found.add(count - 1)
                waiter.found.callback(message)

    def ended(self, reason: BaseException) -> None:
        """Nothing more will come: disappoint those who wait."""
        self.lost = reason
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.found.errback(self._missing(f"the connection ended before {waiter.what}"))

    def wait(self, what: str, fits: Fits, timeout: float) -> Deferred[Any]:
        """Return a Deferred of the next message that *fits*.

        The next after the last one that was waited for: what came since, while
        nobody was waiting, counts.

        Args:
            what: the same in words.
            fits: tells whether it is the one.
            timeout: seconds.
        """
        for number in range(self._next, len(self.received)):
            if fits(self.received[number]):
                self._next = number + 1
                self._found.add(number)
                return succeed(self.received[number])
        passed_over = self._passed_over(fits)
        if self.lost is not None:
            return fail(self._missing(f"the connection has ended without {what}{passed_over}"))
        why = f"no {what} within {timeout:g} seconds{passed_over}"
        return self._patience(what, fits, timeout, lambda: why)

    def _passed_over(self, fits: Fits) -> str:
        """Say so if what is wanted came too early: nobody expects that of *next*."""
        early = [number for number in range(self._next) if number not in self._found]
        count = sum(1 for number in early if fits(self.received[number]))
        return f", though {count} came before what was expected last" if count else ""

    def wait_in_vain(self, what: str, fits: Fits, seconds: float) -> Deferred[None]:
        """Return a Deferred that fires when no message has fitted for so many *seconds*."""
        if self.lost is not None:
            return succeed(None)

        def came(message: Heard) -> None:
            raise self._missing(
                f"{what} came, though none should have: {brief(message, SHOWN_OF_ONE)}"
            )

        def did_not(failure: Failure) -> None:
            if not failure.check(Missing):
                failure.raiseException()

        found = self._patience(what, fits, seconds, lambda: "")
        return found.addCallbacks(came, did_not)

    def _patience(
        self, what: str, fits: Fits, timeout: float, complaint: Callable[[], str]
    ) -> Deferred[Any]:
        waiter = Waiter(what, fits, Deferred(lambda _: self._waiters.remove(waiter)))
        self._waiters.append(waiter)

        def too_late(*_: object) -> Failure:
            return Failure(self._missing(complaint()))

        return waiter.found.addTimeout(timeout, self._clock, too_late)

    def _missing(self, why: str) -> Missing:
        return Missing(f"{why}; what was said:\n{self}")

    def _note(self, message: Said | Heard | bytes, *, ours: bool) -> None:
        self.history.append(Entry(self._clock.seconds() - self._began, ours, message))


def _fits(waiter: Waiter, message: Heard) -> object:
    """Return whether *message* is what is waited for, or how the test of it failed."""
    try:
        return waiter.fits(message)
    except Exception:  # it is the script's mistake, and not that of whoever reads the network
        return Failure()
