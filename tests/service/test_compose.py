"""Tests of bitpeer.service.compose."""

from dataclasses import replace
from math import inf

import pytest
from twisted.application.service import IService, MultiService
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint

from bitpeer import decred
from bitpeer.config import PeerConfig
from bitpeer.errors import DisconnectReason, InvalidSetting
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.listeners import PeerListener
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service import descriptors
from bitpeer.service.admission import Admission
from bitpeer.service.byhttps import ByHttps
from bitpeer.service.compose import node_service, peer_service
from bitpeer.service.seeds import Address
from tests import toy
from tests.service.fakes import (
    HERE,
    NETWORK,
    Line,
    LogLines,
    Reactor,
    Resolver,
    accept,
    make_node,
    refuse,
    visit,
)

CONFIG = PeerConfig(network=NETWORK)


def compose(reactor, **settings):
    return peer_service(CONFIG, [], reactor=reactor, **settings)


def proxied(reactor):
    """Routes through a proxy that does not answer."""
    return Routes(reactor, proxy=Proxy(endpoint=TCP4ClientEndpoint(reactor, "192.0.2.99", 9050)))


def start(service):
    service.privilegedStartService()
    service.startService()


def stop(service):
    done = []
    service.stopService().addCallback(done.append)
    return done


def test_nothing_happens_before_the_start():
    reactor = Reactor()
    service = compose(reactor, connect=["192.0.2.1"], listen=["7"], outbound=2)
    assert isinstance(service, MultiService)
    assert IService.providedBy(service)
    assert reactor.tcpClients == reactor.tcpServers == []
    assert reactor.getDelayedCalls() == []
    assert reactor.nameResolver.asked == []


def test_named_peers_are_dialled_and_doors_opened():
    reactor = Reactor()
    service = compose(
        reactor,
        connect=["192.0.2.1", "tcp:192.0.2.2:99", TCP4ClientEndpoint(reactor, "192.0.2.3", 5)],
        listen=["127.0.0.1:0", TCP4ServerEndpoint(reactor, 8)],
    )
    with LogLines() as lines:
        start(service)
    assert [client[:2] for client in reactor.tcpClients] == [
        ("192.0.2.1", NETWORK.port),
        ("192.0.2.2", 99),
        ("192.0.2.3", 5),
    ]
    assert [server[0] for server in reactor.tcpServers] == [0, 8]
    assert len(lines) == 2


def test_listeners_hear_of_peers_who_dial_and_of_peers_who_are_dialled():
    heard = []

    class Listener(PeerListener):
        def peer_established(self, peer, version):
            heard.append(peer.inbound)

    reactor = Reactor()
    service = peer_service(
        CONFIG, [Listener()], connect=["192.0.2.1"], listen=["7"], reactor=reactor
    )
    start(service)
    accept(reactor).shake_hands()
    Line(reactor.tcpServers[0][1].buildProtocol(None)).open().shake_hands()
    assert heard == [False, True]


def test_peers_are_found_through_the_seeds():
    reactor = Reactor(Resolver({"x9.a.example.": ["20.1.0.1"], "b.example.": ["20.2.0.1"]}))
    service = compose(reactor, outbound=2)
    start(service)
    reactor.advance(1)
    assert sorted(reactor.dialled()) == ["20.1.0.1", "20.2.0.1"]
    with LogLines() as lines:
        reactor.advance(60)
    assert "0 of 2 peers out" in lines[0]
    assert "2 addresses known" in lines[0]


def test_without_seeds_the_summary_comes_all_the_same():
    reactor = Reactor()
    start(compose(reactor))
    with LogLines() as lines:
        reactor.advance(60)
    assert "0 peers out, 0 in" in lines[0]


def test_stopping_says_goodbye_and_tells_who_closed():
    reactor = Reactor()
    node = make_node(reactor)
    service = node_service(node, connect=["192.0.2.1"], listen=["7"], reactor=reactor)
    start(service)
    dialled = accept(reactor).shake_hands()
    visitor = visit(node).shake_hands()
    done = stop(service)
    assert dialled.transport.disconnecting
    assert visitor.transport.disconnecting
    assert done == []
    dialled.hang_up()
    visitor.hang_up()
    reactor.advance(0)
    assert len(done) == 1
    assert node.lost == {DisconnectReason.CLOSED_HERE: 2}
    assert reactor.getDelayedCalls() == []
    assert len(reactor.tcpClients) == 1


def test_stopping_ends_what_waits_and_what_dials():
    reactor = Reactor(Resolver({"b.example.": ["20.1.0.1"]}))
    service = compose(reactor, connect=["192.0.2.1"], outbound=1)
    start(service)
    reactor.advance(1)
    assert reactor.dialled() == ["192.0.2.1", "20.1.0.1"]
    done = stop(service)
    assert len(done) == 1
    reactor.advance(100)
    assert len(reactor.tcpClients) == 2
    assert reactor.getDelayedCalls() == []


def test_it_can_be_started_again():
    reactor = Reactor()
    service = compose(reactor, connect=["192.0.2.1"], listen=["7"])
    for _ in range(2):
        start(service)
        stop(service)
    start(service)
    assert len(reactor.tcpClients) == 3
    assert len(reactor.tcpServers) == 3


def test_it_serves_inside_another_service_that_runs_already():
    reactor = Reactor()
    parent = MultiService()
    parent.startService()
    compose(reactor, connect=["192.0.2.1"]).setServiceParent(parent)
    assert reactor.dialled() == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("config", "outbound", "why"),
    [
        (CONFIG, -1, "0 or more"),
        (CONFIG, "3", "0 or more"),
        (PeerConfig(network=toy.NETWORK), 1, "toy-nursery has no seeds"),
        (PeerConfig(network=NETWORK, proxied=True), 1, "there is no proxy to do it"),
    ],
)
def test_peers_that_cannot_be_found_are_refused_at_once(config, outbound, why):
    with pytest.raises(InvalidSetting, match=why):
        peer_service(config, outbound=outbound, reactor=Reactor())


def test_decred_finds_peers_by_its_https_seeds(monkeypatch):
    asked, reactor = [], Reactor()

    def answer(_, seed):
        asked.append(seed)
        return succeed([Address("20.1.1.1", 9108)])

    monkeypatch.setattr(ByHttps, "__call__", answer)
    service = peer_service(PeerConfig(network=decred.MAINNET), outbound=1, reactor=reactor)
    start(service)
    reactor.advance(1)
    assert set(asked) == set(decred.MAINNET.https_seeds)
    assert reactor.dialled() == ["20.1.1.1"]
    refuse(reactor)
    stop(service)


def test_r_j8_more_peers_than_there_can_be_sockets_are_refused_at_once(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    compose(Reactor(), connect=iter(["192.0.2.1"]), listen=iter(["7"]), outbound=1)
    with pytest.raises(InvalidSetting, match="places is 4, expected at most 3, as"):
        compose(Reactor(), connect=["192.0.2.1"], listen=["7"], outbound=2)


def knock(reactor, host):
    door = reactor.tcpServers[0][1].buildProtocol(IPv4Address("TCP", host, 4711))
    return Line(door).open().transport


def test_r_j8_no_more_are_let_in_than_there_can_be_sockets(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    reactor = Reactor()
    with LogLines() as lines:
        start(compose(reactor, listen=["7"]))
    assert lines[0] == ("accepting at most 1 peers, not 117: ulimit -n allows no more sockets")
    transports = [knock(reactor, f"192.0.2.{n}") for n in range(3)]
    assert [transport.aborted for transport in transports] == [True, True, False]


def test_without_a_door_nobody_is_told_how_many_may_come_in(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    with LogLines() as lines:
        compose(Reactor(), connect=["192.0.2.1"])
    assert lines == []


def test_the_caller_says_how_many_may_come_in():
    reactor = Reactor()
    start(service := compose(reactor, listen=["7"], max_inbound=3, max_per_host=2))
    hosts = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]
    assert [knock(reactor, host).aborted for host in hosts] == [False, False, True, False]
    assert limits_of(service).most == 3
    reactor = Reactor()
    service = compose(reactor, listen=["7"], max_inbound=0, max_per_host=0)
    assert limits_of(service).most > 200
    assert limits_of(service).per_host == inf


def limits_of(service):
    (admission,) = (each for each in service if isinstance(each, Admission))
    return admission.limits


@pytest.mark.parametrize("setting", ["max_inbound", "max_per_host"])
@pytest.mark.parametrize("value", [-1, "3", None])
def test_a_limit_that_is_none_is_refused(setting, value):
    with pytest.raises(InvalidSetting, match=f"{setting} is .*, expected a number, or 0"):
        compose(Reactor(), listen=["7"], **{setting: value})


def test_r_f5_who_is_said_to_be_behind_a_proxy_goes_nowhere_without_one():
    config = PeerConfig(network=NETWORK, proxied=True)
    for place in ("192.0.2.1", TCP4ClientEndpoint(Reactor(), "192.0.2.1", 1)):
        with pytest.raises(InvalidSetting, match="connect is"):
            peer_service(config, connect=[place], reactor=Reactor())


def test_r_f5_routes_and_settings_agree_about_the_proxy():
    reactor = Reactor()
    with pytest.raises(InvalidSetting, match="proxied is False, expected True"):
        node_service(make_node(reactor), routes=proxied(reactor), reactor=reactor)
    node = make_node(reactor, proxied=True)
    with pytest.raises(InvalidSetting, match="proxied is True, expected False"):
        node_service(node, routes=Routes(reactor), reactor=reactor)
    node_service(node, routes=proxied(reactor), reactor=reactor)


def test_r_f7_behind_a_proxy_no_name_is_looked_up_here():
    reactor = Reactor()
    start(compose(reactor, connect=["node.example"], outbound=2, routes=proxied(reactor)))
    reactor.advance(120)
    assert set(reactor.dialled()) == {"192.0.2.99"}
    assert reactor.nameResolver.asked == []


def test_places_that_cannot_be_read_are_refused_at_once():
    with pytest.raises(InvalidSetting):
        compose(Reactor(), connect=["host:port"])
    with pytest.raises(InvalidSetting):
        compose(Reactor(), listen=["host:port"])


@pytest.mark.parametrize("setting", ["connect", "listen"])
@pytest.mark.parametrize("places", ["18444", [18444], [None]])
def test_a_bare_place_or_none_at_all_is_refused_at_once(setting, places):
    with pytest.raises(InvalidSetting, match=f"{setting} is "):
        compose(Reactor(), **{setting: places})


def test_a_peer_that_is_named_twice_is_dialled_once():
    reactor = Reactor()
    start(compose(reactor, connect=["192.0.2.1:9", "tcp:192.0.2.1:9"]))
    assert reactor.dialled() == ["192.0.2.1"]


def test_a_name_cannot_write_to_the_terminal():
    reactor = Reactor()
    start(compose(reactor, connect=["tcp:192.0.2.1:9:bindAddress=\x1b[2J\n"]))
    with LogLines() as lines:
        refuse(reactor)
    (line,) = lines
    assert line.startswith(r"tcp:192.0.2.1:9:bindAddress=\x1b[2J\x0a cannot be reached")


class Port:
    def __init__(self, host):
        self.host = host

    def getHost(self):  # noqa: N802
        return self.host


@pytest.mark.parametrize(
    ("listening", "address", "own"),
    [
        (None, ("20.1.0.1", 7), False),
        (UNIXAddress("/run/peers"), ("20.1.0.1", 7), False),
        (IPv4Address("TCP", "20.1.0.1", 7), ("20.1.0.1", 7), True),
        (IPv4Address("TCP", "20.1.0.1", 7), ("20.1.0.1", 8), False),
        (IPv4Address("TCP", "20.1.0.1", 7), ("20.1.0.2", 7), False),
        (IPv4Address("TCP", "0.0.0.0", 7), (HERE.host, 7), True),
        (IPv4Address("TCP", "0.0.0.0", 7), ("20.1.0.2", 7), False),
    ],
)
def test_what_leads_to_our_own_door_is_our_own_address(listening, address, own):
    reactor = Reactor()
    node = make_node(reactor)
    service = node_service(node, listen=["7"], outbound=1, reactor=reactor)
    (door,) = service.doors
    door.port = None if listening is None else Port(listening)
    visit(node)
    assert service.slots._selection._is_own(Address(*address)) is own
    node.stop()


GUIDE = replace(toy.DIALECT, redirects={toy.Say: lambda said: NetAddress.of(said.text.decode(), 9)})
GUIDED = replace(NETWORK, dialect=GUIDE)


def sent(settings, there, **how):
    """Let a peer send us to *there*; return what was dialled then."""
    reactor = Reactor()
    config = PeerConfig(**{"network": GUIDED, "follow_redirects": True, **settings})
    service = peer_service(config, [], connect=["192.0.2.1"], reactor=reactor, **how)
    start(service)
    line = accept(reactor)
    line.say(b"say", toy.Say(there.encode()).encode())
    line.hang_up()
    reactor.pump([0.1] * 20)
    stop(service)
    return [client[:2] for client in reactor.tcpClients[1:]]


@pytest.mark.parametrize("there", ["8.8.8.8", "2a00:1450::1"])
def test_redirections_are_followed_if_the_operator_says_so(there):
    assert sent({}, there) == [(there, 9)]
    assert sent({"follow_redirects": False}, there) == []


def test_redirections_are_not_followed_where_no_way_leads():
    assert sent({}, "fc00::1") == []
