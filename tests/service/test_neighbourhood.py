"""Thirty nodes that find each other: slots filled by gossip, refilled, defended, and closed to one.

Each is what `twistd bitpeer` would run, on a host of its own in an imaginary network.  Only eight
of them are known to the seed.
"""

from collections import Counter
from dataclasses import replace

import pytest
from twisted.internet.task import deferLater

from bitpeer.bitcoin.networks import MAINNET
from bitpeer.config import PeerConfig
from bitpeer.dialect import DnsSeed
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.connect import connect
from bitpeer.net.local import LocalNode
from bitpeer.service.admission import Refusal
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.slots import CONNECTION_TYPE
from bitpeer.service.wishes import Wishes
from bitpeer.testing import Link, Simulation

NETWORK = replace(MAINNET, seeds=(DnsSeed("seed.example"),), https_seeds=())
COUNT = 30
FULL, BLOCK_ONLY = 4, 1
TOLD = 8
"""Nodes that the seed knows."""
MINUTE = 60.0


class Neighbour:
    """One node, with all its services, on a host."""

    def __init__(self, host, folder=None):
        self.host = host
        self.events = Counter()
        self.node = LocalNode(PeerConfig(network=NETWORK, services=9), clock=host)
        wishes = Wishes(
            listen=[str(NETWORK.port)],
            outbound=FULL,
            block_only=BLOCK_ONLY,
            feelers=True,
            wanted_services=9,
            max_inbound=16,
            gossip=True,
            own_address=host.address,
            folder=folder,
        )
        self.service = NodeService(self.node, wishes, emit=self.heard, reactor=host)
        self.service.startService()

    def heard(self, name, **fields):
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


@pytest.mark.timeout(120)
def test_thirty_nodes_find_each_other_and_stay_together(tmp_path):
    with Simulation(seed=6, link=Link(latency=0.05, jitter=0.02)) as simulation:
        hosts = [simulation.host() for _ in range(COUNT)]
        simulation.name("seed.example", *(host.address for host in hosts[:TOLD]))
        neighbours = []
        for host in hosts:
            neighbours.append(Neighbour(host, tmp_path if host is hosts[0] else None))
            simulation.advance(2)

        # Slots are filled by gossip.
        simulation.advance(8 * MINUTE)
        assert all(each.filled for each in neighbours)
        addresses = {each.host.address for each in neighbours}
        for each in neighbours:
            assert set(each.peers()) <= addresses - {each.host.address}
            assert len(each.service.book) > TOLD
        assert sum(len(each.service.book) for each in neighbours) > COUNT * COUNT / 2
        assert sum(each.service.book.counts()["ipv4"][1] for each in neighbours) > 6 * COUNT

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
        before = victim.service.admission.evicted
        simulation.run(a_crowd(simulation, victim))
        assert victim.service.admission.evicted > before
        assert victim.events["peer.evicted"] == victim.service.admission.evicted
        assert victim.filled
        honest = {host for host in victim.peers(inbound=True) if not host.startswith("66.")}
        assert len(victim.node.established()) <= 16 + FULL + BLOCK_ONLY
        assert len(honest) >= 8

        # One is banned, and comes back when the ban ends.
        simulation.run(a_ban(simulation, victim, min(honest)))

        # Restarted, it goes first to whom it got blocks from.
        (anchor,) = (host for host, kind in victim.peers().items() if kind == "block-relay-only")
        simulation.run(victim.service.stopService())
        again = Neighbour(victim.host, tmp_path)
        simulation.advance(MINUTE)
        assert again.filled
        assert again.peers()[anchor] == "block-relay-only"

        for each in (again, *survivors[1:]):
            simulation.run(each.service.stopService())


async def a_crowd(simulation, victim):
    """Connect to a node from sixty hosts of one provider, and stay as long as it lets us."""
    config = PeerConfig(network=NETWORK, services=9)
    for number in range(60):
        host = simulation.host(f"66.6.{number // 6}.{number % 6 + 1}")
        try:
            await connect(host, f"{victim.host.address}:{NETWORK.port}", config)
        except Disconnected:
            assert victim.service.admission.turned_away


async def a_ban(simulation, victim, host):
    """Ban a host for ten minutes; see it leave, knock in vain, and come in again afterwards."""
    clock, config = victim.host, PeerConfig(network=NETWORK, services=9)
    visitor = simulation.hosts[host]
    (peer,) = (each for each in victim.node.established() if each.inbound and host in each.address)
    lost = peer.when_lost()
    victim.service.bans.ban(host, clock.seconds() + 10 * MINUTE, "a test")
    assert (await lost).reason is DisconnectReason.CLOSED_HERE
    place = f"{victim.host.address}:{NETWORK.port}"
    with pytest.raises(Disconnected):
        await connect(visitor, place, config)
    assert victim.service.admission.refusals[Refusal.BANNED] > 0
    await deferLater(clock, 10 * MINUTE)
    assert len(victim.service.bans) == 0
    assert (await connect(visitor, place, config)).established
