"""Tests of bitpeer.service.gossip."""

from collections import Counter
from random import Random
from types import SimpleNamespace

import pytest

from bitpeer import bitcoin, decred, jaxnet
from bitpeer.bitcoin.addrv2 import AddrV2, NodeAddress
from bitpeer.bitcoin.reach import network_group
from bitpeer.config import PeerConfig
from bitpeer.dialect import Greeting
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.messages.addresses import Addr, TimedNetAddress, pack_ip
from bitpeer.messages.control import GetAddr, Ping, VerAck
from bitpeer.net.local import LocalNode
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.gossip import FEW, Gossip
from bitpeer.service.knownaddress import DAY, HOUR
from bitpeer.service.seeds import Address
from bitpeer.service.slots import CONNECTION_TYPE, Kind
from bitpeer.wire.framing import Envelope, Framing
from tests import toy
from tests.service.fakes import Reactor, visit

NOW = 1_800_000_000
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"
LOST = Disconnected(DisconnectReason.CLOSED_BY_PEER)


class Peer:
    """Remembers what it is told."""

    def __init__(self, number, inbound):
        self.id = number
        self.inbound = inbound
        self.address = f"50.{number}.0.1:8333"
        self.local_address = "192.0.2.1:8333"
        self.facts = {}
        self.sent = []
        self.told = []

    def send(self, message):
        self.sent.append(message)

    def push_addresses(self, addresses):
        self.told.append(list(addresses))


class Town:
    """A node, its book, its gossip and the peers it gossips with."""

    def __init__(self, network=bitcoin.REGTEST, services=9, **settings):
        self.clock = Reactor()
        self.clock.advance(NOW)
        draw = Random(5)
        is_own = settings.pop("is_own", lambda _: False)
        self.book = AddressBook(secret=b"a secret" * 4, is_own=is_own)
        config = PeerConfig(network=network, services=services)
        self.node = LocalNode(config, clock=self.clock)
        self.node.sample = draw.sample
        settings.setdefault("below", draw.randrange)
        settings.setdefault("draw", draw.random)
        self.gossip = Gossip(self.node, self.book, **settings)
        self.gossip._secret = b"another!" * 4
        self.node.add_listener(self.gossip)
        self.gossip.startService()
        self.peers = []

    def meet(self, count=1, *, inbound=False):
        """Let so many peers shake hands; return the last."""
        for _ in range(count):
            peer = Peer(len(self.peers) + 1, inbound)
            self.peers.append(peer)
            self.gossip.peer_established(peer, None)
        return peer

    def say(self, peer, message):
        for receive in self.node.audience[type(message)]:
            receive(peer, message)

    def wait(self, seconds):
        self.clock.pump([1] * seconds)

    def who_was_told(self, host):
        return [
            peer
            for peer in self.peers
            if host in [each.host for part in peer.told for each in part]
        ]


def addr(number, ago=0, host=None):
    host = host or f"20.{number % 256}.{number >> 8}.1"
    return TimedNetAddress(NOW - ago, 9, pack_ip(host), 8333)


# Asking


def test_who_was_dialled_is_asked_once():
    town = Town()
    assert town.meet().sent == [GetAddr()]
    assert town.meet(inbound=True).sent == []
    assert Town(decred.MAINNET).meet().sent == [GetAddr()]
    assert Town(jaxnet.MAINNET).meet().sent == [jaxnet.messages.GetAddr()]


def test_of_those_who_take_no_part_nothing_is_wanted():
    town = Town()
    feeler = Peer(1, inbound=False)
    feeler.facts[CONNECTION_TYPE] = Kind.FEELER.value
    town.gossip.peer_established(feeler, None)
    town.peers.append(feeler)
    assert feeler.sent == []
    town.say(town.peers[0], Addr((addr(1),)))
    town.say(town.peers[0], GetAddr())
    assert len(town.book) == 0
    town.gossip.peer_lost(town.peers[0], LOST)


def test_a_language_without_addresses_is_not_asked_for_any():
    town = Town(toy.NETWORK)
    assert town.meet().sent == []
    assert town.node.audience[Addr] == town.node.audience[Ping] == ()


# Learning


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (bitcoin.REGTEST, Addr((addr(1),))),
        (bitcoin.REGTEST, AddrV2((NodeAddress.of("20.1.0.1", 8333, 9, NOW),))),
        (decred.SIMNET, Addr((addr(1),))),
        (
            decred.SIMNET,
            decred.AddrV2((decred.addresses.NodeAddress.of("20.1.0.1", 8333, 9, NOW),)),
        ),
        (jaxnet.FASTNET, jaxnet.Addr((addr(1),))),
    ],
)
def test_addresses_are_learned_in_every_language(network, message):
    town = Town(network)
    town.say(town.meet(), message)
    known = town.book.look_up(Address("20.1.0.1", 8333))
    assert (known.services, known.time) == (9, NOW - 2 * HOUR)
    assert known.origin == network_group(1, bytes((50, 1, 0, 1)))


def test_one_who_tells_of_itself_is_believed_the_time():
    town = Town()
    town.say(town.meet(), Addr((addr(0, host="50.1.0.1"),)))
    assert town.book.look_up(Address("50.1.0.1", 8333)).time == NOW


def test_r_a9_so_much_is_heeded_and_no_more():
    town = Town()
    peer = town.meet(inbound=True)
    for _ in range(3):
        town.say(peer, Addr(tuple(addr(number) for number in range(1_000))))
    assert len(town.book) == town.gossip.heeded == 1
    assert town.gossip.ignored == 2_999
    town.wait(100)
    town.say(peer, Addr(tuple(addr(number) for number in range(1_000, 2_000))))
    assert town.gossip.heeded == 11


def test_r_a9_as_much_more_is_heeded_as_was_asked_for():
    town = Town()
    peer = town.meet()
    for start in (0, 1_000):
        town.say(peer, Addr(tuple(addr(number) for number in range(start, start + 1_000))))
    assert town.gossip.heeded == 1_001


def test_r_e2_what_leads_nowhere_is_neither_learned_nor_passed_on():
    town = Town()
    town.meet(3)
    town.say(town.peers[0], Addr(()))
    town.say(town.peers[0], Addr((addr(0, host="10.0.0.1"), addr(0, host="127.0.0.1"))))
    town.wait(600)
    assert len(town.book) == 0
    assert [peer.told for peer in town.peers] == [[], [], []]


# Passing on


def news(town, source, *addresses):
    town.say(source, Addr(()))  # the end of what was asked for
    town.say(source, Addr(addresses))


def test_what_is_fresh_is_passed_on_to_two_a_while_later():
    town = Town()
    town.meet(10)
    news(town, town.peers[0], addr(1))
    assert town.who_was_told("20.1.0.1") == []
    town.wait(300)
    told = town.who_was_told("20.1.0.1")
    assert len(told) == 2
    assert town.peers[0] not in told
    assert told[0].told == [[NodeAddress.of("20.1.0.1", 8333, 9, NOW)]]


def test_nobody_is_told_what_he_knows():
    town = Town()
    town.meet(3)
    for peer in town.peers:
        news(town, peer, addr(1))
    town.wait(300)
    assert town.who_was_told("20.1.0.1") == []
    news(town, town.peers[0], addr(1), addr(2, ago=-300))
    news(town, town.peers[1], addr(2, ago=-300))
    town.wait(300)
    assert town.who_was_told("20.2.0.1") == [town.peers[2]]


def test_the_same_peers_are_told_of_an_address_for_a_day():
    told = Counter()
    for source in range(9):
        town = Town()
        town.meet(10)
        news(town, town.peers[source], addr(1))
        town.wait(300)
        told.update(peer.id for peer in town.who_was_told("20.1.0.1"))
    assert sum(count >= 7 for count in told.values()) == 2
    assert len(told) <= 3  # a third if one of the two is who told it

    def chosen(ahead):
        town = Town()
        town.meet(10)
        return [peer.id for peer in town.gossip._chosen(None, addr(1), NOW + ahead)]

    assert len({tuple(chosen(day * DAY)) for day in range(20)}) > 10


def test_whoever_calls_it_directly_is_heard_too():
    town = Town()
    peer = town.meet()
    town.gossip.message_received(peer, Addr((addr(1),)))
    town.gossip.message_received(peer, Ping(1))
    assert len(town.book) == 1


@pytest.mark.parametrize(
    "told",
    [
        [addr(1, ago=601)],
        [addr(1, ago=-601)],
        [addr(number) for number in range(1, FEW + 2)],
        [addr(1, host="20.9.9.9")],
    ],
)
def test_what_is_old_or_many_or_our_own_is_not_passed_on(told):
    town = Town(is_own=lambda address: address.host == "20.9.9.9")
    town.meet(5)
    news(town, town.peers[0], *told)
    town.wait(300)
    assert not any(peer.told for peer in town.peers)


def test_the_answer_to_a_request_is_not_passed_on():
    town = Town()
    town.meet(5)
    town.say(town.peers[0], Addr(tuple(addr(number) for number in range(1_000))))
    town.say(town.peers[0], Addr((addr(1_001),)))  # the rest of it
    town.wait(300)
    assert not any(peer.told for peer in town.peers)


def test_who_dialled_us_hears_nothing_before_he_has_spoken_of_addresses():
    town = Town()
    town.meet(2, inbound=True)
    news(town, town.meet(), addr(1))
    town.wait(300)
    assert town.who_was_told("20.1.0.1") == []
    town.say(town.peers[0], Addr(()))
    town.say(town.peers[1], GetAddr())
    town.wait(20)
    news(town, town.peers[2], addr(2))
    town.wait(300)
    assert town.who_was_told("20.2.0.1") == town.peers[:2]


def test_what_we_cannot_reach_is_passed_on_to_one_or_two():
    counts = set()
    for number in range(1, 12):
        town = Town(reaches=lambda host: ":" not in host)
        town.meet(10)
        news(town, town.peers[0], addr(0, host=f"2a00:1450:{number}::1"))
        town.wait(300)
        counts.add(len(town.who_was_told(f"2a00:1450:{number}::1")))
    assert counts == {1, 2}


def test_addresses_of_other_networks_are_kept_and_passed_on_as_they_came():
    """Onion services, I2P and CJDNS, whether they can be reached from here or not (BIP 155)."""
    hosts = {ONION: 8333, I2P: 0, "fc00:1:2::3": 8333}
    town = Town(reaches=lambda _: False)
    town.meet(10)
    town.say(town.peers[0], Addr(()))
    told = [NodeAddress.of(host, port, 9, NOW) for host, port in hosts.items()]
    town.say(town.peers[0], AddrV2(tuple(told)))
    town.wait(300)
    for each in told:
        assert town.book.look_up(Address(each.host, hosts[each.host])).services == 9
        messages = [part for peer in town.peers for part in peer.told]
        passed_on = [other for part in messages for other in part if other.host == each.host]
        assert 1 <= len(passed_on) <= 2
        assert {(other.network, other.address, other.port) for other in passed_on} == {
            (each.network, each.address, each.port)
        }
    (answer,) = asked(town, town.meet(inbound=True))
    assert {each.host for each in answer} <= hosts.keys()


def test_what_a_language_cannot_say_is_not_passed_on():
    town = Town(decred.SIMNET)
    town.meet(3)
    assert town.gossip._forms([SimpleNamespace(host=ONION, port=1, services=1, time=1)]) != []
    assert town.gossip._forms([SimpleNamespace(host=I2P, port=1, services=1, time=1)]) == []


def test_who_is_gone_is_told_nothing():
    town = Town()
    town.meet(3)
    news(town, town.peers[0], addr(1))
    for peer in town.peers:
        town.gossip.peer_lost(peer, LOST)
    town.wait(300)
    assert not any(peer.told for peer in town.peers)


def test_nothing_is_told_once_it_is_stopped():
    town = Town()
    town.meet(3)
    news(town, town.peers[0], addr(1))
    town.gossip.stopService()
    town.clock.advance(300)
    assert not any(peer.told for peer in town.peers)
    assert town.clock.getDelayedCalls() == []


# Our own address


def test_peers_are_told_our_own_address_if_they_may_know_it_and_again_a_day_later():
    town = Town(own=lambda peer: [Address("40.0.0.1", 8333)] if peer.id == 1 else [])
    town.meet(2)
    town.wait(1)
    assert town.peers[0].told == [[NodeAddress.of("40.0.0.1", 8333, 9, NOW + 1)]]
    assert town.peers[1].told == []
    circle = town.gossip._circles[town.peers[0]]
    assert circle.introduce_at > NOW + 60
    town.clock.rightNow = circle.introduce_at
    town.gossip.tell_what_is_due()
    assert len(town.peers[0].told) == 2


def test_should_there_be_an_address_later_it_is_told_then():
    ours = []
    town = Town(own=lambda _: ours)
    peer = town.meet()
    town.wait(1)
    ours.append(Address(ONION, 8333))
    town.wait(600)
    assert [[each.host for each in part] for part in peer.told] == [[ONION]]


# Answering


def asked(town, peer):
    before = len(peer.told)
    town.say(peer, GetAddr())
    return peer.told[before:]


def stocked(**settings):
    town = Town(**settings)
    town.book.learn([addr(number) for number in range(200)], "", NOW)
    assert len(town.book) > 50
    return town


def test_who_dialled_us_gets_one_answer():
    town = stocked()
    peer = town.meet(inbound=True)
    (answer,) = asked(town, peer)
    assert len(answer) == -(-len(town.book) * 23 // 100)
    assert all(isinstance(each, NodeAddress) for each in answer)
    assert asked(town, peer) == []


def test_r_f1_who_was_dialled_gets_none():
    town = stocked()
    assert asked(town, town.meet()) == []


def test_r_f1_all_who_come_by_one_door_get_the_same_answer_and_others_another():
    town = stocked()
    town.meet(3, inbound=True)
    town.peers[2].local_address = "127.0.0.1:8334"
    one, two, other = (asked(town, peer) for peer in town.peers)
    assert one == two != other


def test_it_need_not_be_served():
    town = stocked(serve=False)
    peer = town.meet(inbound=True)
    assert asked(town, peer) == []
    assert town.gossip._circles[peer].gossips


# With real peers


@pytest.mark.parametrize("network", [bitcoin.REGTEST, decred.SIMNET, jaxnet.FASTNET])
def test_a_peer_on_the_wire_asks_and_is_answered(network):
    town = stocked(network=network)
    dialect = network.dialect
    envelope = Envelope(network.magic, dialect.checksum, dialect.registry, dialect.max_payload)
    line = visit(town.node)

    def say(message):
        line.transport.clear()
        line.protocol.dataReceived(b"".join(envelope.wrap(message)))
        feed = Framing(envelope, dialect.max_payload).feed(line.transport.value())
        return [entry.decode(payload) for entry, payload, _ in feed]

    version = dialect.protocol_version
    say(dialect.greet(Greeting(version=version, time=NOW, nonce=7, user_agent=b"/toy:1/")))
    say(VerAck())
    (answer,) = say(dialect.get_addresses())
    told = dialect.told[type(answer)](answer)
    assert len(told) == -(-len(town.book) * 23 // 100)
    assert all(Address(each.host, each.port) in town.book for each in told)
    assert say(dialect.get_addresses()) == []
    say(dialect.tell([dialect.address("40.1.1.1", 8333, 1, NOW)], lambda _: None, version))
    assert Address("40.1.1.1", 8333) in town.book
    line.hang_up()
    assert town.gossip._circles == {}
