"""The harness itself: a real node that starts, mines, pays, and never outlives the tests."""

import hashlib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol

from tests.interop.bcoin_node import PATIENCE, NodeGone, NodeRefused, within

GENESIS = bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f")


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def dial(port):
    endpoint = HostnameEndpoint(reactor, "127.0.0.1", port)
    return within(PATIENCE, endpoint.connect(Factory.forProtocol(Protocol)))


@pytest_twisted.ensureDeferred
async def test_node_starts_mines_ten_blocks_and_stops(start_bcoin):
    node = await start_bcoin()
    assert await node.tip() == (GENESIS, 0)
    hashes = await within(PATIENCE, node.generate(10))
    assert len(hashes) == 10
    assert await node.tip() == (hashes[-1], 10)
    parent = GENESIS
    for block_hash in hashes:
        block = await node.block(block_hash)
        assert sha256d(block[:80]) == block_hash
        assert block[4:36] == parent
        parent = block_hash
    await node.stop()
    with pytest.raises(ConnectError):
        await dial(node.port)
    with pytest.raises(NodeGone):
        await node.tip()


@pytest_twisted.ensureDeferred
async def test_node_is_reached_on_the_port_that_it_names(start_bcoin):
    node = await start_bcoin()
    connection = await dial(node.port)
    closed = within(PATIENCE, node.event("peer close"))
    connection.transport.loseConnection()
    assert (await closed)["inbound"]


@pytest_twisted.ensureDeferred
async def test_node_that_stops_comes_back_on_the_same_port_with_a_new_chain(start_bcoin):
    node = await start_bcoin()
    port = node.port
    await node.generate(1)
    await node.stop()
    await within(PATIENCE, node.start())
    assert node.port == port
    assert await node.tip() == (GENESIS, 0)


@pytest_twisted.ensureDeferred
async def test_node_ends_when_the_pipe_to_it_closes(start_bcoin):
    node = await start_bcoin()
    never = node.event("ban")
    node.let_go()
    with pytest.raises(NodeGone):
        await within(PATIENCE, never)


@pytest_twisted.ensureDeferred
async def test_node_that_is_killed_takes_its_promises_with_it(start_bcoin):
    node = await start_bcoin()
    never = node.event("ban")
    await within(PATIENCE, node.kill())
    with pytest.raises(NodeGone):
        await never


@pytest_twisted.ensureDeferred
async def test_node_dials_nobody_but_this_machine(start_bcoin):
    node = await start_bcoin()
    closed = within(PATIENCE, node.event("peer close", address="192.0.2.1:8333"))
    await node.add_peer("192.0.2.1", 8333)
    assert not (await closed)["established"]


@pytest.mark.parametrize("kind", ["legacy", "segwit"])
@pytest_twisted.ensureDeferred
async def test_payment_is_accepted_and_mined(bcoin, kind):
    payment = await bcoin.payment(kind, outputs=2)
    accepted = within(PATIENCE, bcoin.event("tx"))
    await bcoin.send_raw_transaction(payment)
    seen = await accepted
    txid = bytes.fromhex(seen["txid"])
    assert bytes.fromhex(seen["wtxid"]) == sha256d(payment)
    assert (seen["txid"] == seen["wtxid"]) is (kind == "legacy")
    assert txid in await bcoin.mempool()
    mined = within(PATIENCE, bcoin.event("block"))
    (block_hash,) = await bcoin.generate()
    assert (await mined)["transactions"] == 2
    assert txid not in await bcoin.mempool()
    assert payment in await bcoin.block(block_hash)
    assert await bcoin.transaction(txid) == payment


@pytest_twisted.ensureDeferred
async def test_payment_that_breaks_a_rule_is_refused_with_the_reason(bcoin):
    payment = bytearray(await bcoin.payment("legacy"))
    payment[-5] ^= 1  # the last byte of the script that is paid
    with pytest.raises(NodeRefused, match="mandatory-script-verify-flag"):
        await bcoin.send_raw_transaction(bytes(payment))
    assert await bcoin.mempool() == set()
