"""The chain of a real node, followed by its headers."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from bitpeer import LocalNode
from bitpeer.bitcoin import REGTEST
from bitpeer.service.compose import node_service
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from bitpeer.service.headersync import HeaderSync
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.conftest import configured

MANY = 2_100
MINING = 90
"""Seconds that many blocks may take to be mined."""


@pytest.fixture
def follow(tmp_path):
    """Follow a node's chain, in the same file each time; returns chain, sync and how to end."""
    ends = []

    def follow(node):
        chain = HeaderChain.open(REGTEST, tmp_path / "headers.sqlite")
        local = LocalNode(configured(), clock=reactor)
        sync = HeaderSync(local, chain)
        local.add_listener(sync)
        local.add_listener(HeaderServer(local, chain))
        service = node_service(local, connect=[f"127.0.0.1:{node.port}"], reactor=reactor)
        service.addService(sync)
        service.startService()

        async def end():
            if service.running:
                await within(PATIENCE, service.stopService())
                chain.close()

        ends.append(end)
        return chain, sync, end

    yield follow
    for end in ends:
        pytest_twisted.blockon(within(PATIENCE, end()))


async def reached(chain, block):
    while chain.tip.hash != block:
        await deferLater(reactor, 0.02, lambda: None)


@pytest.mark.timeout(240)
@pytest_twisted.ensureDeferred
async def test_a_chain_of_more_than_one_message_is_followed_through_a_reorganisation(
    start_bcoin, follow
):
    node = await start_bcoin()
    hashes = await within(MINING, node.generate(MANY))
    chain, _, end = follow(node)
    await within(PATIENCE, reached(chain, hashes[-1]))
    assert chain.height == MANY
    assert [chain.hash_at(height) for height in (1, 1_000, MANY)] == [
        hashes[height - 1] for height in (1, 1_000, MANY)
    ]
    fork = await within(PATIENCE, node.fork(hashes[MANY - 11], 12))
    await within(PATIENCE, reached(chain, fork[-1]))
    assert chain.height == MANY + 2
    assert chain.hash_at(MANY - 10) == hashes[MANY - 11]
    assert chain.hash_at(MANY - 9) == fork[0]
    await end()
    more = await within(PATIENCE, node.generate(3))
    chain, sync, _ = follow(node)
    assert chain.height == MANY + 2
    await within(PATIENCE, reached(chain, more[-1]))
    assert sync.newest_block() == chain.tip
    tip = await within(PATIENCE, node.tip())
    assert (chain.tip.hash, chain.height) == tip


@pytest.mark.timeout(120)
@pytest_twisted.ensureDeferred
async def test_new_blocks_are_followed_as_they_come(start_bcoin, follow):
    node = await start_bcoin()
    [first] = await within(PATIENCE, node.generate(1))
    chain, sync, _ = follow(node)
    await within(PATIENCE, reached(chain, first))
    assert sync.current
    for height in range(2, 6):
        [block] = await within(PATIENCE, node.generate(1))
        await within(PATIENCE, reached(chain, block))
        assert chain.height == height
    [peer] = await within(PATIENCE, node.peers())
    assert peer["ban_score"] == 0
