"""A timer that survives what it calls."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from bitpeer.net.journal import Journal


class Every:
    """Does something at regular intervals.

    An exception is logged and the next time comes all the same: a bare
    `LoopingCall` would be dead from then on (R-J3).

    Args:
        clock: carries the `LoopingCall`.
        seconds: between two times.
        act: what to do.
        journal: where failures are logged.
    """

    def __init__(
        self, clock: IReactorTime, seconds: float, act: Callable[[], object], journal: Journal
    ) -> None:
        self._seconds = seconds
        self._act = act
        self._journal = journal
        self._loop = LoopingCall(self._guarded)
        self._loop.clock = clock

    def start(self) -> None:
        """Begin; the first time comes after one interval."""
        self._loop.start(self._seconds, now=False)

    def stop(self) -> None:
        """End; without effect if it has not begun."""
        if self._loop.running:
            self._loop.stop()

    def _guarded(self) -> None:
        try:
            self._act()
        except Exception as error:
            self._journal.failure("{act} failed; it will be tried again", error, act=self._act)
