import copy

import pytest
from hypothesis import example, given, strategies as st

from bitpeer.bitcoin.transaction import MAX_TX_SIZE, NO_OUTPOINT, OutPoint, Tx, TxIn, TxOut
from bitpeer.errors import DecodeError, InvalidValue, TrailingBytes, Truncated, Unencodable
from bitpeer.wire.message import Registry
from tests.bitcoin import values, vectors

EMPTY = bytes.fromhex("02000000 0000 07000000")
KNOWN = [vectors.P2SH_P2WPKH, vectors.P2WPKH, vectors.BLOCKTXN_COINBASE]
known = pytest.mark.parametrize("vector", KNOWN, ids=["P2SH-P2WPKH", "P2WPKH", "coinbase"])
INPUT, OUTPUT = TxIn(bytes(range(32)), 7, b"in"), TxOut(1234, b"out")


def unpack(data):
    """Decode, by the way that leaves nothing for later, exactly one transaction."""
    tx, end = Tx.unpack(data)
    if end != len(data):
        raise TrailingBytes(len(data) - end)
    return tx


def read(data):
    """Decode exactly one transaction as it is read where it is a part of something."""
    tx, end = Tx.read(b"before" + data, 6)
    if end != 6 + len(data):
        raise TrailingBytes(6 + len(data) - end)
    return tx


each_way = pytest.mark.parametrize("decode", [Tx.decode, unpack, read])


@known
@each_way
def test_what_is_known_of_real_transactions_is_true(vector, decode):
    tx = decode(vector.raw)
    assert tx.txid == vector.txid
    assert tx.wtxid == vector.wtxid
    assert tx.weight == vector.weight
    assert tx.vsize == vector.vsize
    assert tx.stripped_size == vector.stripped_size
    assert tx.size == len(vector.raw)
    assert tx.has_witness


@known
@each_way
def test_real_transactions_built_anew_have_the_same_bytes(vector, decode):
    tx = decode(vector.raw)
    again = Tx(tx.inputs, tx.outputs, tx.witnesses, version=tx.version, lock_time=tx.lock_time)
    assert again.encode() == vector.raw
    assert again == tx
    assert again.txid == vector.txid


@each_way
def test_every_field_is_read(decode):
    tx = decode(vectors.P2SH_P2WPKH.raw)
    assert tx.version == 1
    assert tx.lock_time == 1170
    (spent,) = tx.inputs
    assert spent.outpoint == OutPoint(
        vectors.unhex("77541aeb3c4dac9260b68f74f44c973081a9d4cb2ebe8038b2d70faa201b6bdb"), 1
    )
    assert spent.script.hex() == "16001479091972186c449eb1ded22b78e40d009bdf0089"
    assert spent.sequence == 0xFFFFFFFE
    assert [each.value for each in tx.outputs] == [199_996_600, 800_000_000]
    assert tx.outputs[1].script.hex() == "76a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac"
    ((signature, key),) = tx.witnesses
    assert len(signature) == 71
    assert key.hex() == "03ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a26873"
    assert not tx.is_coinbase


@each_way
def test_a_transaction_without_witness_has_one_id(decode):
    tx = decode(vectors.GENESIS_COINBASE)
    assert tx.txid == tx.wtxid == vectors.unhex(vectors.GENESIS["mainnet"].merkle_root)
    assert not tx.has_witness
    assert tx.witnesses == ((),)
    assert tx.stripped_size == tx.size == 204
    assert tx.weight == 4 * 204
    assert tx.vsize == 204
    assert tx.is_coinbase
    assert tx.inputs[0].outpoint == NO_OUTPOINT
    assert tx.outputs[0].value == 50 * 100_000_000


@each_way
def test_r_b6_the_one_transaction_without_inputs_is_empty(decode):
    tx = decode(EMPTY)
    assert (tx.version, tx.inputs, tx.outputs, tx.witnesses, tx.lock_time) == (2, (), (), (), 7)
    assert not tx.has_witness
    assert not tx.is_coinbase
    assert tx.without_witness() is tx
    assert Tx([], [], lock_time=7) == tx


def test_the_bytes_that_came_are_the_bytes_that_go():
    raw = bytes(bytearray(vectors.P2WPKH.raw))
    assert Tx.decode(raw).encode() is raw


def test_parts_are_made_once():
    tx = Tx.decode(vectors.P2WPKH.raw)
    assert tx.outputs is tx.outputs
    assert tx.inputs is tx.inputs
    assert tx.witnesses is tx.witnesses
    assert tx.txid is tx.txid
    assert tx.wtxid is tx.wtxid


@known
def test_the_form_without_witnesses_has_the_same_txid(vector):
    tx = Tx.decode(vector.raw)
    stripped = tx.without_witness()
    assert stripped.size == vector.stripped_size
    assert not stripped.has_witness
    assert stripped.txid == stripped.wtxid == vector.txid
    assert (stripped.inputs, stripped.outputs) == (tx.inputs, tx.outputs)
    assert stripped.without_witness() is stripped
    assert Tx.decode(stripped.encode()) == stripped != tx


def test_the_form_without_witnesses_can_be_made_from_a_part_of_something():
    tx, _ = Tx.read(b"before" + vectors.P2WPKH.raw + b"behind", 6)
    assert tx.without_witness().txid == vectors.P2WPKH.txid


def test_a_transaction_shows_its_id():
    assert repr(Tx.decode(vectors.GENESIS_COINBASE)) == (
        "<Tx 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b, 204 bytes>"
    )


def test_a_copy_is_equal():
    tx = Tx.decode(vectors.P2WPKH.raw)
    assert copy.deepcopy(tx) == tx
    assert len({tx, copy.copy(tx)}) == 1


def test_an_input_is_built_from_an_outpoint():
    outpoint = OutPoint(bytes(32), 5)
    assert TxIn(*outpoint, b"script").outpoint == outpoint
    assert TxIn(*outpoint).sequence == 0xFFFFFFFF


@each_way
@pytest.mark.parametrize("data", [vectors.P2WPKH.raw, vectors.GENESIS_COINBASE, EMPTY])
def test_every_truncation_and_every_addition_is_refused(data, decode):
    for end in range(len(data)):
        with pytest.raises(Truncated):
            decode(data[:end])
    with pytest.raises(TrailingBytes):
        decode(data + b"\x00")


@each_way
def test_a_script_that_goes_on_beyond_the_data_is_refused(decode):
    script = 300
    data = Tx([INPUT], [TxOut(1, bytes(script))]).encode()
    for end in (len(data) - 1, len(data) - 4, len(data) - 5, len(data) - script):
        with pytest.raises(Truncated):
            decode(data[:end])


@each_way
@pytest.mark.parametrize("flag", [2, 3, 255])
def test_r_b6_unknown_flags_are_refused(flag, decode):
    data = bytearray(vectors.P2WPKH.raw)
    data[5] = flag
    with pytest.raises(InvalidValue, match="flag"):
        decode(bytes(data))


@each_way
@pytest.mark.parametrize("inputs", [0, 1, 2])
def test_r_b6_a_mark_without_witnesses_is_refused(inputs, decode):
    data = (
        bytes.fromhex("020000000001")
        + bytes([inputs])
        + inputs * (bytes(36) + b"\x00" + bytes(4))
        + b"\x00"
        + inputs * b"\x00"
        + bytes(4)
    )
    with pytest.raises(InvalidValue, match="witnesses"):
        decode(data)


# A wire layer that limits witnesses by policy rejects valid taproot blocks (CVE-2022-44797).
@each_way
def test_r_b7_the_largest_witness_item_passes(decode):
    tx = Tx([INPUT], [OUTPUT], [(bytes(3_900_000),)])
    decoded = decode(tx.encode())
    assert decoded == tx
    assert [len(item) for item in decoded.witnesses[0]] == [3_900_000]


@pytest.mark.parametrize(
    ("decode", "count"), [(Tx.decode, 3_900_000), (unpack, 70_000), (read, 70_000)]
)
def test_r_b7_the_most_witness_items_pass(decode, count):
    one = Tx([INPUT], [OUTPUT], [(b"",)]).encode()
    tx = decode(one[:-6] + b"\xfe" + count.to_bytes(4, "little") + bytes(count) + one[-4:])
    assert tx.size == len(one) + 3 + count
    assert tx.stripped_size == len(one) - 4
    if count < 100_000:
        assert tx.witnesses == ((b"",) * count,)


@each_way
@pytest.mark.parametrize("count", [252, 253, 300])
def test_counts_and_lengths_of_every_width_are_read(count, decode):
    tx = Tx(
        [INPUT._replace(previous_index=index) for index in range(count)],
        [OUTPUT._replace(value=index) for index in range(count)],
        [(bytes(count), *[b"w"] * count)] * count,
    )
    decoded = decode(tx.encode())
    assert decoded.inputs == tuple(INPUT._replace(previous_index=at) for at in range(count))
    assert [output.value for output in decoded.outputs] == list(range(count))
    assert decoded.witnesses == ((bytes(count), *[b"w"] * count),) * count
    long = Tx([INPUT._replace(script=bytes(count))], [OUTPUT._replace(script=bytes(count))])
    decoded = decode(long.encode())
    assert decoded.inputs[0].script == decoded.outputs[0].script == bytes(count)
    assert decoded.inputs[0]._replace(script=INPUT.script) == INPUT
    assert decoded.outputs[0].value == OUTPUT.value


@given(values.transactions())
def test_every_transaction_comes_back_as_it_went(tx):
    raw = tx.encode()
    expected = values.slow_read(raw)
    for decode in (Tx.decode, unpack, read):
        seen = decode(raw)
        assert seen == tx
        parts = (seen.version, seen.inputs, seen.outputs, seen.witnesses, seen.lock_time)
        assert parts == expected
        assert seen.encode() == raw
        assert (seen.txid, seen.wtxid) == (tx.txid, tx.wtxid)
        assert (seen.weight, seen.vsize) == (tx.weight, tx.vsize)


@given(values.transactions(), st.data())
@example(values.coinbase(), None)
def test_all_ways_accept_and_refuse_the_same(tx, data):
    raw = bytearray(tx.encode())
    if data is not None:
        for _ in range(data.draw(st.integers(0, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.sampled_from([0, 1, 2, 0xFC, 0xFD, 0xFE, 0xFF])
            )
        del raw[data.draw(st.integers(len(raw) - 8, len(raw))) :]
    verdicts = set()
    for decode in (Tx.decode, unpack, read):
        try:
            verdicts.add(decode(bytes(raw)))
        except DecodeError:
            verdicts.add(None)
    assert len(verdicts) == 1


@pytest.mark.parametrize(
    "build",
    [
        lambda: Tx([], [OUTPUT]),
        lambda: Tx([], [], [()]),
        lambda: Tx([INPUT], [OUTPUT], [(), ()]),
        lambda: Tx([INPUT], [OUTPUT], version=-1),
        lambda: Tx([INPUT], [OUTPUT], version=1 << 32),
        lambda: Tx([INPUT], [OUTPUT], lock_time=1 << 32),
        lambda: Tx([INPUT._replace(previous_hash=bytes(31))], [OUTPUT]),
        lambda: Tx([INPUT._replace(previous_hash=bytes(33))], [OUTPUT]),
        lambda: Tx([INPUT._replace(previous_index=-1)], [OUTPUT]),
        lambda: Tx([INPUT._replace(sequence=1 << 32)], [OUTPUT]),
        lambda: Tx([INPUT._replace(script="text")], [OUTPUT]),
        lambda: Tx([INPUT], [TxOut(1 << 63, b"")]),
        lambda: Tx([INPUT], [TxOut(0, 5)]),
        lambda: Tx([INPUT], [TxOut(0, None)]),
        lambda: Tx([INPUT], [OUTPUT], [("text",)]),
        lambda: Tx([INPUT], [TxOut(0, bytes(4_000_000))]),
    ],
)
def test_what_cannot_be_written_is_the_callers_fault(build):
    with pytest.raises(Unencodable):
        build()


def test_the_largest_transaction_can_be_built():
    opening = len(Tx([INPUT], [TxOut(0, bytes(3_000_000))]).encode()) - 3_000_000
    largest = Tx([INPUT], [TxOut(0, bytes(MAX_TX_SIZE - opening))])
    assert largest.size == MAX_TX_SIZE == Tx.max_size
    with pytest.raises(Unencodable, match="4000001"):
        Tx([INPUT], [TxOut(0, bytes(MAX_TX_SIZE - opening + 1))])


def test_frames_that_claim_more_are_refused_by_their_header():
    (entry,) = Registry((Tx,)).entries.values()
    assert (entry.command, entry.max_size) == ("tx", 4_000_000)
    assert Tx.min_size == len(EMPTY)
