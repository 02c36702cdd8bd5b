"""What a real node said, replayed."""

from pathlib import Path

import pytest

from bitpeer.decred import (
    DIALECT,
    GENESIS_BLOCKS,
    Block,
    CFiltersV2,
    CFilterV2,
    Headers,
    Inv,
    Tx,
    Version,
    hash_to_text,
    open_filter,
    regular_filter,
)

FRAMES = [
    (command, bytes.fromhex(text.replace("-", "")))
    for line in (Path(__file__).parent / "captured.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
    for command, text in [line.split()]
]
KINDS = {kind.command: kind for kind in DIALECT.registry}


def captured(kind):
    """Return all messages of one kind."""
    return [kind.decode(payload) for command, payload in FRAMES if command == kind.command]


def rebuilt(message):
    """Return *message* made anew of its parts."""
    match message:
        case Block():
            trees = message.transactions, message.stake_transactions
            return Block(message.header, *([*map(rebuilt, tree)] for tree in trees))
        case Tx():
            return Tx(
                message.inputs,
                message.outputs,
                message.witnesses,
                version=message.version,
                lock_time=message.lock_time,
                expiry=message.expiry,
            )
        case Headers():
            return Headers(list(message.headers))
    return message


@pytest.mark.parametrize(("command", "payload"), FRAMES, ids=[command for command, _ in FRAMES])
def test_what_the_node_said_is_read_and_written_alike(command, payload):
    message = KINDS[command].decode(payload)
    assert rebuilt(message).encode() == payload
    assert DIALECT.speaks(type(message), 12)


def test_the_node_introduced_itself():
    (version,) = captured(Version)
    assert (version.version, version.services, version.relay) == (12, 1, True)
    assert version.user_agent == b"/dcrwire:1.0.0/dcrd:2.2.0(pre)/"


def test_its_chain_hangs_together():
    *_, chain = sorted(captured(Headers), key=lambda each: len(each.headers))
    names = [GENESIS_BLOCKS["simnet"].hash, *chain.hashes()]
    assert [each.previous_hash for each in chain.headers] == names[:-1]
    assert [each.height for each in chain.headers] == list(range(1, 34))
    assert all(each.meets_target() for each in chain.headers)
    (announced,) = captured(Inv)
    assert list(announced.items.column("hash")) == names[1:]


def test_its_blocks_are_what_their_headers_say():
    *_, chain = sorted(captured(Headers), key=lambda each: len(each.headers))
    for block in captured(Block):
        block.check()
        assert block.hash in chain.hashes()
        assert block.header.size == block.size
    last = captured(Block)[-1]
    assert hash_to_text(last.hash) == (
        "d3b0dbba2efe8bf3d72a24783aa9d8db1909bdfc7c39ee09eb51d35b128628a6"
    )
    assert len(last.stake_transactions) == 1  # the share of the treasury


def test_its_filters_are_proved_and_reproduced():
    *_, chain = sorted(captured(Headers), key=lambda each: len(each.headers))
    headers = dict(zip(chain.hashes(), chain.headers, strict=True))
    (alone,), (batch,) = captured(CFilterV2), captured(CFiltersV2)
    assert batch.filters[0] == alone
    opened = {
        each.block_hash: open_filter(each, headers[each.block_hash]) for each in batch.filters
    }
    assert len(opened) == 10
    first, third, _ = captured(Block)
    for block in (first, third):
        # Nothing is spent in these blocks.
        assert regular_filter(block, opened.__getitem__).encoding == opened[block.hash].encoding
