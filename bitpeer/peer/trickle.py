"""Announce objects in batches, and never what the peer already knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from typing import cast

from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.peer.part import NEVER
from bitpeer.peer.relay import RecentSet, RelayTable
from bitpeer.wire.vector import PackedVector

OUTBOUND_MEAN = 2.0
"""Seconds, on average, between batches to a peer that was dialled (Core net_processing)."""
INBOUND_MEAN = 5.0
"""Seconds, on average, between batches to those who dialled us (Core net_processing)."""


class FlushTimes:
    """Decides when the next batch leaves.

    By interval: after the first item came, at once or at random within limits.  Poisson: at random
    moments, each peer that was dialled for itself, all that came by the same door at the
    same moments, so that many connections learn no more than one (Core).  Different doors
    have different moments, or one could tell by them that they belong together (R-F2).

    Args:
        interval: the fewest and the most seconds; `None` for Poisson.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(self, interval: tuple[float, float] | None, draw: Callable[[], float]) -> None:
        self._interval = interval
        self._draw = draw
        self._next_at: dict[object, float] = {}
        """When the next batch leaves by each door."""

    def next(self, now: float, door: object) -> float:
        """Return when a batch that begins to fill *now* leaves.

        Args:
            now: the time.
            door: where the peer came in; `None` if it was dialled.
        """
        if self._interval is not None:
            least, most = self._interval
            return now + (least if least == most else least + self._draw() * (most - least))
        if door is None:
            return now + self._pause(OUTBOUND_MEAN)
        if self._next_at.get(door, now) <= now:
            self._next_at[door] = now + self._pause(INBOUND_MEAN)
        return self._next_at[door]

    def _pause(self, mean: float) -> float:
        return -log(1.0 - self._draw()) * mean


@dataclass(slots=True, kw_only=True)
class Relay:
    """What the announcements to all peers of one node have in common."""

    table: RelayTable
    """Who knows what."""
    flush_times: FlushTimes
    batch: int
    """Most items in one `inv`."""
    pending: int
    """Most items waiting for one peer."""
    total: int
    """Most items waiting for all peers together (R-A7)."""
    known: int
    """How many items of a peer's announcing to remember, for each peer."""
    known_for: float = NEVER
    """Seconds after which it is forgotten what a peer knows; infinity for never."""
    waiting: int = 0
    """How many items are waiting for all peers together."""
    _latest: Inv = field(default=Inv(()), init=False)

    def era(self, now: float) -> int:
        """Return which half of a life time it is: what was learned two eras ago is forgotten."""
        era = 0 if self.known_for == NEVER else int(now // (self.known_for / 2))
        self.table.enter(era)
        return era

    def inv(self, items: tuple[InvVect, ...]) -> Inv:
        """Return the `inv` of *items*.

        The same object as the last time if the items are the same: so what is
        announced to a thousand peers is encoded once.
        """
        if self._latest.items != items:
            self._latest = Inv(items)
        return self._latest


class Trickle:
    """One peer's announcements, in both directions.

    What the peer announces is only kept, not looked at, until this side has
    something to announce: a program that merely listens pays next to nothing.

    Args:
        relay: what the node lends to all.
        door: where the peer came in; `None` if it was dialled.
    """

    __slots__ = (
        "_door",
        "_era",
        "_heard",
        "_heard_count",
        "_known",
        "_queue",
        "_relay",
        "_slot",
        "dropped",
        "flush_at",
    )

    def __init__(self, relay: Relay, door: object = None) -> None:
        self._relay = relay
        self._door = door
        # A slot, not its bit: among ten thousand peers the bit is an integer of a kilobyte.
        self._slot = relay.table.join()
        self._era = relay.table.era
        self._known: RecentSet | None = None
        self._heard: list[Sequence[InvVect]] | None = None
        self._heard_count = 0
        self._queue: dict[InvVect, None] | None = None
        self.flush_at = NEVER
        """When the next batch is due; infinity if nothing waits."""
        self.dropped = 0
        """Items that gave way because too many were waiting."""

    @property
    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return 0 if self._queue is None else len(self._queue)

    def flush(self, now: float) -> Sequence[Inv]:
        """Return the batch, if it is due."""
        if now < self.flush_at:
            return ()
        queue, relay = self._empty(), self._relay
        self._look_back()
        known = () if self._known is None else self._known
        mark, bit = relay.table.mark, 1 << self._slot
        fresh = [item for item in queue if item.hash not in known and mark(item.hash, bit)]
        return [
            relay.inv(tuple(fresh[start : start + relay.batch]))
            for start in range(0, len(fresh), relay.batch)
        ]

    def announce(self, item: InvVect, now: float) -> bool:
        """Queue *item* for the next batch.

        Returns:
            Whether it will be announced: not if the peer knows it, nor if there is
            no room for it.
        """
        relay, queue = self._relay, self._queue
        if self.knows(item.hash):
            return False
        if queue is not None and item in queue:
            return True
        full = relay.waiting >= relay.total
        if queue is None:
            if full:
                self.dropped += 1
                return False
            queue = self._queue = {}
            self.flush_at = relay.flush_times.next(now, self._door)
        elif full or len(queue) >= relay.pending:
            del queue[next(iter(queue))]
            relay.waiting -= 1
            self.dropped += 1
        queue[item] = None
        relay.waiting += 1
        return True

    def announce_now(self, item: InvVect) -> Inv | None:
        """Return the `inv` of an *item* that cannot wait; `None` if the peer knows it."""
        if self._heard:
            self._look_back()
        relay, known = self._relay, self._known
        if known is not None and item.hash in known:
            return None
        if not relay.table.mark(item.hash, 1 << self._slot):
            return None
        return relay.inv((item,))

    def learned(self, items: Sequence[InvVect]) -> None:
        """Note that the peer announced *items*; the newest are remembered."""
        size, count = self._relay.known, len(items)
        if count >= size:
            self._heard, self._heard_count = [_detached(items[count - size :])], size
            return
        if not count:  # or nothing would ever make them give way (R-B11)
            return
        if self._heard is None:
            self._heard = []
        self._heard.append(items)
        self._heard_count += count
        if self._heard_count > size + size // 4:
            self._forget_oldest()

    def add_known(self, item: InvVect) -> None:
        """Note that the peer knows *item*, for whatever reason."""
        self._remember(item.hash)

    def knows(self, item: bytes) -> bool:
        """Return whether the peer is known to know the object with this hash."""
        if self._heard:
            self._look_back()
        return self._relay.table.knows(item, self._slot) or (
            self._known is not None and item in self._known
        )

    def age(self, now: float) -> None:
        """Forget what is too old.  To be called now and then, as when the peer is pinged."""
        last, self._era = self._era, self._relay.era(now)
        if last is not None and last != self._era:
            self._look_back()
            if self._known is not None:
                self._known.age(self._era - last)

    def close(self) -> None:
        """Give the peer's place in the shared table back; nothing else may follow."""
        self._empty()
        self._heard = self._known = None
        self._relay.table.leave(self._slot)

    def _empty(self) -> Iterable[InvVect]:
        """Return, and forget, what is waiting."""
        queue, self._queue = self._queue or {}, None
        self._relay.waiting -= len(queue)
        self.flush_at = NEVER
        return queue

    def _forget_oldest(self) -> None:
        """Let go of what the peer announced longest ago; a quarter at a time, as lists are."""
        heard = self._heard or []
        count = 0
        while self._heard_count > self._relay.known:
            self._heard_count -= len(heard[count])
            count += 1
        del heard[:count]

    def _look_back(self) -> None:
        """Look at what the peer announced while nobody cared."""
        heard, self._heard, self._heard_count = self._heard or (), None, 0
        for items in heard:
            for each in _hashes(items):
                self._remember(each)

    def _remember(self, item: bytes) -> None:
        if not self._relay.table.heard(item, self._slot):
            if self._known is None:
                self._known = RecentSet(self._relay.known)
            self._known.add(item)


def _hashes(items: Sequence[InvVect]) -> Iterator[bytes]:
    if isinstance(items, PackedVector):
        return cast(Iterator[bytes], items.column("hash"))
    return (item.hash for item in items)


def _detached(items: Sequence[InvVect]) -> Sequence[InvVect]:
    """Return a few of many *items* without the bytes of the others."""
    if isinstance(items, PackedVector):
        return PackedVector(items.packing, bytes(items.raw), 0, len(items))
    return items
