"""What was asked of one peer, who waits for the answer, and what has come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bitpeer.dialect import Question
from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    RemoteError,
    RequestFailed,
    TooManyRequests,
    Unanswered,
)
from bitpeer.messages.inquiry import Fit, Inquiry
from bitpeer.messages.inventory import NotFound
from bitpeer.peer.part import NEVER
from bitpeer.wire.message import Message

MAX_ORPHANS = 256
"""Most questions remembered that nobody waits for any more."""
MAX_ANSWER = 64_000_000
"""Most bytes of an answer that comes in parts."""
ORPHAN_LIFETIME = 120.0
"""Seconds for which they are remembered: who has not answered by then is not going to."""

Answers = Mapping[type[Message], Callable[[Any], Iterable[Question]]]
"""Which questions a message answers: see `Dialect.answers`."""


class Waiter:
    """Somebody who waits for an answer.

    Args:
        now: the time.
        patience: seconds to wait.
    """

    __slots__ = ("due", "patience", "settle")

    settle: Callable[[object], object]
    """What to call, once, with the answer or the exception in its place: for whoever drives the
    machine."""

    def __init__(self, now: float, patience: float) -> None:
        self.patience = patience
        self.due = now + patience


class Settled(NamedTuple):
    """Somebody's waiting is over."""

    waiter: Waiter
    outcome: object
    """The answer, or the exception in its place."""


class Taken(NamedTuple):
    """What a message turned out to be."""

    settled: tuple[Settled, ...]
    public: bool
    """Whether others should hear of it, too."""


UNASKED = Taken((), public=True)


class Asked:
    """One question on its way: who waits for it, and what has come so far."""

    __slots__ = ("forget_at", "inquiry", "parts", "size", "waiters")

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.waiters: list[Waiter] = []
        self.parts: list[object] = []
        self.size = 0
        """Bytes of them."""
        self.forget_at = NEVER

    def settle(self, outcome: Callable[[Waiter], object]) -> tuple[Settled, ...]:
        """Let nobody wait any longer."""
        waiters, self.waiters, self.parts = self.waiters, [], []
        return tuple(Settled(waiter, outcome(waiter)) for waiter in waiters)


class Inquiries:
    """The questions that one peer has been asked, oldest first.

    *Theory of operation.*  A question with a name, such as a block's hash, is
    answered by what has that name, whenever it comes.  Peers answer all others
    in order.  So a question that nobody waits for any more, because it was
    cancelled or took too long, stays for a while as an *orphan*: it takes the
    late answer, which would otherwise be taken for the next question's (R-D4).
    If the same has been asked again meanwhile, the late answer is as good as the
    next, and the orphan takes that one.

    Time limits are the callers': no answer, no other caller and no part of an
    answer extends them (R-D1).

    Args:
        answers: which questions a message of this dialect answers.
        limit: most questions on their way that somebody waits for.
    """

    __slots__ = ("_answers", "_asked", "_limit", "_live", "_named", "_wanted", "next_due")

    def __init__(self, answers: Answers, limit: int) -> None:
        self._answers = answers
        self._limit = limit
        self._asked: list[Asked] = []
        self._live: dict[Hashable, Asked] = {}
        self._named: dict[Question, list[Asked]] = {}
        self._wanted: Counter[type] = Counter()
        self.next_due = NEVER
        """When `expire` next has something to do, or earlier."""

    def __bool__(self) -> bool:
        return bool(self._asked)

    @property
    def live(self) -> int:
        """Questions that somebody waits for."""
        return len(self._live)

    def concerns(self, kind: type) -> bool:
        """Whether a message of this *kind* may mean anything to those who wait."""
        return kind in self._wanted or kind is NotFound

    def new_among(self, inquiries: Iterable[Inquiry]) -> list[Inquiry]:
        """Return those that are not on their way.

        Raises:
            TooManyRequests: they would be too many.
        """
        new = {each.key: each for each in inquiries if each.key not in self._live}
        count = len(self._live) + len(new)
        if count > self._limit:
            raise TooManyRequests(count, self._limit)
        return list(new.values())

    def sent(self, inquiry: Inquiry) -> None:
        """Note that *inquiry* is being sent; let somebody `wait` for it."""
        asked = self._live[inquiry.key] = Asked(inquiry)
        self._asked.append(asked)
        if inquiry.question is not None:
            self._named.setdefault(inquiry.question, []).append(asked)
        self._wanted.update(inquiry.answers)

    def wait(self, inquiry: Inquiry, waiter: Waiter) -> None:
        """Let *waiter* have the answer to *inquiry*, which is on its way."""
        self._live[inquiry.key].waiters.append(waiter)
        self.next_due = min(self.next_due, waiter.due)

    def take(self, message: object, size: int, now: float) -> Taken:
        """Return what *message*, of so many bytes, means to those who wait.

        Raises:
            RemoteError: the message is a view of something else than it claims.
        """
        kind = type(message)
        if kind is NotFound:
            return self._denied(message)
        if not self.concerns(kind):
            return UNASKED
        for asked in self._candidates(kind, message):
            try:
                fit = asked.inquiry.fit(message)
            except RemoteError:
                raise
            except Exception as error:  # what callers say of answers may be mistaken
                return Taken(self._misjudged(asked, error, now), public=True)
            if fit is Fit.MEAGRE:
                asked.parts = [message]
                return UNASKED
            if fit is not Fit.NOT:
                asked.size += size
                return Taken(self._progress(asked, message, fit, now), asked.inquiry.shared)
        return UNASKED

    def _candidates(self, kind: type, message: Any) -> Iterator[Asked]:
        """Yield the questions that *message* may answer, those with a name first."""
        names = self._answers.get(kind)
        if names is not None and self._named:
            for question in names(message):
                for asked in self._named.get(question, ()):
                    if kind in asked.inquiry.answers:
                        yield self._twin(asked)
        for asked in self._asked:
            if asked.inquiry.question is None and kind in asked.inquiry.answers:
                yield self._twin(asked)

    def _twin(self, asked: Asked) -> Asked:
        """Return who gets the answer to *asked*: of an orphan, the same question asked again.

        Not so where the answer has parts, some of which may have come: unless silence is an
        answer, for then the orphan may have had its own.
        """
        inquiry = asked.inquiry
        has_parts = inquiry.most > 1 and (asked.size or not inquiry.lenient)
        return asked if has_parts else self._live.get(inquiry.key, asked)

    def _progress(self, asked: Asked, message: object, fit: Fit, now: float) -> tuple[Settled, ...]:
        """Take *message* for an answer, or for a part of one."""
        inquiry = asked.inquiry
        if asked.waiters:
            asked.parts.append(message)
        if fit is Fit.WHOLE:
            parts = asked.parts
            self._forget_passed_over(asked)
            self._forget(asked)
            return asked.settle(lambda _: inquiry.collect(parts))
        if not asked.waiters or (len(asked.parts) < inquiry.most and asked.size <= MAX_ANSWER):
            return ()
        count, size = len(asked.parts), asked.size
        self._orphan(asked, now)
        return asked.settle(lambda _: AnswerTooLong(inquiry.what, count, size))

    def _misjudged(self, asked: Asked, error: Exception, now: float) -> tuple[Settled, ...]:
        """Whoever asked cannot tell an answer: that is theirs to know, and nobody else's."""
        if asked.waiters:
            self._orphan(asked, now)
        else:
            self._forget(asked)
        return asked.settle(lambda _: error)

    def _denied(self, message: Any) -> Taken:
        """Complete what a `notfound` names; others hear of it if it names anything else."""
        settled: list[Settled] = []
        public = True
        names = self._answers.get(NotFound)
        if names is not None and self._named:
            denied = [self._named.get(question) for question in names(message)]
            public = not denied or not all(denied)
            for found in filter(None, denied):
                asked = self._twin(found[0])
                self._forget(asked)
                settled += asked.settle(_absent(asked.inquiry.what))
        return Taken(tuple(settled), public)

    def give_up(self, waiter: Waiter, now: float) -> None:
        """*waiter* does not want the answer any more; if nobody does, its place is free."""
        for asked in self._live.values():
            if waiter in asked.waiters:
                asked.waiters.remove(waiter)
                if not asked.waiters:
                    self._orphan(asked, now)
                return

    def expire(self, now: float) -> tuple[Settled, ...]:
        """Return those who have waited long enough, and forget orphans that are too old."""
        settled: list[Settled] = []
        self.next_due = NEVER
        for asked in tuple(self._asked):
            if asked.forget_at <= now:
                self._forget(asked)
                continue
            for waiter in tuple(asked.waiters):
                if waiter.due <= now:
                    asked.waiters.remove(waiter)
                    settled.append(Settled(waiter, _overdue(asked, waiter)))
            if not asked.waiters and asked.forget_at == NEVER:
                self._orphan(asked, now)
            due = min((waiter.due for waiter in asked.waiters), default=asked.forget_at)
            self.next_due = min(self.next_due, due)
        return tuple(settled)

    def close(self, failure: Callable[[], RequestFailed]) -> tuple[Settled, ...]:
        """There will be no more answers: return all who wait."""
        waiting = [asked for asked in self._asked if asked.waiters]
        self._asked.clear()
        self._live.clear()
        self._named.clear()
        self._wanted.clear()
        self.next_due = NEVER
        return tuple(each for asked in waiting for each in asked.settle(lambda _: failure()))

    # Within

    def _orphan(self, asked: Asked, now: float) -> None:
        """Nobody waits for *asked* any more; remember it for a while."""
        del self._live[asked.inquiry.key]
        asked.forget_at = now + ORPHAN_LIFETIME
        self.next_due = min(self.next_due, asked.forget_at)
        if len(self._asked) - len(self._live) > MAX_ORPHANS:
            self._forget(next(each for each in self._asked if each.forget_at != NEVER))

    def _forget_passed_over(self, answered: Asked) -> None:
        """Forget orphans that the peer has passed over: what has no name is answered in order."""
        if answered.inquiry.question is not None:
            return
        for asked in self._asked[: self._asked.index(answered)]:
            if asked.forget_at != NEVER and asked.inquiry.answers == answered.inquiry.answers:
                self._forget(asked)

    def _forget(self, asked: Asked) -> None:
        inquiry = asked.inquiry
        self._asked.remove(asked)
        self._wanted -= Counter(inquiry.answers)  # which keeps no zeros
        if self._live.get(inquiry.key) is asked:
            del self._live[inquiry.key]
        if inquiry.question is not None:
            others = self._named[inquiry.question]
            others.remove(asked)
            if not others:
                del self._named[inquiry.question]


def _absent(what: str) -> Callable[[Waiter], Absent]:
    return lambda _: Absent(what)


def _overdue(asked: Asked, waiter: Waiter) -> object:
    """Return what somebody gets whose time is over: a meagre answer, or none."""
    parts, inquiry = asked.parts, asked.inquiry
    if inquiry.lenient or (parts and inquiry.fit(parts[-1]) is Fit.MEAGRE):
        return inquiry.collect(parts)
    return Unanswered(inquiry.what, waiter.patience)
