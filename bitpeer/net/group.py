"""Several peers, asked as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from bitpeer.dialect import VersionLike
from bitpeer.errors import (
    AnswerTooLong,
    Disconnected,
    NobodyAnswered,
    NotEstablished,
    NotNegotiated,
    RequestFailed,
    TooManyRequests,
    Unanswered,
)
from bitpeer.messages.inquiry import SOON
from bitpeer.net.errands import Errand, Lines
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.net.questions import Kinds, Questions
from bitpeer.wire.message import Message, Unknown

MAX_REST = 600.0
"""Most seconds for which a peer that fails again and again is not asked."""
BREATH = 1.0
"""Seconds for which a peer is not asked that has too much to answer already."""


@dataclass(slots=True)
class Member:
    """What is known of one peer of a group."""

    busy: int = 0
    """Questions on their way to it."""
    turn: int = 0
    """When it was asked last, counting."""
    failures: int = 0
    """How often in a row it took too long."""
    rests_until: float = -inf
    """When it may be asked again."""


class PeerGroup(PeerListener, Questions):
    """Asks whichever of its peers can answer, and another if that one does not.

    A listener: give it to `connect`, or to a service, and every peer that is
    established becomes a member until it is lost.

    *Theory of operation.*  A question goes to the member with the fewest on
    their way, of those that offer what it is about.  If that member does not
    have it, takes too long or is lost, the question goes to another, at most
    *attempts* times, and never to the same again.  Questions that had bad luck
    wait in a queue of their own, and get every other place that becomes free,
    so that they and new ones do not starve each other (R-D5).  Who took too long
    is left alone for a while, twice as long each time in a row.

    Deferreds fail with `NobodyAnswered`, or with what `send` would raise.

    Args:
        clock: the reactor, or a `Clock`.
        width: questions on their way to one peer.
        attempts: how many peers one question goes to at most.
        patience: seconds that a question waits for a peer that may be asked.
        rest: seconds for which a peer is left alone that took too long.
        limit: questions waiting, above which new ones fail with `TooManyRequests`.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        width: int = 16,
        attempts: int = 5,
        patience: float = 30.0,
        rest: float = 30.0,
        limit: int = 10_000,
    ) -> None:
        self._clock = clock
        self._width = width
        self._attempts = attempts
        self._patience = patience
        self._rest = rest
        self._limit = limit
        self._members: dict[IPeer, Member] = {}
        self._fresh = Lines()
        self._unlucky = Lines()
        self._errands: dict[Hashable, Errand] = {}
        self._unlucky_next = False
        self._turns = 0
        self._serving = False
        self._alarm: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._members)

    @property
    def waiting(self) -> int:
        """Questions that are on their way to nobody yet."""
        return len(self._fresh) + len(self._unlucky)

    # Members

    def add(self, peer: IPeer) -> None:
        """Let *peer* be asked from now on."""
        if peer not in self._members:
            self._members[peer] = Member()
            self._serve()

    def remove(self, peer: IPeer) -> None:
        """Ask *peer* nothing more."""
        if self._members.pop(peer, None) is not None:
            for errand in tuple(self._unlucky):
                self._give_up_if_exhausted(errand)
            self._serve()

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        self.add(peer)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        self.remove(peer)

    # Questions

    def request(
        self,
        message: Message | Unknown,
        answered_by: Kinds,
        *,
        where: Callable[[Any], bool] | None = None,
        timeout: float = SOON,
    ) -> Deferred[Any]:
        def ask(peer: IPeer) -> Deferred[Any]:
            return peer.request(message, answered_by, where=where, timeout=timeout)

        return self._send_out(object(), Errand(message.command, None, ask))

    def ask(self, topic: str, *args: Any, timeout: float | None = None) -> Deferred[Any]:
        def ask(peer: IPeer) -> Deferred[Any]:
            return peer.ask(topic, *args, timeout=timeout)

        key = (topic, timeout, *(tuple(each) if isinstance(each, list) else each for each in args))
        names = [each[::-1].hex() for each in args if isinstance(each, bytes)]
        return self._send_out(key, Errand(" ".join((topic, *names)), topic, ask))

    def _send_out(self, key: Hashable, errand: Errand) -> Deferred[Any]:
        try:
            same = self._errands.get(key)
        except TypeError:  # arguments that make no sense: whoever is asked will say so
            key, same = object(), None
        if same is None and self.waiting >= self._limit:
            return fail(TooManyRequests(self.waiting + 1, self._limit))
        going = errand if same is None else same
        answer: Deferred[Any] = Deferred(partial(self._take_back, going))
        going.waiting.append(answer)
        if same is None:
            errand.key = key
            self._errands[key] = errand
            self._queue(errand, self._fresh)
            self._serve()
        return answer

    def _take_back(self, errand: Errand, answer: Deferred[Any]) -> None:
        """Somebody does not want the answer any more; perhaps nobody does."""
        errand.waiting.remove(answer)
        if errand.waiting:
            return
        self._forget(errand)
        if errand.running is None:
            self._set_alarm()  # it kept nobody busy
        else:
            errand.running.cancel()

    # Within

    def _queue(self, errand: Errand, queue: Lines) -> None:
        errand.give_up_at = self._clock.seconds() + self._patience
        queue.add(errand)

    def _forget(self, errand: Errand) -> None:
        if self._errands.get(errand.key) is errand:
            del self._errands[errand.key]
        self._fresh.discard(errand)
        self._unlucky.discard(errand)

    def _finish(self, errand: Errand, outcome: object) -> None:
        self._forget(errand)
        errand.settle(outcome)

    def _in_vain(self, errand: Errand) -> None:
        self._finish(errand, NobodyAnswered(errand.what, errand.attempts, errand.failure))

    def _give_up_if_exhausted(self, errand: Errand) -> None:
        if errand.attempts >= self._attempts or (
            errand.exhausted
            and not any(peer not in errand.tried and errand.fits(peer) for peer in self._members)
        ):
            self._in_vain(errand)

    def _serve(self) -> None:
        """Give out what is waiting, as far as there are peers for it."""
        if self._serving:  # the loop below will come to it
            return
        self._serving = True
        try:
            while self._place_one():
                pass
            now = self._clock.seconds()
            for queue in (self._fresh, self._unlucky):
                while (late := queue.next_to_give_up()) and late.give_up_at <= now:
                    self._in_vain(late)
        finally:
            self._serving = False
        self._set_alarm()

    def _place_one(self) -> bool:
        """Give out one question; new ones and unlucky ones take turns."""
        now = self._clock.seconds()
        free = sorted(
            (
                peer
                for peer, member in self._members.items()
                if member.busy < self._width and member.rests_until <= now
            ),
            key=lambda peer: (self._members[peer].busy, self._members[peer].turn),
        )
        queues = (self._fresh, self._unlucky)
        for queue in queues[::-1] if self._unlucky_next else queues:
            match = queue.first_for(free)
            if match is not None:
                self._unlucky_next = queue is self._fresh
                queue.discard(match[0])
                self._start(*match)
                return True
        return False

    def _start(self, errand: Errand, peer: IPeer) -> None:
        member = self._members[peer]
        self._turns += 1
        member.turn = self._turns
        member.busy += 1
        errand.tried.add(peer)
        errand.attempts += 1
        errand.running = errand.ask(peer)
        errand.running.addBoth(self._came_back, errand, peer, member)

    def _came_back(self, result: Any, errand: Errand, peer: IPeer, member: Member) -> None:
        """A peer has answered, or failed to."""
        member.busy -= 1
        errand.running = None
        if not errand.waiting:  # it was taken back
            pass
        elif not isinstance(result, Failure):
            member.failures = 0
            self._finish(errand, result)
        elif isinstance(result.value, RequestFailed | NotEstablished | NotNegotiated):
            self._failed(result.value, errand, peer, member)
            self._give_up_if_exhausted(errand)
        else:  # it can be asked of nobody
            self._finish(errand, result.value)
        self._serve()

    def _failed(self, error: BaseException, errand: Errand, peer: IPeer, member: Member) -> None:
        """Draw the conclusions, for the question and for the peer."""
        now = self._clock.seconds()
        if isinstance(error, TooManyRequests | NotEstablished | NotNegotiated):
            errand.attempts -= 1  # it was none
            self._unlucky.add(errand, first=True)  # and its patience is what was left of it
        else:
            errand.failure = error
            self._queue(errand, self._unlucky)
        if isinstance(error, TooManyRequests):  # somebody else keeps the peer busy
            errand.tried.discard(peer)
            member.rests_until = now + BREATH
        if isinstance(error, Unanswered | AnswerTooLong):
            member.failures += 1
            rest = self._rest * 2.0 ** min(member.failures - 1, 30)
            member.rests_until = now + min(rest, MAX_REST)

    def _set_alarm(self) -> None:
        """See to it that what waits is looked at again when that may help."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self.waiting:
            return
        now = self._clock.seconds()
        queues = (self._fresh.next_to_give_up(), self._unlucky.next_to_give_up())
        times = [errand.give_up_at for errand in queues if errand is not None]
        times += (each.rests_until for each in self._members.values() if each.rests_until > now)
        self._alarm = self._clock.callLater(max(0.0, min(times) - now), self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        self._serve()
