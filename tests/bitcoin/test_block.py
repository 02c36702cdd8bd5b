from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.block import Block, MerkleBlock
from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.merkle import MAX_BLOCK_TRANSACTIONS, MAX_FLAG_BYTES, merkle_root
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut
from bitpeer.errors import (
    DecodeError,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.hashes import sha256d
from bitpeer.wire.message import Registry
from tests.bitcoin import values
from tests.bitcoin.vectors import (
    BLOCK_926485,
    BLOCK_1263442,
    GENESIS,
    HASH_926485,
    HASH_1263442,
    MERKLEBLOCK,
    unhex,
)

REAL = Block.decode(BLOCK_926485)
TXS = list(REAL.transactions)
HEADER = BlockHeader.read(BLOCK_926485)[0]
networks = pytest.mark.parametrize("network", GENESIS)
# Every way to make a block look at all of itself.
looks = pytest.mark.parametrize(
    "look", [lambda block: block.transactions, Block.unpacked, Block.txids, Block.wtxids]
)


def block_of(*transactions):
    """Return a block of *transactions* whose header commits to them."""
    return Block(
        HEADER._replace(merkle_root=merkle_root(tx.txid for tx in transactions)), transactions
    )


@networks
def test_genesis_blocks_are_read(network):
    known = GENESIS[network]
    block = Block.decode(known.raw)
    block.check()
    assert block.hash == unhex(known.hash)
    assert block.header.encode() == known.raw_header
    assert block.transaction_count == 1
    assert block.txids() == block.wtxids() == [unhex(known.merkle_root)]
    assert block.merkle_root() == unhex(known.merkle_root)
    assert block.encode() == known.raw


@networks
def test_genesis_blocks_are_written(network):
    known = GENESIS[network]
    header = BlockHeader(
        1, bytes(32), unhex(known.merkle_root), known.time, known.bits, known.nonce
    )
    block = Block(header, [Tx.decode(known.coinbase)])
    assert block.encode() == known.raw
    assert block == Block.decode(known.raw)
    assert block.hash == unhex(known.hash)
    block.check()


@pytest.mark.parametrize(
    ("raw", "name", "count"),
    [(BLOCK_926485, HASH_926485, 5), (BLOCK_1263442, HASH_1263442, 2)],
    ids=["926485", "1263442"],
)
def test_real_blocks_come_back_as_they_went(raw, name, count):
    block = Block.decode(raw)
    assert block.hash == name
    assert block.header.meets_target()
    assert block.transaction_count == len(block.transactions) == count
    block.check()
    assert Block(block.header, list(block.transactions)).encode() == raw
    assert Block(block.header, block.unpacked()).encode() == raw
    assert block.unpacked() == list(block.transactions)


def test_a_block_without_witnesses_can_be_checked_without_them():
    stripped = Block(HEADER, [tx.without_witness() for tx in TXS])
    stripped.check(witnesses=False)
    with pytest.raises(InvalidValue, match="witness of the coinbase"):
        stripped.check()


def test_the_bytes_that_came_are_the_bytes_that_go():
    raw = bytes(bytearray(BLOCK_926485))
    block = Block.decode(raw)
    block.check()
    assert block.encode() is raw


def test_r_j9_next_to_nothing_is_looked_at_on_arrival():
    block = Block.decode(BLOCK_926485[:80] + b"\x05" + b"\xff" * 500)
    assert block.hash == HASH_926485
    assert block.transaction_count == 5


def test_what_was_read_is_kept():
    block = Block.decode(BLOCK_926485)
    assert block.header is block.header
    assert block.hash is block.hash
    assert repr(block) == (
        "<Block 000000000000015d6077a411a8f5cc95caf775ccf11c54e27df75ce58d187313, "
        "5 transactions, 1982 bytes>"
    )


def test_transactions_are_a_sequence():
    transactions = REAL.transactions
    assert [tx.size for tx in transactions] == [tx.size for tx in TXS]
    assert transactions[1] == transactions[-4] == TXS[1]
    assert transactions[1:3] == TXS[1:3]
    assert transactions[::-2] == TXS[::-2]
    assert transactions[5:] == []
    assert TXS[3] in transactions
    assert repr(transactions) == "<5 transactions>"
    for index in (5, -6):
        with pytest.raises(IndexError):
            transactions[index]


def test_a_block_without_transactions_can_be_read_but_means_nothing():
    block = Block.decode(BLOCK_926485[:80] + b"\x00")
    assert list(block.transactions) == block.unpacked() == []
    assert block.merkle_root() == bytes(32)
    with pytest.raises(InvalidValue, match="merkle root"):
        block.check()
    with pytest.raises(InvalidValue, match="first transaction"):
        block_of().check()


def test_a_block_is_read_inside_other_bytes():
    block, end = Block.read(b"before" + BLOCK_1263442 + b"behind", 6)
    assert end == 6 + len(BLOCK_1263442)
    assert block == Block.decode(BLOCK_1263442)
    for cut in range(len(BLOCK_1263442)):
        with pytest.raises(Truncated):
            Block.read(BLOCK_1263442[:cut])


@looks
def test_every_truncation_and_every_addition_is_refused(look):
    for end in range(len(BLOCK_1263442)):
        with pytest.raises(Truncated):
            look(Block.decode(BLOCK_1263442[:end]))
    with pytest.raises(TrailingBytes):
        look(Block.decode(BLOCK_1263442 + b"\x00"))


def test_too_short_a_payload_is_refused_on_arrival():
    for end in range(81):
        with pytest.raises(Truncated):
            Block.decode(BLOCK_926485[:end])


@pytest.mark.parametrize(
    ("count", "error"),
    [
        (b"\x02", Truncated),
        (b"\xfd\xff\xff", Truncated),
        (b"\xfd\x01\x00", NonCanonical),
        (b"\xfe\x80\x1a\x06\x00", Truncated),
        (b"\xfe\x81\x1a\x06\x00", LimitExceeded),
        (b"\xff" + b"\xff" * 8, LimitExceeded),
    ],
)
def test_counts_that_cannot_be_are_refused_on_arrival(count, error):
    with pytest.raises(error) as caught:
        Block.decode(BLOCK_926485[:80] + count + bytes(19))
    assert len(str(caught.value)) < 512


# A wire layer that limits witnesses by policy rejects valid taproot blocks (CVE-2022-44797).
@looks
def test_r_b7_a_block_with_one_huge_witness_item_passes(look):
    spend = Tx([TxIn(bytes(32), 0)], [TxOut(1, b"")], [(bytes(3_900_000),)])
    block = Block.decode(block_of(values.coinbase(), spend).encode())
    look(block)
    assert block.transactions[1] == spend


def test_a_block_of_empty_transactions_passes():
    block = Block.decode(BLOCK_926485[:80] + b"\xfd\xe8\x03" + bytes(10) * 1000)
    assert block.unpacked() == list(block.transactions) == [Tx([], [], version=0)] * 1000


def test_the_largest_block_can_be_built():
    room = 4_000_000 - block_of(values.coinbase(TxOut(1, bytes(3_000_000)))).size + 3_000_000
    assert block_of(values.coinbase(TxOut(1, bytes(room)))).size == 4_000_000 == Block.max_size
    with pytest.raises(Unencodable, match="4000001"):
        block_of(values.coinbase(TxOut(1, bytes(room + 1))))


def test_what_cannot_be_written_is_the_callers_fault():
    with pytest.raises(Unencodable, match=r"BlockHeader\.time"):
        Block(HEADER._replace(time=-1), TXS)


def test_frames_that_claim_more_are_refused_by_their_header():
    entries = {entry.command: entry for entry in Registry((Block, MerkleBlock)).entries.values()}
    assert entries["block"].max_size == 4_000_000
    assert entries["merkleblock"].max_size == 80 + 4 + 3 + 32 * 16_666 + 3 + 4_168
    assert Block.min_size == 81


@given(st.lists(values.transactions(), max_size=4), values.HEADER)
def test_every_block_comes_back_as_it_went(transactions, header):
    block = Block.decode(Block(header, transactions).encode())
    assert block.header == header
    assert list(block.transactions) == block.unpacked() == transactions
    assert block.txids() == [tx.txid for tx in transactions]
    assert block.wtxids() == [tx.wtxid for tx in transactions]
    assert block.merkle_root() == merkle_root(block.txids())


@given(st.binary(max_size=100))
def test_nothing_but_a_decode_error_escapes(data):
    for raw in (data, BLOCK_926485[:80] + data):
        try:
            block = Block.decode(raw)
            assert list(block.transactions) == block.unpacked()
        except DecodeError:
            pass


# What a peer can change in a block without touching its header, and what gives it away.


def test_other_transactions_are_found_out():
    for changed in (TXS[:-1], [*TXS, TXS[1]], [TXS[0], *reversed(TXS[1:])]):
        with pytest.raises(InvalidValue, match="merkle root"):
            Block(HEADER, changed).check()


def test_a_repeated_end_is_found_out():
    first, second, third = TXS[0], TXS[2], TXS[3]  # without the one that has a witness
    honest = block_of(first, second, third)
    honest.check(witnesses=False)
    with pytest.raises(InvalidValue, match="branches"):
        Block(honest.header, [first, second, third, third]).check(witnesses=False)


def test_inner_nodes_that_pass_for_transactions_are_found_out():
    # A chain of 64 bytes that is two hashes and can be read as a transaction.
    fake = Tx([TxIn(bytes(range(32)), 1, bytes(4))], [TxOut(1, b"")])
    assert fake.size == 64
    block = block_of(fake)
    with pytest.raises(InvalidValue, match="first transaction"):
        block.check()


def test_a_changed_witness_is_found_out():
    tx = TXS[1]
    stack = list(tx.witnesses[0])
    stack[1] = b"\x00" + stack[1][1:]
    changed = Tx(tx.inputs, tx.outputs, [stack], version=tx.version, lock_time=tx.lock_time)
    assert changed.txid == tx.txid
    block = Block(HEADER, [TXS[0], changed, *TXS[2:]])
    block.check(witnesses=False)
    with pytest.raises(InvalidValue, match="witness commitment"):
        block.check()


@pytest.mark.parametrize(
    "nonce", [(), (bytes(31),), (bytes(33),), (bytes(32), b"")], ids=["none", "31", "33", "two"]
)
def test_a_changed_nonce_of_the_witnesses_is_found_out(nonce):
    first = TXS[0]
    changed = Tx(
        first.inputs, first.outputs, [nonce], version=first.version, lock_time=first.lock_time
    )
    assert changed.txid == first.txid
    with pytest.raises(InvalidValue, match="witness of the coinbase"):
        Block(HEADER, [changed, *TXS[1:]]).check()


def test_witnesses_nobody_commits_to_are_found_out():
    block = block_of(values.coinbase(), TXS[1])
    block.check(witnesses=False)
    with pytest.raises(InvalidValue, match="witnesses"):
        block.check()


def commitment(root, nonce):
    return TxOut(0, bytes.fromhex("6a24aa21a9ed") + sha256d(root + nonce) + b"and more")


def test_the_last_commitment_counts():
    nonce = bytes(range(32))
    root = merkle_root([bytes(32), TXS[1].wtxid])
    right, wrong = commitment(root, nonce), commitment(bytes(32), nonce)
    too_short = TxOut(0, right.script[:37])
    block_of(values.coinbase(wrong, right, too_short, witness=(nonce,)), TXS[1]).check()
    with pytest.raises(InvalidValue, match="witness commitment"):
        block_of(values.coinbase(right, wrong, witness=(nonce,)), TXS[1]).check()


# merkleblock


def test_a_real_merkle_block():
    message = MerkleBlock.decode(MERKLEBLOCK)
    assert message.encode() == MERKLEBLOCK
    assert message.transaction_count == 1
    assert message.flags == b"\x01"
    assert message.matches() == ((0,), (message.header.merkle_root,))
    assert MerkleBlock(message.header, 1, list(message.hashes), b"\x01") == message


@pytest.mark.parametrize("matches", [(), (0,), (1, 3), range(5)])
def test_a_block_proves_its_own_transactions(matches):
    message = MerkleBlock.decode(MerkleBlock.of(REAL, matches).encode())
    assert message.header == HEADER
    assert message.matches() == (tuple(matches), tuple(TXS[index].txid for index in matches))


def test_a_proof_for_another_block_is_refused():
    message = MerkleBlock.of(REAL, (1,))
    other = replace(message, header=HEADER._replace(merkle_root=bytes(32)))
    with pytest.raises(InvalidValue, match="merkle root"):
        other.matches()


def test_a_proof_that_contradicts_itself_is_refused():
    message = MerkleBlock.of(REAL, (1,))
    with pytest.raises(LimitExceeded):
        replace(message, transaction_count=16_667).matches()
    with pytest.raises(InvalidValue):
        replace(message, flags=message.flags + b"\x00").matches()


def test_every_truncation_and_every_addition_to_a_merkle_block_is_refused():
    raw = MerkleBlock.of(REAL, (1, 3)).encode()
    for end in range(len(raw)):
        with pytest.raises(Truncated):
            MerkleBlock.decode(raw[:end])
    with pytest.raises(TrailingBytes):
        MerkleBlock.decode(raw + b"\x00")


@pytest.mark.parametrize(
    ("hashes", "flags"),
    [
        ([bytes(32)] * (MAX_BLOCK_TRANSACTIONS + 1), b""),
        ([], bytes(MAX_FLAG_BYTES + 1)),
    ],
)
def test_a_merkle_block_beyond_its_limits_is_refused(hashes, flags):
    message = MerkleBlock(HEADER, 1, hashes, flags)
    with pytest.raises(Unencodable):
        message.encode()
    within = MerkleBlock(HEADER, 1, hashes[:-1], flags[:-1])
    assert MerkleBlock.decode(within.encode()) == within
    count = b"\xfd" + (len(hashes) or len(flags)).to_bytes(2, "little")
    opening = HEADER.encode() + bytes(4)
    raw = (count + b"".join(hashes) + b"\x00") if hashes else (b"\x00" + count + flags)
    with pytest.raises(LimitExceeded):
        MerkleBlock.decode(opening + raw)
