import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.block import MAX_BLOCK_SIZE, MAX_TREE_TRANSACTIONS, Block, MerkleBlock
from bitpeer.decred.header import BlockHeader
from bitpeer.decred.merkle import combined_root
from bitpeer.decred.transaction import Tx, TxOut
from bitpeer.errors import (
    DecodeError,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.hashes import hash_to_text
from bitpeer.wire.compactsize import write_compact_size
from tests.decred import values, vectors
from tests.decred.battery import is_exactly
from tests.messages.battery import has_exactly

HEADER, _ = BlockHeader.read(vectors.HEADER)
EMPTY = Tx()


def test_the_block_of_the_reference():
    block = Block.decode(vectors.BLOCK)
    assert hash_to_text(block.hash) == (
        "6b73b6f6faebbfd6a541f38820593e43c50ce1abf64602ab8ac7d5502991c37f"
    )
    (regular,), (stake,) = block.transactions, block.stake_transactions
    assert hash_to_text(regular.txid) == (
        "55a25248c04dd8b6599ca2a708413c00d79ae90ce075c54e8a967a647d7e4bea"
    )
    assert hash_to_text(stake.txid) == (
        "ae208a69f3ee088d0328126e3d9bef7652b108d1904f27b166c5999233a801d4"
    )
    assert (regular.inputs[0].tree, stake.inputs[0].tree) == (0, 1)
    has_exactly(Block(block.header, [regular], [stake]), vectors.BLOCK.hex())


def test_block_432100():
    block = Block.decode(vectors.BLOCK_432100)
    assert hash_to_text(block.hash) == (
        "000000000000000023455b4328635d8e014dbeea99c6140aa715836cc7e55981"
    )
    assert block.size == block.header.size == 2782
    assert block.header.encode() == vectors.HEADER_432100
    assert (len(block.transactions), len(block.stake_transactions)) == (2, 5)
    assert block.stake_transactions[4].encode() == vectors.TICKET
    assert [hash_to_text(each.txid)[:8] for each in block.stake_transactions] == [
        "761f22f6", "439ea206", "9e8904d2", "9ce7b383", "343cfa39",
    ]  # fmt: skip
    assert hash_to_text(block.regular_root()) == (
        "703983b9e834362a3cd3b4e397b76465b85fde1a87325415ec7527d471f24ed8"
    )
    assert hash_to_text(block.stake_root()) == (
        "8ef384279548ac3965c0f972dcbc39992ffbc8563b4adba80e932887abe38102"
    )
    block.check()
    again = Block(block.header, block.transactions, block.stake_transactions)
    has_exactly(again, vectors.BLOCK_432100.hex())
    assert repr(block) == f"<Block {hash_to_text(block.hash)}, 2782 bytes>"


def test_before_dcp_0005_each_tree_had_its_root():
    block = Block.decode(vectors.BLOCK_432100)
    old = block.header._replace(merkle_root=block.regular_root(), stake_root=block.stake_root())
    Block(old, block.transactions, block.stake_transactions).check(commitments=False)
    for wrong in (old._replace(merkle_root=bytes(32)), old._replace(stake_root=bytes(32))):
        with pytest.raises(InvalidValue, match="root"):
            Block(wrong, block.transactions, block.stake_transactions).check(commitments=False)


def test_other_transactions_are_noticed():
    block = Block.decode(vectors.BLOCK_432100)
    swapped = Block(block.header, block.transactions, block.stake_transactions[::-1])
    with pytest.raises(InvalidValue, match="merkle root"):
        swapped.check()
    root = combined_root(swapped.regular_root(), swapped.stake_root())
    Block(
        block.header._replace(merkle_root=root), swapped.transactions, swapped.stake_transactions
    ).check()


def test_nothing_is_read_before_it_is_looked_at():
    block = Block.decode(vectors.BLOCK[:181] + b"\xff" * 100)
    assert block.hash == Block.decode(vectors.BLOCK).hash
    assert block.header is block.header
    assert block.hash is block.hash
    with pytest.raises(DecodeError):
        assert block.transactions
    with pytest.raises(DecodeError):
        block.check()


def test_every_truncation_is_refused():
    for size in range(len(vectors.BLOCK)):
        with pytest.raises(Truncated):
            assert Block.decode(vectors.BLOCK[:size]).stake_transactions
        with pytest.raises(Truncated):
            Block.read(vectors.BLOCK[:size])


def test_trailing_bytes_are_refused():
    with pytest.raises(TrailingBytes):
        assert Block.decode(vectors.BLOCK + b"\0").transactions


@pytest.mark.parametrize("head", [HEADER.encode(), HEADER.encode() + b"\0"])
def test_absurd_counts_are_refused(head):
    for claim in (MAX_TREE_TRANSACTIONS + 1, 1 << 24):
        with pytest.raises(LimitExceeded):
            assert Block.decode(head + write_compact_size(claim)).transactions
    with pytest.raises(Truncated):
        assert Block.decode(head + b"\xfd\xaa\xaa" + bytes(9)).transactions
    with pytest.raises(NonCanonical):
        assert Block.decode(head + b"\xfd\x01\0" + bytes(99)).transactions


def test_the_largest_block_can_be_built():
    big = Tx([], [TxOut(0, bytes(MAX_BLOCK_SIZE - 200 - 16))])
    room = MAX_BLOCK_SIZE - 182 - len(big.encode())
    block = Block(HEADER, [Tx([], [TxOut(0, bytes(len(big.outputs[0].script) + room))])])
    assert block.size == MAX_BLOCK_SIZE == Block.max_size
    with pytest.raises(Unencodable, match="exceed the limit of 1310720"):
        Block(HEADER, block.transactions, [EMPTY])


def test_the_smallest_block_has_no_transactions():
    block = Block(HEADER, [])
    assert block.size == Block.min_size == 182
    assert (block.transactions, block.stake_transactions) == ((), ())


@given(st.lists(values.transactions(), max_size=3), st.lists(values.transactions(), max_size=3))
def test_every_block_comes_back_as_it_went(regular, stake):
    raw = Block(HEADER, regular, stake).encode()
    for block in (Block.decode(raw), Block.read(b"<" + raw + b">", 1)[0]):
        assert list(block.transactions) == regular
        assert list(block.stake_transactions) == stake
        assert block.encode() == raw


def test_merkle_block_has_its_bytes():
    header, _ = BlockHeader.read(vectors.MERKLE_BLOCK)
    value = MerkleBlock(header, 1, (header.stake_root,), 1, (header.stake_root,), b"\x80")
    assert header.stake_version == 0x7E1ECA57
    is_exactly(value, vectors.MERKLE_BLOCK)


def test_merkle_block_has_limits():
    with pytest.raises(Unencodable):
        MerkleBlock(HEADER, 0, (), 0, (), bytes(5463)).encode()
    with pytest.raises(Unencodable):
        MerkleBlock(HEADER, 0, (bytes(32),) * 43692, 0, (), b"").encode()
    with pytest.raises(LimitExceeded):
        MerkleBlock.decode(vectors.HEADER + bytes(4) + b"\xfd\xac\xaa" + bytes(99))
