"""Who is here: the strangers, the guests, and how many there are of each host and prefix."""

from __future__ import annotations

from collections import Counter

from bitpeer.net.interfaces import IPeer
from bitpeer.service.origins import Origin


class Visit:
    """One connection that was let in."""

    __slots__ = ("number", "origin", "since")

    def __init__(self, origin: Origin, number: int, since: float) -> None:
        self.origin = origin
        self.number = number
        """Counts the visits."""
        self.since = since
        """When it began."""


class Visits:
    """Keeps count of those who dialled us and were let in."""

    def __init__(self) -> None:
        self.strangers: dict[IPeer, Visit] = {}
        """Those whose handshake is not complete, in the order in which they came."""
        self.guests: dict[IPeer, Visit] = {}
        """Those whose handshake is complete."""
        self._number = 0
        self._counts: Counter[str] = Counter()
        """How many there are of each host and of each prefix."""
        self._strangers: Counter[str] = Counter()
        """How many strangers there are of each host."""

    def of_host(self, origin: Origin) -> int:
        """Return how many are here from the same host; 0 for this machine."""
        return self._counts[origin.host]

    def of_prefix(self, origin: Origin) -> int:
        """Return how many are here from the same prefix; 0 for this machine."""
        return self._counts[origin.prefix]

    def strangers_of_host(self, origin: Origin) -> int:
        """Return how many strangers are here from the same host; 0 for this machine."""
        return self._strangers[origin.host]

    def begin(self, peer: IPeer, origin: Origin, now: float) -> None:
        """Take note of a stranger who came from *origin*."""
        self._number += 1
        self.strangers[peer] = Visit(origin, self._number, now)
        _add(self._strangers, 1, origin.host)
        _add(self._counts, 1, origin.host, origin.prefix)

    def introduce(self, peer: IPeer) -> Visit | None:
        """Make a guest of a stranger; return the visit, `None` if *peer* is no stranger here."""
        visit = self.strangers.pop(peer, None)
        if visit is not None:
            self.guests[peer] = visit
            _add(self._strangers, -1, visit.origin.host)
        return visit

    def end(self, peer: IPeer) -> None:
        """Take note that *peer* is gone, or as good as gone; it need not have been here."""
        visit = self.introduce(peer) or self.guests.get(peer)
        if visit is not None:
            del self.guests[peer]
            _add(self._counts, -1, visit.origin.host, visit.origin.prefix)


def _add(counts: Counter[str], change: int, *keys: str) -> None:
    """Change some counts; nobody is counted by no name, and counts of nobody are forgotten."""
    for key in filter(None, keys):
        counts[key] += change
        if not counts[key]:
            del counts[key]
