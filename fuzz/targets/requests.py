"""The table of questions: everybody who waits is answered, once, and nothing is forgotten.

An input says who asks what, what the peer says, and how the time passes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    DisconnectReason,
    PeerGone,
    RemoteError,
    TooManyRequests,
    Unanswered,
)
from bitpeer.messages.inquiry import Inquiry
from bitpeer.messages.inventory import InvVect, NotFound
from bitpeer.peer.inquiries import MAX_ORPHANS, ORPHAN_LIFETIME, Inquiries, Settled, Waiter
from fuzz.questions import answered_questions, asking, names, some_inquiry, some_name
from fuzz.script import Script
from fuzz.specimens import NETWORKS, payloads
from fuzz.target import Target, expect

LIMIT = 6
"""Most questions on their way."""
MAX_STEPS = 100
FAILURES = (Absent, AnswerTooLong, PeerGone, Unanswered)


def try_one(data: bytes) -> Hashable:
    """Play one script."""
    return Play(Script(data)).play()


class Play:
    """A table, and what a script does with it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.network = script.pick(NETWORKS)
        self.table = Inquiries(self.network.dialect.answers, LIMIT)
        self.now = 0.0
        self.waiting: dict[Waiter, Inquiry] = {}
        self.outcomes: set[str] = set()
        self.asked: list[Inquiry] = []
        self.steps: tuple[Callable[[], None], ...] = (
            self.ask, self.ask, self.answer, self.answer, self.deny, self.let_time_pass,
            self.give_up, self.ask_again,
        )  # fmt: skip

    def play(self) -> Hashable:
        """Do all of it; return how the questions ended."""
        for _ in range(MAX_STEPS):
            if not self.script:
                break
            self.script.pick(self.steps)()
            self.look_around()
        if self.script.flag():
            longest = max((waiter.due for waiter in self.waiting), default=0.0)
            self.now = max(self.now, longest)
            self.settle(self.table.expire(self.now))
            expect(not self.waiting, "somebody waits longer than agreed")
            self.now += ORPHAN_LIFETIME
            self.settle(self.table.expire(self.now))
            expect(not self.table, "an orphan lives for ever")
        else:
            self.settle(self.table.close(lambda: PeerGone(DisconnectReason.CLOSED_HERE, None)))
        expect(not self.waiting, "somebody waits for ever")
        expect(self.table.live == 0 and not self.table, "a question is left")
        return tuple(sorted(self.outcomes))

    def ask(self) -> None:
        self.wait_for(some_inquiry(self.script, self.network))

    def ask_again(self) -> None:
        if self.asked:
            self.wait_for(self.script.pick(self.asked))

    def wait_for(self, inquiry: Inquiry) -> None:
        before = self.table.live
        try:
            new = self.table.new_among([inquiry])
        except TooManyRequests:
            expect(before == LIMIT, "there was room")
            return
        for each in new:
            self.table.sent(each)
        expect(self.table.live == before + len(new), "it is counted wrongly")
        waiter = Waiter(self.now, float(self.script.number(200)))
        self.table.wait(inquiry, waiter)
        self.waiting[waiter] = inquiry
        self.asked.append(inquiry)

    def answer(self) -> None:
        known = payloads(self.network.dialect.name)
        command = self.script.pick(list(known))
        payload = self.script.pick(known[command])
        if self.script.flag():
            at = self.script.number(len(payload) + 1)
            payload = payload[:at] + self.script.take(2) + payload[at + 2 :]
        try:
            message: Any = self.network.dialect.registry.decode(command, payload)
            taken = self.table.take(message, self.script.number(1 << 25), self.now)
        except RemoteError:
            return
        self.settle(taken.settled)

    def deny(self) -> None:
        items = [
            InvVect(self.script.number(8), some_name(self.script, self.network))
            for _ in range(self.script.number(3))
        ]
        self.settle(self.table.take(NotFound(items), 100, self.now).settled)

    def let_time_pass(self) -> None:
        self.now += self.script.number(256)
        due = [waiter for waiter in self.waiting if waiter.due <= self.now]
        self.settle(self.table.expire(self.now))
        expect(not any(each in self.waiting for each in due), "it is late")
        expect(self.table.next_due > self.now, "it is due, and was not done")

    def give_up(self) -> None:
        if self.waiting:
            waiter = self.script.pick(list(self.waiting))
            self.table.give_up(waiter, self.now)
            del self.waiting[waiter]

    def settle(self, settled: tuple[Settled, ...]) -> None:
        for waiter, outcome in settled:
            expect(waiter in self.waiting, "somebody is answered who does not wait")
            inquiry = self.waiting.pop(waiter)
            name = type(outcome).__name__
            fine = not isinstance(outcome, Exception)
            expect(fine or isinstance(outcome, FAILURES), f"{inquiry.what}: {outcome!r:.200}")
            self.outcomes.add(name)

    def look_around(self) -> None:
        keys = {inquiry.key for inquiry in self.waiting.values()}
        expect(self.table.live == len(keys), "it counts others than wait")
        expect(self.table.live <= LIMIT + MAX_ORPHANS, "there are too many")
        due = min((waiter.due for waiter in self.waiting), default=self.table.next_due)
        expect(self.table.next_due <= due, "somebody will be told too late")


def seeds() -> Iterator[bytes]:
    """Return conversations about everything."""
    for network, each in enumerate(NETWORKS):
        for topic in range(len(each.dialect.topics)):
            for name in range(len(names(each.title))):
                ask = b"\x00" + asking(topic, name) + b"\x3c"
                yield bytes((network,)) + ask * 2 + b"\x05\xff" + ask + b"\x06\x00"
                yield bytes((network,)) + ask + bytes((4, 1, 1, 1, name))
        for question, command, which in answered_questions(each):
            ask, answer = b"\x00" + question + b"\x3c", bytes((2, command, which, 0, 9, 0, 0, 0))
            yield bytes((network,)) + ask + answer
            yield bytes((network,)) + ask + b"\x06\x00" + ask + answer


REQUESTS = Target(
    name="requests",
    says="who asked what, and who is answered",
    try_one=try_one,
    seeds=seeds,
    max_size=1_024,
)
