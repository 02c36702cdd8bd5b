"""One peer from the first byte to the last, in every state: nothing is raised, nothing is left.

An input says what happens to a `PeerMachine`: what the peer says, how the time passes, what
the application wants, and how it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from bitpeer.dialect import Network
from bitpeer.errors import (
    BitpeerError,
    DisconnectReason,
    LocalError,
    PeerGone,
    RemoteError,
    RequestFailed,
    Unwanted,
)
from bitpeer.messages.inquiry import Inquiry
from bitpeer.messages.inventory import InvVect
from bitpeer.net.local import LocalNode
from bitpeer.peer.events import Answered
from bitpeer.peer.inquiries import Settled, Waiter
from bitpeer.peer.machine import Event, PeerMachine
from bitpeer.wire.framing import HEADER_SIZE, Framing
from bitpeer.wire.message import Message, Unknown
from fuzz.node import MAX_PAYLOAD, framer, make_node, stranger
from fuzz.questions import answered_questions, some_inquiry, some_name
from fuzz.script import Script
from fuzz.specimens import NETWORKS, payloads
from fuzz.target import Target, expect

MAX_STEPS = 60
FAR = 1e9
"""Seconds after which everything is over."""


def try_one(data: bytes) -> Hashable:
    """Play one script."""
    return Play(Script(data)).play()


class Play:
    """One conversation, as a script wants it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.network: Network = script.pick(NETWORKS)
        bits = script.number(8)
        self.node: LocalNode = make_node(
            self.network, tolerant=bool(bits & 1), services=script.pick((0, 1, 4, 0x44D))
        )
        framing = self.node.new_framing()
        self.machine = PeerMachine(self.node.terms, framing, outbound=bool(bits & 2))
        self.frame = framer(self.node)
        self.hears = Framing(self.node.terms.envelope, MAX_PAYLOAD)
        self.now = 0.0
        self.waiting: dict[Waiter, Inquiry] = {}
        self.reading: Iterator[Event] | None = None
        self.seen: set[str] = set()
        self.steps: tuple[Callable[[], object], ...] = (
            self.introduce, self.acknowledge, self.say, self.say, self.mumble, self.lie,
            self.let_time_pass, self.flush, self.ask, self.send, self.announce, self.give_up,
            self.read_on, self.pause, self.refuse, self.fail, self.close, self.start,
        )  # fmt: skip
        if not bits & 4:
            self.start()

    def play(self) -> Hashable:
        """Do all of it; return what could be seen."""
        for _ in range(MAX_STEPS):
            if not self.script:
                break
            self.script.pick(self.steps)()
            self.look_around()
        self.read_on()
        self.machine.wake(self.now + FAR)
        self.settle(self.machine.expire(self.now + FAR))
        self.close()
        self.look_around()
        self.settle(self.machine.abandon(lambda: PeerGone(DisconnectReason.CLOSED_HERE, None)))
        expect(not self.waiting, "somebody waits for ever")
        terms = self.node.terms
        expect(not terms.own_nonces, "a nonce is left")
        expect(terms.relay.waiting == 0, "an announcement is left")
        failure = self.machine.failure
        return type(failure).__name__, tuple(sorted(self.seen))

    # What the peer does

    def introduce(self) -> None:
        dialect = self.network.dialect
        version = self.script.pick(
            (dialect.protocol_version, dialect.min_version, self.script.number(70_020))
        )
        own = self.script.flag() and self.node.terms.own_nonces
        nonce = next(iter(self.node.terms.own_nonces)) if own else 1 << 60
        services = self.script.pick((0, 0x44D, (1 << 64) - 1))
        message = stranger(self.network, version, services, nonce)
        self.receive(self.frame("version", message.encode()))

    def acknowledge(self) -> None:
        self.receive(self.frame("verack", b""))

    def say(self) -> None:
        """Say something that is right, or nearly."""
        script = self.script
        command = script.pick(list(payloads(self.network.dialect.name)))
        payload = script.pick(payloads(self.network.dialect.name)[command])
        how = script.number(4)
        if how == 1:
            payload = script.blob(200)
        elif how == 2 and payload:
            at = script.number(len(payload))
            payload = payload[:at] + script.take(4) + payload[at + 4 :]
        elif how == 3:
            payload = payload[: script.number(len(payload) + 1)] + script.blob(40)
        self.receive(self.frame(command, payload))

    def mumble(self) -> None:
        self.receive(self.script.blob(60))

    def lie(self) -> None:
        """Say something whose header is wrong."""
        frame = self.frame(self.script.take(3).hex() or "x", self.script.blob(20))
        at = self.script.number(HEADER_SIZE)
        self.receive(frame[:at] + self.script.take(4) + frame[at + 4 :])

    def receive(self, data: bytes) -> None:
        self.read_on()
        for piece in self.script.cut(data):
            self.read_on()
            self.reading = self.machine.receive_data(piece, self.now)
            if self.script.flag():  # a listener takes its time
                self.next_event()
            else:
                self.read_on()

    # What the application does

    def read_on(self) -> None:
        while self.reading is not None:
            self.next_event()

    def next_event(self) -> None:
        if self.reading is None:
            return
        event = next(self.reading, None)
        if event is None:
            self.reading = None
            return
        self.seen.add(type(event).__name__)
        if isinstance(event, Answered):
            self.settle(event.settled)
        elif isinstance(event, Message):
            expect(event.command in payloads(self.network.dialect.name), "nobody knows it")

    def pause(self) -> None:
        seconds = float(self.script.number(256))
        self.now += seconds
        self.machine.resume(self.now, seconds)

    def ask(self) -> None:
        wanted = []
        for _ in range(self.script.number(3) + 1):
            inquiry = some_inquiry(self.script, self.network)
            wanted.append((inquiry, Waiter(self.now, float(self.script.number(100)))))
        try:
            self.machine.ask(wanted, self.now)
        except (LocalError, RequestFailed):
            return
        self.waiting |= {waiter: inquiry for inquiry, waiter in wanted}

    def give_up(self) -> None:
        if self.waiting:
            waiter = self.script.pick(list(self.waiting))
            self.machine.give_up(waiter, self.now)
            del self.waiting[waiter]

    def send(self) -> None:
        command = self.script.pick(list(payloads(self.network.dialect.name)))
        payload = self.script.pick(payloads(self.network.dialect.name)[command])
        try:
            message: Message | Unknown = self.network.dialect.registry.decode(command, payload)
            self.machine.send(message, self.now, watched=self.script.flag())
        except (LocalError, RemoteError) as error:
            self.seen.add(type(error).__name__)

    def announce(self) -> None:
        item = InvVect(self.script.number(12), some_name(self.script))
        if self.script.flag():
            self.machine.add_known(item)
        self.machine.announce(item, self.now)
        self.machine.knows(item)

    def refuse(self) -> None:
        self.machine.refuse("no", ())

    def fail(self) -> None:
        self.machine.fail(Unwanted("it"))

    # What else happens

    def start(self) -> None:
        """Be connected, once."""
        if "started" not in self.seen:
            self.seen.add("started")
            self.machine.start(self.now)

    def let_time_pass(self) -> None:
        self.now += self.script.number(1 << 16) / 16
        self.machine.wake(self.now)
        self.settle(self.machine.expire(self.now))

    def flush(self) -> None:
        self.machine.flush(self.now)

    def close(self) -> None:
        failure = PeerGone(DisconnectReason.CLOSED_HERE, None)
        self.settle(self.machine.abandon(lambda: failure))
        self.machine.close()

    # What must be so

    def settle(self, settled: tuple[Settled, ...]) -> None:
        for waiter, outcome in settled:
            expect(waiter in self.waiting, "somebody is answered who does not wait")
            del self.waiting[waiter]
            right = isinstance(outcome, BitpeerError) or not isinstance(outcome, Exception)
            expect(right, f"the answer is {outcome!r:.200}")

    def look_around(self) -> None:
        """Check what holds at any moment."""
        machine, node = self.machine, self.node
        limit = MAX_PAYLOAD if machine.established else node.terms.max_handshake_payload
        expect(machine.held <= limit + HEADER_SIZE, f"it holds {machine.held} bytes")
        said = b"".join(machine.data_to_send())
        for entry, payload, _ in self.hears.feed(said):
            try:
                entry.decode(payload)
            except RemoteError as error:
                raise AssertionError(f"we said a wrong {entry.command}: {error}") from error
        expect(self.hears.held == 0, "we said half a frame")
        expect(machine.over or machine.failure is None, "it failed, and goes on")
        expect(machine.next_wake >= 0, "it is to be woken before the beginning")
        if machine.over and self.reading is None:
            expect(not list(machine.receive_data(b"x", self.now)), "it goes on after the end")
            expect(not machine.announce(InvVect(1, bytes(32)), self.now), "it still announces")
        expect(not (machine.established and machine.over), "it is over, and is not")


INTRODUCED = bytes((0, 0, 0, 0, 0, 0, 1, 0, 0))
"""The step of a stranger who says `version`, and offers what there is."""
ACKNOWLEDGED = bytes((1, 0, 0))
SAID, ASKED, TIME = 2, 8, 6
"""The first byte of some other steps."""


def seeds() -> Iterator[bytes]:
    """Return conversations that come further than chance would."""
    for network, each in enumerate(NETWORKS):
        for bits in range(4):
            begin = bytes((network, bits, 3)) + INTRODUCED + ACKNOWLEDGED
            for step in range(18):
                yield begin + bytes((step, 1, 1, 1, 1, 0, 0, 0)) * 3
            for command in range(len(payloads(each.dialect.name))):
                said = bytes((SAID, command, 0, 0, 0, 0))
                yield begin[:-3] + said + ACKNOWLEDGED
                yield begin + said * 2 + bytes((TIME, 99, 99))
        for question, command, which in answered_questions(each):
            asked = bytes((ASKED, 0)) + question + b"\x3c"
            yield begin + asked + bytes((SAID, command, which, 0, 0, 0))


HANDSHAKE = Target(
    name="handshake",
    says="one peer from the first byte to the last",
    try_one=try_one,
    seeds=seeds,
    max_size=1_024,
)
