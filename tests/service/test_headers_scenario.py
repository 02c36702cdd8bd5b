"""Whole nodes follow the chain over an imaginary network: with forks, crashes, liars and crowds."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import deferLater

from bitpeer.bitcoin.header import BlockHeader, Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import PeerConfig
from bitpeer.errors import DisconnectReason
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.local import LocalNode
from bitpeer.service.compose import node_service
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from bitpeer.service.headersync import HeaderSync
from bitpeer.testing import Host, Link, Simulation, listen
from tests.chains import demanding, mined

NOW = 1_700_100_000.0
MAIN = mined(5_000, step=10)
FORK = mined(2_600, MAIN[2_499], tag=b"fork", time=MAIN[2_499].time + 10, step=10)
"""Leaves the chain in its middle, and is one hundred blocks longer in the end."""
LINK = Link(latency=0.05, jitter=0.02)


class Node:
    """A node that follows the chain, and serves what it has."""

    def __init__(
        self,
        host: Host,
        chain: HeaderChain,
        *,
        connect: tuple[str, ...] = (),
        headers: list[BlockHeader] = (),
    ) -> None:
        self.host = host
        self.chain = chain
        if headers:
            chain.extend(chain.rules.links(headers), NOW)
        network = chain_network(chain)
        self.node = LocalNode(PeerConfig(network=network), clock=host)
        self.sync = HeaderSync(self.node, chain)
        self.node.add_listener(self.sync)
        self.node.add_listener(HeaderServer(self.node, chain))
        self.service = node_service(self.node, listen=["8333"], connect=connect, reactor=host)
        self.service.addService(self.sync)
        self.service.startService()

    async def reaches(self, height: int) -> None:
        while self.chain.height < height:
            await deferLater(self.host, 0.01, lambda: None)


def chain_network(chain: HeaderChain):
    return REGTEST if not chain.minimum_work else demanding(chain.minimum_work)


@pytest.fixture
def opened():
    """Open chains that are closed when the test is over."""
    chains = []

    def opened(path: Path | None = None, network=REGTEST) -> HeaderChain:
        chains.append(HeaderChain.open(network, path))
        return chains[-1]

    yield opened
    for chain in chains:
        chain.close()


def dialled(*nodes: Node) -> tuple[str, ...]:
    return tuple(f"{node.host.address}:8333" for node in nodes)


def test_a_chain_is_followed_through_a_reorganisation_and_a_crash(opened, tmp_path):
    file = tmp_path / "headers.sqlite"
    with Simulation(seed=3, link=LINK, now=NOW) as simulation:
        one, two = (Node(simulation.host(), opened(), headers=MAIN) for _ in range(2))
        three = Node(simulation.host(), opened(), headers=MAIN[:2_000])
        host = simulation.host()
        ours = Node(host, opened(file), connect=dialled(three, one, two))
        simulation.run(ours.reaches(2_000))
        simulation.run(ours.reaches(4_000))
        host.crash()
        kept = ours.chain.height
        ours.chain.close()
        two.chain.extend(two.chain.rules.links(FORK), NOW)  # while nobody looked
        host.reboot()
        ours = Node(host, opened(file), connect=dialled(one, three, two))
        assert ours.chain.height == kept >= 4_000
        simulation.run(ours.reaches(5_100))
        assert ours.chain.tip == two.chain.tip
        assert ours.chain.hash_at(2_500) == MAIN[2_499].hash
        assert ours.chain.hash_at(2_501) == FORK[0].hash
        assert ours.chain.find(MAIN[-1].hash).height == 5_000
        assert ours.node.newest_block() == two.chain.tip


def test_a_chain_goes_from_node_to_node(opened):
    with Simulation(seed=5, link=LINK, now=NOW) as simulation:
        nodes = [Node(simulation.host(), opened(), headers=MAIN)]
        for _ in range(3):
            nodes.append(Node(simulation.host(), opened(), connect=dialled(nodes[-1])))
        simulation.run(nodes[-1].reaches(5_000))
        assert {node.chain.tip for node in nodes} == {nodes[0].chain.tip}
        assert simulation.elapsed < 200  # each asks again after a minute


def test_a_chain_that_must_show_its_work_is_followed_as_well(opened):
    network = demanding(2 * 4_001)
    with Simulation(seed=7, link=LINK, now=NOW) as simulation:
        one = Node(simulation.host(), opened(network=network), headers=MAIN)
        ours = Node(simulation.host(), opened(network=network), connect=dialled(one))
        simulation.run(ours.reaches(5_000))
        assert ours.chain.tip == one.chain.tip


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "wrong"])
def test_a_leader_that_is_of_no_use_is_replaced(opened, silent):
    with Simulation(seed=9, link=LINK, now=NOW) as simulation:
        host = simulation.host()
        door = simulation.run(listen(host, "8333", REGTEST))
        ours = Node(simulation.host(), opened(), connect=(f"{host.address}:8333",))

        async def story() -> None:
            liar = await door.accept()
            await liar.shake_hands()
            await liar.expect(GetHeaders)
            honest = Node(simulation.host(), opened(), headers=MAIN)
            more = node_service(ours.node, connect=dialled(honest), reactor=ours.host)
            more.startService()
            if not silent:
                liar.send(Headers([MAIN[0], MAIN[2]]))
            await liar.expect_lost(timeout=120)
            await ours.reaches(5_000)

        simulation.run(story())
        reason = DisconnectReason.STALLED if silent else DisconnectReason.BAD_HEADER
        assert ours.node.lost[reason] == 1


def test_r_a6_a_flood_of_worthless_headers_costs_no_room(opened):
    """Ten million would take as long as they take to hash; these go round in a circle."""
    with Simulation(seed=11, now=NOW) as simulation:
        host = simulation.host()
        door = simulation.run(listen(host, "8333", demanding(1 << 80)))
        chain = opened(network=demanding(1 << 80))
        ours = Node(simulation.host(), chain, connect=(f"{host.address}:8333",))

        async def story() -> None:
            flooder = await door.accept()
            await flooder.shake_hands()
            for at in range(0, 4_000, 2_000):
                await flooder.expect(GetHeaders)
                flooder.send(Headers(MAIN[at : at + 2_000]))
            await flooder.expect(GetHeaders)
            for _ in range(20):
                flooder.send(Headers(MAIN[:2_000]))
            await flooder.expect_lost()

        simulation.run(story())
        assert chain.height == 0
        assert chain.find(MAIN[0].hash) is None
        assert ours.node.lost[DisconnectReason.BAD_HEADER] == 1
