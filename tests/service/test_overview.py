"""Tests of bitpeer.service.overview."""

import json
from dataclasses import replace
from enum import Enum

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.testing import MemoryReactorClock

from bitpeer.config import BlockPosition
from bitpeer.dialect import Network
from bitpeer.messages.control import Ping
from bitpeer.messages.onion import onion_name
from bitpeer.net.factory import PeerFactory
from bitpeer.net.journal import Journal
from bitpeer.service.listening import Listening
from bitpeer.service.overview import Overview
from tests import toy
from tests.service.fakes import Line, Reactor, Transport, make_node, visit

ONION = onion_name(bytes(32))


class Book:
    def __init__(self, **counts):
        self._counts = counts

    def counts(self):
        return self._counts


class Chain:
    def __init__(self, height):
        self.tip = BlockPosition(bytes(range(32)), height)
        self.tip_time = 900


class Tor:
    class State(Enum):
        UP = "up"

    state = State.UP
    progress = 100
    version = "0.4.8\x1b"
    why = ""
    onions = (("abc.onion", 8333),)


class Sync:
    rate = 123.456

    def __init__(self, *, current):
        self.current = current

    def progress(self):
        return self


class Bans:
    discouraged = 3

    def __len__(self):
        return 2


class Routes:
    proxied = False

    def reaches(self, host):
        return not host.endswith((".onion", ".i2p"))


class World:
    """A node that one can look at."""

    def __init__(self, *, services=0, known=None, **parts):
        self.reactor = Reactor()
        self.reactor.advance(1_000)
        dialect = replace(toy.DIALECT, service_bits={1: "NETWORK", 8: "WITNESS"})
        network = Network(name="nursery", dialect=dialect, magic=toy.MAGIC, port=7)
        self.node = make_node(self.reactor, network=network, services=services)
        self.overview = Overview(self.node, **parts)

    def dial(self, dialled=None, far=None):
        factory = PeerFactory(self.node, outbound=True, dialled=dialled)
        far = far or IPv4Address("TCP", "203.0.113.5", 8333)
        return Line(factory.buildProtocol(far), Transport(peerAddress=far)).open().shake_hands()


@pytest.fixture
def look():
    worlds = []

    def look(**parts):
        worlds.append(World(**parts))
        return worlds[-1]

    yield look
    for world in worlds:
        world.node.stop()


def test_a_peer_is_described_as_core_describes_it(look):
    world = look()
    line = visit(world.node)
    hello = toy.Hello(2, services=0x11, time=990, nonce=9, user_agent=b"/\x1b[2J/", height=700)
    line.say(b"version", hello.encode())
    line.say(b"verack")
    (peer,) = world.overview.peers()
    json.dumps(peer, allow_nan=False)
    told = {
        name: peer[name] for name in ("id", "chain", "inbound", "services", "subver", "version")
    }
    assert told == {
        "id": 1,
        "chain": "toy-nursery",
        "inbound": True,
        "services": "0000000000000011",
        "subver": "/\\x1b[2J/",
        "version": 2,
    }
    assert peer["servicesnames"] == ["NETWORK", "UNKNOWN[2^4]"]
    assert peer["connection_type"] == "inbound"
    assert peer["transport_protocol_type"] == "v1"
    assert peer["conntime"] == 1_000
    assert peer["timeoffset"] == -10
    assert peer["startingheight"] == peer["height"] == 700
    assert peer["synced_headers"] == -1
    assert peer["addrbind"] == "198.51.100.9:50000"
    assert peer["bytesrecv"] > 0
    assert peer["established"] is True


def test_before_the_handshake_little_is_known_of_a_peer(look):
    world = look()
    visit(world.node)
    (peer,) = world.overview.peers()
    assert peer["established"] is False
    assert peer["transport_protocol_type"] == "detecting"
    assert (peer["version"], peer["subver"], peer["height"]) == (0, "", -1)
    assert (peer["lastrecv"], peer["pingtime"], peer["pingwait"]) == (0, None, None)
    assert world.overview.connections() == {
        "connections": 0,
        "connections_in": 0,
        "connections_out": 0,
        "connections_wanted": 0,
        "connecting": 1,
    }


def test_pings_are_told_answered_or_not(look):
    world = look()
    line = visit(world.node).shake_hands()
    world.reactor.advance(0.5)
    peer = line.protocol
    assert world.overview.peers()[0]["pingwait"] == 0.5
    assert world.overview.latencies() == []
    nonce = peer.snapshot().last_ping_nonce
    line.say(b"pong", Ping(nonce).encode())
    (told,) = world.overview.peers()
    assert (told["pingtime"], told["minping"], told["pingwait"]) == (0.5, 0.5, None)
    assert world.overview.latencies() == [0.5]
    visit(world.node)
    assert world.overview.latencies() == [0.5]


def test_headers_in_common_are_no_more_than_either_side_has(look):
    world = look(chain=Chain(500))
    visit(world.node).shake_hands(height=700)
    visit(world.node).shake_hands(height=300)
    assert [peer["synced_headers"] for peer in world.overview.peers()] == [500, 300]


@pytest.mark.parametrize(
    ("dialled", "host", "network"),
    [
        (None, "8.8.8.8", "ipv4"),
        (None, "2606:4700::1111", "ipv6"),
        (None, "127.0.0.1", "not_publicly_routable"),
        (None, "fc00::1", "cjdns"),
        (f"{ONION}:8333", "127.0.0.1", "onion"),
        ("tcp:8.8.8.8:8333", "8.8.8.8", "ipv4"),
        ("friend.example", "8.8.8.8", "ipv4"),
        ("friend.example", None, "not_publicly_routable"),
    ],
)
def test_a_peer_has_the_network_that_it_is_reached_through(look, dialled, host, network):
    world = look()
    kind = IPv6Address if ":" in (host or "") else IPv4Address
    far = object() if host is None else kind("TCP", host, 8333)
    world.dial(dialled, far)
    assert world.overview.peers()[0]["network"] == network


def test_a_peer_without_a_transport_is_nowhere(look):
    world = look()
    line = world.dial()
    line.protocol.transport = None
    assert world.overview.peers()[0]["network"] == "not_publicly_routable"


def test_connections_are_of_the_type_that_was_noted(look):
    world = look()
    world.dial()
    world.dial("friend.example")
    world.dial().peer.facts["connection_type"] = "block-relay-only"
    types = [peer["connection_type"] for peer in world.overview.peers()]
    assert types == ["outbound-full-relay", "manual", "block-relay-only"]


def test_what_is_not_there_is_told_as_nothing(look):
    status = look().overview.status()
    json.dumps(status, allow_nan=False)
    assert status["addresses"] == {}
    assert status["bans"] == {"banned": 0, "discouraged": 0}
    assert status["tor"] is None
    assert status["network"]["networks"] == []
    assert status["network"]["listening"] == []
    assert status["warnings"] == []
    assert status["blockchain"] == {
        "chain": "toy-nursery",
        "headers": 0,
        "bestblockhash": "00" * 32,
        "peers_height": -1,
        "verificationprogress": 0.0,
        "initialblockdownload": False,
        "time": None,
        "headers_per_second": 0.0,
        "following": False,
    }


def test_what_is_there_is_told(look):
    world = look(
        book=Book(IPV6=(5, 1), IPV4=(10, 2)),
        chain=Chain(350),
        bans=Bans(),
        routes=Routes(),
        tor=Tor(),
        wanted=8,
        named=["192.0.2.1"],
        services=9,
    )
    for height in (300, 700, 1_000_000):
        visit(world.node).shake_hands(height=height)
    status = world.overview.status()
    assert status["addresses"] == {
        "ipv4": {"new": 10, "tried": 2, "total": 12},
        "ipv6": {"new": 5, "tried": 1, "total": 6},
    }
    assert status["bans"] == {"banned": 2, "discouraged": 3}
    assert status["tor"] == {
        "state": "up",
        "progress": 100,
        "version": "0.4.8\\x1b",
        "why": "",
        "onions": ["abc.onion:8333"],
    }
    chain = status["blockchain"]
    assert chain["headers"] == 350
    assert chain["peers_height"] == 700
    assert chain["verificationprogress"] == 0.5
    assert chain["initialblockdownload"] is True
    assert chain["bestblockhash"] == bytes(range(32))[::-1].hex()
    assert chain["time"] == 900
    network = status["network"]
    assert network["localservicesnames"] == ["NETWORK", "WITNESS"]
    assert network["connections_in"] == 3
    assert network["connections_wanted"] == 9
    reachable = {each["name"]: each["reachable"] for each in network["networks"]}
    assert reachable == {"ipv4": True, "ipv6": True, "onion": False, "i2p": False, "cjdns": True}


def test_losses_are_counted_by_reason(look):
    world = look()
    visit(world.node).hang_up()
    assert world.overview.network()["lost"] == {"closed-by-peer": 1}


def test_open_doors_are_told():
    reactor = MemoryReactorClock()
    node = make_node(reactor)

    class Door(Listening):
        address = None

    doors = [Door("x", None, None, Journal(node.log, reactor.seconds)) for _ in range(3)]
    doors[0].address = ("192.0.2.1", 8333)
    doors[1].address = ("::1", 8333)
    overview = Overview(node, doors=[object(), *doors])
    assert overview.listening() == ["192.0.2.1:8333", "[::1]:8333"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "no peers yet: none came"),
        ({"wanted": 8}, "no peers yet, though they are looked for"),
        ({"wanted": 8, "book": Book(IPV4=(5, 1))}, "no peers yet, though they are looked for"),
        ({"wanted": 8, "book": Book()}, "no peers and no addresses"),
    ],
)
def test_to_be_alone_for_long_is_worth_a_warning(look, parts, said):
    world = look(**parts)
    world.reactor.advance(29)
    assert world.overview.warnings() == []
    world.reactor.advance(1)
    (warning,) = world.overview.warnings()
    assert warning.startswith(said)
    visit(world.node).shake_hands()
    assert world.overview.warnings() == []


@pytest.mark.parametrize("current", [True, False])
def test_whoever_follows_the_chain_knows_best_whether_it_is_current(look, current):
    chain = look(chain=Chain(350), sync=Sync(current=current)).overview.blockchain()
    assert chain["initialblockdownload"] is not current
    assert chain["headers_per_second"] == 123.5
