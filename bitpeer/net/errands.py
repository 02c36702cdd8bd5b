"""What several peers are to be asked, and the lines in which it waits for one of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain
from typing import Any

from twisted.internet.defer import Deferred

from bitpeer.errors import PeerGone
from bitpeer.net.interfaces import IPeer


class Errand:
    """One question to several peers, and how far it has come.

    Args:
        what: what is asked for, in words.
        topic: what a peer must serve to be asked; `None` if anybody can be.
        ask: asks a peer.
    """

    def __init__(self, what: str, topic: str | None, ask: Callable[[IPeer], Deferred[Any]]) -> None:
        self.what = what
        self.topic = topic
        self.key: Hashable = None
        self.ask = ask
        self.waiting: list[Deferred[Any]] = []
        """Those who want to know."""
        self.running: Deferred[Any] | None = None
        """The answer of the peer that is being asked."""
        self.tried: set[IPeer] = set()
        self.attempts = 0
        self.failure: BaseException | None = None
        """What went wrong last."""
        self.give_up_at = 0.0
        """When it has waited in vain for a peer that can be asked."""
        self.place = 0
        """Whose place is lower has waited longer."""

    def fits(self, peer: IPeer) -> bool:
        """Whether *peer* can be asked."""
        return bool(peer.established if self.topic is None else peer.serves(self.topic))

    def settle(self, outcome: object) -> None:
        """Tell those who want to know."""
        while self.waiting:
            answer = self.waiting.pop(0)  # one by one: who is told may cancel another
            if isinstance(outcome, BaseException):
                answer.errback(outcome)
            else:
                answer.callback(outcome)

    @property
    def exhausted(self) -> bool:
        """Whether it makes no sense to wait for other peers: some could have answered."""
        return self.failure is not None and not isinstance(self.failure, PeerGone)


class Lines:
    """Errands that wait, those about one topic in a line of their own.

    However many wait in a line that nobody serves, they cost others no time.
    """

    def __init__(self) -> None:
        self._lines: dict[str | None, OrderedDict[Errand, None]] = {}
        self._places = 0

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[Errand]:
        return chain.from_iterable(self._lines.values())

    def add(self, errand: Errand, *, first: bool = False) -> None:
        """Let *errand* wait behind all others, or before them."""
        line = self._lines.setdefault(errand.topic, OrderedDict())
        line[errand] = None
        self._places += 1
        errand.place = self._places
        if first:
            errand.place = -self._places
            line.move_to_end(errand, last=False)

    def discard(self, errand: Errand) -> None:
        """Let *errand* wait no longer, if it does."""
        line = self._lines.get(errand.topic)
        if line is not None and errand in line:
            del line[errand]
            if not line:
                del self._lines[errand.topic]

    def first_for(self, peers: Sequence[IPeer]) -> tuple[Errand, IPeer] | None:
        """Return what has waited longest of what *peers* can be asked, and the first who can be."""
        found = []
        for line in self._lines.values():
            able = [peer for peer in peers if next(iter(line)).fits(peer)]
            for errand in line if able else ():
                peer = next((each for each in able if each not in errand.tried), None)
                if peer is not None:
                    found.append((errand, peer))
                    break
        return min(found, key=lambda match: match[0].place, default=None)

    def next_to_give_up(self) -> Errand | None:
        """Return what will have waited in vain first, if anything waits."""
        firsts = [next(iter(line)) for line in self._lines.values()]
        return min(firsts, key=lambda errand: errand.give_up_at, default=None)
