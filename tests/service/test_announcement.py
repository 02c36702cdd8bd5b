"""Tests of bitpeer.service.announcement."""

import pytest
from twisted.internet.address import IPv4Address

from bitpeer.bitcoin import REGTEST, AddrV2, NodeAddress
from bitpeer.config import PeerConfig
from bitpeer.net.factory import PeerFactory
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.local import LocalNode
from bitpeer.net.onion import Published
from bitpeer.service.announcement import AGAIN, PERIOD, Announcement
from tests.net.fake_tor import NAME
from tests.service.fakes import Reactor, Transport, make_node

OURS = Published(f"{NAME}.onion", 8333, ("127.0.0.1", 5_000))
THEIRS = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


class Peer:
    """Established, and glad about every address if it understands them."""

    def __init__(self, *, address=f"{THEIRS}:8333", local_address="127.0.0.1:1", inbound=False):
        self.address = address
        self.local_address = local_address
        self.inbound = inbound
        self.understands = True
        self.told = []

    def push_addresses(self, addresses):
        told = addresses if self.understands else []
        self.told += told
        return told


@pytest.fixture
def reactor():
    reactor = Reactor()
    reactor.advance(1_700_000_000)
    return reactor


@pytest.fixture
def peers():
    return []


@pytest.fixture
def node(reactor, peers):
    node = make_node(reactor, services=9)
    node.established = lambda: peers
    return node


@pytest.fixture
def announce(node):
    """Start to announce these, with a draw of one half."""
    started = []

    def announce(*own):
        service = Announcement(node, lambda: own, NodeAddress.of, lambda: 0.5)
        service.startService()
        started.append(service)
        return service

    yield announce
    for service in started:
        service.stopService()


def test_new_peer_behind_an_onion_is_told_at_once(announce):
    peer = Peer()
    announce(OURS).peer_established(peer, None)
    (address,) = peer.told
    assert (address.host, address.port) == (OURS.host, 8333)
    assert address.services == 9
    assert address.time == 1_700_000_000


@pytest.mark.parametrize("address", [THEIRS, f"tcp:{THEIRS}:1", f"TCP:{THEIRS.upper()}:1"])
def test_onion_is_known_however_it_was_written(announce, address):
    peer = Peer(address=address)
    announce(OURS).peer_established(peer, None)
    assert peer.told


@pytest.mark.parametrize(
    "address", ["192.0.2.1:8333", f"{THEIRS}.example:8333", "x.onion:1", f"a{THEIRS}:1"]
)
def test_peer_that_was_dialled_elsewhere_learns_nothing(announce, address):
    peer = Peer(address=address)
    announce(OURS).peer_established(peer, None)
    assert not peer.told


@pytest.mark.parametrize(("local", "told"), [("127.0.0.1:5000", 1), ("192.0.2.1:5000", 0)])
def test_visitor_is_told_of_the_door_it_came_through(announce, local, told):
    peer = Peer(inbound=True, local_address=local, address="127.0.0.1:40000")
    announce(OURS).peer_established(peer, None)
    assert len(peer.told) == told


def test_peer_is_told_again_about_once_a_day(announce, reactor, peers):
    peers.append(peer := Peer())
    announce(OURS)
    assert not peer.told
    reactor.pump([PERIOD] * 2)
    assert len(peer.told) == 1
    day = AGAIN * 0.6931  # half of all waits are shorter
    reactor.pump([PERIOD] * (int(day / PERIOD) - 2))
    assert len(peer.told) == 1
    reactor.pump([PERIOD] * 4)
    assert len(peer.told) == 2


def test_onion_that_comes_later_is_told_later(reactor, peers, node):
    own = []
    peers.append(peer := Peer())
    service = Announcement(node, lambda: own, NodeAddress.of)
    service.startService()
    reactor.advance(PERIOD)
    assert not peer.told
    own.append(OURS)
    reactor.advance(PERIOD)
    assert len(peer.told) == 1
    service.stopService()


def test_peer_that_has_no_words_for_it_is_asked_again(announce, reactor, peers):
    peers.append(peer := Peer())
    peer.understands = False
    announce(OURS)
    reactor.advance(PERIOD)
    peer.understands = True
    reactor.advance(PERIOD)
    assert len(peer.told) == 1


def test_lost_peer_is_forgotten(announce):
    service, peer = announce(OURS), Peer()
    service.peer_established(peer, None)
    service.peer_lost(peer, None)
    service.peer_lost(peer, None)
    service.peer_established(peer, None)
    assert len(peer.told) == 2


def test_service_that_does_not_run_tells_nobody(node, reactor, peers):
    peers.append(peer := Peer())
    service = Announcement(node, lambda: [OURS], NodeAddress.of)
    service.peer_established(peer, None)
    service.startService()
    service.stopService()
    reactor.advance(PERIOD)
    assert not peer.told


def test_node_lets_it_hear_of_peers(reactor):
    """With a real node and a real peer, who came through the door and asked for `addrv2`."""
    node = LocalNode(PeerConfig(network=REGTEST), clock=reactor)
    service = Announcement(node, lambda: [OURS], NodeAddress.of)
    service.startService()
    protocol = PeerFactory(node, outbound=False).buildProtocol(None)
    there = LocalNode(PeerConfig(network=REGTEST), clock=reactor)
    heard = []
    there.add_listener(Ear(heard))
    other = PeerFactory(there, outbound=True).buildProtocol(None)
    talk(protocol, other, IPv4Address("TCP", *OURS.local))
    assert [address.host for address in heard[0].addresses] == [OURS.host]
    service.stopService()
    node.stop()
    there.stop()


class Ear(PeerListener):
    """Keeps the addresses that it hears of."""

    def __init__(self, heard):
        self._heard = heard

    @on(AddrV2)
    def addresses_heard(self, peer, message):
        self._heard.append(message)


def talk(server, client, here):
    """Let two protocols talk until they fall silent."""
    ends = Transport(hostAddress=here), Transport()
    server.makeConnection(ends[0])
    client.makeConnection(ends[1])
    while any(end.value() for end in ends):
        for end, other in ((ends[0], client), (ends[1], server)):
            said = end.value()
            end.clear()
            other.dataReceived(said)
