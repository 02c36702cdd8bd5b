"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable
from secrets import SystemRandom

_RANDOM = SystemRandom()


class Backoff:
    """Waits that double with each failure, up to a limit, and never all at the same moment.

    Args:
        first: seconds to wait after the first failure.
        limit: seconds to wait at most; a random quarter comes on top.
        draw: returns a random number, 0 <= x < 1.
    """

    __slots__ = ("_draw", "_first", "_limit", "failures")

    def __init__(
        self, first: float, limit: float, draw: Callable[[], float] = _RANDOM.random
    ) -> None:
        self._first = first
        self._limit = limit
        self._draw = draw
        self.failures = 0
        """In a row."""

    def failed(self) -> float:
        """Count one more failure; return how many seconds to wait now."""
        wait = min(self._first * 2.0 ** min(self.failures, 64), self._limit)
        self.failures += 1
        return wait * (1 + self._draw() / 4)

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0
