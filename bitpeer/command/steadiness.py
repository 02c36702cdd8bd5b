"""A clock for the reactor that is never set back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class SteadySeconds:
    """Tells the time, in seconds since 1970, and never an earlier one than before.

    Twisted's timers go by the time of day.  When that is set back by two hours, as after a
    start without internet, everything that was to be done in ten seconds waits two hours: no
    peer is dialled, pinged or given up meanwhile.  This one goes on at half its pace instead,
    until the time of day has caught up with it.

    Args:
        of_day: tells the time of day.
        passed: tells the time since some moment, and is never set.
    """

    def __init__(
        self,
        of_day: Callable[[], float] = time.time,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_day = of_day
        self._passed = passed
        self._now = of_day()
        self._looked_at = passed()
        """When the time was told last, as `passed` tells it."""

    def __call__(self) -> float:
        """Return the time."""
        before, self._looked_at = self._looked_at, self._passed()
        slow = self._now + (self._looked_at - before) / 2
        self._now = max(self._of_day(), slow)
        return self._now


def keep_steady(reactor: Any) -> None:
    """Let *reactor*, which must be one of Twisted's, go by such a clock."""
    if not isinstance(reactor.seconds, SteadySeconds):
        reactor.seconds = SteadySeconds()
