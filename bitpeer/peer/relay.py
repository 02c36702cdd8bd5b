"""Who knows of what: one table for all peers, so that memory does not grow with each."""

from __future__ import annotations

from collections.abc import Iterable


class RecentSet:
    """The newest of the hashes added: at least *size*, at most twice as many.

    Two generations: when the young one is full it becomes the old one, and the
    old one is forgotten.  Looking a hash up keeps it alive, as a list ordered
    by use would, at a fraction of the cost.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._young | self._old)

    def __contains__(self, item: bytes) -> bool:
        if item in self._young:
            return True
        if item in self._old:
            self.add(item)
            return True
        return False

    def add(self, item: bytes) -> None:
        """Make *item* one of the newest."""
        self._young.add(item)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()

    def update(self, items: Iterable[bytes]) -> None:
        """Make *items* the newest."""
        for item in items:
            self.add(item)


class RelayTable:
    """For each hash announced by this side, the set of peers that know it.

    A peer is a bit; the set is one integer.  The table holds only what *we*
    announce, and only the newest of it: what peers announce cannot grow it
    (R-A4).

    Args:
        window: how many hashes to remember, at least; at most twice as many are held.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._free: list[int] = []
        self._departed: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def join(self) -> int:
        """Return the bit of a new peer."""
        if not self._free and self._departed:
            self._forget_departed()
        if self._free:
            return self._free.pop()
        self._next += 1
        return 1 << (self._next - 1)

    def leave(self, bit: int) -> None:
        """Give a peer's *bit* back."""
        self._departed.append(bit)
        if len(self._departed) >= 64:
            self._forget_departed()

    def knows(self, item: bytes, bit: int) -> bool:
        """Return whether the peer of *bit* knows *item*, as far as this table tells."""
        return bool((self._young.get(item, 0) | self._old.get(item, 0)) & bit)

    def known_to(self, item: bytes) -> int:
        """Return the bits of all peers that know *item*."""
        return self._young.get(item, 0) | self._old.get(item, 0)

    def mark(self, item: bytes, bits: int) -> None:
        """Note that the peers of *bits* know *item*, which this side announces."""
        young = self._young
        if item in young:
            young[item] |= bits
            return
        young[item] = bits | self._old.pop(item, 0)
        if len(young) >= self._window:
            self._old, self._young = young, {}

    def heard(self, item: bytes, bit: int) -> bool:
        """Note that a peer announced *item*; return whether this side announces it too."""
        for generation in (self._young, self._old):
            if item in generation:
                generation[item] |= bit
                return True
        return False

    def _forget_departed(self) -> None:
        mask = ~sum(self._departed)
        for generation in (self._young, self._old):
            for item in generation:
                generation[item] &= mask
        self._free += self._departed
        self._departed.clear()
