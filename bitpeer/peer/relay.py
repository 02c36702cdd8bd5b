"""Who knows of what: one table for all peers, so that memory does not grow with each."""

from __future__ import annotations

SWEEP = 64
"""Peers that must have left before their places are cleared, and entries looked at for each."""


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

    def age(self, generations: int) -> None:
        """Let so many *generations* pass, though the young one is not full."""
        self._old, self._young = self._young if generations == 1 else set(), set()

    def add(self, item: bytes) -> None:
        """Make *item* one of the newest."""
        self._young.add(item)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()


class RelayTable:
    """For each hash announced by this side, the set of peers that know it.

    A peer has a *slot*, a small number; the set is one integer, in which the bit
    ``1 << slot`` stands for the peer.  The table holds only what *we* announce,
    and only the newest of it: what peers announce cannot grow it (R-A4).

    A slot that is given back is cleared out of the whole table before another
    peer gets it.  That is done for many at once, the more the larger the table,
    so that a peer that leaves costs the same whatever was announced.

    Args:
        window: how many hashes to remember, at least; at most twice as many are held.
    """

    __slots__ = ("_departed", "_free", "_old", "_slots", "_window", "_young", "era")

    def __init__(self, window: int) -> None:
        self._window = window
        self.era: int | None = None
        """The one that was entered last; see `enter`."""
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._free: list[int] = []
        self._departed: list[int] = []
        self._slots = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def join(self) -> int:
        """Return the slot of a new peer, about which nothing is known."""
        if self._free:
            return self._free.pop()
        self._slots += 1
        return self._slots - 1

    def leave(self, slot: int) -> None:
        """Take a peer's *slot* back."""
        self._departed.append(slot)
        if len(self._departed) >= max(SWEEP, len(self) // SWEEP):
            self._sweep()

    def enter(self, era: int) -> None:
        """Forget what is two eras old; the same era again changes nothing."""
        last, self.era = self.era, era
        if last not in (era, None):
            self._old, self._young = self._young if era - 1 == last else {}, {}

    def knows(self, item: bytes, slot: int) -> bool:
        """Return whether the peer in *slot* knows *item*, as far as this table tells."""
        return bool(self.known_to(item) >> slot & 1)

    def known_to(self, item: bytes) -> int:
        """Return the bits of all peers that know *item*."""
        bits = self._young.get(item)
        return self._old.get(item, 0) if bits is None else bits

    def mark(self, item: bytes, bits: int) -> int:
        """Note that the peers of *bits* learn of *item* from this side.

        Returns:
            The bits of those who did not know it.
        """
        young = self._young
        known = young.get(item)
        if known is None:
            known = self._old.pop(item, 0)
            young[item] = known | bits
            if len(young) >= self._window:
                self._old, self._young = young, {}
        else:
            young[item] = known | bits
        return bits & ~known

    def heard(self, item: bytes, slot: int) -> bool:
        """Note that the peer in *slot* knows *item*; return whether this side announced it too."""
        for generation in (self._young, self._old):
            if item in generation:
                generation[item] |= 1 << slot
                return True
        return False

    def _sweep(self) -> None:
        """Forget what the departed knew, so that their slots can be given to others."""
        gone = 0
        for slot in self._departed:
            gone |= 1 << slot
        for generation in (self._young, self._old):
            for item, bits in generation.items():
                if bits & gone:
                    generation[item] = bits & ~gone
        self._free += self._departed
        self._departed.clear()
