"""Long work in slices, between which everything else has its turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


class Turns:
    """The turns of those who work long, and let go of the reactor now and then.

    Args:
        clock: the reactor.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._pauses: set[Deferred[None]] = set()

    async def pause(self, seconds: float = 0) -> None:
        """Let everything else have its turn, for so many *seconds*.

        Raises:
            CancelledError: there will be no next turn.
        """
        pause: Deferred[None] = deferLater(self._clock, seconds)
        self._pauses.add(pause)
        try:
            await pause
        finally:
            self._pauses.discard(pause)

    async def slices(self, items: Sequence[Any], size: int) -> AsyncIterator[Sequence[Any]]:
        """Yield *items* in pieces of *size*, each in a turn of its own.

        Raises:
            CancelledError: there will be no next turn.
        """
        for at in range(0, len(items), size):
            if at:
                await self.pause()
            yield items[at : at + size]

    def stop(self) -> None:
        """End all work that waits for its turn."""
        for pause in tuple(self._pauses):
            pause.cancel()
