"""What was asked for, and when an answer is overdue."""

from __future__ import annotations

from collections.abc import Iterable

from bitpeer.dialect import Question
from bitpeer.errors import DisconnectReason, TimedOut
from bitpeer.peer.part import NEVER


class Deadlines:
    """Keeps the questions that the peer owes an answer to, oldest first.

    Only what a correct peer must answer belongs here, and each question is
    matched by its hash: a block does not answer for another block (R-C7).

    Args:
        timeout: seconds an answer may take.
    """

    __slots__ = ("_due", "_latest", "_postponed", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._postponed = 0.0
        self._latest = -NEVER
        self._due: dict[Question, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    @property
    def next_wake(self) -> float:
        if not self._due:
            return NEVER
        return next(iter(self._due.values())) + self._postponed

    def wake(self, now: float) -> tuple[()]:
        if now >= self.next_wake:
            kind, name = next(iter(self._due))
            what = f"{kind} {name[::-1].hex()}" if name else kind
            raise TimedOut(DisconnectReason.STALLED, what, self._timeout)
        return ()

    def postpone(self, seconds: float) -> None:
        self._postponed += seconds

    def asked(self, questions: Iterable[Question], now: float) -> None:
        """Start the clock for *questions*; asking again does not restart it."""
        # Never before what was asked earlier, so that the first of them is the next that is due.
        self._latest = due = max(self._latest, now + self._timeout - self._postponed)
        for question in questions:
            self._due.setdefault(question, due)

    def answered(self, questions: Iterable[Question]) -> None:
        """Stop the clock for *questions*."""
        for question in questions:
            self._due.pop(question, None)
