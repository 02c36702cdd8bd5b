"""Tests of bitpeer.service.watch."""

import pytest

from bitpeer.config import BlockPosition
from bitpeer.service.events import Events
from bitpeer.service.watch import Watch
from tests.service.fakes import Reactor, make_node


class Sight:
    """What there is to see, instead of an `Overview`."""

    title = "toy-nursery"

    def __init__(self, node):
        self.node = node
        self.tip = BlockPosition(bytes(32), 0)
        self.doors = []
        self.known = {}
        self.counts = {"banned": 2, "discouraged": 0}
        self.state = None

    def listening(self):
        return self.doors

    def addresses(self):
        return self.known

    def bans(self):
        return dict(self.counts)

    def tor(self):
        return self.state


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.sight = Sight(make_node(self.reactor))
        self.events = Events(self.reactor.seconds)
        self.watch = Watch(self.sight, self.events)
        self.watch.startService()

    def told(self, seconds=1):
        before = len(self.events.latest())
        self.reactor.pump([1] * seconds)
        stamp = ("version", "number", "time", "chain")
        return [
            {name: value for name, value in event.items() if name not in stamp}
            for event in self.events.latest()[before:]
        ]


@pytest.fixture
def world():
    world = World()
    yield world
    world.watch.stopService()
    assert world.reactor.getDelayedCalls() == []


def test_where_nothing_changes_nothing_is_told(world):
    assert world.told(200) == []


def test_a_new_tip_is_told_once(world):
    world.sight.tip = BlockPosition(bytes(range(32)), 5)
    tip = bytes(range(32))[::-1].hex()
    assert world.told(5) == [{"event": "chain.tip", "height": 5, "hash": tip, "before": 0}]


def test_doors_are_told_when_they_open_and_close(world):
    world.sight.doors = ["a:1", "b:2"]
    assert world.told(3) == [
        {"event": "listening.opened", "addr": "a:1"},
        {"event": "listening.opened", "addr": "b:2"},
    ]
    world.sight.doors = ["b:2"]
    assert world.told(3) == [{"event": "listening.closed", "addr": "a:1"}]


def test_addresses_are_told_once_a_minute_if_there_are_others(world):
    world.told()
    counts = {"ipv4": {"new": 1, "tried": 0, "total": 1}}
    world.sight.known = counts
    assert world.told(59) == []
    assert world.told() == [{"event": "addresses.known", "networks": counts}]
    assert world.told(120) == []


def test_bans_are_told_and_discouragement_with_them(world):
    world.sight.counts["discouraged"] = 5
    assert world.told(200) == []
    world.sight.counts["banned"] = 3
    assert world.told(5) == [{"event": "bans.known", "banned": 3, "discouraged": 5}]


def test_what_becomes_of_tor_is_told(world):
    tor = {"state": "bootstrapping", "progress": 10, "onions": []}
    world.sight.state = tor
    assert world.told() == [{"event": "tor.state", **tor}]
    world.sight.state = tor = {"state": "bootstrapping", "progress": 20, "onions": []}
    assert world.told() == []
    world.sight.state = tor = {"state": "up", "progress": 100, "onions": ["abc.onion:8333"]}
    assert world.told(3) == [{"event": "tor.state", **tor}]
    world.sight.state = None
    assert world.told() == []
