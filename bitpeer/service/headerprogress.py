"""Telling how far the chain is: in the log, and to programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from twisted.logger import LogLevel

from bitpeer.net.local import LocalNode
from bitpeer.service.headers import Extension

INTERVAL = 10.0
"""Seconds between two reports while there is much to catch up with."""

Emit = Callable[..., object]


class Progress(NamedTuple):
    """How far the chain is."""

    height: int
    """Of the newest header."""
    best_known: int
    """The highest that a peer claims, or `height` if that is higher."""
    tip_time: int
    """When the newest block was made, in seconds since 1970."""
    rate: float
    """Headers a second, lately."""
    weighed: int | None
    """While the leading peer's chain is weighed: how far it has been looked at."""
    current: bool
    """Whether the newest block is from today."""


class Reports:
    """Tells of each new block; while there are many, of all of them now and then.

    Args:
        node: whose log serves.
        emit: told of ``headers.progress`` and ``headers.reorganised``, as `Events.emit`.
        height: where the chain is.
    """

    def __init__(self, node: LocalNode, emit: Emit, height: int) -> None:
        self.rate = 0.0
        """Headers a second, between the last two reports."""
        self._node = node
        self._emit = emit
        self._last = node.clock.seconds(), height
        """When there was a report, and the height then."""

    def progressed(self, progress: Progress) -> None:
        """Take note of new headers."""
        now = self._node.clock.seconds()
        since, height = self._last
        if not progress.current and now < since + INTERVAL:
            return
        single = progress.current and progress.height == progress.best_known == height + 1
        self.rate = (progress.height - height) / max(now - since, 1.0)
        self._last = now, progress.height
        fields = {**progress._asdict(), "rate": round(self.rate, 1)}
        day = datetime.fromtimestamp(progress.tip_time, UTC)
        self._tell(
            "headers.progress",
            "{network}: new block {height}, of {day}"
            if single
            else "{network}: headers up to {height} of {best_known}, {day}; {rate} a second",
            f"{day:%Y-%m-%d %H:%M} UTC",
            **fields,
        )

    def weighing(self, progress: Progress) -> None:
        """Take note that a chain is being weighed."""
        now = self._node.clock.seconds()
        if progress.weighed is not None and now >= self._last[0] + INTERVAL:
            self._last = now, progress.height
            self._tell(
                "headers.weighing",
                "{network}: looked at headers up to {weighed} of {best_known}, to see whether "
                "they have the work of this network",
                **progress._asdict(),
            )

    def reorganised(self, extension: Extension) -> None:
        """Take note that blocks were withdrawn."""
        self._tell(
            "headers.reorganised",
            "{network}: {withdrawn} blocks withdrawn, another chain has more work; height {height}",
            withdrawn=extension.withdrawn,
            height=extension.end.height,
        )

    def _tell(self, event: str, text: str, day: str = "", **fields: object) -> None:
        title = self._node.config.network.title
        self._emit(event, chain=title, **fields)
        self._node.journal.emit(LogLevel.info, text, network=title, day=day, **fields)
