"""All parts of a node in one service."""

from dataclasses import replace
from math import inf
from types import SimpleNamespace

import pytest
from twisted.application.service import MultiService
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint

from bitpeer.bitcoin.networks import REGTEST
from bitpeer.errors import DisconnectReason, InvalidSetting, StorageUnusable
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.onion import Onion, OnionPort
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service import descriptors
from bitpeer.service.database import open_database
from bitpeer.service.nodeservice import WISH, NodeService
from bitpeer.service.seeds import Address
from bitpeer.service.summary import Summary
from bitpeer.service.wishes import Wishes
from tests import toy
from tests.net.fake_tor import NAME
from tests.service.fakes import (
    HERE,
    NETWORK,
    Line,
    LogLines,
    Reactor,
    Resolver,
    Transport,
    accept,
    make_node,
    refuse,
    visit,
)

SEEDS = {"x9.a.example.": ["20.1.0.1"], "b.example.": ["20.2.0.1"]}
ONION = f"{NAME}.onion"


class World:
    """A service on a reactor that connects to nothing."""

    def __init__(self, *, resolver=None, routes=None, network=NETWORK, config=None, **wishes):
        self.reactor = Reactor(resolver)
        self.reactor.advance(1_800_000_000)
        self.node = make_node(self.reactor, network=network, **(config or {}))
        self.events = []
        self.service = NodeService(
            self.node,
            Wishes(**wishes),
            routes=routes and routes(self.reactor),
            emit=lambda name, **_: self.events.append(name),
            reactor=self.reactor,
        )

    def start(self):
        self.service.privilegedStartService()
        self.service.startService()
        return self

    def stop(self):
        done = []
        self.service.stopService().addCallback(done.append)
        return done

    def dialled(self):
        return [client[:2] for client in self.reactor.tcpClients]

    def knock(self, host):
        """Return what becomes of somebody from *host* at the first door."""
        there = IPv4Address("TCP", host, 4711)
        door = self.reactor.tcpServers[0][1].buildProtocol(there)
        return Line(door, Transport(hostAddress=HERE, peerAddress=there)).open()


@pytest.fixture
def world():
    """Return a function that makes worlds, which end with the test."""
    worlds = []

    def world(**settings):
        worlds.append(World(**settings))
        return worlds[-1]

    yield world
    for each in worlds:
        each.stop()


def proxied(reactor):
    """Return routes through a proxy that does not answer."""
    return Routes(reactor, proxy=Proxy(endpoint=TCP4ClientEndpoint(reactor, "192.0.2.99", 9050)))


# Start and stop


def test_nothing_happens_before_the_start(world, tmp_path):
    one = world(
        connect=["192.0.2.1"], listen=["7"], outbound=1, headers=True, folder=tmp_path / "toy"
    )
    assert one.reactor.tcpClients == one.reactor.tcpServers == []
    assert one.reactor.getDelayedCalls() == []
    assert list(tmp_path.iterdir()) == []


def test_files_are_in_the_folder_of_the_network(world, tmp_path):
    one = world(network=REGTEST, headers=True, folder=tmp_path / "a", ban=["192.0.2.1"])
    with LogLines() as lines:
        one.start()
    line = "bitcoin-regtest: 0 addresses, headers up to 0, 1 bans in {}"
    assert lines == [line.format(tmp_path / "a")]
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"addresses.sqlite", "bans.sqlite", "headers.sqlite"} <= names
    assert one.service.following.running


def test_without_a_folder_nothing_is_kept(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = world(network=REGTEST, headers=True, ban=["192.0.2.1"], listen=["7"]).start()
    one.stop()
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_files_stops_when_all_peers_are_gone(world):
    one = world(network=REGTEST, headers=True)
    one.start()
    guest = visit(one.node)
    done = one.stop()
    assert guest.transport.disconnecting
    assert one.service.following.running
    assert one.service.bans.running
    assert done == []
    guest.hang_up()
    assert not one.service.following.running
    assert not one.service.bans.running
    assert len(done) == 1
    assert one.reactor.getDelayedCalls() == []


def test_a_peer_that_does_not_read_keeps_nobody_for_long(world):
    one = world().start()
    guest = visit(one.node)
    done = one.stop()
    one.reactor.pump([0.5] * 8)
    assert guest.transport.aborted
    assert done == []
    one.reactor.pump([0.5] * 2)
    assert len(done) == 1
    guest.hang_up()


def test_it_can_be_started_again(world, tmp_path):
    one = world(
        connect=["192.0.2.1"],
        listen=["7"],
        add_peer=[Address("20.1.0.1", 7)],
        ban=["192.0.2.9"],
        folder=tmp_path / "toy",
    )
    for count in (1, 2, 3):
        one.start()
        assert len(one.reactor.tcpClients) == len(one.reactor.tcpServers) == count
        assert len(one.service.book) == 1
        assert one.service.bans.is_banned("192.0.2.9")
        assert len(one.stop()) == 1
    assert one.reactor.getDelayedCalls() == []


def test_files_that_cannot_be_used_are_named(world, tmp_path):
    folder = tmp_path / "toy"
    open_database(folder / "bans.sqlite", ["CREATE TABLE a (b)", "CREATE TABLE c (d)"]).close()
    with pytest.raises(StorageUnusable, match="a newer bitpeer wrote it"):
        world(folder=folder).start()


def test_it_serves_inside_another_service_that_runs_already(world):
    one = world(connect=["192.0.2.1"])
    parent = MultiService()
    parent.startService()
    one.service.setServiceParent(parent)
    assert one.dialled() == [("192.0.2.1", NETWORK.port)]


# Peers by name


def test_named_peers_are_dialled_however_they_are_named(world):
    one = world()
    endpoint = TCP4ClientEndpoint(one.reactor, "192.0.2.3", 5)
    one.service.dial_only(["192.0.2.1", "tcp:192.0.2.2:99", endpoint, endpoint])
    one.start()
    assert one.dialled() == [("192.0.2.1", NETWORK.port), ("192.0.2.2", 99), ("192.0.2.3", 5)]


def test_who_is_named_in_two_ways_is_dialled_once_and_lost_when_both_are_gone(world):
    one = world(connect=["192.0.2.1", f"tcp:192.0.2.1:{NETWORK.port}"]).start()
    assert len(one.reactor.tcpClients) == 1
    one.service.dial_only([f"192.0.2.1:{NETWORK.port}"])
    assert len(one.reactor.tcpClients) == 1
    line = accept(one.reactor).shake_hands()
    one.service.dial_only([])
    assert line.transport.disconnecting
    assert one.service.named == {}


def test_named_peers_come_and_go_while_it_runs(world):
    one = world(connect=["192.0.2.1", "192.0.2.2"]).start()
    lines = [accept(one.reactor, index).shake_hands() for index in (0, 1)]
    one.service.dial_only(["192.0.2.2", "192.0.2.3"])
    assert [line.transport.disconnecting for line in lines] == [True, False]
    lines[0].hang_up()
    assert one.node.lost == {DisconnectReason.CLOSED_HERE: 1}
    one.reactor.advance(200)
    assert [host for host, _ in one.dialled()] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_names_that_cannot_be_read_change_nothing(world):
    one = world(connect=["192.0.2.1"]).start()
    before = dict(one.service.named)
    for wrong in ("host:port", "plugin:a"):
        with pytest.raises(InvalidSetting):
            one.service.dial_only(["192.0.2.2", wrong])
    assert one.service.named == before
    assert len(one.reactor.tcpClients) == 1


def test_r_f5_nobody_is_dialled_past_the_proxy(world):
    one = world(routes=proxied, config={"proxied": True}).start()
    with pytest.raises(InvalidSetting, match="passes the proxy by"):
        one.service.dial_only(["tls:192.0.2.1:7"])
    one.service.dial_only(["192.0.2.1:7"])
    assert one.dialled() == [("192.0.2.99", 9050)]


def test_a_name_cannot_write_to_the_terminal(world):
    one = world(connect=["tcp:192.0.2.1:9:bindAddress=\x1b[2J\n"]).start()
    with LogLines() as lines:
        refuse(one.reactor)
    assert lines[0].startswith(r"tcp:192.0.2.1:9:bindAddress=\x1b[2J\x0a cannot be reached")


GUIDE = replace(toy.DIALECT, redirects={toy.Say: lambda said: NetAddress.of(said.text.decode(), 9)})
GUIDED = replace(NETWORK, dialect=GUIDE)


@pytest.mark.parametrize(
    ("follow", "there", "then"),
    [(True, "8.8.8.8", [("8.8.8.8", 9)]), (True, "fc00::1", []), (False, "8.8.8.8", [])],
)
def test_redirections_are_followed_where_a_way_leads_if_somebody_says_so(
    world, follow, there, then
):
    one = world(network=GUIDED, config={"follow_redirects": follow}, connect=["192.0.2.1"]).start()
    line = accept(one.reactor)
    line.say(b"say", toy.Say(there.encode()).encode())
    line.hang_up()
    one.reactor.pump([0.1] * 9)
    assert one.dialled()[1:] == then


# Peers to find


def test_peers_are_found_through_the_seeds(world):
    one = world(resolver=Resolver(SEEDS), outbound=1, block_only=1).start()
    one.reactor.advance(1)
    assert sorted(one.reactor.dialled()) == ["20.1.0.1", "20.2.0.1"]
    assert (one.service.slots.full, one.service.slots.block_only) == (1, 1)


def test_who_wants_none_looks_for_none(world):
    one = world(connect=["192.0.2.1"], feelers=True).start()
    one.reactor.advance(120)
    assert one.service.slots is None
    assert one.reactor.nameResolver.asked == []


def test_addresses_of_the_operators_are_considered(world):
    one = world(outbound=1, add_peer=[Address("20.1.0.1", 7)]).start()
    assert one.dialled() == [("20.1.0.1", 7)]
    assert one.service.introduce([Address("20.1.0.1", 7), Address("20.2.0.1", 7)]) == 1


@pytest.mark.parametrize("private", [True, False])
def test_private_addresses_are_taken_where_all_nodes_are_ones_own(world, private):
    one = world(outbound=2, private_addresses=private).start()
    known = [Address("10.0.0.1", 7), Address("10.0.0.2", 7)]
    assert one.service.introduce(known) == (2 if private else 0)
    one.reactor.advance(11)
    assert len(one.reactor.tcpClients) == (2 if private else 0)


def test_peers_that_are_found_are_of_different_network_groups(world):
    one = world(outbound=2).start()
    one.service.introduce([Address("20.1.0.1", 7), Address("20.1.0.2", 7)])
    one.reactor.advance(11)
    assert len(one.reactor.tcpClients) == 1


def test_r_f2_guests_of_different_doors_are_told_of_news_at_different_moments(world):
    one = world(listen=["7", "8"]).start()
    doors = [server[1] for server in one.reactor.tcpServers]
    front, again, back = (door.buildProtocol(None) for door in (doors[0], doors[0], doors[1]))
    assert front.machine._terms.door == again.machine._terms.door
    assert front.machine._terms.door != back.machine._terms.door


def test_feelers_see_who_answers(world):
    one = world(resolver=Resolver(), outbound=1, feelers=True).start()
    one.service.introduce([Address("20.1.0.1", 7)])
    one.reactor.advance(11)
    accept(one.reactor).shake_hands()
    one.service.introduce([Address("20.3.0.1", 7)])
    for _ in range(6_000):  # chance may have it wait for long
        if ("20.3.0.1", 7) in one.dialled():
            break
        one.reactor.advance(1)
    assert ("20.3.0.1", 7) in one.dialled()


def test_without_any_peers_the_summary_comes_all_the_same(world):
    one = world().start()
    assert [type(each) for each in one.service if isinstance(each, Summary)] == [Summary]
    with LogLines() as lines:
        one.reactor.advance(60)
    assert "0 peers out, 0 in" in lines[0]


# Peers who dial us


def test_doors_open_and_who_comes_is_counted(world):
    one = world(listen=["7"], max_inbound=9, max_per_host=1, max_per_prefix=2)
    endpoint = TCP4ServerEndpoint(one.reactor, 8)
    with LogLines() as lines:
        one.start()
    assert lines == ["listening on 0.0.0.0:7"]
    assert [door.endpoint_name for door in one.service.doors] == ["7"]
    hosts = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert [one.knock(host).transport.aborted for host in hosts] == [False, True, False, True]
    assert "TCP4ServerEndpoint" in world(listen=[endpoint]).service.doors[0].endpoint_name


def test_limits_change_while_it_runs_and_nobody_has_to_leave(world):
    one = world(listen=["7"], max_per_host=2).start()
    first = one.knock("192.0.2.1").shake_hands()
    one.service.limit(5, 1, 0)
    assert one.service.admission.limits.most == 5
    assert one.service.admission.limits.per_prefix == inf
    assert one.knock("192.0.2.1").transport.aborted
    assert not first.transport.disconnecting


def test_r_j8_no_more_are_let_in_than_there_can_be_sockets(world, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 64 + 1 + 1 + 8)
    with LogLines() as lines:
        one = world(listen=["7"], connect=["192.0.2.1"])
    assert lines == ["accepting at most 6 peers, not 117: ulimit -n allows no more sockets"]
    with LogLines() as lines:
        one.service.limit(0, 0, 0)
        one.service.limit(3, 0, 0)
    assert lines == []
    assert one.service.admission.limits.most == 3


def test_r_j8_more_than_there_can_be_are_refused_feelers_included(world, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 64 + 4)
    world(outbound=4)
    with pytest.raises(InvalidSetting, match="is 6, expected at most 4"):
        world(outbound=3, block_only=1, feelers=True)
    with pytest.raises(InvalidSetting, match="is 6, expected at most 4"):
        world(outbound=4, headers=True)
    with pytest.raises(InvalidSetting, match="is 5, expected at most 4"):
        world(outbound=4, connect=["192.0.2.1"])


def test_without_a_door_nobody_is_told_how_many_may_come_in(world, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    with LogLines() as lines:
        world(connect=["192.0.2.1"])
    assert lines == []


# Bans


def test_who_is_banned_is_turned_away(world):
    one = world(listen=["7"], ban=["192.0.2.1", "198.51.100.0/24"], ban_time=60).start()
    hosts = ["192.0.2.1", "198.51.100.7", "192.0.2.2"]
    assert [one.knock(host).transport.aborted for host in hosts] == [True, True, False]
    one.reactor.advance(60)
    assert not one.knock("192.0.2.1").transport.aborted


def test_bans_of_before_last_as_long_as_they_would_have(world, tmp_path):
    one = world(ban=["192.0.2.1"], ban_time=60, folder=tmp_path / "toy").start()
    one.reactor.advance(50)
    one.stop()
    one.start()
    (ban,) = one.service.bans
    assert ban.until == 1_800_000_060
    assert ban.reason == WISH


def test_bans_change_while_it_runs_and_leave_those_of_others_alone(world):
    one = world(ban=["192.0.2.1", "192.0.2.2"]).start()
    one.service.bans.ban("192.0.2.3", 2e9, "somebody else")
    one.service.ban_only(["192.0.2.2/32", "192.0.2.4"], 60)
    assert [ban.subject for ban in one.service.bans] == [
        "192.0.2.2/32", "192.0.2.3/32", "192.0.2.4/32",
    ]  # fmt: skip
    with pytest.raises(InvalidSetting, match="ban is 'me'"):
        one.service.ban_only(["me"], 60)
    assert len(one.service.bans) == 3


def test_who_cannot_be_banned_is_named_at_once(world):
    with pytest.raises(InvalidSetting, match="ban is 'me'"):
        world(ban=["me"])


def test_who_breaks_rules_is_discouraged_and_that_is_told(world):
    one = world(listen=["7"]).start()
    line = one.knock("192.0.2.1")
    line.shake_hands()
    line.say(b"ping", b"")
    line.hang_up()
    assert one.service.bans.is_discouraged("192.0.2.1")
    assert "host.discouraged" in one.events


# Headers


def test_the_chain_is_followed_where_its_rules_are_known(world):
    assert world(network=REGTEST, headers=True).service.following is not None
    assert world(network=REGTEST).service.following is None
    assert world(headers=True).service.following is None


# Our own addresses


class Port:
    def __init__(self, host):
        self.host = host

    def getHost(self):  # noqa: N802
        return self.host

    def stopListening(self):  # noqa: N802
        pass


def with_doors(one, *places):
    """Let the doors of a service be at *places*, without opening any."""
    for door, place in zip(one.service.doors, places, strict=True):
        door.port = place if isinstance(place, OnionPort | None) else Port(place)


def onion_port():
    onion = Onion("", 8333, ("127.0.0.1", 5_000))
    onion.name = ONION
    return OnionPort(None, onion, None)


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
        (IPv4Address("TCP", "10.0.0.1", 7), ("20.9.9.9", 7), True),
    ],
)
def test_what_leads_to_our_own_door_is_not_dialled(world, listening, address, own):
    one = world(
        resolver=Resolver(),
        listen=["7"],
        outbound=1,
        own_address="20.9.9.9",
        add_peer=[Address(*address)],
    )
    one.service.startService()
    one.reactor.tcpClients.clear()
    one.service.slots.stopService()
    with_doors(one, listening)
    guest = visit(one.node)
    assert one.service.slots._selection._is_own(Address(*address)) is own
    guest.hang_up()


def test_peers_are_told_where_we_are_if_the_operator_says_so(world):
    quiet, one = world(listen=["7"]), world(listen=["7", "8"], own_address="20.9.9.9")

    peer = SimpleNamespace(inbound=True, local_address="10.0.0.1:7", address="192.0.2.1:4711")

    assert one.service.own_addresses(peer) == []
    with_doors(quiet, IPv4Address("TCP", "20.9.9.9", 7))
    assert quiet.service.own_addresses(peer) == []
    with_doors(one, onion_port(), IPv4Address("TCP", "10.0.0.1", 7))
    assert one.service.own_addresses(peer) == [("20.9.9.9", 7)]
    with_doors(one, None, None)


def test_who_comes_by_the_onion_service_is_told_of_that_only(world):
    one = world(listen=["7", "8"], own_address="20.9.9.9")
    with_doors(one, onion_port(), IPv4Address("TCP", "10.0.0.1", 7))

    peer = SimpleNamespace(inbound=True, local_address="127.0.0.1:5000", address="127.0.0.1:4711")
    assert one.service.own_addresses(peer) == [(ONION, 8333)]
    peer.inbound, peer.address = False, f"{ONION}:8333"
    assert one.service.own_addresses(peer) == [(ONION, 8333)]
    with_doors(one, None, IPv4Address("TCP", "10.0.0.1", 7))
    assert one.service.own_addresses(peer) == []


@pytest.mark.parametrize(("private", "told"), [(False, []), (True, [("20.9.9.9", 7)])])
def test_r_f3_who_may_come_by_an_onion_service_of_others_is_told_nothing(world, private, told):
    one = world(listen=["7"], own_address="20.9.9.9", private_addresses=private)
    with_doors(one, IPv4Address("TCP", "127.0.0.1", 7))
    peer = SimpleNamespace(inbound=True, local_address="127.0.0.1:7", address="127.0.0.1:4711")
    assert one.service.own_addresses(peer) == told


# Gossip


@pytest.mark.parametrize("serve", [True, False])
def test_addresses_are_spoken_of_if_somebody_says_so(world, serve):
    one = world(gossip=True, serve_addresses=serve)
    assert one.service.gossip.serve is serve
    assert one.service.gossip in list(one.service)
    assert world().service.gossip is None
