"""What is known of one peer as far as headers go: what it was asked, and what it may still say."""

from __future__ import annotations

from bitpeer.config import BlockPosition
from bitpeer.net.interfaces import IPeer
from bitpeer.service.headers import HeaderChain
from bitpeer.service.presync import Presync

CREDIT = 4_000.0
"""Headers that a peer may send unasked at once: two full messages."""
INCOME = 100.0
"""Headers that it may send more of each second."""
MAX_STRANGERS = 10
"""Messages in a row that do not go on where the question left off, before the peer has to go."""
MAX_PACE = 10
"""A chain longer than this many times what its age suggests is not weighed to its end."""
MAX_WEIGHED = 20_000_000
"""Headers after which no chain is weighed on, however old it is."""


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

    def rank(self, height: int) -> tuple[bool, bool]:
        """Return what tells whom to ask first: who was dialled, and claims more than *height*."""
        return not self.peer.inbound, self.peer.known_height > height

    def weigh(self, chain: HeaderChain, base: BlockPosition, now: float) -> None:
        """Begin to weigh what it has on top of *base*, which is part of *chain*."""
        rules = chain.rules
        age = max(0.0, now - rules.genesis.time)
        self.presync = Presync(
            base,
            chain.judge_after(base.hash),
            chain.threshold,
            stride=rules.limit,
            most=min(MAX_WEIGHED, int(MAX_PACE * (age / rules.spacing + rules.limit))),
        )

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
