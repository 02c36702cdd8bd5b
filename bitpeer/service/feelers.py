"""Short connections, now and then, to see whether somebody answers at an address."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from secrets import SystemRandom

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bitpeer.net.journal import Journal

MEAN = 120.0
"""Seconds between two, on average (Core)."""

_RANDOM = SystemRandom()


class Feelers(Service):
    """Sends out feelers while it runs.

    So the book comes to have many addresses that have answered, long before they are
    needed, and notices when others have gone.  Nobody can foretell when the next one
    leaves: the intervals are those of a Poisson process.

    Args:
        feel: sends one out, if there is anything to feel for; `Outbound.feel`.
        clock: the reactor.
        journal: where failures are logged.
        mean: seconds between two, on average.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        feel: Callable[[], object],
        *,
        clock: IReactorTime,
        journal: Journal,
        mean: float = MEAN,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._feel = feel
        self._clock = clock
        self._journal = journal
        self._mean = mean
        self._draw = draw
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        Service.startService(self)
        self._plan()

    def stopService(self) -> None:
        Service.stopService(self)
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _plan(self) -> None:
        wait = -log(1.0 - self._draw()) * self._mean
        self._next = self._clock.callLater(wait, self._go)

    def _go(self) -> None:
        self._plan()  # first, so that no failure ends it (R-J3)
        try:
            self._feel()
        except Exception as error:
            self._journal.failure("{feel} failed; it will be tried again", error, feel=self._feel)
