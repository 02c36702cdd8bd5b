"""What is told to those who ask for addresses: the same for a day, and different at every door."""

from __future__ import annotations

from collections.abc import Callable
from secrets import SystemRandom
from typing import NamedTuple

from bitpeer.service.addressbook import SHARE, AddressBook
from bitpeer.service.knownaddress import DAY, HOUR

LASTS, LASTS_LONGER = 21 * HOUR, 6 * HOUR
"""Seconds for which an answer stays the same, and up to how many more at random."""
YOUNGEST, OLDEST = 3 * DAY, 13 * DAY
"""Seconds of age that an answer gives to an address, whatever its age."""
MAX_DOORS = 100
"""Most answers that are kept."""

_RANDOM = SystemRandom()


class Told(NamedTuple):
    """One address of an answer."""

    host: str
    port: int
    services: int
    time: int
    """Seconds since 1970."""


class AddressAnswers:
    """Answers to requests for addresses.

    For each door of this node, that is, for each address at which it was reached, there
    is one answer, a sample of the book that is drawn anew about once a day.  So nobody
    who asks often learns more (R-F1).  Nor do answers give away to one who asks at two
    doors that the same node is behind both: they are drawn separately, last until
    different times, and the times in them are made up.  None is kept that says nothing.

    Args:
        book: where the addresses are.
        most: addresses in one answer.
        draw: returns a random number, 0 <= x < 1.
        frank: whether to tell everybody everything, as among nodes of one's own, where there
            is nobody to hide it from, and a share of a few is too little to go on with.
    """

    def __init__(
        self,
        book: AddressBook,
        most: int,
        draw: Callable[[], float] = _RANDOM.random,
        *,
        frank: bool = False,
    ) -> None:
        self._book = book
        self._most = most
        self._draw = draw
        self._frank = frank
        self._answers: dict[str, tuple[float, tuple[Told, ...]]] = {}
        """By door: until when it holds, and the answer."""

    def at(self, door: str, now: float) -> tuple[Told, ...]:
        """Return what is told to those who came in by *door*.

        Args:
            door: this end of their connection, as text.
            now: seconds since 1970.
        """
        until, answer = self._answers.get(door, (now, ()))
        if until - LASTS - LASTS_LONGER <= now < until:
            return answer
        answer = self._drawn(now)
        self._answers.pop(door, None)
        if self._frank or not answer:
            return answer
        if len(self._answers) >= MAX_DOORS:
            del self._answers[next(iter(self._answers))]
        self._answers[door] = now + LASTS + LASTS_LONGER * self._draw(), answer
        return answer

    def _drawn(self, now: float) -> tuple[Told, ...]:
        return tuple(
            Told(*known.address, known.services, int(now - self._age()))
            for known in self._book.sample(now, self._most, 1.0 if self._frank else SHARE)
        )

    def _age(self) -> float:
        return YOUNGEST + (OLDEST - YOUNGEST) * self._draw()
