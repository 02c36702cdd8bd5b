"""Is there no new block, or does nobody tell us?  And whom to part with if it is the latter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

from bitpeer.config import BlockPosition
from bitpeer.net.interfaces import IPeer

STALE_AFTER = 1_800.0
"""Seconds without a new block after which one more peer is asked (Core: three blocks' time)."""


class Staleness:
    """Notices when the newest block has been the same for too long.

    Args:
        newest_block: tells which it is.
        after: seconds that are too long; infinity if nobody follows the chain.
        now: the time.
    """

    def __init__(self, newest_block: Callable[[], BlockPosition], after: float, now: float) -> None:
        self._newest_block = newest_block
        self._after = after
        self._tip: BlockPosition | None = None
        self._since = now

    def is_stale(self, now: float) -> bool:
        """Whether the newest block is still the one of so long ago."""
        if self._after == inf:
            return False
        tip = self._newest_block()
        if tip != self._tip:
            self._tip, self._since = tip, now
        return now - self._since >= self._after


def least_useful(peers: Mapping[IPeer, float], useful_at: Callable[[IPeer], float]) -> IPeer:
    """Return which of *peers* would be missed least.

    The one that told us something new longest ago, or never; of those who are equal, the
    one with the lowest chain; of those, the newest.

    Args:
        peers: one or more, and since when each is established.
        useful_at: tells when a peer last told us something new.
    """
    return min(peers, key=lambda peer: (useful_at(peer), peer.known_height, -peers[peer]))
