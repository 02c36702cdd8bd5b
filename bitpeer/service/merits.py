"""Who told us something new, and when: the merit that counts when somebody has to go."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from weakref import WeakKeyDictionary

from bitpeer.net.interfaces import IPeer


class Merits:
    """Remembers of each peer when it was last of use.

    That is for those to note who can tell: a chain of headers that grew, a block that
    was wanted.  What any stranger can make up, such as a transaction that nobody checked,
    must not count.

    Args:
        seconds: tells the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._noted: WeakKeyDictionary[IPeer, float] = WeakKeyDictionary()

    def note(self, peer: IPeer) -> None:
        """Note that *peer* has just told us something new and true."""
        self._noted[peer] = self._seconds()

    def at(self, peer: IPeer) -> float:
        """Return when *peer* last did so; minus infinity if it never did."""
        return self._noted.get(peer, -inf)
