"""One `LoopingCall` that wakes all who are due, instead of a timer for each."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from bitpeer.net.journal import Journal

T = TypeVar("T")


class Ticker(Generic[T]):
    """A wheel of moments; at each, the sleepers of that moment are woken.

    It turns only while somebody sleeps, so an idle program has nothing left in
    its reactor.  A sleeper that raises is logged and stops nothing: a bare
    `LoopingCall` would be dead from then on (R-J3).  When the clock leaps,
    everybody whose moment was leapt over is woken once.

    Args:
        clock: tells the time and carries the `LoopingCall`.
        period: seconds between two looks; sleepers are woken up to twice as late.
        wake: called with the sleeper and the time.
        journal: where failures are logged.
    """

    def __init__(
        self,
        clock: IReactorTime,
        period: float,
        wake: Callable[[T, float], object],
        journal: Journal,
    ) -> None:
        self._clock = clock
        self._period = period
        self._wake = wake
        self._journal = journal
        self._moments: dict[int, list[T]] = {}
        self._ticking = False
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock

    @property
    def running(self) -> bool:
        """Whether the `LoopingCall` is in the reactor."""
        return bool(self._loop.running)

    def schedule(self, sleeper: T, at: float) -> None:
        """Wake *sleeper* at the time *at*, or soon after.

        A sleeper that is scheduled twice is woken twice: let it notice.
        """
        self._moments.setdefault(ceil(at / self._period), []).append(sleeper)
        if not self._loop.running:
            self._loop.start(self._period, now=False)

    def stop(self) -> None:
        """Wake nobody any more."""
        self._moments.clear()
        # While it ticks it will notice by itself: a `LoopingCall` that is stopped and started
        # again within its own call goes on twice.
        if self._loop.running and not self._ticking:
            self._loop.stop()

    def _tick(self) -> None:
        now = self._clock.seconds()
        current = int(now / self._period)
        self._ticking = True
        for moment in sorted(moment for moment in self._moments if moment <= current):
            for sleeper in self._moments.pop(moment, ()):
                try:
                    self._wake(sleeper, now)
                except Exception as error:
                    self._journal.failure("{sleeper} could not be woken", error, sleeper=sleeper)
        self._ticking = False
        if not self._moments:
            self._loop.stop()
