"""A whole service on an imaginary internet: it finds peers, and replaces those who die silently."""

from bitpeer.bitcoin import NETWORKS
from bitpeer.config import PeerConfig
from bitpeer.errors import DisconnectReason
from bitpeer.net.local import LocalNode
from bitpeer.service.compose import node_service, peer_service
from bitpeer.testing import Link, Simulation

NETWORK = NETWORKS["mainnet"]
CONFIG = PeerConfig(network=NETWORK, services=0x9, idle_timeout=300)
WANTED = 8


def live(seed: int) -> list[object]:
    """Let a node live through the loss of three peers; return what can be told of it."""
    with Simulation(seed, link=Link(latency=0.1, jitter=0.2)) as simulation:
        others = [simulation.host() for _ in range(20)]
        for host in others:
            peer_service(CONFIG, listen=["8333"], reactor=host).startService()
        for dns in NETWORK.seeds:
            known = simulation.random.sample(others, 6)
            for name in (dns.host, f"x9.{dns.host}"):
                simulation.name(name, *(host.address for host in known))
        here = simulation.host()
        node = LocalNode(CONFIG, clock=here)
        service = node_service(node, outbound=WANTED, reactor=here)
        service.startService()
        simulation.advance(60)
        assert len(node.established()) == WANTED
        dialled = {peer.transport.getPeer().host for peer in node.established()}
        victims = [host for host in others if host.address in dialled][:3]
        for host in victims:
            host.crash()
        simulation.advance(360)
        assert node.lost == {DisconnectReason.IDLE: 3}
        assert len(node.established()) == WANTED
        after = {peer.transport.getPeer().host for peer in node.established()}
        assert not after & {host.address for host in victims}
        simulation.run(service.stopService())
        assert not here.getDelayedCalls()
        return [sorted(dialled), sorted(after), simulation.elapsed, node.totals]


def test_peers_without_power_are_noticed_and_replaced():
    assert live(1) == live(1) != live(2)
