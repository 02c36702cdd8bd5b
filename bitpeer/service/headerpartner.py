"""What is known of one peer as far as headers go: what it was asked, and what it may still say."""

from __future__ import annotations

from bitpeer.net.interfaces import IPeer
from bitpeer.service.presync import Presync

CREDIT = 4_000.0
"""Headers that a peer may send unasked at once: two full messages."""
INCOME = 100.0
"""Headers that it may send more of each second."""
MAX_STRANGERS = 10
"""Messages in a row that do not go on where the question left off, before the peer has to go."""


class Partner:
    """One peer of a `HeaderSync`.

    Args:
        peer: the peer.
        now: seconds, of the clock that all other moments are from.
    """

    __slots__ = (
        "_credit", "_credited_at", "asked_at", "exhausted", "has_more", "peer", "presync",
        "prompted_at", "strangers",
    )  # fmt: skip

    def __init__(self, peer: IPeer, now: float) -> None:
        self.peer = peer
        self.asked_at: float | None = None
        """Since when an answer is due."""
        self.exhausted = False
        """Whether it has told all it has, or cannot be asked."""
        self.has_more = False
        """Whether it announced something while it could not be asked."""
        self.presync: Presync | None = None
        """Weighs its chain."""
        self.prompted_at = float("-inf")
        """When it was asked because of an announcement."""
        self.strangers = 0
        """Messages in a row that did not go on where the question left off."""
        self._credit = CREDIT
        self._credited_at = now

    @property
    def waiting(self) -> bool:
        """Whether an answer is due."""
        return self.asked_at is not None

    def spend(self, headers: int, now: float) -> float:
        """Return for how many seconds so many *headers*, which nobody asked for, have to wait."""
        earned = (now - self._credited_at) * INCOME
        self._credit = min(CREDIT, self._credit + earned) - headers
        self._credited_at = now
        return max(0.0, -self._credit / INCOME)

    def interjected(self) -> bool:
        """Count a message that is not the answer that is due; return whether it is one too many."""
        self.strangers += 1
        return self.strangers > MAX_STRANGERS
