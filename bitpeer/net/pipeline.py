"""Blocks in order, asked for ahead of their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bitpeer.errors import InvalidSetting, TooManyRequests

B = TypeVar("B")

WINDOW = 16
"""Blocks to ask for ahead, as many as the reference node does."""
MAX_BYTES = 16_000_000
"""Bytes to ask for ahead: what a minute brings at the lowest rate that is put up with."""
FIRST_GUESS = 1_000_000
"""Bytes of a block, as long as none has come."""


def blocks_in_order(
    fetch: Callable[[bytes], Deferred[B]],
    names: Iterable[bytes],
    window: int = WINDOW,
    max_bytes: int = MAX_BYTES,
) -> AsyncGenerator[B, None]:
    """Yield the block of each name, in order.

    Some are asked for ahead: at most *window*, and as many as *max_bytes* hold if they
    are like the largest of late, those that have come and were not looked at yet
    included; but always one, and no more than there is room for beside what is being
    asked already (`PeerConfig.max_requests`).  Whoever stops, by ``break`` or by
    cancelling, takes back what was asked.  The first failure ends it.

    Args:
        fetch: asks for one block.
        names: of the blocks; taken as they are needed, so there may be no end of them.
        window: blocks.
        max_bytes: bytes.

    Raises:
        InvalidSetting: *window* or *max_bytes* is no number from 1 on.
    """
    for setting, value in (("window", window), ("max_bytes", max_bytes)):
        if not isinstance(value, int) or value < 1:
            raise InvalidSetting(setting, value, "a whole number from 1 on")
    return _in_order(_Ahead(fetch, iter(names), window, max_bytes))


async def _in_order(ahead: _Ahead[B]) -> AsyncGenerator[B, None]:
    try:
        while ahead.look():
            yield await ahead.first()
            ahead.used()
    finally:
        ahead.give_up()


class _Ahead(Generic[B]):
    """What was asked for, and not used yet."""

    def __init__(
        self,
        fetch: Callable[[bytes], Deferred[B]],
        names: Iterator[bytes],
        window: int,
        max_bytes: int,
    ) -> None:
        self._fetch = fetch
        self._names = names
        self._window = window
        self._max_bytes = max_bytes
        self._guess = FIRST_GUESS
        self._waiting: deque[Deferred[B]] = deque()
        self._sizes: dict[Deferred[B], int] = {}

    def look(self) -> bool:
        """Ask for as much as there is room for; return whether anything is to come."""
        while len(self._waiting) < self._window and (self._has_room or not self._waiting):
            try:
                name = next(self._names)
            except StopIteration:
                break
            block = self._fetch(name)
            if self._waiting and _is_too_much(block):
                self._names = chain((name,), self._names)  # its turn comes when one is used
                break
            self._waiting.append(block)
            block.addCallback(self._came, block)
        return bool(self._waiting)

    @property
    def _has_room(self) -> bool:
        missing = len(self._waiting) - len(self._sizes)
        return sum(self._sizes.values()) + (missing + 1) * self._guess <= self._max_bytes

    def _came(self, block: B, waited: Deferred[B]) -> B:
        size: Any = getattr(block, "size", 0)
        self._sizes[waited] = size
        self._guess = max(size, self._guess * 7 // 8)
        return block

    def first(self) -> Deferred[B]:
        """Return the Deferred of the next block."""
        return self._waiting[0]

    def used(self) -> None:
        """The next block was looked at."""
        self._sizes.pop(self._waiting.popleft(), None)

    def give_up(self) -> None:
        """Take back what was asked."""
        for block in self._waiting:
            block.addErrback(lambda _: None)
            block.cancel()


def _is_too_much(block: Deferred[Any]) -> bool:
    """Whether a block was not even asked for, because so much is being asked already."""
    outcome = getattr(block, "result", None)
    if not isinstance(outcome, Failure) or not outcome.check(TooManyRequests):
        return False
    block.addErrback(lambda _: None)
    return True
