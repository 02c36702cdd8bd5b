"""A real node dials us: what it asks for, and what it takes from us."""

import pytest_twisted

from bitpeer.bitcoin import (
    REGTEST,
    Addr,
    Block,
    GetAddr,
    GetBlocks,
    GetBlockTxn,
    GetData,
    Headers,
    InvType,
    InvVect,
    NodeAddress,
    Ping,
    SendHeaders,
    Services,
    Tx,
)
from bitpeer.config import user_agent
from bitpeer.errors import DisconnectReason
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.our_side import Lost, Met, Shelf


async def blocks_of(node):
    """All blocks of a node, from height 1 on, by way of its own word."""
    blocks, block_hash = [], await node.best_hash()
    while block_hash != REGTEST.genesis:
        blocks.append(Block.decode(await node.block(block_hash)))
        block_hash = blocks[-1].header.previous_hash
    return blocks[::-1]


@pytest_twisted.ensureDeferred
async def test_node_that_dials_us_is_a_peer_like_any_other(start_bcoin, listen):
    port, ears = listen(user_agent=user_agent("waiter", "0.1"))
    node = await start_bcoin()
    met = within(PATIENCE, ears.next(Met))
    opened = within(PATIENCE, node.event("peer open"))
    address = await node.add_peer("127.0.0.1", port)
    peer = (await met).peer
    theirs = await opened
    assert theirs["address"] == address == f"127.0.0.1:{port}"
    assert not theirs["inbound"]
    assert theirs["user_agent"] == "/waiter:0.1/"
    assert theirs["version"] == 70017

    assert peer.inbound
    ours = peer.snapshot()
    assert ours.local_address == address
    assert ours.negotiated_version == 70015
    assert ours.user_agent == b"/bcoin:v1.0.2/"
    assert ours.services == Services.NETWORK | Services.BLOOM | Services.WITNESS

    asked = within(PATIENCE, ears.next(Ping))
    answered = within(PATIENCE, node.event("message", command="pong"))
    await node.ping(address)
    assert (await answered)["payload"] == (await asked).encode().hex()


@pytest_twisted.ensureDeferred
async def test_node_that_dials_us_asks_for_addresses_and_blocks(start_bcoin, listen):
    port, ears = listen()
    node = await start_bcoin()
    await node.add_peer("127.0.0.1", port)
    await within(PATIENCE, ears.first(GetAddr))
    request = await within(PATIENCE, ears.first(GetBlocks))
    assert list(request.locator) == [REGTEST.genesis]
    assert request.stop == bytes(32)


@pytest_twisted.ensureDeferred
async def test_node_fetches_from_us_the_chain_of_another(bcoin, start_bcoin, dial, listen):
    source, ears = await dial(bcoin)
    listed = within(PATIENCE, ears.next(Headers))
    source.push_get_headers([REGTEST.genesis])
    hashes = (await listed).hashes()
    shelf = Shelf()
    for wanted in hashes:
        arrived = within(PATIENCE, ears.next(Block))
        source.send(GetData([InvVect(InvType.WITNESS_BLOCK, wanted)]))
        shelf.add_block(await arrived)

    port, _ = listen(shelf)
    node = await start_bcoin()
    complete = within(PATIENCE, node.event("block", height=len(hashes)))
    await node.add_peer("127.0.0.1", port)
    assert (await complete)["hash"] == hashes[-1].hex()
    assert await node.tip() == await bcoin.tip()


@pytest_twisted.ensureDeferred
async def test_node_puts_together_the_compact_blocks_that_we_serve(bcoin, start_bcoin, listen):
    segwit = await bcoin.payment("segwit")
    legacy = await bcoin.payment("legacy")
    blocks = await blocks_of(bcoin)
    shelf = Shelf(blocks, compact=True)
    port, ears = listen(shelf)
    node = await start_bcoin()
    complete = within(PATIENCE, node.event("block", height=len(blocks)))
    met = within(PATIENCE, ears.next(Met))
    await node.add_peer("127.0.0.1", port)
    peer = (await met).peer
    await complete

    await node.send_raw_transaction(segwit)  # this one it knows, the other it has to ask for
    for payment in (segwit, legacy):
        await bcoin.send_raw_transaction(payment)
    (block_hash,) = await bcoin.generate()
    block = Block.decode(await bcoin.block(block_hash))
    shelf.add_block(block)
    wanted = within(PATIENCE, ears.next(GetData))
    asked = within(PATIENCE, ears.next(GetBlockTxn))
    joined = within(PATIENCE, node.event("block", hash=block_hash.hex()))
    assert peer.announce(InvVect(InvType.BLOCK, block_hash))
    assert list((await wanted).items) == [InvVect(InvType.CMPCT_BLOCK, block_hash)]
    unknown = block.txids().index(Tx.decode(legacy).txid)
    request = await asked
    assert (request.block_hash, list(request.indices)) == (block_hash, [unknown])
    assert (await joined)["transactions"] == 3
    assert await node.best_hash() == block_hash


@pytest_twisted.ensureDeferred
async def test_node_takes_a_block_that_we_announce(bcoin, start_bcoin, listen):
    blocks = await blocks_of(bcoin)
    shelf = Shelf(blocks[:-1])
    port, ears = listen(shelf, preferences=(SendHeaders(),))
    node = await start_bcoin()
    complete = within(PATIENCE, node.event("block", height=len(blocks) - 1))
    met = within(PATIENCE, ears.next(Met))
    await node.add_peer("127.0.0.1", port)
    peer = (await met).peer
    await complete
    shelf.add_block(blocks[-1])
    wanted = within(PATIENCE, ears.next(GetData))
    joined = within(PATIENCE, node.event("block", height=len(blocks)))
    peer.announce(InvVect(InvType.BLOCK, blocks[-1].hash))
    assert list((await wanted).items) == [InvVect(InvType.WITNESS_BLOCK, blocks[-1].hash)]
    assert (await joined)["hash"] == blocks[-1].hash.hex()


@pytest_twisted.ensureDeferred
async def test_node_fetches_a_transaction_that_we_announce_to_it(bcoin, start_bcoin, listen):
    blocks = await blocks_of(bcoin)
    payment = Tx.decode(await bcoin.payment("segwit"))
    shelf = Shelf(blocks)
    port, ears = listen(shelf)
    node = await start_bcoin()
    complete = within(PATIENCE, node.event("block", height=len(blocks)))
    met = within(PATIENCE, ears.next(Met))
    await node.add_peer("127.0.0.1", port)
    peer = (await met).peer
    await complete
    shelf.add_transaction(payment)
    accepted = within(PATIENCE, node.event("tx", txid=payment.txid.hex()))
    assert peer.announce(InvVect(InvType.TX, payment.txid))
    assert (await accepted)["wtxid"] == payment.wtxid.hex()
    assert await node.mempool() == {payment.txid}


@pytest_twisted.ensureDeferred
async def test_addresses_told_to_a_node_come_back_from_it(start_bcoin, listen, dial):
    services = Services.NETWORK | Services.WITNESS
    known = [
        NodeAddress.of("93.184.216.34", 18444, services, 1_700_000_000),
        NodeAddress.of("2606:2800:220:1::1", 8333, services, 1_700_000_001),
    ]
    port, ears = listen()
    node = await start_bcoin()
    await node.add_peer("127.0.0.1", port)
    await within(PATIENCE, ears.first(GetAddr))
    peer = ears.heard(Met)[0].peer
    taken = within(PATIENCE, node.event("message", command="addr"))
    assert list(peer.push_addresses(known)) == known
    await taken

    other, other_ears = await dial(node)
    told = within(PATIENCE, other_ears.next(Addr, lambda addr: len(addr.addresses) > 1))
    other.send(GetAddr())
    hosts = {(each.host, each.port) for each in (await told).addresses}
    assert hosts >= {(each.host, each.port) for each in known}


@pytest_twisted.ensureDeferred
async def test_node_that_dialled_us_and_stops_is_lost(start_bcoin, listen):
    port, ears = listen()
    node = await start_bcoin()
    met = within(PATIENCE, ears.next(Met))
    await node.add_peer("127.0.0.1", port)
    await met
    lost = within(PATIENCE, ears.next(Lost))
    await node.stop()
    assert (await lost).reason.reason is DisconnectReason.CLOSED_BY_PEER
