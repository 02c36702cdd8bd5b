"""Peers here are played: they remember what they were sent, and tests put words in their mouths."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from bitpeer.bitcoin.constants import InvType
from bitpeer.bitcoin.header import BlockHeader, Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import PeerConfig
from bitpeer.errors import BadHeader, Disconnected, DisconnectReason, NotNegotiated, TimedOut
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.interfaces import INewestBlock
from bitpeer.net.local import LocalNode
from bitpeer.service import headersync as module
from bitpeer.service.headerpartner import CREDIT, MAX_STRANGERS
from bitpeer.service.headerprogress import Progress
from bitpeer.service.headers import HeaderChain, Unconnected
from bitpeer.service.headersync import HeaderSync
from tests.chains import BEGIN, demanding, mined
from tests.service.fakes import LogLines

WORTH = 2 * 3_501
"""The work of 3,500 blocks on top of the genesis block."""
NOON = BEGIN + 10_000_000.0
GONE = Disconnected(DisconnectReason.CLOSED_BY_PEER)
LONG = mined(4_100, step=1)
FORK = mined(700, LONG[1_499], tag=b"fork", time=LONG[1_499].time + 1, step=1)


class Peer:
    """Remembers what it was asked, and what became of it."""

    def __init__(self, height: int = 10_000, *, inbound: bool = False) -> None:
        self.inbound = inbound
        self.known_height = height
        self.asked: list[GetHeaders] = []
        self.failed: BaseException | None = None
        self.announced: bytes | None = None
        self.deaf = False

    def send(self, message: GetHeaders) -> None:
        if self.deaf:
            raise NotNegotiated(message.command, "ears")
        self.asked.append(message)

    def fail(self, reason: BaseException) -> None:
        self.failed = reason

    def update_last_block(self, height: int) -> None:
        self.known_height = max(self.known_height, height)

    def update_last_announced_block(self, block: bytes) -> None:
        self.announced = block

    @property
    def last(self) -> bytes:
        """The first hash of the locator that came last."""
        return self.asked[-1].locator[0]


class Stage:
    """A sync with a clock, and peers to come."""

    def __init__(self, network=REGTEST, now: float = NOON, **settings: Any) -> None:
        self.clock = Clock()
        self.clock.advance(now)
        self.chain = HeaderChain.open(network)
        self.node = LocalNode(PeerConfig(network=network), clock=self.clock)
        self.blamed: list[tuple[Peer, BaseException]] = []
        self.events: list[tuple[str, dict[str, object]]] = []
        self.sync = HeaderSync(
            self.node,
            self.chain,
            discourage=lambda peer, error: self.blamed.append((peer, error)),
            emit=lambda name, **fields: self.events.append((name, fields)),
            choose=lambda items: items[0],
            **settings,
        )
        self.node.add_listener(self.sync)
        self.sync.startService()

    def meet(self, height: int = 10_000, **how: Any) -> Peer:
        peer = Peer(height, **how)
        self.sync.peer_established(peer, None)
        return peer

    def lose(self, peer: Peer) -> None:
        self.sync.peer_lost(peer, GONE)

    def say(self, peer: Peer, message: Any) -> None:
        """Let *peer* say something, and everything happen that it causes at once."""
        answer = self.tell(peer, message)
        if answer is not None:
            done = Deferred.fromCoroutine(answer)
            for _ in range(20):
                self.clock.advance(0)
            assert done.called
            failures: list[Any] = []
            done.addErrback(failures.append)
            assert not failures

    def tell(self, peer: Peer, message: Any) -> Any:
        return self.sync.receiver(type(message))(peer, message)

    def serve(self, peer: Peer, headers: list[BlockHeader]) -> None:
        """Let *peer* answer as if *headers* were its chain, until it is asked no more."""
        answered = 0
        while answered < len(peer.asked):
            answered = len(peer.asked)
            names = {header.hash: at for at, header in enumerate(headers, 1)}
            names[REGTEST.genesis] = 0
            start = next(names[each] for each in peer.asked[-1].locator if each in names)
            self.say(peer, Headers(headers[start : start + 2_000]))

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds // 5)):
            self.clock.advance(5)


@pytest.fixture
def staged():
    """Set stages that are cleared when the test is over."""
    stages: list[Stage] = []

    def staged(*args: Any, **settings: Any) -> Stage:
        stages.append(Stage(*args, **settings))
        return stages[-1]

    yield staged
    for stage in stages:
        stage.sync.stopService()
        stage.chain.close()
        assert not stage.clock.getDelayedCalls()


@pytest.fixture
def stage(staged: Callable[..., Stage]) -> Stage:
    return staged()


def test_headers_come_from_one_peer_until_it_has_no_more(stage):
    one, two = stage.meet(), stage.meet()
    assert stage.sync.leader is one
    assert one.last == REGTEST.genesis
    stage.say(one, Headers(LONG[:2_000]))
    assert stage.chain.height == 2_000
    assert one.last == LONG[1_999].hash
    stage.say(one, Headers(LONG[2_000:4_000]))
    assert two.asked == []
    stage.say(one, Headers(LONG[4_000:]))
    assert stage.chain.height == 4_100
    assert one.known_height == 10_000
    assert stage.sync.leader is two
    assert two.last == LONG[4_098].hash  # the last but one, so that there is something to say
    stage.say(two, Headers(LONG[4_099:]))
    assert stage.sync.leader is None


def test_the_newest_block_is_true(stage):
    assert INewestBlock.providedBy(stage.sync)
    assert stage.node.newest_block() == (REGTEST.genesis, 0, 2)
    stage.serve(stage.meet(), LONG)
    assert stage.node.newest_block() == stage.chain.tip
    assert stage.node.newest_block().height == 4_100


def test_those_who_were_dialled_and_claim_more_are_asked_first(staged):
    stage = staged()
    stage.sync._leader = object()  # nobody is asked yet
    inbound, low, high = stage.meet(inbound=True), stage.meet(0), stage.meet(500)
    stage.sync._leader = None
    stage.sync._go_on()
    assert stage.sync.leader is high
    stage.say(high, Headers(()))
    assert stage.sync.leader is low
    stage.say(low, Headers(()))
    assert stage.sync.leader is inbound


def test_a_lost_leader_is_replaced(stage):
    one, two = stage.meet(), stage.meet()
    stage.lose(one)
    assert stage.sync.leader is two
    stage.lose(two)
    stage.lose(two)
    assert stage.sync.leader is None
    stage.say(two, Headers(LONG[:5]))
    stage.say(two, Inv([InvVect(InvType.BLOCK, LONG[7].hash)]))
    assert stage.chain.height == 0


def test_a_silent_leader_has_to_go_if_there_is_another(stage):
    one, two = stage.meet(), stage.meet()
    stage.wait(85)
    assert one.failed is None
    stage.wait(5)
    assert isinstance(one.failed, TimedOut)
    assert one.failed.reason is DisconnectReason.STALLED
    assert stage.sync.leader is two
    stage.lose(one)
    stage.wait(90 + module.AGAIN)
    assert two.failed is None
    assert len(two.asked) == 2
    assert stage.sync.leader is two


def test_a_slow_leader_gives_way(stage, monkeypatch):
    monkeypatch.setattr(module, "TURN_PER_HEADER", 0)
    one, two = stage.meet(), stage.meet()
    at = 0
    while stage.sync.leader is one:
        stage.say(one, Headers(LONG[:2_000]))  # again and again
        stage.wait(60)
        at += 1
    assert at == 15
    assert stage.sync.leader is two
    assert one.failed is None
    stage.say(one, Headers(LONG[:2_000]))
    assert len(one.asked) == 16  # not asked to go on beside the other


def test_a_slow_leader_stays_if_there_is_no_other(stage, monkeypatch):
    monkeypatch.setattr(module, "TURN_PER_HEADER", 0)
    one = stage.meet()
    for _ in range(20):
        stage.say(one, Headers(LONG[:2_000]))
        stage.wait(60)
    assert stage.sync.leader is one


def test_a_peer_that_cannot_be_asked_is_passed_over(stage):
    deaf, other = Peer(), Peer()
    deaf.deaf = True
    stage.sync.peer_established(deaf, None)
    assert stage.sync.leader is None
    stage.sync.peer_established(other, None)
    assert stage.sync.leader is other


def test_a_current_chain_asks_everybody(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    stage.serve(one, LONG)
    assert stage.sync.current
    two, three = stage.meet(), stage.meet()
    assert two.last == three.last == LONG[-2].hash
    stage.say(two, Headers(LONG[-1:]))
    stage.wait(90)
    assert three.failed is None  # nobody owes an answer now
    stage.wait(module.AGAIN_WHEN_CURRENT)
    assert len(one.asked) == 4
    assert len(two.asked) == len(three.asked) == 2


def test_new_blocks_are_announced_with_their_headers(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one, two = stage.meet(), stage.meet()
    stage.serve(one, LONG[:4_000])
    stage.serve(two, LONG[:4_000])
    asked = len(two.asked)
    stage.say(two, Headers(LONG[4_000:4_001]))
    assert stage.chain.height == 4_001
    assert len(two.asked) == asked


def test_blocks_that_are_mentioned_are_asked_for(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    stage.serve(one, LONG[:4_000])
    asked = len(one.asked)
    stage.say(one, Inv([InvVect(InvType.TX, bytes(32))]))
    stage.say(one, Inv([InvVect(InvType.BLOCK, LONG[3_999].hash)]))
    assert len(one.asked) == asked
    stage.say(one, Inv([InvVect(InvType.BLOCK, LONG[4_050].hash)]))
    assert one.announced == LONG[4_050].hash
    assert len(one.asked) == asked + 1
    stage.say(one, Inv([InvVect(InvType.BLOCK, LONG[4_051].hash)]))
    assert len(one.asked) == asked + 1  # one question at a time
    stage.say(one, Headers(LONG[3_999:4_051]))
    assert stage.chain.height == 4_051
    assert len(one.asked) == asked + 1
    stage.wait(module.PERIOD)
    assert len(one.asked) == asked + 2  # for what was mentioned meanwhile


def test_mentioning_blocks_does_not_make_us_talk(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    stage.serve(one, LONG)
    asked = len(one.asked)
    for at in range(100):
        stage.say(one, Inv([InvVect(InvType.BLOCK, bytes([at]) * 32)]))
        stage.say(one, Headers(()))
    assert len(one.asked) == asked + 1
    stage.clock.advance(module.ASK_INTERVAL)
    stage.say(one, Inv([InvVect(InvType.BLOCK, b"?" * 32)]))
    assert len(one.asked) == asked + 2


def test_while_one_leads_what_others_mention_waits(stage):
    one, two = stage.meet(), stage.meet()
    stage.say(two, Inv([InvVect(InvType.BLOCK, LONG[-1].hash)]))
    stage.say(two, Headers(LONG[-1:]))
    assert two.asked == []
    assert stage.sync._partners[two].strangers == 0
    stage.say(one, Inv([InvVect(InvType.BLOCK, LONG[-1].hash)]))
    assert len(one.asked) == 1


def test_headers_that_follow_nothing_lead_to_a_question(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    stage.serve(one, LONG[:4_000])
    asked = len(one.asked)
    stage.say(one, Headers(LONG[4_050:4_051]))
    assert one.announced == LONG[4_050].hash
    assert one.last == LONG[3_998].hash
    assert len(one.asked) == asked + 1
    stage.serve(one, LONG)
    assert stage.chain.height == 4_100


def test_a_peer_whose_answers_follow_nothing_has_to_go(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    for _ in range(MAX_STRANGERS):
        stage.say(one, Headers(LONG[50:51]))
    assert one.failed is None
    assert len(one.asked) == 1  # whose answer is still to come
    stage.say(one, Headers(LONG[50:51]))
    assert isinstance(one.failed, BadHeader)
    assert "follows nothing" in str(one.failed)


def test_blocks_that_are_announced_meanwhile_are_no_answers(staged):
    stage = staged(demanding(WORTH))
    one = stage.meet()
    stage.say(one, Headers(LONG[-1:]))
    stage.say(one, Headers(LONG[:2_000]))
    stage.say(one, Headers(LONG[-1:]))
    assert len(one.asked) == 2
    stage.say(one, Headers(LONG[2_000:4_000]))
    stage.say(one, Headers(LONG[-1:]))
    assert len(one.asked) == 3
    stage.serve(one, LONG)
    assert stage.chain.height == 4_100
    assert one.failed is None
    stage.wait(module.PERIOD)
    assert one.last == LONG[-2].hash  # to see whether there was more


def test_headers_that_nobody_asked_for_have_to_wait(stage):
    one = stage.meet()
    stage.serve(one, LONG)
    partner = stage.sync._partners[one]
    for _ in range(int(CREDIT) // 2_000):
        stage.say(one, Headers(LONG[:2_000]))
        stage.sync._exhaust(partner)
    waiting = Deferred.fromCoroutine(stage.tell(one, Headers(LONG[:100])))
    stage.clock.advance(0.9)
    assert not waiting.called
    stage.clock.advance(0.2)
    assert waiting.called


def test_a_silent_leader_that_dialled_us_may_stay(stage):
    one, two = stage.meet(inbound=True), stage.meet(inbound=True)
    stage.wait(90)
    assert stage.sync.leader is two
    assert one.failed is None


def test_the_chain_with_the_most_work_is_followed(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one, two = stage.meet(), stage.meet()
    stage.serve(one, LONG[:2_100])
    stage.serve(two, LONG[:2_100])
    asked = len(two.asked)
    with LogLines() as lines:
        stage.say(two, Headers(FORK))
    assert stage.chain.tip.hash == FORK[-1].hash
    assert "600 blocks withdrawn" in lines[0]
    assert ("headers.reorganised", "height", 2_200) in [
        (name, "height", fields["height"]) for name, fields in stage.events
    ]
    assert len(two.asked) == asked
    stage.say(one, Headers(LONG[2_100:2_300]))
    assert stage.chain.tip.hash == LONG[2_299].hash


def lazy(header: BlockHeader) -> BlockHeader:
    """Return the header without its work."""
    while int.from_bytes(header.hash, "little") >> 255 == 0:
        header = header._replace(nonce=header.nonce + 1)
    return header


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param([lazy(LONG[0])], "work that it claims", id="no work"),
        pytest.param([LONG[0], LONG[2]], "does not follow", id="a gap"),
        pytest.param(mined(1, time=5), "median", id="too old"),
        pytest.param(mined(1, bits=0x1F7F_FFFF), "instead of 207fffff", id="wrong target"),
    ],
)
def test_whoever_breaks_the_rules_is_blamed_and_has_to_go(stage, headers, why):
    one, two = stage.meet(), stage.meet()
    stage.say(one, Headers(headers))
    assert isinstance(one.failed, BadHeader)
    assert why in str(one.failed)
    assert stage.blamed == [(one, one.failed)]
    assert stage.chain.height == 0
    assert stage.sync.leader is two


@pytest.mark.parametrize(("ahead", "height"), [(0, 0), (7, 7), (1_003, 1_003)])
def test_headers_of_the_future_are_left_out_and_nobody_is_blamed(staged, ahead, height):
    stage = staged(now=LONG[0].time + ahead - 7_201.0)
    one = stage.meet()
    stage.say(one, Headers(LONG[:1_200]))
    assert stage.chain.height == height
    assert one.failed is None
    assert stage.sync.leader is None


def test_r_a6_a_chain_is_kept_when_it_has_shown_its_work(staged):
    stage = staged(demanding(WORTH))
    one = stage.meet()
    stage.say(one, Headers(LONG[:2_000]))
    assert stage.chain.height == 0
    assert stage.sync.progress().weighed == 2_000
    assert one.last == LONG[1_999].hash
    stage.say(one, Headers(LONG[2_000:4_000]))
    assert stage.chain.height == 0
    assert stage.sync.progress().weighed is None
    assert one.last == REGTEST.genesis
    stage.say(one, Headers(LONG[:2_000]))
    assert stage.chain.height == 2_000
    assert one.last == LONG[1_999].hash
    stage.say(one, Headers(LONG[2_000:4_000]))
    assert stage.chain.height == 3_500
    assert one.last == LONG[3_499].hash
    stage.say(one, Headers(LONG[3_500:]))
    assert stage.chain.height == 4_100
    assert one.failed is None


def test_r_a6_headers_without_work_cost_no_room(staged):
    stage = staged(demanding(1 << 60))
    one, two = stage.meet(), stage.meet()
    stage.serve(one, LONG)
    assert stage.chain.height == 0
    assert stage.chain.find(LONG[0].hash) is None
    assert one.failed is None
    assert stage.sync.leader is two
    assert stage.sync._partners[one].presync is None
    stage.say(two, Headers(LONG[:20]))
    assert stage.chain.find(LONG[0].hash) is None


def test_r_a6_a_low_branch_is_not_kept_beside_a_high_chain(stage):
    one = stage.meet()
    stage.serve(one, LONG)
    low = mined(30, LONG[99], tag=b"low", time=LONG[99].time + 1)
    stage.say(one, Headers(low))
    assert stage.chain.find(low[0].hash) is None
    assert one.failed is None


def test_headers_that_are_known_are_never_too_low(stage):
    one = stage.meet()
    stage.serve(one, LONG)
    stage.say(one, Headers(LONG[:2_000]))
    assert one.last == LONG[1_999].hash


def test_the_future_is_not_weighed_and_nobody_is_blamed(staged):
    stage = staged(demanding(WORTH), now=LONG[1_000].time - 7_201.0)
    one = stage.meet()
    stage.say(one, Headers(LONG[:2_000]))
    assert one.failed is None
    assert stage.sync.leader is None


def test_a_chain_that_is_another_when_it_comes_again_is_not_kept(staged):
    stage = staged(demanding(WORTH))
    one = stage.meet()
    stage.say(one, Headers(LONG[:2_000]))
    stage.say(one, Headers(LONG[2_000:4_000]))
    stage.say(one, Headers(mined(2_000, tag=b"?", step=1)))
    assert stage.chain.height == 0
    assert stage.sync.leader is None
    assert one.failed is None


def test_a_chain_that_came_halfway_is_taken_up_by_another_peer(staged):
    stage = staged(demanding(WORTH))
    one, two = stage.meet(), stage.meet()
    stage.say(one, Headers(LONG[:2_000]))
    stage.say(one, Headers(LONG[2_000:4_000]))
    stage.say(one, Headers(LONG[:2_000]))
    stage.lose(one)
    assert stage.sync.leader is two
    stage.serve(two, LONG)
    assert stage.chain.height == 4_100


def test_a_second_round_may_come_in_pieces(staged):
    stage = staged(demanding(WORTH))
    one = stage.meet()
    stage.say(one, Headers(LONG[:2_000]))
    stage.say(one, Headers(LONG[2_000:4_000]))
    for at in range(0, 3_600, 600):
        stage.say(one, Headers(LONG[at : at + 600]))
    assert stage.chain.height == 3_500


def test_a_full_disk_ends_nothing(stage, monkeypatch):
    one = stage.meet()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(stage.chain, "extend", full)
    with LogLines() as lines:
        stage.say(one, Headers(LONG[:5]))
    assert "cannot be kept" in lines[0]
    assert one.failed is None
    monkeypatch.undo()
    stage.wait(module.AGAIN)
    stage.serve(one, LONG)
    assert stage.chain.height == 4_100


def test_what_was_forgotten_meanwhile_ends_nothing(stage, monkeypatch):
    one = stage.meet()

    def forgotten(*_: object) -> None:
        raise Unconnected

    monkeypatch.setattr(stage.chain, "extend", forgotten)
    stage.say(one, Headers(LONG[:5]))
    assert one.failed is None
    assert stage.sync.leader is None


def test_other_messages_are_for_others(stage):
    assert stage.sync.receiver(GetHeaders) is None


def test_progress_is_told_while_there_is_much_to_do(staged):
    stage = staged(now=LONG[-1].time + 90_000.0)
    one = stage.meet(4_200)
    assert stage.sync.progress() == Progress(0, 4_200, 1_296_688_602, 0.0, None, False)
    with LogLines() as lines:
        stage.say(one, Headers(LONG[:2_000]))
        assert lines == []
        stage.clock.advance(10)
        stage.say(one, Headers(LONG[2_000:4_000]))
    assert len(lines) == 1
    assert lines == [
        "bitcoin-regtest: headers up to 3000 of 4200, 2023-11-14 23:03 UTC; 300.0 a second"
    ]
    name, fields = stage.events[-1]
    assert name == "headers.progress"
    assert (fields["chain"], fields["height"]) == ("bitcoin-regtest", 3_000)
    assert stage.sync.progress().rate == 300


def test_every_block_is_told_once_the_chain_is_current(staged):
    stage = staged(now=LONG[-1].time + 60.0)
    one = stage.meet()
    stage.serve(one, LONG[:-1])
    stage.events.clear()
    stage.say(one, Headers(LONG[-1:]))
    assert stage.events[0][1]["current"] is True
    assert stage.sync.progress().height == 4_100


def test_slices_leave_room_for_others(stage):
    one = stage.meet()
    answer = stage.tell(one, Headers(LONG[:2_000]))
    answer.send(None)
    assert stage.chain.height == 0
    answer.close()
    for call in stage.clock.getDelayedCalls():
        if call.time <= stage.clock.seconds():
            call.cancel()


def test_whoever_spreads_the_news_hears_whose_it_is_and_what_was_withdrawn(staged):
    heard = []
    stage = staged(changed=lambda peer, withdrawn, **more: heard.append((peer, withdrawn, more)))
    peer = stage.meet()
    stage.say(peer, Headers(LONG[:3]))
    stage.say(peer, Headers(LONG[:3]))  # nothing new
    fork = mined(3, LONG[1], tag=b"fork", time=LONG[1].time + 1)
    stage.say(peer, Headers(fork))
    assert heard == [(peer, 0, {"current": False}), (peer, 1, {"current": False})]


# The end


def test_who_stops_leaves_what_is_half_done_and_touches_the_chain_no_more(staged):
    stage = staged()
    peer = stage.meet()
    work = Deferred.fromCoroutine(stage.tell(peer, Headers(LONG[:2_000])))
    assert not work.called
    with LogLines() as lines:
        stage.sync.stopService()
        stage.chain.close()
        stage.clock.advance(100)
    assert work.called
    assert lines == []
    assert stage.clock.getDelayedCalls() == []
    assert len(peer.asked) == 1
