from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin import compact
from bitpeer.bitcoin.block import Block
from bitpeer.bitcoin.compact import (
    MAX_COMPACT_COUNT,
    BlockTxn,
    CmpctBlock,
    GetBlockTxn,
    PartialBlock,
    SendCmpct,
    short_id,
    short_id_key,
)
from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.merkle import merkle_root
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
from tests.bitcoin import values
from tests.bitcoin.vectors import (
    BLOCK_926485,
    BLOCK_1263442,
    BLOCKTXN,
    BLOCKTXN_COINBASE,
    CMPCTBLOCK,
    unhex,
)

REAL = Block.decode(BLOCK_926485)
TXS = list(REAL.transactions)
HEADER = REAL.header
NONCE = 0x0102030405060708


# Byte for byte


@pytest.mark.parametrize(
    ("raw", "announce"), [("000200000000000000", 0), ("010200000000000000", 1)]
)
def test_sendcmpct(raw, announce):
    message = SendCmpct(announce)
    assert message.encode().hex() == raw
    assert SendCmpct.decode(bytes.fromhex(raw)) == message
    assert message.version == 2
    assert SendCmpct(announce=bool(announce), version=2) == message


@pytest.mark.parametrize("announce", [2, 255])
def test_an_announcement_is_yes_or_no(announce):
    with pytest.raises(LimitExceeded):
        SendCmpct.decode(bytes([announce]) + bytes(8))
    with pytest.raises(Unencodable):
        SendCmpct(announce).encode()


def test_a_real_compact_block():
    message = CmpctBlock.decode(CMPCTBLOCK)
    assert message.encode() == CMPCTBLOCK
    assert message.nonce == 0
    assert len(message.short_ids) == 0
    ((index, coinbase),) = message.prefilled
    assert index == 0
    assert coinbase.txid == message.header.merkle_root
    assert CmpctBlock(message.header, 0, [], ((0, coinbase),)) == message
    assert (
        PartialBlock(message).complete().encode()
        == message.header.encode() + b"\x01" + coinbase.encode()
    )


def test_a_real_blocktxn():
    message = BlockTxn.decode(BLOCKTXN)
    assert message.encode() == BLOCKTXN
    (tx,) = message.transactions
    assert (tx.txid, tx.wtxid) == (BLOCKTXN_COINBASE.txid, BLOCKTXN_COINBASE.wtxid)
    assert BlockTxn(BLOCKTXN[:32], (tx,)) == message


def test_getblocktxn_tells_how_many_indices_it_skips():
    message = GetBlockTxn(bytes(32), (0, 1, 5, 300))
    raw = bytes(32) + b"\x04" + b"\x00" + b"\x00" + b"\x03" + b"\xfd\x26\x01"
    assert message.encode() == raw
    assert GetBlockTxn.decode(raw) == message


# Keys and short ids of real transactions, made with a SipHash that passes its official cases.
@pytest.mark.parametrize(
    ("raw", "nonce", "k0", "k1", "ids"),
    [
        (
            BLOCK_1263442,
            0,
            0x3AC2BC4E3CFCFF44,
            0x7B4D80A3383C70F4,
            ["ba82523d41e0", "aa2b372a3551"],
        ),
        (
            BLOCK_1263442,
            NONCE,
            0xC22712EE3A9A5E81,
            0x40AFB7BA42A06767,
            ["7c6586c8e473", "9a4942423098"],
        ),
        (
            BLOCK_926485,
            NONCE,
            0xCC2EE9F791CDA7B6,
            0x7C8B76B329A8C74D,
            ["ba4e71162640", "5a9bb3296d09"],
        ),
    ],
)
def test_short_ids_of_real_transactions(raw, nonce, k0, k1, ids):
    block = Block.decode(raw)
    key = short_id_key(block.header, nonce)
    assert key == k0.to_bytes(8, "little") + k1.to_bytes(8, "little")
    assert [short_id(key, wtxid).hex() for wtxid in block.wtxids()[:2]] == ids
    message = CmpctBlock.of(block, nonce, prefill=())
    assert [name.hex() for name in message.short_ids[:2]] == ids


def test_the_short_id_of_a_wtxid_alone():
    key = bytes.fromhex("44fffc3c4ebcc23af4703c38a3804d7b")
    wtxid = unhex("4da3003a98f8ea2a99b1cb24eccb6c02840182956c26153b0551679155465ddf")
    assert short_id(key, wtxid).hex() == "ba82523d41e0"


# What is refused


@pytest.mark.parametrize(
    "message",
    [
        SendCmpct(1),
        CmpctBlock.of(REAL, NONCE, prefill=(0, 3)),
        GetBlockTxn(bytes(32), (0, 1, 5, 300)),
        BlockTxn(bytes(32), tuple(TXS)),
    ],
    ids=lambda message: message.command,
)
def test_every_truncation_and_every_addition_is_refused(message):
    raw = message.encode()
    assert type(message).decode(raw) == message
    assert message.min_size <= len(raw) <= message.max_size
    for end in range(len(raw)):
        with pytest.raises(Truncated):
            type(message).decode(raw[:end])
    with pytest.raises(TrailingBytes):
        type(message).decode(raw + b"\x00")


def test_the_longest_getblocktxn_and_no_longer():
    longest = GetBlockTxn(bytes(32), range(MAX_COMPACT_COUNT))
    raw = longest.encode()
    assert len(raw) == 32 + 3 + MAX_COMPACT_COUNT
    assert GetBlockTxn.decode(raw).indices == tuple(range(MAX_COMPACT_COUNT))
    with pytest.raises(LimitExceeded):
        GetBlockTxn.decode(bytes(32) + b"\xfe\x00\x00\x01\x00" + bytes(1 << 16))


def test_the_highest_index_and_no_higher():
    raw = GetBlockTxn(bytes(32), (MAX_COMPACT_COUNT - 1,)).encode()
    assert GetBlockTxn.decode(raw).indices == (65534,)
    for size in (b"\xfd\xff\xff", b"\xfe\x00\x00\x01\x00", b"\xff" + b"\xff" * 8):
        with pytest.raises(LimitExceeded):
            GetBlockTxn.decode(bytes(32) + b"\x01" + size)
    with pytest.raises(LimitExceeded):
        GetBlockTxn.decode(bytes(32) + b"\x02\xfd\xfe\xff\x00")
    with pytest.raises(NonCanonical):
        GetBlockTxn.decode(bytes(32) + b"\x01\xfd\x00\x00")


@pytest.mark.parametrize("indices", [(1, 1), (2, 1), (-1,), (65535,)])
def test_indices_that_do_not_ascend_cannot_be_written(indices):
    with pytest.raises(Unencodable, match="index"):
        GetBlockTxn(bytes(32), indices).encode()
    with pytest.raises(Unencodable, match="index"):
        CmpctBlock(HEADER, 0, (), tuple((index, TXS[0]) for index in indices)).encode()


@pytest.mark.parametrize("size", [31, 33])
def test_a_hash_of_another_length_cannot_be_written(size):
    with pytest.raises(Unencodable, match="block_hash"):
        GetBlockTxn(bytes(size), ()).encode()


@pytest.mark.parametrize("nonce", [-1, 1 << 64])
def test_a_nonce_beyond_64_bits_cannot_be_written(nonce):
    with pytest.raises(Unencodable, match="nonce"):
        CmpctBlock(HEADER, nonce, (), ()).encode()


def test_short_ids_of_another_length_cannot_be_written():
    with pytest.raises(Unencodable, match="short id"):
        CmpctBlock(HEADER, 0, (bytes(5),), ()).encode()


def test_a_compact_block_has_at_most_65535_transactions():
    ids = [bytes(6)] * MAX_COMPACT_COUNT
    most = CmpctBlock(HEADER, 0, ids, ())
    assert CmpctBlock.decode(most.encode()) == most
    with pytest.raises(Unencodable):
        CmpctBlock(HEADER, 0, ids, ((0, TXS[0]),)).encode()
    with pytest.raises(LimitExceeded):
        CmpctBlock.decode(most.encode()[:-1] + b"\x01\x00" + TXS[0].encode())
    with pytest.raises(Unencodable):
        CmpctBlock(HEADER, 0, [*ids, bytes(6)], ()).encode()
    with pytest.raises(LimitExceeded):
        CmpctBlock.decode(HEADER.encode() + bytes(8) + b"\xfe\x00\x00\x01\x00" + bytes(6 << 16))


def test_a_blocktxn_has_at_most_65535_transactions():
    empty = Tx([], [])
    most = BlockTxn(bytes(32), (empty,) * MAX_COMPACT_COUNT)
    assert BlockTxn.decode(most.encode()) == most
    with pytest.raises(Unencodable):
        BlockTxn(bytes(32), (empty,) * (MAX_COMPACT_COUNT + 1)).encode()
    with pytest.raises(LimitExceeded):
        BlockTxn.decode(bytes(32) + b"\xfe\x00\x00\x01\x00" + empty.encode() * (1 << 16))


@pytest.mark.parametrize("count", [b"\xfd\xff\xff", b"\xfe" + b"\xff" * 4, b"\xff" + b"\xff" * 8])
def test_what_the_bytes_cannot_hold_is_refused_at_once(count):
    for kind, before in [
        (CmpctBlock, HEADER.encode() + bytes(8)),
        (CmpctBlock, HEADER.encode() + bytes(8) + b"\x00"),
        (GetBlockTxn, bytes(32)),
        (BlockTxn, bytes(32)),
    ]:
        with pytest.raises((Truncated, LimitExceeded)):
            kind.decode(before + count)


@given(st.sampled_from([SendCmpct, CmpctBlock, GetBlockTxn, BlockTxn]), st.binary(max_size=120))
def test_nothing_but_a_decode_error_escapes(kind, data):
    try:
        message = kind.decode(data)
    except DecodeError:
        return
    assert message.encode() == data


@st.composite
def compact_blocks(draw):
    short_ids = draw(st.lists(st.binary(min_size=6, max_size=6), max_size=5))
    indices = sorted(draw(st.sets(st.integers(0, 1000), max_size=3)))
    prefilled = tuple((index, draw(values.transactions())) for index in indices)
    return CmpctBlock(draw(values.HEADER), draw(values.uint(64)), short_ids, prefilled)


@given(compact_blocks())
def test_every_compact_block_comes_back_as_it_went(message):
    assert CmpctBlock.decode(message.encode()) == message


@given(values.HASH, st.sets(st.integers(0, MAX_COMPACT_COUNT - 1)))
def test_every_getblocktxn_comes_back_as_it_went(block_hash, indices):
    message = GetBlockTxn(block_hash, tuple(sorted(indices)))
    assert GetBlockTxn.decode(message.encode()) == message


# Putting a block together


def partial(block=REAL, prefill=(0,)):
    """Return what the receiver of a compact form of *block* has to complete."""
    return PartialBlock(CmpctBlock.decode(CmpctBlock.of(block, NONCE, prefill).encode()))


def test_who_knows_every_transaction_asks_for_none():
    block = partial()
    block.offer([TXS[3], *TXS])
    assert block.missing == ()
    assert block.complete() == REAL


def test_what_is_missing_is_asked_for_by_index():
    block = partial()
    block.offer([TXS[1], TXS[4], values.coinbase()])
    assert block.missing == (2, 3)
    assert block.request() == GetBlockTxn(REAL.hash, (2, 3))
    assert block.complete(TXS[2:4]) == REAL


@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_whatever_is_known_the_block_is_the_same(prefilled, known):
    block = partial(prefill=prefilled)
    block.offer(TXS[index] for index in known)
    assert block.missing == tuple(sorted(set(range(5)) - prefilled - known))
    answer = BlockTxn(REAL.hash, tuple(TXS[index] for index in block.request().indices))
    assert block.complete(BlockTxn.decode(answer.encode()).transactions) == REAL


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_must_come_as_were_missing(count):
    block = partial()
    block.offer(TXS[:3])
    with pytest.raises(InvalidValue, match="count"):
        block.complete(TXS[:count])


def test_other_transactions_than_were_asked_for_do_not_make_the_block():
    block = partial()
    block.offer(TXS[:3])
    assert block.complete([TXS[4], TXS[3]]) is None
    assert block.complete([TXS[3], TXS[4]]) == REAL


def test_more_than_a_block_can_hold_does_not_make_the_block():
    huge = Tx([TxIn(bytes(32), 0)], [TxOut(1, bytes(3_000_000))])
    block = partial()
    block.offer(TXS[:3])
    assert block.complete([huge, huge]) is None


def test_a_known_transaction_that_only_shares_a_short_id_is_replaced_by_the_right_one(monkeypatch):
    stranger = values.coinbase()
    alike = {TXS[2].wtxid: 7, stranger.wtxid: 7}
    honest = compact.siphash
    monkeypatch.setattr(compact, "siphash", lambda key, data: alike.get(data) or honest(key, data))
    # Alone it is taken for the other: the block turns out wrong, and nobody is to blame.
    block = partial()
    block.offer([stranger, TXS[1], TXS[3]])
    assert block.missing == (4,)
    assert block.complete([TXS[4]]) is None
    # Together they cast doubt on each other, and the right one is asked for.
    block = partial()
    block.offer([stranger, TXS[1], TXS[2], TXS[3], stranger])
    assert block.missing == (2, 4)
    assert block.complete([TXS[2], TXS[4]]) == REAL


def test_transactions_of_the_block_that_share_a_short_id_are_asked_for(monkeypatch):
    honest = compact.siphash
    monkeypatch.setattr(
        compact,
        "siphash",
        lambda key, data: 7 if data in {TXS[2].wtxid, TXS[3].wtxid} else honest(key, data),
    )
    block = partial()
    block.offer(TXS)
    assert block.missing == (2, 3)
    assert block.complete(TXS[2:4]) == REAL


@pytest.mark.parametrize(
    ("short_ids", "prefilled"),
    [
        ((), ()),  # no transaction at all
        ((), ((1, TXS[0]),)),  # none before this one
        ((bytes(6),), ((0, TXS[0]), (3, TXS[1]))),
        ((bytes(6),), ((0, Tx([], [])),)),  # a transaction of nothing
    ],
)
def test_contents_that_no_honest_peer_sends_are_refused(short_ids, prefilled):
    message = CmpctBlock.decode(CmpctBlock(HEADER, 0, short_ids, prefilled).encode())
    with pytest.raises(InvalidValue):
        PartialBlock(message)


def test_a_block_of_one_needs_nothing():
    only = values.coinbase()
    header = BlockHeader(1, bytes(32), merkle_root([only.txid]), 0, 0, 0)
    block = partial(Block(header, [only]))
    assert block.missing == ()
    assert list(block.complete().transactions) == [only]


def test_the_header_is_there_before_the_block():
    assert partial().header == HEADER


def test_forms_for_different_peers_differ():
    one, other = CmpctBlock.of(REAL, 1), CmpctBlock.of(REAL, 2)
    assert set(one.short_ids).isdisjoint(other.short_ids)
    assert replace(one, nonce=2, short_ids=other.short_ids) == other


def test_lists_that_are_given_are_not_the_lists_that_are_kept() -> None:
    indices, short_ids = [1, 2], [bytes(6)]
    request = GetBlockTxn(bytes(32), indices)
    compact = CmpctBlock(BlockHeader(1, bytes(32), bytes(32), 0, 0, 0), 0, short_ids, [])
    indices.append(3)
    short_ids.append(bytes(6))
    assert request.indices == (1, 2)
    assert compact.short_ids == (bytes(6),)
