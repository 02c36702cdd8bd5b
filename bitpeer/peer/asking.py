"""The half of a machine that asks, and knows an answer when it hears one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from bitpeer.errors import RemoteError, RequestFailed
from bitpeer.messages.inquiry import Inquiry
from bitpeer.messages.inventory import MAX_INVENTORY, GetData, InvVect
from bitpeer.peer.events import Answered
from bitpeer.peer.inquiries import Inquiries, Settled, Waiter
from bitpeer.peer.state import ConversationState
from bitpeer.wire.message import Message, Unknown

E = TypeVar("E")


class AskingMachine(ConversationState):
    """A conversation in which one may ask and be told the answer.

    What nobody asked for passes by untouched, and as long as nothing is asked
    nothing is even looked at.
    """

    __slots__ = ()

    @abstractmethod
    def send(self, message: Message | Unknown, now: float, *, watched: bool = True) -> None:
        """Queue *message*; see `PeerMachine.send`."""

    def ask(self, wanted: Sequence[tuple[Inquiry, Waiter]], now: float) -> None:
        """Ask what is not being asked already; each waiter gets its answer.

        The answers come as `Answered` events.

        Raises:
            TooManyRequests: too much is on its way already.
            NotEstablished, NotNegotiated, Unencodable: as `send` does; nothing is asked.
        """
        table = self.inquiries
        if table is None:
            table = Inquiries(self._terms.dialect.answers, self._terms.max_requests)
        new = table.new_among(inquiry for inquiry, _ in wanted)
        for message in _combined(new):
            self.send(message, now, watched=False)
        for inquiry in new:
            table.sent(inquiry)
        for inquiry, waiter in wanted:
            table.wait(inquiry, waiter)
        if table:
            self.inquiries = table
            self.stirred = True

    def give_up(self, waiter: Waiter, now: float) -> None:
        """*waiter* does not want its answer any more."""
        if self.inquiries is not None:
            self.inquiries.give_up(waiter, now)
            self.stirred = True

    def expire(self, now: float) -> tuple[Settled, ...]:
        """Return those who have waited for an answer long enough."""
        table = self.inquiries
        if table is None or now < table.next_due:
            return ()
        settled = table.expire(now)
        self.stirred = True
        self._tidy(table)
        return settled

    def abandon(self, failure: Callable[[], RequestFailed]) -> tuple[Settled, ...]:
        """There will be no more answers: return all who wait for one."""
        table, self.inquiries = self.inquiries, None
        return () if table is None else table.close(failure)

    @property
    def asking(self) -> bool:
        """Whether somebody waits for an answer."""
        return self.inquiries is not None and self.inquiries.live > 0

    @property
    def next_expiry(self) -> float:
        """When to call `expire`; infinity for never."""
        return float("inf") if self.inquiries is None else self.inquiries.next_due

    def _sorted_out(self, events: Iterable[E]) -> Iterator[E | Answered]:
        """Tell answers from everything else in *events*."""
        for event in events:
            table = self.inquiries
            if table is None or not table.concerns(type(event)):  # as most that comes
                yield event
                continue
            try:
                taken = table.take(event, len(self.payload), self.now)
            except RemoteError as reason:  # a view that was never looked into may be no answer
                self.fail(reason)
                return
            self._tidy(table)
            if taken.settled:  # first: whoever hears the rest may end the conversation
                yield Answered(taken.settled)
            if taken.public:
                yield event

    def _tidy(self, table: Inquiries) -> None:
        if not table:
            self.inquiries = None

    @abstractmethod
    def fail(self, reason: RemoteError) -> None:
        """End the conversation; the first reason counts."""


def _combined(inquiries: Iterable[Inquiry]) -> Iterator[Message | Unknown]:
    """Yield what to send, everything that is asked for by `getdata` in one message."""
    items: list[InvVect] = []
    for inquiry in inquiries:
        for message in inquiry.messages:
            if isinstance(message, GetData) and len(items) + len(message.items) <= MAX_INVENTORY:
                items += message.items
            else:
                yield message
    if items:
        yield GetData(tuple(items))
