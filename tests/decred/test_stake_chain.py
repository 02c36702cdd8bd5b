"""Four blocks of the reference's test chain, from the time before DCP 0005."""

from pathlib import Path

import pytest

from bitpeer.decred import Block, BlockHeader, Tree, Tx

LINES = (Path(__file__).parent / "stake_chain.txt").read_text("ascii").splitlines()
BLOCKS = [Block.decode(bytes.fromhex(line)) for line in LINES if not line.startswith("#")]

each_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.header.height)


def anew(tx):
    return Tx(
        tx.inputs,
        tx.outputs,
        tx.witnesses,
        version=tx.version,
        lock_time=tx.lock_time,
        expiry=tx.expiry,
    )


@each_block
def test_blocks_come_back_as_they_went(block):
    trees = ([*map(anew, tree)] for tree in (block.transactions, block.stake_transactions))
    assert Block(BlockHeader(*block.header), *trees).encode() == block.encode()


@each_block
def test_each_tree_has_its_root(block):
    block.check(commitments=False)
    assert block.header.size == block.size
    assert block.header.meets_target(blake3_active=False)


@each_block
def test_headers_count_what_is_in_the_stake_tree(block):
    tags = [tx.outputs[0].script[0] for tx in block.stake_transactions]
    header = block.header
    assert (tags.count(0xBA), tags.count(0xBC)) == (header.fresh_stake, header.revocations)
    assert len(tags) - tags.count(0xBA) - tags.count(0xBC) == header.voters
    assert all(
        tx.inputs[-1].tree == Tree.STAKE
        for tx, tag in zip(block.stake_transactions, tags, strict=True)
        if tag != 0xBA
    )


def test_the_blocks_follow_each_other():
    assert [block.header.height for block in BLOCKS] == [151, 152, 153, 154]
    assert [block.header.previous_hash for block in BLOCKS[1:]] == [
        block.hash for block in BLOCKS[:-1]
    ]
    assert sum(block.header.revocations for block in BLOCKS) == 1
