"""What one peer and this node tell each other of addresses."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import Any

from bitpeer.peer.relay import RecentSet
from bitpeer.service.tokens import TokenBucket

RATE, BURST = 0.1, 1_000
"""Addresses a second that are heeded of one peer, and most of them at once (Core since 22.0)."""
MAX_QUEUED = 1_000
"""Most addresses that wait to be told to one peer."""
REMEMBERED = 2_500
"""Addresses, at least, of which it is remembered that a peer knows them."""
PAUSE = 30.0
"""Seconds, on average, between two messages of addresses to one peer."""


class Circle:
    """One peer, as far as it gossips.

    Args:
        now: seconds since 1970.
        draw: returns a random number, 0 <= x < 1.
    """

    __slots__ = (
        "_draw",
        "answered",
        "awaiting",
        "bucket",
        "flush_at",
        "gossips",
        "introduce_at",
        "known",
        "queue",
    )  # fmt: skip

    def __init__(self, now: float, draw: Callable[[], float]) -> None:
        self.bucket = TokenBucket(RATE, BURST, now, tokens=1)
        """How many of its addresses are heeded."""
        self.gossips = False
        """Whether it is told anything: it was dialled, or has begun to speak of addresses."""
        self.awaiting = False
        """Whether it owes us the answer to a request for addresses."""
        self.answered = False
        """Whether it had an answer to its own."""
        self.queue: dict[bytes, Any] = {}
        """What it will be told next."""
        self.known = RecentSet(REMEMBERED)
        """What it has told us, or was told."""
        self.introduce_at = inf
        """When it will be told our own address."""
        self._draw = draw
        self.flush_at = self.soon(now, PAUSE)
        """When it will be told what waits."""

    def soon(self, now: float, mean: float) -> float:
        """Return a moment that nobody can foretell, on average *mean* seconds from *now*."""
        return now - log(1.0 - self._draw()) * mean

    def add(self, name: bytes, address: Any, below: Callable[[int], int]) -> None:
        """Let an address wait to be told, unless the peer knows it.

        If there is no room, it takes the place of another.

        Args:
            name: which address it is.
            address: in the form that is told.
            below: given n, returns a random number, 0 <= x < n.
        """
        if name in self.known or name in self.queue:
            return
        if len(self.queue) >= MAX_QUEUED:
            del self.queue[list(self.queue)[below(len(self.queue))]]
        self.queue[name] = address

    def due(self, now: float) -> list[Any]:
        """Return what should be told now, unless the peer has told it meanwhile.

        From then on it knows.
        """
        if now < self.flush_at:
            return []
        self.flush_at = self.soon(now, PAUSE)
        told = {name: form for name, form in self.queue.items() if name not in self.known}
        self.queue = {}
        for name in told:
            self.known.add(name)
        return list(told.values())
