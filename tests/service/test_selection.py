"""Tests of bitpeer.service.selection."""

import pytest
from twisted.internet.address import IPv4Address

from bitpeer.bitcoin.hosts import NetworkId, format_host
from bitpeer.bitcoin.reach import is_routable
from bitpeer.errors import DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.net.routes import Routes
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.bans import Bans
from bitpeer.service.knownaddress import KnownAddress
from bitpeer.service.rests import Rests
from bitpeer.service.seeds import Address
from bitpeer.service.selection import Selection
from bitpeer.service.slots import CONNECTION_TYPE, Kind, Slot
from tests.service.fakes import Line, Reactor, Transport, make_node

NOON = 1_700_000_000.0
PORT = 8333
ONION = format_host(NetworkId.TORV3, bytes(32))


class World:
    """A node with a book, and everything that has a say in whom it dials."""

    def __init__(self, *hosts, fit=is_routable, wanted=0, own=()):
        self.reactor = Reactor()
        self.reactor.advance(NOON)
        self.node = make_node(self.reactor)
        self.book = AddressBook(secret=bytes(32), draw=lambda: 0.0, fit=fit)
        self.book.learn([Address(host, PORT) for host in hosts], "seeds", NOON)
        assert len(self.book) == len(hosts)
        self.rests = Rests()
        self.bans = Bans(None, self.reactor.seconds)
        self.bans.startService()
        self.slots = set()
        self.selection = Selection(
            self.node,
            self.book,
            Routes(self.reactor),
            self.rests,
            wanted=wanted,
            bans=self.bans,
            group_of=lambda known: known.group,
            is_own=lambda address: address.host in own,
        )

    def connect(self, host, *, outbound, picked=False, dialled=None):
        """Let there be a connection to *host*."""
        address = IPv4Address("TCP", host, 4711)
        factory = PeerFactory(self.node, outbound=outbound, dialled=dialled)
        line = Line(factory.buildProtocol(address), Transport(peerAddress=address)).open()
        if picked:
            line.peer.facts[CONNECTION_TYPE] = Kind.FULL.value

    def pick(self, first=None):
        return host_of(self.selection.pick(self.slots, first or [], Kind.FULL, NOON))

    def test(self):
        return host_of(self.selection.pick_to_test(self.slots, NOON))

    def dial(self, host, kind=Kind.FULL):
        self.slots.add(Slot(kind, KnownAddress.of(host, PORT)))


def host_of(slot):
    return None if slot is None else slot.known.address.host


@pytest.fixture
def make_world():
    """Return what makes a world; all are stopped at the end."""
    worlds = []

    def make(*hosts, **settings):
        worlds.append(World(*hosts, **settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.node.stop()
        world.bans.stopService()


def test_an_address_is_picked_for_a_purpose(make_world):
    world = make_world("20.1.0.1")
    slot = world.selection.pick((), [], Kind.BLOCK_ONLY, NOON)
    assert slot.kind is Kind.BLOCK_ONLY
    assert slot.known is world.book.look_up(Address("20.1.0.1", PORT))
    assert world.selection.pick_to_test((), NOON).kind is Kind.FEELER


def test_from_an_empty_book_nothing_is_picked(make_world):
    world = make_world()
    assert world.pick() is world.test() is None


@pytest.mark.parametrize("method", ["pick", "test"])
def test_what_must_not_be_dialled_is_not_picked(make_world, method):
    world = make_world("20.1.0.1", "20.2.0.1", "20.3.0.1", "20.4.0.1", ONION, own={"20.3.0.1"})
    world.rests.begin(Address("20.1.0.1", PORT), DisconnectReason.IDLE, NOON)
    world.bans.ban("20.2.0.1", NOON + 60)
    world.bans.discourage("20.4.0.1")
    assert getattr(world, method)() is None


@pytest.mark.parametrize("method", ["pick", "test"])
def test_where_somebody_is_connected_nobody_is_dialled(make_world, method):
    world = make_world("20.1.0.1", "20.2.0.1", "20.3.0.1")
    world.connect("20.1.0.1", outbound=False)
    world.connect("127.0.0.1", outbound=True, dialled=f"20.2.0.1:{PORT}")
    world.dial("20.3.0.1", Kind.FEELER)
    assert getattr(world, method)() is None


def test_r_e1_groups_of_those_who_are_dialled_are_taken_those_of_visitors_and_feelers_not(
    make_world,
):
    world = make_world("20.1.0.1", "20.2.0.1", "20.3.0.1", "20.4.0.1")
    world.dial("20.1.9.9")
    world.connect("20.2.9.9", outbound=True)
    world.connect("20.3.9.9", outbound=False)
    world.dial("20.4.9.9", Kind.FEELER)
    assert {world.pick() for _ in range(50)} == {"20.3.0.1", "20.4.0.1"}
    assert {world.test() for _ in range(99)} == {f"20.{n}.0.1" for n in (1, 2, 3, 4)}


def test_a_peer_that_was_picked_counts_by_its_slot(make_world):
    world = make_world("20.1.0.1")
    world.connect("20.1.9.9", outbound=True, picked=True)
    assert world.pick() == "20.1.0.1"


def test_peers_without_an_address_take_nothing(make_world):
    world = make_world("20.1.0.1")
    world.connect("127.0.0.1", outbound=True, dialled="unix:/run/peers")
    assert world.pick() == "20.1.0.1"


def test_on_one_machine_there_may_be_many_nodes(make_world):
    world = make_world("127.0.0.1", fit=lambda *_: True)
    world.connect("127.0.0.1", outbound=True, dialled="127.0.0.1:9")
    world.connect("127.0.0.1", outbound=False)
    assert world.pick() == "127.0.0.1"
    world.connect("127.0.0.1", outbound=True, dialled=f"127.0.0.1:{PORT}")
    assert world.pick() is None


def test_what_is_first_comes_first_if_it_may_be_dialled(make_world):
    world = make_world("20.1.0.1")
    world.bans.discourage("20.8.0.1")
    first = [Slot(Kind.FULL, KnownAddress.of(f"20.{n}.0.1", PORT)) for n in (8, 9)]
    other = Slot(Kind.BLOCK_ONLY, KnownAddress.of("20.7.0.1", PORT))
    first.append(other)
    assert world.pick(first) == "20.9.0.1"
    assert first == [other]
    assert world.pick(first) == "20.1.0.1"
    assert first == [other]


def test_r_e3_hints_decide_who_is_picked_first_and_words_who_is_not_at_all(make_world):
    world = make_world("20.1.0.1", "20.2.0.1", "20.3.0.1", wanted=9)
    known = {host: world.book.look_up(Address(host, PORT)) for host in ("20.1.0.1", "20.2.0.1")}
    known["20.1.0.1"].services = 13
    known["20.2.0.1"].services, known["20.2.0.1"].services_seen = 1, True
    assert {world.pick() for _ in range(20)} == {"20.1.0.1"}
    world.dial("20.1.0.1")
    assert {world.pick() for _ in range(20)} == {"20.3.0.1"}
    world.dial("20.3.0.1")
    assert world.pick() is None


def test_whoever_may_lose_a_place_is_tested_first(make_world, monkeypatch):
    world = make_world("20.1.0.1", "20.2.0.1")
    doubtful = KnownAddress.of("20.5.0.1", PORT)
    monkeypatch.setattr(world.book, "doubtful", lambda _: doubtful)
    assert world.test() == "20.5.0.1"
    world.bans.discourage("20.5.0.1")
    assert world.test() in {"20.1.0.1", "20.2.0.1"}


def test_without_bans_nobody_is_unwanted(make_world):
    world = make_world("20.1.0.1")
    world.selection._bans = None
    assert world.pick() == "20.1.0.1"
