"""How late the reactor is: what everybody waits when somebody takes too long (R-J9)."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

PERIOD = 0.5
"""Seconds between two measurements."""
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the ranges that measurements are counted in, in seconds."""
RECENT = 120
"""Measurements that are looked back upon: a minute of them."""


class LagMeter(Service):
    """Asks to be called at a certain moment, again and again, and notes how much later it is.

    Whatever keeps the reactor busy, be it the kernel, the machine or a mistake, shows here.  A
    clock that is set back counts as no lag.

    Args:
        clock: the reactor.
        period: seconds between two measurements.
    """

    def __init__(self, clock: IReactorTime, period: float = PERIOD) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        """Measurements in each range of `BOUNDS`, and above the last."""
        self.total = 0.0
        """Seconds of lag, all measurements together."""
        self._clock = clock
        self._period = period
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._call: IDelayedCall | None = None
        self._due = 0.0

    @property
    def latest(self) -> float:
        """The latest measurement, in seconds; 0 if there is none."""
        return self._recent[-1] if self._recent else 0.0

    @property
    def worst(self) -> float:
        """The worst measurement of the last minute, in seconds."""
        return max(self._recent, default=0.0)

    def startService(self) -> None:
        Service.startService(self)
        self._wait()

    def stopService(self) -> None:
        Service.stopService(self)
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _wait(self) -> None:
        self._due = self._clock.seconds() + self._period
        self._call = self._clock.callLater(self._period, self._measure)

    def _measure(self) -> None:
        lag = max(self._clock.seconds() - self._due, 0.0)
        self._recent.append(lag)
        self.total += lag
        self.counts[bisect_left(BOUNDS, lag)] += 1
        self._wait()
