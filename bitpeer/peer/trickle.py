"""Announce objects in batches, and never what the peer already knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import log

from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.peer.part import NEVER
from bitpeer.peer.relay import RecentSet, RelayTable

OUTBOUND_MEAN = 2.0
"""Seconds, on average, between batches to a peer that was dialled (Core net_processing)."""
INBOUND_MEAN = 5.0
"""Seconds, on average, between batches to those who dialled us (Core net_processing)."""


class FlushTimes:
    """Decides when the next batch leaves.

    Fixed: a constant time after the first item came.  Poisson: at random
    moments, each peer that was dialled for itself, all that dialled us at the
    same moments, so that many connections learn no more than one (Core).

    Args:
        interval: seconds, if fixed; `None` for Poisson.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(self, interval: float | None, draw: Callable[[], float]) -> None:
        self._interval = interval
        self._draw = draw
        self._inbound_at = -NEVER

    def next(self, now: float, *, outbound: bool) -> float:
        """Return when a batch that begins to fill *now* leaves."""
        if self._interval is not None:
            return now + self._interval
        if outbound:
            return now + self._pause(OUTBOUND_MEAN)
        if self._inbound_at <= now:
            self._inbound_at = now + self._pause(INBOUND_MEAN)
        return self._inbound_at

    def _pause(self, mean: float) -> float:
        return -log(1.0 - self._draw()) * mean


class Trickle:
    """One peer's announcements, in both directions.

    What the peer announces is only kept, not looked at, until this side has
    something to announce: a program that merely listens pays nothing.

    Args:
        table: who knows what, shared by all peers.
        flush_times: when batches leave, shared by all peers.
        outbound: whether this side dialled.
        batch: most items in one `inv`.
        pending: most items waiting.
        known: how many items of the peer's announcing to remember.
    """

    __slots__ = (
        "_batch",
        "_bit",
        "_flush_at",
        "_flush_times",
        "_heard",
        "_heard_count",
        "_known",
        "_known_size",
        "_outbound",
        "_pending",
        "_queue",
        "_table",
        "dropped",
    )

    def __init__(
        self,
        table: RelayTable,
        flush_times: FlushTimes,
        *,
        outbound: bool,
        batch: int,
        pending: int,
        known: int,
    ) -> None:
        self._table = table
        self._flush_times = flush_times
        self._outbound = outbound
        self._batch = batch
        self._pending = pending
        self._known_size = known
        self._bit = table.join()
        self._known: RecentSet | None = None
        self._heard: deque[Sequence[InvVect]] | None = None
        self._heard_count = 0
        self._queue: dict[InvVect, None] = {}
        self._flush_at = NEVER
        self.dropped = 0
        """Items that gave way because too many were waiting."""

    @property
    def next_wake(self) -> float:
        return self._flush_at

    @property
    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return len(self._queue)

    def wake(self, now: float) -> Iterable[Inv]:
        if now < self._flush_at:
            return ()
        self._flush_at = NEVER
        queue, self._queue = self._queue, {}
        fresh = [item for item in queue if not self.knows(item.hash)]
        for item in fresh:
            self._table.mark(item.hash, self._bit)
        return [
            Inv(tuple(fresh[start : start + self._batch]))
            for start in range(0, len(fresh), self._batch)
        ]

    def announce(self, item: InvVect, now: float) -> bool:
        """Queue *item* for the next batch; return whether the peer needs to be told."""
        if item in self._queue or self.knows(item.hash):
            return False
        if len(self._queue) >= self._pending:
            del self._queue[next(iter(self._queue))]
            self.dropped += 1
        self._queue[item] = None
        if self._flush_at == NEVER:
            self._flush_at = self._flush_times.next(now, outbound=self._outbound)
        return True

    def announce_now(self, item: InvVect) -> Iterable[Inv]:
        """Return the `inv` of an *item* that cannot wait, unless the peer knows it."""
        if self.knows(item.hash):
            return ()
        self._table.mark(item.hash, self._bit)
        return (Inv((item,)),)

    def learned(self, items: Sequence[InvVect]) -> None:
        """Note that the peer announced *items*."""
        if len(items) > self._known_size:
            for item in items[-self._known_size :]:
                self._remember(item.hash)
            return
        if self._heard is None:
            self._heard = deque()
        self._heard.append(items)
        self._heard_count += len(items)
        while self._heard_count > self._known_size:
            self._heard_count -= len(self._heard.popleft())

    def add_known(self, item: InvVect) -> None:
        """Note that the peer knows *item*, for whatever reason."""
        self._remember(item.hash)

    def knows(self, item: bytes) -> bool:
        """Return whether the peer is known to know the object with this hash."""
        if self._heard:
            for items in self._heard:
                for each in items:
                    self._remember(each.hash)
            self._heard.clear()
            self._heard_count = 0
        return self._table.knows(item, self._bit) or (
            self._known is not None and item in self._known
        )

    def close(self) -> None:
        """Give the peer's place in the shared table back."""
        self._table.leave(self._bit)

    def _remember(self, item: bytes) -> None:
        if not self._table.heard(item, self._bit):
            if self._known is None:
                self._known = RecentSet(self._known_size)
            self._known.add(item)
