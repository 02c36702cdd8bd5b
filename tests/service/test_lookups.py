"""Tests of bitpeer.service.lookups."""

from dataclasses import replace

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.logger import Logger, LogLevel, formatEvent

from bitpeer.bitcoin.networks import MAINNET
from bitpeer.config import PeerConfig
from bitpeer.dialect import DnsSeed, HttpsSeed
from bitpeer.errors import Disconnected, PeerGone, ProxyRefused
from bitpeer.messages.addresses import Addr, TimedNetAddress, pack_ip
from bitpeer.messages.control import GetAddr
from bitpeer.net.factory import PeerFactory
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service.byhttps import ByHttps
from bitpeer.service.lookups import (
    CIRCUITS,
    PATIENCE,
    ByAsking,
    ByResolver,
    ByTor,
    look_up_through,
    query_name,
)
from bitpeer.service.seeds import PER_SEED, Address
from tests.net.proxy import CONNECT, PROXY, RESOLVE, ClosedReactor, ScriptedProxy
from tests.service.fakes import Reactor, Resolver

SEED = DnsSeed("seed.example", filters=True)
NAMES = {"x9.seed.example.": ["192.0.2.1", "192.0.2.2", "192.0.2.1"]}
CONFIG = PeerConfig(network=replace(MAINNET, seeds=(SEED,)))


@pytest.mark.parametrize(
    ("seed", "services", "name"),
    [
        (DnsSeed("seed.example", filters=True), 0x9, "x9.seed.example"),
        (DnsSeed("seed.example", filters=True), 0x849, "x849.seed.example"),
        (DnsSeed("seed.example", filters=True), 0, "seed.example"),
        (DnsSeed("seed.example"), 0x9, "seed.example"),
    ],
)
def test_seeds_that_filter_are_asked_for_services(seed, services, name):
    assert query_name(seed, services) == name


def test_each_kind_of_seed_is_asked_in_its_own_way():
    reactor, https = Reactor(), (HttpsSeed("seed.example"),)
    routes = Routes(reactor)

    def look_up(**seeds):
        config = PeerConfig(network=replace(MAINNET, **seeds))
        return look_up_through(reactor, routes, LocalNode(config, clock=reactor))

    assert isinstance(look_up(seeds=(SEED,)), ByResolver)
    assert isinstance(look_up(seeds=(), https_seeds=https), ByHttps)
    both = look_up(seeds=(SEED,), https_seeds=https)
    assert both.needs == "internet or DNS"
    both._by_name, both._by_https = (lambda seed, way=way: (way, seed) for way in ("dns", "https"))
    assert both(SEED) == ("dns", SEED)
    assert both(https[0]) == ("https", https[0])


# Here


class Local:
    """A look-up by a resolver that knows what the test says."""

    def __init__(self, resolver=None, **how):
        self.resolver = resolver or Resolver(NAMES, **how)
        self.reactor = Reactor(self.resolver)
        self.found = []
        node = LocalNode(CONFIG, clock=self.reactor)
        look_up = look_up_through(self.reactor, Routes(self.reactor), node)
        assert isinstance(look_up, ByResolver)
        look_up(SEED).addCallback(self.found.append)


def test_the_resolver_is_asked_for_a_complete_name():
    world = Local()
    assert world.resolver.asked == ["x9.seed.example."]
    assert world.found == [[Address("192.0.2.1", 8333), Address("192.0.2.2", 8333)]]


def test_addresses_without_a_host_are_passed_over():
    class Strange(Resolver):
        def _answer(self, receiver, name):
            receiver.addressResolved(UNIXAddress("/odd"))
            super()._answer(receiver, name)

    assert len(Local(Strange(NAMES)).found[0]) == 2


def test_no_more_is_kept_than_is_wanted():
    many = {"x9.seed.example.": [f"192.0.2.{n}" for n in range(200)]}
    assert len(Local(Resolver(many)).found[0]) == PER_SEED


def test_a_look_up_that_hangs_is_given_up_with_what_it_brought():
    world = Local(at_once=False)
    receiver, _ = world.resolver.waiting[0]
    receiver.hosts.append("192.0.2.77")
    world.reactor.advance(PATIENCE)
    assert world.found == [[Address("192.0.2.77", 8333)]]
    receiver.resolutionComplete()  # too late, and without effect
    assert len(world.found) == 1


# Through a proxy


class Behind(PeerListener):
    """A look-up through a scripted proxy, on a reactor that leads nowhere else."""

    def message_received(self, peer, message):
        raise AssertionError("whoever is only asked for addresses is nobody's peer")

    peer_established = message_received

    def __init__(self, answer, *, is_tor):
        self.proxy = ScriptedProxy(answer)
        self.reactor = ClosedReactor(self.proxy)
        way = Proxy(endpoint=TCP4ClientEndpoint(self.reactor, *PROXY), is_tor=is_tor)
        node = LocalNode(replace(CONFIG, proxied=True), [self], clock=self.reactor)
        self.events = []
        node.log = Logger("bitpeer", observer=self.events.append)
        self.look_up = look_up_through(self.reactor, Routes(self.reactor, proxy=way), node)
        self.results = []
        self.deferred = self.look_up(SEED).addBoth(self.results.append)
        self.reactor.settle()

    @property
    def result(self):
        (result,) = self.results
        assert not self.proxy.open
        assert not self.reactor.getDelayedCalls()
        return result


def test_r_f7_tor_looks_seeds_up_at_several_exits():
    answers = iter(["192.0.2.1", "2001:db8::1", "192.0.2.1"])
    world = Behind(lambda _: next(answers), is_tor=True)
    assert isinstance(world.look_up, ByTor)
    assert world.result == [Address("192.0.2.1", 8333), Address("2001:db8::1", 8333)]
    asked = [(request.command, request.host) for request in world.proxy.requests]
    assert asked == [(RESOLVE, "x9.seed.example")] * CIRCUITS
    assert len({request.credentials for request in world.proxy.requests}) == CIRCUITS


def test_one_exit_that_knows_is_enough_and_none_is_a_failure():
    answers = iter([4, "192.0.2.1", 1])
    assert Behind(lambda _: next(answers), is_tor=True).result == [Address("192.0.2.1", 8333)]
    failure = Behind(lambda _: 4, is_tor=True).result
    assert failure.check(ProxyRefused)


class Knows(PeerListener):
    """Answers `getaddr`, or hangs up."""

    def __init__(self, addresses):
        self.addresses = addresses

    @on(GetAddr)
    def asked(self, peer, message):
        if self.addresses is None:
            peer.disconnect()
        else:
            peer.send(Addr(self.addresses))


def node_behind(addresses):
    node = LocalNode(CONFIG, [Knows(addresses)], clock=Reactor())
    return PeerFactory(node, outbound=False).buildProtocol(None)


def many(count):
    return [TimedNetAddress(0, 9, pack_ip(f"20.{n}.0.1"), 8000 + n) for n in range(count)]


def ask(addresses):
    return Behind(lambda _: node_behind(addresses), is_tor=False)


def test_r_f7_other_proxies_find_a_node_by_the_seeds_own_name_which_is_asked():
    world = ask(many(5))
    assert isinstance(world.look_up, ByAsking)
    assert [(r.command, r.host, r.port) for r in world.proxy.requests] == [
        (CONNECT, "seed.example", 8333)
    ]
    world.reactor.settle(1)
    assert sorted(world.result) == [Address(f"20.{n}.0.1", 8000 + n) for n in range(5)]


def test_whoever_is_asked_is_worth_a_line_at_level_debug():
    world = ask(many(5))
    world.reactor.settle(1)
    assert [event["log_level"] for event in world.events] == [LogLevel.debug] * 2
    assert "seed.example (outbound) established" in formatEvent(world.events[0])


def test_no_node_decides_alone():
    world = ask(many(200))
    world.reactor.settle(1)
    assert len(world.result) == PER_SEED
    assert world.result != [Address(f"20.{n}.0.1", 8000 + n) for n in range(PER_SEED)]


def test_a_node_that_hangs_up_is_a_failure():
    world = ask(None)
    world.reactor.settle(1)
    assert world.result.check(PeerGone, Disconnected)


def test_a_seed_whose_name_leads_nowhere_is_a_failure():
    world = Behind(lambda _: 4, is_tor=False)
    assert world.result.check(Disconnected)
    assert "the host is unreachable" in str(world.result.value)


def test_given_up_while_it_asks_nothing_stays():
    world = ask(many(0))
    world.deferred.cancel()
    world.reactor.settle(1)
    assert world.results
    assert not world.proxy.open
