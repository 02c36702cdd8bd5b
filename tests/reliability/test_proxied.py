"""Behind a proxy nothing goes past it: no dial, no retry, no redirection, no look-up.

The reactor and the resolver of these tests fail them when asked for anything but the proxy.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint, clientFromString
from twisted.internet.protocol import Protocol

import bitpeer
from bitpeer.bitcoin.networks import MAINNET
from bitpeer.config import PeerConfig
from bitpeer.decred.networks import MAINNET as DECRED
from bitpeer.dialect import DnsSeed
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service.compose import peer_service
from tests import toy
from tests.net.proxy import CONNECT, PROXY, RESOLVE, ClosedReactor, ScriptedProxy
from tests.service.fakes import Reactor

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
SEEDS = tuple(DnsSeed(f"s{n}.example", filters=n > 1) for n in range(3))
NETWORK = replace(MAINNET, seeds=SEEDS)
GUIDE = replace(toy.DIALECT, redirects={toy.Say: lambda said: NetAddress.of(said.text.decode(), 9)})


class World:
    """A program behind a scripted proxy, on a reactor that leads nowhere else."""

    def __init__(self, answer, *, is_tor=False, **how):
        self.proxy = ScriptedProxy(answer)
        self.reactor = ClosedReactor(self.proxy)
        way = Proxy(endpoint=TCP4ClientEndpoint(self.reactor, *PROXY), is_tor=is_tor)
        self.routes = Routes(self.reactor, proxy=way, **how)

    def service(self, network=NETWORK, **how):
        """Run a service for a while."""
        settings = how.pop("settings", {})
        config = PeerConfig(network=network, **settings)
        service = peer_service(config, routes=self.routes, reactor=self.reactor, **how)
        service.startService()
        return service

    def stop(self, service):
        service.stopService()
        self.reactor.settle(10)
        assert not self.proxy.open
        assert not self.reactor.getDelayedCalls()


class Listener(Protocol):
    """A target that hears, and says what it is told to."""

    def __init__(self, words=b""):
        self.words = words
        self.heard = b""

    def connectionMade(self):
        self.transport.write(self.words)

    def dataReceived(self, data):
        self.heard += data


class Deaf(Protocol):
    """A target that hangs up at once."""

    def connectionMade(self):
        self.transport.loseConnection()


def node(network=NETWORK):
    """A peer that can be talked to, on a clock of its own."""
    config = PeerConfig(network=network)
    return PeerFactory(LocalNode(config, clock=Reactor()), outbound=False).buildProtocol(None)


DIALLERS = re.compile(
    r"\b(connectTCP|connectSSL|connectUNIX|clientFromString|connectProtocol|nameResolver|getaddrinfo"
    r"|(Hostname|TCP4Client|TCP6Client|SSL4Client|UNIXClient)Endpoint)\b"
)
MAY_DIAL = {
    "net/proxies.py",  # the proxy
    "net/routes.py",
    "net/tor.py",  # Tor's own ports, on this machine
    "service/lookups.py",  # the resolver, where there is no proxy
}


def test_r_f5_nothing_but_the_routes_can_dial():
    package = Path(bitpeer.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if DIALLERS.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in found if not name.startswith("testing/")} == MAY_DIAL


NAMED = ["192.0.2.1", "[2001:db8::1]:7", "node.example", f"tcp:{ONION}:18333"]


@pytest.mark.parametrize("fate", [node, Deaf, lambda: 5, lambda: 0xF0, lambda: None])
def test_r_f5_named_peers_are_dialled_through_the_proxy_however_often(fate):
    world = World(lambda _: fate())
    service = world.service(connect=NAMED)
    world.reactor.settle(200)
    asked = {(request.command, request.host, request.port) for request in world.proxy.requests}
    assert asked == {
        (CONNECT, "192.0.2.1", 8333),
        (CONNECT, "2001:db8::1", 7),
        (CONNECT, "node.example", 8333),
        (CONNECT, ONION, 18333),
    }
    assert fate is node or len(world.proxy.requests) > len(NAMED)
    circuits = [request.credentials for request in world.proxy.requests]
    assert len(set(circuits)) == len(circuits)
    world.stop(service)


def test_r_f5_a_proxy_that_goes_away_is_waited_for():
    world = World(lambda _: node())
    service = world.service(connect=NAMED, outbound=3)
    world.reactor.settle(2)
    for side in list(world.proxy.open):
        side.transport.loseConnection()
    world.proxy.answer = lambda _: 1
    world.reactor.settle(120)
    world.proxy.answer = lambda _: node()
    before = len(world.proxy.requests)
    world.reactor.settle(120)
    assert {request.host for request in world.proxy.requests[before:]} >= {"node.example", ONION}
    world.stop(service)


def test_r_f7_tor_is_asked_for_the_seeds_and_what_it_says_is_dialled_through_it():
    hosts = iter(f"20.{n}.0.1" for n in range(100))
    world = World(lambda r: next(hosts) if r.command == RESOLVE else node(), is_tor=True)
    service = world.service(outbound=3)
    world.reactor.settle(5)
    looked_up = {r.host for r in world.proxy.requests if r.command == RESOLVE}
    assert looked_up == {"s0.example", "s1.example", "x9.s2.example"}
    dialled = [r for r in world.proxy.requests if r.command == CONNECT]
    assert len(dialled) == 3
    assert all(r.host.startswith("20.") and r.port == 8333 for r in dialled)
    world.stop(service)


@pytest.mark.parametrize("is_tor", [True, False])
def test_r_f7_whoever_stops_while_seeds_are_asked_leaves_nothing_behind(is_tor):
    world = World(lambda _: None, is_tor=is_tor)
    service = world.service(connect=["node.example"], outbound=3)
    world.reactor.settle(5)
    assert world.proxy.open
    world.stop(service)


def test_r_f7_seeds_that_do_not_answer_are_asked_again_through_the_proxy():
    for is_tor in (True, False):
        world = World(lambda _: 4, is_tor=is_tor)
        service = world.service(outbound=3)
        world.reactor.settle(100)
        assert len(world.proxy.requests) >= len(SEEDS) * 2
        assert all(host.endswith(".example") for host in world.proxy.hosts)
        world.stop(service)


def guided(place):
    """A peer that sends everybody to *place*."""
    return Listener(toy.frame(b"say", toy.Say(place.encode()).encode()))


def sent(place, *, onions_only=False):
    """Let a peer behind the proxy send us to *place*; return whom the proxy was asked for."""
    network = replace(toy.NETWORK, dialect=GUIDE)
    world = World(lambda _: guided(place))
    if onions_only:
        world.routes = Routes(world.reactor, onion_proxy=world.routes.proxy)
    service = world.service(network, connect=[ONION], settings={"follow_redirects": True})
    world.reactor.settle(3)
    world.stop(service)
    return [(request.host, request.port) for request in world.proxy.requests]


def test_r_f5_redirections_are_followed_through_the_proxy():
    first, second, *_ = sent("8.8.8.8")
    assert first == (ONION, toy.NETWORK.port)
    assert second == ("8.8.8.8", 9)


def test_r_f5_an_onion_service_sends_nobody_out_of_its_proxy():
    """It would learn where we are, though all else is dialled directly."""
    assert {host for host, _ in sent("8.8.8.8", onions_only=True)} == {ONION}


@pytest.mark.parametrize("place", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fe80::1"])
def test_r_e2_nobody_may_send_us_into_the_proxys_own_network(place):
    assert {host for host, _ in sent(place)} == {ONION}


@pytest.mark.parametrize("place", ["192.0.2.1", "node.example", ONION, "tcp:node.example:7"])
def test_r_f5_one_peer_dialled_once_goes_through_the_proxy(place):
    world = World(lambda _: node())
    results = []
    connect(world.reactor, place, PeerConfig(network=NETWORK), routes=world.routes).addBoth(
        results.append
    )
    world.reactor.settle(1)
    (peer,) = results
    assert peer.established
    assert peer.node.config.proxied
    assert world.proxy.hosts == ["node.example" if "node" in place else place]
    peer.disconnect()
    world.reactor.settle(10)


def test_r_f5_a_description_that_names_a_proxy_is_as_good_as_routes():
    world = World(lambda _: 5)
    endpoint = clientFromString(world.reactor, "socks5:192.0.2.99:9050:node.example:8333")
    results = []
    connect(world.reactor, endpoint, PeerConfig(network=NETWORK, proxied=True)).addBoth(
        results.append
    )
    world.reactor.settle(1)
    error = results[0].value
    assert isinstance(error, Disconnected)
    assert error.reason is DisconnectReason.PROXY_FAILED
    assert str(error.cause) == "the proxy could not connect: the connection was refused (reply 5)"


NOON = 1_700_000_123.9
SINCE_THE_EPOCH = 1_700_000_400
"""Noon to the nearest ten minutes: less than 300 s away."""


@pytest.mark.parametrize("host", ["192.0.2.1", "20.0.0.1", "2a00:1450::1", "node.example", ONION])
def test_r_f3_golden_bytes_of_what_a_peer_behind_a_proxy_is_told(host):
    target = Listener()
    world = World(lambda _: target)
    world.reactor.advance(NOON)
    config = PeerConfig(network=MAINNET)
    dial = connect(world.reactor, f"[{host}]" if ":" in host else host, config, routes=world.routes)
    dial.addErrback(lambda _: None)
    world.reactor.settle(0.1)
    command, payload = target.heard[4:16].rstrip(b"\0"), target.heard[24:]
    assert command == b"version"
    nonce = payload[72:80]
    assert payload.hex() == (
        "81110100"  # 70017
        "0000000000000000"  # no services
        f"{SINCE_THE_EPOCH.to_bytes(8, 'little').hex()}"
        f"{'00' * 26}"  # where the peer is: nobody says
        f"{'00' * 26}"  # where we are: nobody says
        f"{nonce.hex()}"
        "0f2f626974706565723a302e312e302f"  # /bitpeer:0.1.0/
        "00000000"  # no blocks
        "01"  # transactions are welcome
    )
    dial.cancel()
    world.reactor.settle(10)


def test_r_f3_decreds_peers_are_told_no_more():
    heard = []
    for _ in range(2):
        target = Listener()
        world = World(lambda _, target=target: target)
        world.reactor.advance(NOON)
        dial = connect(
            world.reactor, "20.0.0.1", PeerConfig(network=DECRED), routes=world.routes
        ).addErrback(lambda _: None)
        world.reactor.settle(0.1)
        heard.append(target.heard[24:])
        dial.cancel()
        world.reactor.settle(10)
    assert SINCE_THE_EPOCH.to_bytes(8, "little") in heard[0]
    assert b"\x14\x00\x00\x01" not in heard[0]  # 20.0.0.1
    differing = [at for at, (a, b) in enumerate(zip(*heard, strict=True)) if a != b]
    assert max(differing) - min(differing) < 8  # the nonce
