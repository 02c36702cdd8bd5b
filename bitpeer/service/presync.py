"""Weighing a chain of headers before any of it is kept, so that worthless ones cost no room.

Theory of operation.  Headers with little work are cheap to make by the million.  So a
peer whose chain does not show enough work yet has to send it twice.  The first time its
headers are judged and counted and forgotten, all but the hash of each last one of two
thousand.  Once the work is there, the peer is asked again from the start, and two
thousand headers are handed on when their last one has the hash that was kept.  A peer
that has not enough work has cost its own bandwidth, some checking, and 32 bytes here for
each message (Core calls this presync, and keeps a bit of each hash instead).
"""

from __future__ import annotations

from collections.abc import Sequence

from bitpeer.config import BlockPosition
from bitpeer.messages.rules import Judge, Link

HASH_SIZE = 32


class NotWorthIt(Exception):
    """The peer's chain has too little work, or is not the same when it is sent again.

    Nobody is to blame: the peer may be new itself, or have found a better chain meanwhile.
    """


class Presync:
    """What one peer's chain has shown so far.

    Args:
        base: the last block that both sides have.
        judge: judges what comes after it.
        threshold: the work that the chain must have, from the genesis block on.
        stride: how many headers are handed on at a time: as many as a message has.
        most: headers after which no more are looked at.
    """

    def __init__(
        self, base: BlockPosition, judge: Judge, threshold: int, *, stride: int, most: int
    ) -> None:
        self._base = base
        self._judge = judge
        self._threshold = threshold
        self._stride = stride
        self._most = most
        self._work = base.work
        self._count = 0
        """Headers seen in this round."""
        self._last = base.hash
        self._marks = bytearray()
        """Hash after hash, of each block that ends a stride, and of the one that has enough
        work."""
        self._target: int | None = None
        """How many headers it took; `None` in the first round."""
        self._waiting: list[Link] = []
        """Headers of the second round that are not confirmed yet."""

    @property
    def next_after(self) -> bytes:
        """The hash of the block behind which the peer has to go on."""
        return self._last

    @property
    def height(self) -> int:
        """How far the chain has been seen in this round."""
        return self._base.height + self._count

    @property
    def weighed(self) -> bool:
        """Whether the chain has shown enough work, and is being sent again."""
        return self._target is not None

    @property
    def done(self) -> bool:
        """Whether all that was weighed has been handed on."""
        return self._count == self._target

    def take(self, links: Sequence[Link], now: float) -> list[Link]:
        """Take the next headers, which follow each other; return those that are worth keeping.

        Args:
            links: with their proof of work.
            now: seconds since 1970.

        Raises:
            BadHeader: one breaks the rules of the chain.
            NotWorthIt: this leads nowhere; what is left here is of no use.
        """
        if self._target is None:
            self._weigh(links, now)
            return []
        return self._confirm(links)

    def _weigh(self, links: Sequence[Link], now: float) -> None:
        for link in links:
            self._judge.follow(link, now)
            self._work += link.work
            self._count += 1
            self._last = link.hash
            enough = self._work >= self._threshold
            if enough or self._count % self._stride == 0:
                self._marks += link.hash
            if enough:
                self._target, self._count, self._last = self._count, 0, self._base.hash
                return
        if self._count > self._most:
            raise NotWorthIt(f"{self._count} headers, and too little work")

    def _confirm(self, links: Sequence[Link]) -> list[Link]:
        confirmed: list[Link] = []
        for link in links:
            if link.previous != self._last:
                raise NotWorthIt("what came again does not go on where it ended")
            self._waiting.append(link)
            self._count += 1
            self._last = link.hash
            if self.done or self._count % self._stride == 0:
                at = (self._count - 1) // self._stride * HASH_SIZE
                if self._marks[at : at + HASH_SIZE] != link.hash:
                    raise NotWorthIt("what came again was something else")
                confirmed += self._waiting
                self._waiting.clear()
            if self.done:
                break
        return confirmed
