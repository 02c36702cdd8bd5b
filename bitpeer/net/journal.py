"""A log that peers cannot fill."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger, LogLevel, formatEvent
from twisted.python.failure import Failure

SITE_BUDGET = 1_048_576
"""Bytes that one place in the code may log in one window (Core since 30.0)."""
WINDOW = 3_600.0
"""Seconds."""


class Journal:
    """Logs for a node, at most a budget for each place in the code and hour (R-I1).

    What is suppressed is counted, and the count is logged when the window ends.

    Args:
        log: where to.
        seconds: tells the time.
        budget: bytes for each format in one window.
        window: seconds.
    """

    def __init__(
        self,
        log: Logger,
        seconds: Callable[[], float],
        budget: int = SITE_BUDGET,
        window: float = WINDOW,
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._budget = budget
        self._window = window
        self._window_ends = -1.0
        self._spent: dict[str, int] = {}
        self._suppressed: dict[str, int] = {}

    def failure(self, format: str, error: BaseException, **fields: object) -> None:  # noqa: A002
        """Log an exception with its traceback, once for each place it comes from and window."""
        self._turn_window()
        place = f"{format} {_place(error)}"
        if place in self._spent:
            self._suppressed[place] = self._suppressed.get(place, 0) + 1
            return
        self._spent[place] = self._budget
        self._log.failure(format, Failure(error), LogLevel.critical, **fields)

    def emit(self, level: LogLevel, format: str, **fields: object) -> None:  # noqa: A002
        """Log one event, unless its *format* has used up its share."""
        self._turn_window()
        spent = self._spent.get(format, 0)
        if spent > self._budget:
            self._suppressed[format] = self._suppressed.get(format, 0) + 1
            return
        text = formatEvent({"log_format": format, **fields})
        self._spent[format] = spent + len(text) + 80
        self._log.emit(level, format, **fields)

    def _turn_window(self) -> None:
        now = self._seconds()
        if now < self._window_ends:
            return
        suppressed, self._suppressed = self._suppressed, {}
        self._spent = {}
        self._window_ends = now + self._window
        for format_, count in suppressed.items():
            self._log.warn(
                "{count} events like {example!r} were not logged", count=count, example=format_
            )


def _place(error: BaseException) -> str:
    """Return the kind of *error* and the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    line = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{type(error).__name__} {line}"
