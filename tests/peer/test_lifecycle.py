"""Whatever happens in whatever order, a conversation keeps its promises (R-C6)."""

import random

import pytest

from bitpeer.errors import LocalError, Refused
from bitpeer.messages.control import FeeFilter, Ping, Reject
from bitpeer.messages.inventory import GetData, Inv, NotFound
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.peer.part import NEVER
from bitpeer.wire.message import Unknown
from tests.pair import Pair, Side
from tests.peer.test_pairs import check_order, machine
from tests.peer.village import NEWS, Feature, SendGifts, item, items, make_terms
from tests.toy import Say

STEPS = 20_000
MESSAGES = (
    Say(b"x"), Ping(5), FeeFilter(3), SendGifts(), Feature(1), GetData(items([1, 2])),
    NotFound(items([1, 2])), Inv(items([3])), Unknown("mine", b"?"),
)  # fmt: skip


class Play:
    """Two nodes that connect, talk, fall silent and hang up at random."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self.nodes = (make_terms(), make_terms(first_nonce=1 << 40))
        self.connected = self.established = self.lost = 0
        self.connect()

    def connect(self) -> None:
        """Begin a new connection, from either node to either node, so perhaps to itself."""
        one, two = (self.chance.choice(self.nodes) for _ in range(2))
        self.pair = Pair(machine(one, outbound=True), machine(two, outbound=False))
        self.pair.start(self.now)
        self.connected += 1

    def step(self) -> None:
        """Do one thing."""
        side = self.chance.choice((self.pair.dialler, self.pair.listener))
        verb = self.chance.choices(
            (self.deliver, self.send, self.announce, self.wait, self.pause, self.refuse, self.lose),
            (60, 15, 10, 10, 3, 0.3, 0.3),
        )[0]
        verb(side)
        side.fetch()
        for each in (self.pair.dialler, self.pair.listener):
            self.check(each)

    def deliver(self, side: Side) -> None:
        self.pair.deliver(side, self.chance.choice((1, 24, 100, 1_000)), self.now)

    def send(self, side: Side) -> None:
        message = self.chance.choice(MESSAGES)
        try:
            side.machine.send(message, self.now)
        except LocalError:
            assert not side.machine.established or isinstance(message, SendGifts | Feature)

    def announce(self, side: Side) -> None:
        kind = self.chance.choice((1, NEWS))
        thing = item(self.chance.randrange(50), kind)
        if side.machine.knows(thing):
            assert not side.machine.announce(thing, self.now)
        elif self.chance.random() < 0.2:
            side.machine.add_known(thing)
        else:
            assert side.machine.announce(thing, self.now) == side.machine.established

    def wait(self, side: Side) -> None:
        self.now += self.chance.choice((0.1, 1.0, 10.0, 60.0))
        for each in (self.pair.dialler, self.pair.listener):
            each.machine.wake(self.now)
            each.machine.flush(self.now)
            each.fetch()

    def pause(self, side: Side) -> None:
        seconds = self.chance.uniform(0.0, 100.0)
        self.now += seconds
        for each in (self.pair.dialler, self.pair.listener):
            each.machine.resume(self.now, seconds)

    def refuse(self, side: Side) -> None:
        side.machine.refuse("at a whim", (Reject(b"version", 1, b""),))

    def lose(self, side: Side) -> None:
        """Cut the wire, and call everything once more."""
        self.pair.close()
        for each in (self.pair.dialler, self.pair.listener):
            each.fetch()
            assert each.machine.over
            assert each.machine.next_wake == each.machine.next_flush == NEVER
            self.established += sum(isinstance(event, Established) for event in each.heard)
            for verb in (self.send, self.announce, self.wait, self.pause, self.refuse):
                verb(each)
            each.machine.fail(Refused("no"))
            assert each.machine.data_to_send() == []
        self.lost += 1
        for node in self.nodes:
            assert node.own_nonces == set()
            assert node.relay.waiting == 0
        self.connect()

    def check(self, side: Side) -> None:
        """Check what holds at every moment."""
        subject = side.machine
        assert subject.over == (subject.failure is not None or subject.closed)
        assert subject.established <= (subject.keepalive is not None)
        assert subject.bytes_produced >= len(side.stream)
        if subject.over:
            assert subject.next_wake == NEVER
        if not isinstance(subject.failure, Refused):
            check_order(side.said)


@pytest.mark.parametrize("seed", range(5))
def test_r_c6_any_order_of_events_keeps_the_promises(seed: int) -> None:
    play = Play(seed)
    for _ in range(STEPS):
        play.step()
    assert play.lost > 20
    assert play.connected == play.lost + 1
    assert play.established > 10


def test_the_first_event_is_the_introduction_and_the_last_of_the_handshake_the_acquaintance() -> (
    None
):
    pair = Pair(
        machine(make_terms(), outbound=True), machine(make_terms(first_nonce=9_000), outbound=False)
    )
    pair.start()
    pair.run(count=10)
    for side in (pair.dialler, pair.listener):
        kinds = [type(event) for event in side.heard]
        assert kinds[0] is VersionReceived
        assert kinds.count(VersionReceived) == kinds.count(Established) == 1
