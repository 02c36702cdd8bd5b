"""A log that peers cannot fill."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_str

from bitpeer.net.text import printable

SITE_BUDGET = 1_048_576
"""Bytes that one place in the code may log in one window (Core since 30.0)."""
WINDOW = 3_600.0
"""Seconds."""
OVERHEAD = 80
"""Bytes that a log adds to each event: the time, the level, where it comes from."""
MAX_COMPLAINT = 1_000
"""Most characters logged of what an exception says."""


class Complaint(Exception):
    """What an exception said, made fit to be shown: shortened, everything odd escaped."""


class Journal:
    """Logs for a node, at most a budget for each place in the code and hour (R-I1).

    That a budget is used up is logged once.  What is suppressed is counted, and the
    count is logged when the window ends.

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
        self._began: float | None = None
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
        self._log.failure(format, Failure(_fit(error)), LogLevel.critical, **fields)

    def emit(
        self,
        level: LogLevel,
        format: str,  # noqa: A002
        share: str = "",
        /,
        **fields: object,
    ) -> None:
        """Log one event, unless its *format* has used up its budget.

        Args:
            level: how important it is.
            format: the text, with the names of fields in it.
            share: events of one format and different shares have budgets of their own.
            fields: what the event consists of.
        """
        self._turn_window()
        place = f"{format} ({share})" if share else format
        if place in self._suppressed:
            self._suppressed[place] += 1
            return
        spent = self._spent.get(place, 0)
        spent += len(formatEvent({"log_format": format, **fields})) + OVERHEAD
        if spent > self._budget:
            self._suppressed[place] = 1
            self._log.warn(
                "too many events like {example!r}: no more are logged for up to {window:.0f} s",
                example=place,
                window=self._window,
            )
            return
        self._spent[place] = spent
        self._log.emit(level, format, **fields)

    def _turn_window(self) -> None:
        """Begin a new window if it is time, or if the clock was set back."""
        now = self._seconds()
        if self._began is not None and self._began <= now < self._began + self._window:
            return
        suppressed, self._suppressed = self._suppressed, {}
        self._spent = {}
        self._began = now
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


def _fit(error: BaseException) -> BaseException:
    """Return *error*, or what stands for it if it says more, or other, than a log should hold."""
    said: str = safe_str(error)
    if said == printable(said, MAX_COMPLAINT):
        return error
    complaint = Complaint(f"{type(error).__name__}: {printable(said, MAX_COMPLAINT)}")
    return complaint.with_traceback(error.__traceback__)
