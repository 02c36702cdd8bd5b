"""Two nodes, several connections, links of every kind: whatever is said arrives, once, in order."""

from random import Random

import pytest
from zope.interface import implementer

from bitpeer.bitcoin import NETWORKS, InvType, InvVect
from bitpeer.config import PeerConfig
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeerListener
from bitpeer.net.local import LocalNode
from bitpeer.testing import Link, Simulation
from bitpeer.wire.message import Unknown

CONNECTIONS = 3
MESSAGES = 12


def any_link(die: Random) -> Link:
    """Return a link as bad as any that still works within the deadlines."""
    return Link(
        latency=die.choice((0.0, 0.01, 0.3, 2.0)),
        jitter=die.choice((0.0, 0.5, 3.0)),
        bandwidth=die.choice((2_000, 100_000, float("inf"))),
        segment=die.choice((1, 7, 300, 65_536)),
        window=die.choice((1_500, 20_000, 262_144)),
    )


@implementer(IPeerListener)
class Ears:
    def __init__(self):
        self.heard = {}

    @property
    def count(self):
        return sum(map(len, self.heard.values()))

    def peer_established(self, peer, version):
        assert peer not in self.heard
        self.heard[peer] = []

    def message_received(self, peer, message):
        if isinstance(message, Unknown):
            self.heard[peer].append(message.payload)

    def peer_lost(self, peer, reason):
        raise AssertionError(f"{peer} was lost: {reason}")


@pytest.mark.parametrize("seed", range(25))
def test_all_that_is_said_arrives_in_order(seed, logged_failures):
    with Simulation(seed) as simulation:
        die, hosts = simulation.random, [simulation.host(), simulation.host()]
        simulation.set_link(*hosts, any_link(die), one_way=True)
        simulation.set_link(*reversed(hosts), any_link(die), one_way=True)
        config = PeerConfig(
            network=NETWORKS["regtest"],
            transfer_grace=1_000,
            handshake_timeout=200,
            idle_timeout=2_000,
            ping_timeout=2_000,
        )
        ears = [Ears(), Ears()]
        nodes = [
            LocalNode(config, [each], clock=host) for each, host in zip(ears, hosts, strict=True)
        ]
        hosts[1].listenTCP(8333, PeerFactory(nodes[1], outbound=False))
        door = hosts[0].client(hosts[1].address, 8333)
        for _ in range(CONNECTIONS):
            door.connect(PeerFactory(nodes[0], outbound=True))
        while len(ears[0].heard) + len(ears[1].heard) < 2 * CONNECTIONS:
            simulation.advance(1)
            assert simulation.elapsed < 250
        said = {peer: [] for each in ears for peer in each.heard}
        for number in range(MESSAGES):
            for peer, texts in said.items():
                texts.append(b"%d " % number + bytes(die.choice((0, 5, 200))))
                peer.send(Unknown("say", texts[-1]))
                peer.announce(InvVect(InvType.BLOCK, die.randbytes(32)))
            simulation.advance(die.random())
        while sum(each.count for each in ears) < sum(map(len, said.values())):
            simulation.advance(5)
            assert simulation.elapsed < 1_000
        for one, other in (ears, ears[::-1]):
            everything = sorted(said[peer] for peer in one.heard)
            assert sorted(other.heard.values()) == everything
        simulation.advance(20)
        for node in nodes:
            assert node.held == 0
            assert not node.lost
        assert nodes[0].totals == nodes[1].totals[::-1]
    assert not logged_failures.claim()
