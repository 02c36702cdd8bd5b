"""How much of a thing somebody may have: so much a second, and some of it at once."""

from __future__ import annotations


class TokenBucket:
    """A number of tokens, which grows with time and shrinks with every use.

    Args:
        rate: tokens that are added each second.
        burst: most tokens that time alone can bring together.
        now: seconds.
        tokens: how many there are at first.
    """

    __slots__ = ("_at", "_burst", "_rate", "tokens")

    def __init__(self, rate: float, burst: float, now: float, tokens: float = 0.0) -> None:
        self._rate = rate
        self._burst = burst
        self._at = now
        self.tokens = tokens

    def grant(self, count: float) -> None:
        """Add tokens, beyond the limit if need be."""
        self.tokens += count

    def take(self, wanted: int, now: float) -> int:
        """Take as many tokens as are there, at most *wanted*; return how many."""
        elapsed, self._at = max(0.0, now - self._at), now
        if self.tokens < self._burst:
            self.tokens = min(self._burst, self.tokens + elapsed * self._rate)
        taken = min(wanted, int(self.tokens))
        self.tokens -= taken
        return taken
