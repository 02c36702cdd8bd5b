"""Tests of bitpeer.service.events."""

import json

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel, globalLogPublisher

from bitpeer.errors import DisconnectReason, LocalError
from bitpeer.net.factory import PeerFactory
from bitpeer.service.events import VERSION, Events, plain
from tests import toy
from tests.service.fakes import Line, Reactor, make_node, visit

NASTY = b"\x1b[2J\r\n<script>alert(1)</script>\xe2\x80\xae\\"


@pytest.fixture
def clock():
    clock = Clock()
    clock.advance(1_000)
    return clock


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("nan"), None),
        (float("inf"), None),
        ("text", "text"),
        (b"bytes", "bytes"),
        (DisconnectReason.CLOSED_HERE, "closed-here"),
        (LocalError("oh"), "oh"),
        ((1, [2]), [1, [2]]),
        ({1: {"a": b"\0"}}, {"1": {"a": "\\x00"}}),
        ([[[["deep"]]]], [[["['deep']"]]]),
    ],
)
def test_whatever_is_told_becomes_what_json_has(value, expected):
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_nothing_that_is_told_is_large():
    assert len(plain(list(range(1_000)))) == 64
    assert len(plain(dict.fromkeys(range(1_000)))) == 64
    assert len(plain("x" * 1_000_000)) < 600


def test_an_event_has_a_name_a_version_a_number_a_time_and_fields(clock, logged):
    events = Events(clock.seconds)
    events.emit("tea.ready", cups=2)
    events.emit("tea.gone")
    first = {"event": "tea.ready", "version": VERSION, "number": 1, "time": 1_000.0, "cups": 2}
    assert events.latest()[0] == first
    assert events.latest()[1]["number"] == 2
    assert events.counts == {"tea.ready": 1, "tea.gone": 1}
    assert first.items() <= logged[0].items()
    assert logged[0]["log_level"] is LogLevel.info
    assert logged[0]["log_format"] is None


def test_a_field_cannot_pass_for_the_stamp(clock):
    events = Events(clock.seconds)
    events.emit("tea.ready", number=99, event="coffee")
    assert events.latest()[0]["number"] == 1
    assert events.latest()[0]["event"] == "tea.ready"


def test_no_name_of_a_field_gets_into_twisteds_way(clock, logged):
    events = Events(clock.seconds)
    events.emit("tea.ready", level=1, format="{x}", fields=2, log_level="x")
    assert events.latest()[0]["level"] == 1
    assert logged[0]["fields"] == events.latest()[0]
    assert logged[0]["log_level"] is LogLevel.info
    assert logged[0]["log_format"] is None


def test_a_log_of_ones_own_is_used(clock):
    seen = []
    Events(clock.seconds, log=Logger("mine", observer=seen.append)).emit("tea.ready")
    assert seen[0]["log_namespace"] == "mine"


def test_r_i2_what_a_peer_wrote_is_escaped_wherever_it_goes(clock, logged):
    events = Events(clock.seconds)
    heard = []
    events.subscribe(heard.append)
    events.emit("peer.spoke", text=NASTY, more=[NASTY], names={NASTY.decode(): 1})
    for event in (heard[0], events.latest()[0]):
        line = json.dumps(event, ensure_ascii=False)
        assert line.isascii()
        assert line.isprintable()
        assert event["text"].startswith("\\x1b[2J\\x0d\\x0a<script>")
    assert logged[0]["text"].isprintable()


def test_the_latest_are_kept_and_no_more(clock):
    events = Events(clock.seconds, kept=3)
    for number in range(5):
        events.emit("tick", at=number)
    assert [event["at"] for event in events.latest()] == [2, 3, 4]


def test_murmurs_are_heard_but_wash_nothing_away(clock, logged):
    events = Events(clock.seconds, kept=2)
    heard = []
    events.subscribe(heard.append)
    loud = []
    events.subscribe(loud.append, murmurs=False)
    events.emit("tea.ready")
    for _ in range(5):
        events.murmur("knock")
    assert [event["event"] for event in events.latest()] == ["tea.ready"]
    assert len(heard) == 6
    assert len(loud) == 1
    assert logged[-1]["log_level"] is LogLevel.debug


def test_who_has_heard_enough_hears_no_more(clock):
    events = Events(clock.seconds)
    heard = []
    end = events.subscribe(heard.append)
    events.emit("one")
    end()
    end()
    events.emit("two")
    assert [event["event"] for event in heard] == ["one"]


def test_who_fails_harms_nobody_else(clock, logged_failures):
    def fail(_):
        raise ValueError

    events = Events(clock.seconds)
    heard = []
    events.subscribe(fail)
    events.subscribe(heard.append)
    events.emit("one")
    assert len(heard) == 1
    assert len(logged_failures.claim(ValueError)) == 1


def test_r_i1_a_flood_of_one_kind_is_counted_and_told_no_more(clock, logged):
    events = Events(clock.seconds, budget=10_000, window=3_600)
    for _ in range(100_000):
        events.murmur("knock", inbound=True)
    events.murmur("knock", inbound=False)
    events.emit("other")
    size = sum(len(json.dumps(event, default=str)) for event in logged if event["event"] == "knock")
    assert size < 10_000 * 12  # Twisted adds fields of its own
    assert events.counts["knock"] == 100_001
    assert [event["event"] for event in events.latest()] == ["events.suppressed", "other"]
    assert logged[-2]["inbound"] is False
    told = sum(event["event"] == "knock" for event in logged) - 1
    clock.advance(3_600)
    events.murmur("knock", inbound=True)
    assert events.latest()[-1]["count"] == 100_000 - told
    assert events.latest()[-1]["name"] == "knock"
    assert logged[-1]["event"] == "knock"


def named(events):
    return [event["event"] for event in events]


@pytest.fixture
def world():
    class World:
        reactor = Reactor()
        node = make_node(reactor)
        events = Events(reactor.seconds)

        def __init__(self):
            self.heard = []
            self.events.subscribe(self.heard.append)
            self.events.follow(self.node)

    world = World()
    yield world
    world.node.stop()


def test_a_peer_is_introduced_established_and_lost(world):
    line = visit(world.node).shake_hands(height=700)
    line.hang_up()
    assert named(world.heard) == ["peer.introduced", "peer.established", "peer.lost"]
    introduced, established, lost = world.heard
    assert established["chain"] == "toy-nursery"
    assert established["peer"] == 1
    assert established["inbound"] is True
    assert established["subver"] == "/toy:1/"
    assert established["protocol"] == 2
    assert established["services"] == "0" * 16
    assert introduced["height"] == established["height"] == 700
    assert lost["reason"] == "closed-by-peer"
    assert lost["detail"] == "closed by the peer"
    assert lost["bytesrecv"] > 0
    assert named(world.events.latest()) == ["peer.established", "peer.lost"]


def test_dials_are_murmurs(world):
    world.node.dialling("192.0.2.1:7")
    world.node.unreachable("192.0.2.1:7", DisconnectReason.DIAL_REFUSED)
    assert named(world.heard) == ["peer.dialled", "peer.unreachable"]
    assert world.heard[1]["addr"] == "192.0.2.1:7"
    assert world.heard[1]["reason"] == "dial-refused"
    assert world.events.latest() == []


def test_a_stranger_who_never_gets_in_is_a_murmur(world):
    visit(world.node).hang_up()
    assert named(world.heard) == ["peer.failed"]
    assert world.events.latest() == []


def test_a_peer_that_is_turned_down_is_refused(world):
    line = visit(world.node)
    line.protocol.dataReceived(toy.frame(b"version", magic=b"btc!"))
    line.hang_up()
    assert named(world.heard) == ["peer.refused"]
    assert world.heard[0]["reason"] == "wrong-network"


def test_a_peer_that_was_dialled_is_worth_remembering(world):
    factory = PeerFactory(world.node, outbound=True, dialled="friend.example")
    line = Line(factory.buildProtocol(None)).open().shake_hands()
    line.hang_up()
    assert named(world.events.latest()) == ["peer.established", "peer.lost"]
    assert world.events.latest()[0]["addr"] == "friend.example"
