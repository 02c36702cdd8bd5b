"""What is going to happen, in order, and the time that passes between."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.logger import Logger

Act = Callable[[], object]

TIDY_FROM = 1_000
"""Cancelled calls are thrown away once there are so many, and more of them than of others."""


class Timeline:
    """A clock that jumps from one event to the next.

    Events of one moment come in the order of their owners, and those of one owner
    in the order in which they were planned.  So it does not matter in which order
    different owners plan, which may depend on where objects lie in memory: what
    happens is the same every time.

    Args:
        now: the time at first, in seconds.
    """

    log = Logger()

    def __init__(self, now: float) -> None:
        self.now = now
        self.events = 0
        """How many have happened."""
        self._heap: list[tuple[float, int, int, Act | DelayedCall]] = []
        self._owners = 0
        self._planned = 0
        self._cancelled = 0

    def seconds(self) -> float:
        """Return the time."""
        return self.now

    def new_owner(self) -> int:
        """Return a number for somebody who plans."""
        self._owners += 1
        return self._owners

    def at(self, time: float, owner: int, act: Act | DelayedCall) -> None:
        """Plan an event."""
        self._planned += 1
        heappush(self._heap, (time, owner, self._planned, act))

    def call_later(
        self, owner: int, delay: float, call: Callable[..., Any], args: Any, kwargs: Any
    ) -> DelayedCall:
        """Plan a call as `IReactorTime.callLater` does."""

        def moved(delayed: DelayedCall) -> None:
            self.at(delayed.time, owner, delayed)

        delayed = DelayedCall(
            self.now + delay, call, args, kwargs, self._one_cancelled, moved, self.seconds
        )
        moved(delayed)
        return delayed

    def delayed_calls(self, owner: int) -> list[DelayedCall]:
        """Return the calls that *owner* has planned and not cancelled, the next one first."""
        found = {
            id(act): act
            for _, its_owner, _, act in sorted(self._heap, key=lambda entry: entry[:3])
            if its_owner == owner and isinstance(act, DelayedCall) and act.active()
        }
        return list(found.values())

    def forget(self, owner: int) -> None:
        """Let nothing happen of what *owner* has planned."""
        self._heap[:] = [entry for entry in self._heap if entry[1] != owner]
        heapify(self._heap)

    def step(self, until: float = inf) -> bool:
        """Let the next event happen, if it comes no later than *until*.

        An event that raises is logged as failed, as a reactor does, and counts.

        Returns:
            Whether there was one.
        """
        heap = self._heap
        while heap and heap[0][0] <= until:
            time, owner, _, act = heappop(heap)
            if isinstance(act, DelayedCall):
                if not self._is_due(act, time, owner):
                    continue
                act.called = 1
                act = _bound(act)
            self.now = max(self.now, time)
            self.events += 1
            try:
                act()
            except Exception:
                self.log.failure("an event failed")
            return True
        return False

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that happens meanwhile."""
        until = self.now + seconds
        while self.step(until):
            pass
        self.now = max(self.now, until)

    def _is_due(self, delayed: DelayedCall, time: float, owner: int) -> bool:
        """Whether a call is to be made now that its entry has come up."""
        if delayed.cancelled:
            self._cancelled -= 1
            return False
        if delayed.called or delayed.time != time:  # it was moved forward, and has an entry there
            return False
        if delayed.delayed_time:
            delayed.activate_delay()
            self.at(delayed.time, owner, delayed)
            return False
        return True

    def _one_cancelled(self, _: DelayedCall) -> None:
        self._cancelled += 1
        if self._cancelled > TIDY_FROM and self._cancelled > len(self._heap) // 2:
            # The one that is being cancelled is not marked yet: it stays, and is counted again.
            self._heap[:] = [
                entry
                for entry in self._heap
                if not (isinstance(entry[3], DelayedCall) and entry[3].cancelled)
            ]
            heapify(self._heap)
            self._cancelled = 1


def _bound(delayed: DelayedCall) -> Act:
    call, args, kwargs = delayed.func, delayed.args, delayed.kw
    return lambda: call(*args, **kwargs)
