"""Questions that one can await the answers of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail

from bitpeer.errors import Disconnected, NotNegotiated, PeerGone
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inquiry import SOON, Fit, Inquiry
from bitpeer.net.pushes import PushingPeer
from bitpeer.net.questions import Kinds, Questions, all_or_none
from bitpeer.peer.events import Answered
from bitpeer.peer.inquiries import Settled, Waiter
from bitpeer.wire.message import Message, Unknown

TOLERANCE = 1e-6
"""Seconds by which floating-point numbers may call a moment early."""


class AskingPeer(PushingPeer, Questions):
    """A peer that can be asked for things, by methods that return Deferreds.

    None of them raises.  Each Deferred fires with the answer, or fails:

    * `Absent`: the peer says that it does not have it;
    * `Unanswered`: there was no answer within *timeout* seconds, or a time that suits
      what is asked for; the connection stays, and a late answer is thrown away;
    * `PeerGone`: the peer was lost, its ``reason`` says how;
    * `TooManyRequests`: `PeerConfig.max_requests` are on their way already;
    * `NotEstablished`, `NotNegotiated`, `Unencodable`: nothing was sent, as by `send`.

    What is being asked already is not asked again: both get the one answer.  Cancel
    the Deferred to take a question back.
    """

    def ping(self, *, timeout: float = SOON) -> Deferred[float]:
        """Measure how many seconds the peer takes to answer a `ping`."""
        seconds = self._node.clock.seconds
        nonce, began = self._node.terms.draw_nonce(), seconds()
        inquiry = Inquiry(
            what="pong",
            key=("pong", nonce),
            messages=(Ping(nonce),),
            answers=frozenset({Pong}),
            fit=lambda pong: Fit.WHOLE if pong.nonce == nonce else Fit.NOT,
        )
        try:
            pong = self._submit((inquiry,), timeout)[0]
        except Exception as error:
            return fail(error)
        return pong.addCallback(lambda _: max(0.0, seconds() - began))

    def request(
        self,
        message: Message | Unknown,
        answered_by: Kinds,
        *,
        where: Callable[[Any], bool] | None = None,
        timeout: float = SOON,
    ) -> Deferred[Any]:
        try:
            inquiry = self._inquiry_of(message, answered_by, where)
            return self._submit((inquiry,), timeout)[0]
        except Exception as error:  # what is no message has its own way to say so
            return fail(error)

    def serves(self, topic: str) -> bool:
        """Whether the peer can be asked about a topic of the dialect, such as ``block``.

        The negotiated version must have the question, and the peer must offer what it is about.
        """
        dialect = self._node.config.network.dialect
        found = dialect.topics.get(topic)
        if found is None or not self.established:
            return False
        offered = not found.services or bool(self.services & found.services)
        return offered and dialect.speaks(found.kind, self.negotiated_version)

    # For the parts below and above

    def answered(self, event: Answered) -> None:
        """Answers have come: tell those who wait for them."""
        _tell(event.settled)

    def _look_at_the_time(self, now: float) -> None:
        """Tell those who have waited long enough."""
        if self._machine.next_expiry <= now + TOLERANCE:
            _tell(self._machine.expire(now + TOLERANCE))
            self._look_for_answers()

    def _abandon(self, ending: Disconnected) -> None:
        """Tell all who wait that there will be no answers."""
        _tell(self._machine.abandon(lambda: PeerGone(ending.reason, ending.cause)))

    # Within

    def _inquiry_of(
        self, message: Message | Unknown, kinds: Kinds, where: Callable[[Any], bool] | None
    ) -> Inquiry:
        answers = frozenset({kinds} if isinstance(kinds, type) else kinds)
        if not answers or not all(isinstance(kind, type) for kind in answers):
            raise TypeError(
                f"an answer is of a class of messages, or of several, not {kinds!r:.80}"
            )
        dialect = self._node.config.network.dialect
        asks = dialect.questions.get(type(message))  # type: ignore[arg-type]  # or Unknown
        questions = () if asks is None else tuple(asks(message))
        named = len(questions) == 1 and answers <= dialect.answers.keys()
        return Inquiry(
            what=message.command,
            key=(message.command, message.encode(), answers, where),
            messages=(message,),
            answers=answers,
            question=questions[0] if named else None,
            fit=lambda answer: Fit.WHOLE if where is None or where(answer) else Fit.NOT,
        )

    def ask(self, topic: str, *args: Any, timeout: float | None = None) -> Deferred[Any]:
        try:
            return self._submit((self._inquiry(topic, *args),), timeout)[0]
        except Exception as error:  # arguments that make no sense have their own way to say so
            return fail(error)

    def _ask_all(
        self, topic: str, names: Iterable[Any], timeout: float | None
    ) -> Deferred[list[Any]]:
        try:
            inquiries = [self._inquiry(topic, name) for name in names]
            return all_or_none(self._submit(inquiries, timeout))
        except Exception as error:
            return fail(error)

    def _inquiry(self, name: str, *args: Any) -> Inquiry:
        """Return what to ask this peer about one topic.

        Raises:
            NotNegotiated: there is no such topic here.
        """
        node = self._node
        topic = node.config.network.dialect.topics.get(name)
        if topic is None:
            raise NotNegotiated(name, "another network")
        context: dict[str, Callable[[], Any]] = {
            "services": lambda: self.services,
            "version": lambda: node.protocol_version,
            "genesis": lambda: node.config.network.genesis,
            "nonce": node.terms.draw_nonce,
        }
        return topic.ask(*args, **{each: context[each]() for each in topic.arguments})

    def _submit(self, inquiries: Sequence[Inquiry], timeout: float | None) -> list[Deferred[Any]]:
        """Ask; return a Deferred for each answer.

        Raises:
            RequestFailed, LocalError: nothing was asked.
        """
        if self._ending is not None:
            raise PeerGone(self._ending.reason, self._ending.cause)
        now = self._node.clock.seconds()
        waiters, answers = [], []
        for inquiry in inquiries:
            waiter = Waiter(now, inquiry.timeout if timeout is None else timeout)
            answer: Deferred[Any] = Deferred(partial(self._take_back, waiter))
            waiter.settle = partial(_settle, answer)
            waiters.append((inquiry, waiter))
            answers.append(answer)
        self._machine.ask(waiters, now)
        self._said()
        self._look_for_answers()
        return answers

    def _take_back(self, waiter: Waiter, _: Deferred[Any]) -> None:
        """Somebody cancelled a Deferred: make room for others."""
        self._machine.give_up(waiter, self._node.clock.seconds())
        self._look_for_answers()


def _settle(answer: Deferred[Any], outcome: object) -> None:
    if answer.called:  # who was told before may have cancelled it
        return
    if isinstance(outcome, Exception):
        answer.errback(outcome)
    else:
        answer.callback(outcome)


def _tell(settled: Iterable[Settled]) -> None:
    for waiter, outcome in settled:
        waiter.settle(outcome)
