"""Blocks of the reference, byte for byte, and what peers could change in them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from bitpeer.bitcoin.merkle import merkle_root
from bitpeer.bitcoin.transaction import Tx
from bitpeer.errors import (
    DecodeError,
    InvalidValue,
    LimitExceeded,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.jaxnet.block import (
    MAX_HEADERS,
    MAX_HEADERS_SIZE,
    Block,
    BlockBox,
    Headers,
    MerkleBlock,
    RootedHeader,
)
from bitpeer.jaxnet.constants import MAX_BLOCK_SIZE
from bitpeer.jaxnet.header import BeaconHeader, read_header
from tests.bitcoin.values import HASH, coinbase, transactions
from tests.jaxnet.values import ANY_HEADER
from tests.jaxnet.vectors import (
    BLK1,
    BOX1,
    GEN_FAST,
    GEN_FAST_S1,
    HDRS1,
    MB1,
    SH2,
    TX2,
)
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

UP, DOWN = bytes(range(32)), bytes(range(255, 223, -1))
HEADER, _ = BeaconHeader.read(HDRS1, 33)
SHARD_HEADER, _ = read_header(SH2)


def honest(header, *others):
    """Return a block whose header commits to its transactions."""
    everything = [coinbase(), *others]
    root = merkle_root([tx.txid for tx in everything])
    return Block(replace(header, merkle_root=root), everything)


def test_a_block_of_the_reference():
    block = Block.decode(BLK1)
    assert block.encode() is BLK1
    assert hash_to_text(block.hash) == (
        "837c6583751437a5374a1ceb40f67e9c9b614dc026af0d34e14f601e08d9f52f"
    )
    assert (block.header.version, block.header.height, block.header.chain_weight) == (1, 1, 42)
    assert block.transaction_count == 1
    assert [hash_to_text(txid) for txid in block.txids()] == [
        "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098"
    ]
    block.check()
    assert block.mmr_root == bytes(32)
    assert Block(block.header, list(block.transactions)) == block
    assert repr(block) == f"<Block {hash_to_text(block.hash)}, 1 transactions, {len(BLK1)} bytes>"


def test_a_blockbox_of_the_reference():
    box = BlockBox.decode(BOX1)
    assert box.encode() is BOX1
    assert box.header == HEADER
    assert box.mmr_root == UP
    assert list(box.transactions) == [Tx.decode(TX2)]
    assert BlockBox(HEADER, [Tx.decode(TX2)], UP) == box
    assert BlockBox.of(Block(HEADER, [Tx.decode(TX2)]), UP) == box


@pytest.mark.parametrize(
    ("raw", "name", "exclusive"),
    [
        (
            GEN_FAST,
            "af46c8be3dde59114bbb1861f8f5696a4d62b2b8717e21d566fc687c3265e5a8",
            "f3d16b8324872f88941fd18268c17b1d252edfab698f73e1f9f1034fa62437f4",
        ),
        (
            GEN_FAST_S1,
            "3d40409fc7d09288b79b6292e3add8a50a432e80461c0e77484c17c0183e7052",
            "d8ce8ecf7e0cf2999d8bcb76a938134fd9300cbf7e3161a856be06577ab76220",
        ),
    ],
    ids=["GEN-FAST", "GEN-FAST-S1"],
)
def test_first_blocks_of_the_reference(raw, name, exclusive):
    block = Block.decode(raw)
    assert hash_to_text(block.hash) == name
    assert hash_to_text(block.header.exclusive_hash) == exclusive
    assert hash_to_text(block.header.pow_hash) == (
        "00000000000000000001cd77cc7b0da24548449cc4f7e5ecd4928108e57999a0"
    )
    block.check()
    assert Block(block.header, block.transactions).encode() == raw


@given(ANY_HEADER, st.lists(transactions(), max_size=3), HASH)
@settings(max_examples=30)
def test_every_block_comes_back(header, txs, root):
    for block in (Block(header, txs), BlockBox(header, txs, root)):
        raw = block.encode()
        again, end = type(block).read(b"<" + raw + b">", 1)
        assert (again, end) == (block, 1 + len(raw))
        assert again.header == header
        assert list(again.transactions) == txs
        assert list(again.transactions) == list(block.transactions)
        assert again.mmr_root == block.mmr_root
        bare = again.without_witness()
        assert [tx.has_witness for tx in bare.transactions] == [False] * len(txs)
        assert (bare.txids(), bare.mmr_root, bare.hash) == (
            block.txids(), block.mmr_root, block.hash
        )  # fmt: skip


@pytest.mark.parametrize(("kind", "raw"), [(Block, BLK1), (BlockBox, BOX1)])
def test_every_truncation_is_refused(kind, raw):
    for size in range(len(raw)):
        with pytest.raises(DecodeError):
            kind.read(raw[:size])
        with pytest.raises(DecodeError):
            list(kind.decode(raw[:size]).transactions)


@pytest.mark.parametrize(("kind", "raw"), [(Block, BLK1), (BlockBox, BOX1)])
def test_trailing_bytes_are_found_when_somebody_looks(kind, raw):
    with pytest.raises(TrailingBytes):
        kind.decode(raw + b"!").transactions  # noqa: B018


def test_a_box_without_a_root_is_refused():
    with pytest.raises(Truncated):
        BlockBox.decode(Block(HEADER, []).encode() + bytes(31))
    assert BlockBox.decode(Block(HEADER, []).encode() + UP).mmr_root == UP
    with pytest.raises(Unencodable, match="mmr_root"):
        BlockBox(HEADER, [], b"short")


def test_a_block_may_not_be_larger_than_the_limit():
    [tx] = BlockBox.decode(BOX1).transactions
    with pytest.raises(Unencodable, match=f"exceed {MAX_BLOCK_SIZE}"):
        Block(HEADER, [tx] * (MAX_BLOCK_SIZE // tx.size + 1))
    assert (Block.max_size, BlockBox.max_size) == (786_432, 786_464)


def test_a_count_of_transactions_is_refused_before_anything_is_allocated():
    with pytest.raises(LimitExceeded):
        Block.decode(HEADER.encode() + bytes.fromhex("fe35330100") + bytes(60))


def test_a_block_is_not_checked_before_somebody_looks():
    block = Block.decode(HEADER.encode() + b"\1" + b"\xff" * 60)
    assert block.hash == HEADER.hash
    with pytest.raises(DecodeError):
        block.txids()


def test_transactions_that_do_not_belong_to_the_header_are_refused():
    block = honest(HEADER, Tx.decode(TX2))
    block.check()
    with pytest.raises(InvalidValue, match="merkle root"):
        Block(block.header, block.transactions[:1]).check()


def test_a_block_mutated_under_its_root_is_refused():
    tx, other = Tx.decode(TX2), coinbase()
    block = honest(HEADER, tx, other)
    with pytest.raises(InvalidValue, match="merkle tree"):
        Block(block.header, [*block.transactions, block.transactions[2]]).check()


def test_a_block_begins_with_a_coinbase():
    tx = Tx.decode(TX2)
    with pytest.raises(InvalidValue, match="no coinbase"):
        Block(replace(HEADER, merkle_root=tx.txid), [tx]).check()
    with pytest.raises(InvalidValue, match="no coinbase"):
        Block(replace(HEADER, merkle_root=bytes(32)), []).check()


def test_headers_of_the_reference():
    message = Headers((RootedHeader(DOWN, HEADER),))
    has_exactly(message, HDRS1.hex())
    refuses_every_truncation(message, HDRS1.hex())
    refuses_trailing_bytes(message, HDRS1.hex())
    assert (HEADER.height, HEADER.shards, HEADER.k, HEADER.vote_k) == (9, 2, 5, 6)
    assert HEADER.previous_mmr_root == HEADER.merkle_root == UP
    assert HEADER.previous_hash == DOWN
    assert HEADER.chain_weight == 2**72


def test_headers_have_no_transactions():
    with pytest.raises(LimitExceeded):
        Headers.decode(HDRS1[:-1] + b"\1")


def test_headers_of_shards_travel_as_well():
    message = Headers((RootedHeader(UP, SHARD_HEADER), RootedHeader(DOWN, HEADER)))
    assert Headers.decode(message.encode()) == message


def test_no_more_than_a_thousand_headers_fit():
    most = Headers((RootedHeader(UP, HEADER),) * MAX_HEADERS)
    raw = most.encode()
    assert Headers.decode(raw) == most
    with pytest.raises(LimitExceeded):
        Headers.decode(b"\xfd\xe9\x03" + raw[3:] + raw[3:])
    with pytest.raises(Unencodable):
        Headers((RootedHeader(UP, HEADER),) * (MAX_HEADERS + 1)).encode()


def test_nor_more_than_two_million_bytes_of_them():
    large = replace(HEADER, tree_encoding=bytes(3000))
    with pytest.raises(Unencodable, match=str(MAX_HEADERS_SIZE)):
        Headers((RootedHeader(UP, large),) * MAX_HEADERS).encode()
    assert Headers.max_size == MAX_HEADERS_SIZE


def test_a_merkleblock_of_the_reference():
    message = MerkleBlock(HEADER, 1, (UP,), b"\x80")
    has_exactly(message, MB1.hex())
    refuses_every_truncation(message, MB1.hex())
    refuses_trailing_bytes(message, MB1.hex())


def test_a_merkleblock_proves_what_is_in_a_block():
    block = honest(HEADER, Tx.decode(TX2))
    proof = MerkleBlock.decode(MerkleBlock.of(block, [1]).encode())
    assert proof.matches() == ((1,), (Tx.decode(TX2).txid,))
    with pytest.raises(InvalidValue, match="merkle root"):
        replace(proof, header=HEADER).matches()


def test_blocks_are_found_by_the_hash_of_the_fact_sheet():
    assert Block(SHARD_HEADER, []).hash == hash_from_text(
        "53d13a611768d820e85ccc80c3ca077907a6a85a6c1db3aa67e52ce19a319d9a"
    )
