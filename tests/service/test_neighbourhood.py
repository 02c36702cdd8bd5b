"""Thirty nodes that find each other: slots filled by gossip, refilled, defended, and closed to one.

Each is composed of the parts that `twistd bitpeer` has, on a host of its own in an imaginary
network.  Only eight of them are known to the seed.
"""

from collections import Counter
from dataclasses import replace

import pytest
from twisted.application.service import MultiService
from twisted.internet.task import deferLater

from bitpeer.bitcoin.networks import MAINNET
from bitpeer.config import PeerConfig
from bitpeer.dialect import DnsSeed
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.admission import Admission, GuardedFactory, Limits, Refusal
from bitpeer.service.bans import Bans
from bitpeer.service.conduct import Conduct
from bitpeer.service.feelers import Feelers
from bitpeer.service.gossip import Gossip
from bitpeer.service.listening import Listening
from bitpeer.service.lookups import ByResolver
from bitpeer.service.outbound import Outbound
from bitpeer.service.seeds import Address, Seeds
from bitpeer.service.slots import CONNECTION_TYPE, speaks_of_addresses
from bitpeer.testing import Link, Simulation

NETWORK = replace(MAINNET, seeds=(DnsSeed("seed.example"),), https_seeds=())
COUNT = 30
FULL, BLOCK_ONLY = 4, 1
TOLD = 8
"""Nodes that the seed knows."""
MINUTE = 60.0


class Neighbour:
    """One node, with all its services, on a host."""

    def __init__(self, host):
        self.host = host
        self.node = LocalNode(PeerConfig(network=NETWORK, services=9), clock=host)
        self.book = AddressBook(is_own=self.is_own)
        self.bans = Bans(None, host.seconds)
        self.events = Counter()
        self.node.add_listener(Conduct(self.bans, tell=self.tell))
        look_up = ByResolver(host.nameResolver, NETWORK.port, clock=host)
        seeds = Seeds(NETWORK, look_up, clock=host, journal=self.node.journal)
        limits = Limits(most=16, per_host=5, per_prefix=10)
        self.admission = Admission(self.node, limits, bans=self.bans, tell=self.tell)
        self.slots = Outbound(
            self.node,
            self.book,
            Routes(host),
            seeds,
            full=FULL,
            block_only=BLOCK_ONLY,
            wanted=9,
            bans=self.bans,
            is_own=self.is_own,
            tell=self.tell,
        )
        gossip = Gossip(
            self.node, self.book, own=lambda _: [self.address], takes_part=speaks_of_addresses
        )
        self.node.add_listener(gossip)
        factory = GuardedFactory(PeerFactory(self.node, outbound=False), self.admission)
        door = Listening("door", host.server(NETWORK.port), factory, self.node.journal)
        feelers = Feelers(self.slots.feel, clock=host, journal=self.node.journal)
        self.services = MultiService()
        for service in (self.bans, door, self.admission, self.slots, feelers, gossip):
            self.services.addService(service)
        self.services.startService()

    @property
    def address(self):
        return Address(self.host.address, NETWORK.port)

    def is_own(self, address):
        return address == self.address

    def tell(self, name, **fields):
        self.events[name] += 1

    def peers(self, *, inbound=False):
        """Return the hosts at the other ends of established connections, and what those are for.

        Feelers are none of them.
        """
        return {
            peer.address.partition(":")[0]: peer.facts.get(CONNECTION_TYPE)
            for peer in self.node.established()
            if peer.inbound is inbound and peer.facts.get(CONNECTION_TYPE) != "feeler"
        }

    @property
    def filled(self):
        """Whether all slots are."""
        kinds = Counter(self.peers().values())
        return kinds == {"outbound-full-relay": FULL, "block-relay-only": BLOCK_ONLY}

    def stop(self):
        self.services.stopService()
        return self.node.disconnect_all()


@pytest.mark.timeout(120)
def test_thirty_nodes_find_each_other_and_stay_together():
    with Simulation(seed=6, link=Link(latency=0.05, jitter=0.02)) as simulation:
        hosts = [simulation.host() for _ in range(COUNT)]
        simulation.name("seed.example", *(host.address for host in hosts[:TOLD]))
        neighbours = []
        for host in hosts:
            neighbours.append(Neighbour(host))
            simulation.advance(2)

        # Slots are filled by gossip.
        simulation.advance(8 * MINUTE)
        assert all(each.filled for each in neighbours)
        addresses = {each.address.host for each in neighbours}
        for each in neighbours:
            assert set(each.peers()) <= addresses - {each.address.host}
            assert len(each.book) > TOLD
        assert sum(len(each.book) for each in neighbours) > COUNT * COUNT / 2
        assert sum(each.book.counts()["ipv4"][1] for each in neighbours) > 6 * COUNT

        # Six of them lose their power: their places are filled by others.
        dead = {host.address for host in hosts[4:10]}
        for host in hosts[4:10]:
            host.crash()
        survivors = neighbours[:4] + neighbours[10:]
        assert any(dead & set(each.peers()) for each in survivors)
        simulation.advance(10 * MINUTE)
        assert all(each.filled for each in survivors)
        assert not any(dead & set(each.peers()) for each in survivors)

        # Somebody with many hosts fills the house of one of them, and does not get it.
        victim = survivors[0]
        before = victim.admission.evicted
        simulation.run(a_crowd(simulation, victim))
        assert victim.admission.evicted > before
        assert victim.events["peer.evicted"] == victim.admission.evicted
        assert victim.filled
        honest = {host for host in victim.peers(inbound=True) if not host.startswith("66.")}
        assert len(victim.node.established()) <= 16 + FULL + BLOCK_ONLY
        assert len(honest) >= 8

        # One is banned, and comes back when the ban ends.
        simulation.run(a_ban(simulation, victim, min(honest)))

        for each in survivors:
            simulation.run(each.stop())


async def a_crowd(simulation, victim):
    """Connect to a node from sixty hosts of one provider, and stay as long as it lets us."""
    config = PeerConfig(network=NETWORK, services=9)
    for number in range(60):
        host = simulation.host(f"66.6.{number // 6}.{number % 6 + 1}")
        try:
            await connect(host, f"{victim.address.host}:{NETWORK.port}", config)
        except Disconnected:
            assert victim.admission.turned_away


async def a_ban(simulation, victim, host):
    """Ban a host for ten minutes; see it leave, knock in vain, and come in again afterwards."""
    clock, config = victim.host, PeerConfig(network=NETWORK, services=9)
    visitor = simulation.hosts[host]
    (peer,) = (each for each in victim.node.established() if each.inbound and host in each.address)
    lost = peer.when_lost()
    victim.bans.ban(host, clock.seconds() + 10 * MINUTE, "a test")
    assert (await lost).reason is DisconnectReason.CLOSED_HERE
    place = f"{victim.address.host}:{NETWORK.port}"
    with pytest.raises(Disconnected):
        await connect(visitor, place, config)
    assert victim.admission.refusals[Refusal.BANNED] > 0
    await deferLater(clock, 10 * MINUTE)
    assert len(victim.bans) == 0
    assert (await connect(visitor, place, config)).established
