"""Blocks that a real node mined: announced, fetched in every form, and checked."""

import pytest_twisted
from btclib.block.block import Block as TheirBlock
from btclib.block.block_filter import BasicBlockFilter

from bitpeer.bitcoin import (
    BASIC_FILTER,
    REGTEST,
    Block,
    BlockTxn,
    BloomFilter,
    CFilter,
    CmpctBlock,
    GetBlocks,
    GetCFilters,
    GetData,
    GetHeaders,
    Headers,
    Inv,
    InvType,
    InvVect,
    MerkleBlock,
    NotFound,
    Ping,
    SendCmpct,
    Services,
    Tx,
    basic_filter,
)
from bitpeer.bitcoin.bloom import Update
from bitpeer.bitcoin.compact import PartialBlock, short_id, short_id_key
from tests.interop.bcoin_node import PATIENCE, within


async def fetch(peer, ears, kind, hashes):
    """Ask for one block after the other, all at once, and return them as they come."""
    awaited = [
        within(PATIENCE, ears.next(Block, lambda block, wanted=wanted: block.hash == wanted))
        for wanted in hashes
    ]
    peer.send(GetData([InvVect(kind, wanted) for wanted in hashes]))
    return [await block for block in awaited]


async def mine_payments(bcoin, *kinds):
    """Have the node mine a block with one payment of each kind; return its hash and them."""
    payments = [Tx.decode(await bcoin.payment(kind)) for kind in kinds]
    for payment in payments:
        await bcoin.send_raw_transaction(payment.encode())
    (block_hash,) = await bcoin.generate()
    return block_hash, payments


@pytest_twisted.ensureDeferred
async def test_headers_are_those_of_the_chain_that_the_node_mined(bcoin, dial):
    peer, ears = await dial(bcoin)
    answered = within(PATIENCE, ears.next(Headers))
    assert peer.push_get_headers([REGTEST.genesis])
    headers = (await answered).headers
    tip = await bcoin.tip()
    assert len(headers) == tip.height
    parent = REGTEST.genesis
    for header in headers:
        assert header.previous_hash == parent
        assert header.meets_target()
        parent = header.hash
    assert parent == tip.hash
    assert not peer.push_get_headers([REGTEST.genesis])  # twice in a row


@pytest_twisted.ensureDeferred
async def test_headers_begin_where_the_locator_says_and_end_where_the_stop_does(bcoin, dial):
    hashes = await bcoin.generate(5)
    peer, ears = await dial(bcoin)
    answered = within(PATIENCE, ears.next(Headers))
    unknown = bytes(31) + b"\1"
    peer.send(GetHeaders(peer.negotiated_version, [unknown, hashes[0], REGTEST.genesis], hashes[3]))
    assert (await answered).hashes() == hashes[1:4]


@pytest_twisted.ensureDeferred
async def test_getblocks_is_answered_with_the_first_five_hundred_hashes(bcoin, dial):
    peer, ears = await dial(bcoin)
    listed = within(PATIENCE, ears.next(Headers))
    peer.push_get_headers([REGTEST.genesis])
    hashes = (await listed).hashes()
    answered = within(PATIENCE, ears.next(Inv))
    assert peer.push_get_blocks([REGTEST.genesis])
    items = (await answered).items
    assert list(items) == [InvVect(InvType.BLOCK, hash_) for hash_ in hashes[:500]]
    assert all(peer.knows(item) for item in items)


@pytest_twisted.ensureDeferred
async def test_blocks_are_fetched_and_are_what_their_headers_commit_to(bcoin, dial):
    peer, ears = await dial(bcoin)
    hashes = [
        (await mine_payments(bcoin, "segwit", "legacy"))[0],
        (await mine_payments(bcoin, "segwit", "segwit", "legacy"))[0],
        *await bcoin.generate(20, "segwit"),
    ]
    blocks = await fetch(peer, ears, InvType.WITNESS_BLOCK, hashes)
    for block, block_hash in zip(blocks, hashes, strict=True):
        assert block.hash == block_hash
        assert block.encode() == await bcoin.block(block_hash)
        assert block.merkle_root() == block.header.merkle_root
        block.check()
        assert block.transactions[0].is_coinbase
    assert [block.transaction_count for block in blocks[:3]] == [3, 4, 1]


@pytest_twisted.ensureDeferred
async def test_block_without_witnesses_is_the_same_block(bcoin, dial):
    peer, ears = await dial(bcoin)
    block_hash, payments = await mine_payments(bcoin, "segwit", "legacy")
    (whole,) = await fetch(peer, ears, InvType.WITNESS_BLOCK, [block_hash])
    (bare,) = await fetch(peer, ears, InvType.BLOCK, [block_hash])
    assert bare.hash == whole.hash
    assert bare.txids() == whole.txids()
    assert bare.size < whole.size
    assert not any(each.has_witness for each in bare.transactions)
    assert [each.without_witness() for each in whole.transactions] == list(bare.transactions)
    bare.check(witnesses=False)
    assert {payment.wtxid for payment in payments} <= set(whole.wtxids())


@pytest_twisted.ensureDeferred
async def test_what_the_node_does_not_have_is_not_found(bcoin, dial):
    peer, ears = await dial(bcoin)
    items = [
        InvVect(kind, bytes([number]) * 32)
        for number, kind in enumerate((InvType.BLOCK, InvType.TX, InvType.WITNESS_BLOCK))
    ]
    answered = within(PATIENCE, ears.next(NotFound))
    peer.send(GetData(items))
    assert list((await answered).items) == items


@pytest_twisted.ensureDeferred
async def test_new_block_is_announced_by_its_header_to_those_who_ask_for_that(bcoin, dial):
    ready = within(PATIENCE, bcoin.event("message", command="sendheaders"))
    _, ears = await dial(bcoin)
    await ready
    announced = within(PATIENCE, ears.next(Headers))
    (block_hash,) = await bcoin.generate()
    assert (await announced).hashes() == [block_hash]


@pytest_twisted.ensureDeferred
async def test_new_block_is_announced_by_inv_to_those_who_wish_for_nothing(bcoin, dial):
    pinged = within(PATIENCE, bcoin.event("message", command="ping"))
    peer, ears = await dial(bcoin, preferences=())
    await pinged
    announced = within(PATIENCE, ears.next(Inv))
    (block_hash,) = await bcoin.generate()
    (item,) = (await announced).items
    assert item == InvVect(InvType.BLOCK, block_hash)
    assert peer.knows(item)
    assert not peer.announce(item)


# Compact blocks


@pytest_twisted.ensureDeferred
async def test_compact_block_is_completed_with_what_the_node_sends_on_request(bcoin, dial):
    peer, ears = await dial(bcoin)
    block_hash, (known, *unknown) = await mine_payments(bcoin, "segwit", "legacy", "segwit")
    answered = within(PATIENCE, ears.next(CmpctBlock))
    peer.send(GetData([InvVect(InvType.CMPCT_BLOCK, block_hash)]))
    compact = await answered
    assert compact.header.hash == block_hash
    assert [index for index, _ in compact.prefilled] == [0]
    key = short_id_key(compact.header, compact.nonce)
    assert set(compact.short_ids) == {short_id(key, tx.wtxid) for tx in (known, *unknown)}

    partial = PartialBlock(compact)
    partial.offer([known])
    request = partial.request()
    assert len(request.indices) == 2
    filled = within(PATIENCE, ears.next(BlockTxn))
    peer.send(request)
    rest = await filled
    assert rest.block_hash == block_hash
    assert {tx.wtxid for tx in rest.transactions} == {tx.wtxid for tx in unknown}
    block = partial.complete(rest.transactions)
    assert block.encode() == await bcoin.block(block_hash)


@pytest_twisted.ensureDeferred
async def test_new_block_comes_unasked_in_compact_form_to_those_who_wish_for_it(bcoin, dial):
    ready = within(PATIENCE, bcoin.event("message", command="sendcmpct"))
    _, ears = await dial(bcoin, preferences=(SendCmpct(1, 2),))
    await ready
    announced = within(PATIENCE, ears.next(CmpctBlock))
    block_hash, payments = await mine_payments(bcoin, "segwit", "legacy")
    compact = await announced
    assert compact.header.hash == block_hash
    partial = PartialBlock(compact)
    partial.offer(payments)
    assert partial.missing == ()
    assert partial.complete().encode() == await bcoin.block(block_hash)


@pytest_twisted.ensureDeferred
async def test_block_too_deep_for_the_compact_form_comes_whole(bcoin, dial):
    peer, ears = await dial(bcoin)
    deep, *_ = await bcoin.generate(12)
    (block,) = await fetch(peer, ears, InvType.CMPCT_BLOCK, [deep])
    block.check()


# Bloom filters


@pytest_twisted.ensureDeferred
async def test_filtered_block_proves_the_transactions_that_match_and_brings_them(bcoin, dial):
    peer, ears = await dial(bcoin)
    block_hash, (other, wanted, another) = await mine_payments(bcoin, "legacy", "segwit", "legacy")
    bloom = BloomFilter.sized(5, 0.000001, tweak=2_147_483_649)
    bloom.add(wanted.txid)
    assert [bloom.matches(tx) for tx in (other, wanted, another)] == [False, True, False]
    peer.send(bloom.to_message())
    proved = within(PATIENCE, ears.next(MerkleBlock))
    brought = within(PATIENCE, ears.next(Tx))
    peer.send(GetData([InvVect(InvType.FILTERED_BLOCK, block_hash)]))
    proof = await proved
    assert proof.header.hash == block_hash
    assert proof.transaction_count == 4
    matches = proof.matches()
    assert matches.txids == (wanted.txid,)
    block = Block.decode(await bcoin.block(block_hash))
    assert [block.txids()[index] for index in matches.indices] == [wanted.txid]
    assert MerkleBlock.of(block, matches.indices) == proof
    assert (await brought).txid == wanted.txid


@pytest_twisted.ensureDeferred
async def test_node_finds_with_our_filter_what_we_find_with_it(bcoin, dial):
    """Whatever is paid to a key matches, and the outputs that match are watched from then on."""
    peer, ears = await dial(bcoin)
    block_hash, _ = await mine_payments(bcoin, "legacy", "segwit", "legacy", "segwit")
    block = Block.decode(await bcoin.block(block_hash))
    key_hash = bytes.fromhex((await bcoin.keys())["segwit"]["key_hash"])
    for elements in ([key_hash], [block.txids()[2], block.txids()[3]], [b"nothing of the kind"]):
        bloom = BloomFilter.sized(10, 0.00001, tweak=77, flags=Update.ALL)
        for element in elements:
            bloom.add(element)
        proved = within(PATIENCE, ears.next(MerkleBlock))
        peer.send(bloom.to_message())
        peer.send(GetData([InvVect(InvType.FILTERED_BLOCK, block_hash)]))
        found = (await proved).matches().txids
        assert list(found) == [tx.txid for tx in block.transactions if bloom.matches(tx)]


@pytest_twisted.ensureDeferred
async def test_filtered_block_without_a_filter_is_not_found(bcoin, dial):
    peer, ears = await dial(bcoin)
    item = InvVect(InvType.FILTERED_BLOCK, await bcoin.best_hash())
    answered = within(PATIENCE, ears.next(NotFound))
    peer.send(GetData([item]))
    assert list((await answered).items) == [item]


@pytest_twisted.ensureDeferred
async def test_node_goes_on_behind_five_hundred_blocks_when_they_are_fetched(bcoin, dial):
    peer, ears = await dial(bcoin)
    listed = within(PATIENCE, ears.next(Inv))
    peer.send(GetBlocks(peer.negotiated_version, [REGTEST.genesis]))
    hashes = [item.hash for item in (await listed).items]
    tip = within(PATIENCE, ears.next(Inv))
    blocks = await fetch(peer, ears, InvType.WITNESS_BLOCK, hashes)
    assert [block.header.previous_hash for block in blocks] == [REGTEST.genesis, *hashes[:-1]]
    assert list((await tip).items) == [InvVect(InvType.BLOCK, await bcoin.best_hash())]


# Compact filters: the node has none, but blocks to make them of


@pytest_twisted.ensureDeferred
async def test_node_without_compact_filters_passes_over_a_question_for_them(bcoin, dial):
    peer, ears = await dial(bcoin, stall_timeout=None)
    assert not peer.services & Services.COMPACT_FILTERS
    address = peer.snapshot().local_address
    passed_over = within(PATIENCE, bcoin.event("message", address=address, command="getcfilters"))
    peer.send(GetCFilters(BASIC_FILTER, 1, await bcoin.best_hash()))
    await passed_over
    asked = within(PATIENCE, ears.next(Ping))
    await bcoin.ping(address)
    await asked
    assert not ears.heard(CFilter)


@pytest_twisted.ensureDeferred
async def test_compact_filter_of_a_real_block_is_what_others_make_of_it(bcoin):
    block_hash, payments = await mine_payments(bcoin, "segwit", "legacy")
    block = Block.decode(await bcoin.block(block_hash))
    scripts = []
    for tx in block.transactions[1:]:
        (spent,) = tx.inputs
        source = Tx.decode(await bcoin.transaction(spent.previous_hash))
        scripts.append(source.outputs[spent.previous_index].script)
    ours = basic_filter(block, scripts)
    theirs = BasicBlockFilter.from_block(
        TheirBlock.parse(block.encode(), check_validity=False), scripts
    )
    assert ours.encoding == theirs.serialize()
    assert ours.hash == theirs.hash[::-1]
    assert ours.matches_any(output.script for tx in payments for output in tx.outputs)
    assert all(map(ours.matches, scripts))
