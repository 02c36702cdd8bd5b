import copy

import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.constants import Tree
from bitpeer.decred.transaction import (
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_TX_SIZE,
    OutPoint,
    Serialization,
    Tx,
    TxIn,
    TxOut,
    TxWitness,
)
from bitpeer.errors import InvalidValue, LimitExceeded, TrailingBytes, Truncated, Unencodable
from bitpeer.hashes import hash_to_text
from bitpeer.hashes.blake256 import blake256
from bitpeer.wire.compactsize import write_compact_size
from tests.decred import values, vectors
from tests.decred.battery import is_exactly, survives

FULL, PREFIX, WITNESS, SIGNING, VALUE_SIGNING = Serialization
NOTHING = TxIn(bytes(32), 0xFFFF_FFFF)
KEY_SCRIPT = bytes.fromhex(
    "4104d64bdfd09eb1c5fe295abdeb1dca4281be988e2da0b6c1c6a59dc226c28624e18175e851c96b973d81b01cc3"
    "1f047834bc06d6d6edf620d184241a6aed8b63a6ac"
)
UNLOCK = bytes.fromhex("0431dc001b0162")
MULTI = {
    "inputs": [NOTHING],
    "outputs": [
        TxOut(5_000_000_000, KEY_SCRIPT, 0xABAB),
        TxOut(100_000_000, KEY_SCRIPT, 0xBCBC),
    ],
    "witnesses": [TxWitness(UNLOCK, 0x1212121212121212, 0x15151515, 0x34343434)],
}
SPENDING = TxIn(bytes(range(32)), 7, Tree.STAKE, 9)


def build(kind=FULL, **changes):
    return Tx(**{**MULTI, "serialization": kind, **changes})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FULL, "010000000000000000000000000000"),
        (PREFIX, "0100010000000000000000000000"),
        (WITNESS, "0100020000"),
        (SIGNING, "0100030000"),
        (VALUE_SIGNING, "0100040000"),
    ],
)
def test_an_empty_transaction_has_its_bytes(kind, text):
    is_exactly(Tx(serialization=kind), text)
    tx = Tx.decode(bytes.fromhex(text))
    assert (tx.inputs, tx.outputs, tx.witnesses) == ((), (), ())
    assert (tx.version, tx.lock_time, tx.expiry, tx.serialization) == (1, 0, 0, kind)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (FULL, vectors.MULTI_TX),
        (PREFIX, b"\x01\0\x01\0" + vectors.MULTI_TX[4:211]),
        (WITNESS, bytes.fromhex("010002000112121212121212121515151534343434070431dc001b0162")),
        (SIGNING, bytes.fromhex("0100030001070431dc001b0162")),
        (VALUE_SIGNING, bytes.fromhex("01000400011212121212121212070431dc001b0162")),
    ],
)
def test_every_serialization_has_its_bytes(kind, raw):
    is_exactly(build(kind), raw)
    tx = Tx.decode(raw)
    has_prefix = kind in (FULL, PREFIX)
    assert tx.serialization is kind
    assert tx.inputs == (tuple(MULTI["inputs"]) if has_prefix else ())
    assert tx.outputs == (tuple(MULTI["outputs"]) if has_prefix else ())
    (full,) = MULTI["witnesses"]
    known = {
        FULL: (full,),
        PREFIX: (),
        WITNESS: (full,),
        SIGNING: (TxWitness(UNLOCK),),
        VALUE_SIGNING: (TxWitness(UNLOCK, full.value),),
    }
    assert tx.witnesses == known[kind]


def test_hashes_are_of_the_parts():
    tx = Tx.decode(vectors.MULTI_TX)
    # Derived from the vector with an implementation of its own.
    assert hash_to_text(tx.txid) == (
        "ef935c1158ffb1b3734c4b5afac60094178080c20c6eebed839bdd9cbfb707d0"
    )
    assert hash_to_text(tx.witness_hash) == (
        "5c8aba4f93eebf35447b78c162f522af0a4608c6069e4bd164d161939848ccbc"
    )
    assert hash_to_text(tx.full_hash) == (
        "4f3e3dc9b4a0a8a5f11c16344d9fe3aab5420e7814fff245a1fa4b40c933a790"
    )
    assert tx.full_hash == blake256(tx.txid + tx.witness_hash)
    assert tx.txid is tx.txid
    assert tx.witness_hash is tx.witness_hash
    assert tx.full_hash is tx.full_hash


def test_the_id_is_the_one_of_the_reference():
    tx = Tx.decode(vectors.ID_TX)
    assert hash_to_text(tx.txid) == (
        "4538fc1618badd058ee88fd020984451024858796be0a1ed111877f887e1bd53"
    )
    assert hash_to_text(tx.witness_hash) == (
        "64fd05ecc21ee8992b13249d129b2d07aa0abd404551cb9cc0fddbc375989801"
    )
    assert hash_to_text(tx.full_hash) == (
        "ba40c9e8733d43841ff50bf73876e9ef7bf5a04267cc685d812347b4fbce10c1"
    )


def test_the_coinbase_of_block_2_is_its_merkle_root():
    tx = Tx.decode(vectors.BLOCK_2_TX)
    assert tx.is_coinbase
    assert hash_to_text(tx.txid) == (
        "ba8d2fcb5c705a1e5cbeda0db9dd30a521e360efd3aef75e862b2b69e0a673af"
    )
    assert hash_to_text(tx.full_hash) == (
        "c867d085c96604812854399bf6df63d35d857484fedfd147759ed94c3cdeca35"
    )
    is_exactly(tx, vectors.BLOCK_2_TX)


@pytest.mark.parametrize(("raw", "txid", "full_hash"), vectors.SPENT, ids=["1", "2", "3", "4", "5"])
def test_what_is_known_of_real_transactions_is_true(raw, txid, full_hash):
    tx = Tx.decode(raw)
    assert hash_to_text(tx.txid) == txid
    assert hash_to_text(tx.full_hash) == full_hash
    assert not tx.is_coinbase
    again = Tx(
        tx.inputs,
        tx.outputs,
        tx.witnesses,
        version=tx.version,
        lock_time=tx.lock_time,
        expiry=tx.expiry,
    )
    is_exactly(again, raw)


def test_every_field_of_a_ticket_is_read():
    tx = Tx.decode(vectors.TICKET)
    assert (tx.version, tx.lock_time, tx.expiry) == (1, 0, 432144)
    (spent,) = tx.inputs
    assert spent.outpoint == OutPoint(spent.previous_hash, 25, Tree.REGULAR)
    assert spent.outpoint.encode() == vectors.TICKET[5:42]
    assert spent.sequence == 0xFFFF_FFFF
    assert [output.value for output in tx.outputs] == [14428162590, 0, 0]
    assert tx.outputs[0].script.hex() == "ba76a9149194dbb5c0a41f5eaff6b8c070f37688a356891b88ac"
    (witness,) = tx.witnesses
    assert (witness.value, witness.block_height, witness.block_index) == (14428165570, 432098, 8)
    assert len(witness.script) == 107
    is_exactly(tx, vectors.TICKET)


def test_an_outpoint_has_37_bytes():
    raw = SPENDING.outpoint.encode()
    assert raw == bytes(range(32)) + b"\x07\0\0\0\x01"
    assert OutPoint.read(raw) == (SPENDING.outpoint, 37)
    assert OutPoint(bytes(32), 0, Tree.UNKNOWN).encode()[-1] == 0xFF


def test_witnesses_of_new_inputs_say_that_nothing_is_known():
    tx = Tx([SPENDING], [])
    assert tx.witnesses == (TxWitness(b"", -1, 0, 0xFFFF_FFFF),)
    assert tx.encode()[-17:].hex() == "ffffffffffffffff00000000ffffffff00"


def test_parts_can_be_had_alone():
    tx = Tx.decode(vectors.MULTI_TX)
    prefix, witness = tx.only(PREFIX), tx.only(WITNESS)
    assert prefix == build(PREFIX)
    assert witness == build(WITNESS)
    assert prefix.only(PREFIX) == prefix
    assert prefix.txid == tx.txid
    assert witness.witness_hash == tx.witness_hash
    assert (witness.lock_time, witness.expiry) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "part"), [(PREFIX, WITNESS), (WITNESS, PREFIX), (SIGNING, WITNESS), (FULL, SIGNING)]
)
def test_a_part_that_is_not_there_cannot_be_had(kind, part):
    with pytest.raises(InvalidValue, match="part of a transaction"):
        build(kind).only(part)


def test_a_transaction_without_prefix_has_no_id():
    with pytest.raises(InvalidValue):
        assert build(WITNESS).txid
    with pytest.raises(InvalidValue):
        assert build(PREFIX).full_hash


def test_the_bytes_that_came_are_the_bytes_that_go():
    raw = bytes(bytearray(vectors.MULTI_TX))
    assert Tx.decode(raw).encode() is raw


def test_parts_are_made_once():
    tx = Tx.decode(vectors.TICKET)
    assert tx.inputs is tx.inputs
    assert tx.outputs is tx.outputs
    assert tx.witnesses is tx.witnesses


def test_a_transaction_shows_its_id():
    assert repr(Tx.decode(vectors.ID_TX)) == (
        "<Tx 4538fc1618badd058ee88fd020984451024858796be0a1ed111877f887e1bd53, "
        f"{len(vectors.ID_TX)} bytes>"
    )
    assert repr(build(WITNESS)) == "<Tx only_witness, 29 bytes>"


def test_a_copy_is_equal():
    tx = Tx.decode(vectors.TICKET)
    assert copy.deepcopy(tx) == tx
    assert len({tx, copy.copy(tx)}) == 1


@pytest.mark.parametrize("kind", [5, 6, 255, 256, 0xFFFF])
def test_unknown_serializations_are_refused(kind):
    with pytest.raises(InvalidValue, match="serialization"):
        Tx.decode(b"\x01\0" + kind.to_bytes(2, "little") + vectors.MULTI_TX[4:])


@pytest.mark.parametrize("count", [0, 2])
def test_there_are_as_many_witnesses_as_inputs(count):
    witness = bytes(17) * count
    with pytest.raises(InvalidValue, match="number of witnesses"):
        Tx.decode(vectors.MULTI_TX[:211] + bytes((count,)) + witness)
    with pytest.raises(Unencodable, match="witnesses, 1 inputs"):
        build(witnesses=[TxWitness()] * count)


@pytest.mark.parametrize(
    ("head", "limit"),
    [
        (b"\x01\0\0\0", MAX_INPUTS),
        (b"\x01\0\0\0\0", MAX_OUTPUTS),
        (b"\x01\0\x02\0", MAX_INPUTS),
    ],
)
def test_absurd_counts_are_refused_before_anything_is_read(head, limit):
    for claim in (limit + 1, 1 << 32, (1 << 64) - 1):
        with pytest.raises(LimitExceeded) as caught:
            Tx.decode(head + write_compact_size(claim) + bytes(1000))
        assert caught.value.limit == limit
    with pytest.raises(Truncated):
        Tx.decode(head + write_compact_size(limit) + bytes(1000))


@pytest.mark.parametrize("count", [252, 253, 300])
def test_counts_and_lengths_of_every_width_are_read(count):
    script = bytes(count)
    tx = Tx(
        [SPENDING._replace(previous_index=at) for at in range(count)],
        [TxOut(at, script, at) for at in range(count)],
        [TxWitness(script, at) for at in range(count)],
    )
    seen = Tx.decode(tx.encode())
    assert seen.inputs == tuple(SPENDING._replace(previous_index=at) for at in range(count))
    assert seen.outputs == tuple(TxOut(at, script, at) for at in range(count))
    assert seen.witnesses == tuple(TxWitness(script, at) for at in range(count))


def test_a_script_that_goes_on_beyond_the_data_is_refused():
    raw = Tx([], [TxOut(1, bytes(300))]).encode()
    for end in (len(raw) - 1, len(raw) - 9, len(raw) - 10, 200, 20):
        with pytest.raises(Truncated):
            Tx.decode(raw[:end])
    with pytest.raises(Truncated):
        Tx.decode(raw[:16] + b"\xfe\0\0\0\x02" + raw[19:])
    with pytest.raises(LimitExceeded):
        Tx.decode(raw[:16] + b"\xfe\x01\0\0\x02" + raw[19:])


def test_the_largest_transaction_can_be_built():
    opening = len(Tx([], [TxOut(0, bytes(70_000))]).encode()) - 70_000
    assert len(Tx([], [TxOut(0, bytes(MAX_TX_SIZE - opening))]).encode()) == MAX_TX_SIZE
    with pytest.raises(Unencodable, match="1310721 bytes"):
        Tx([], [TxOut(0, bytes(MAX_TX_SIZE - opening + 1))])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tx(version=-1),
        lambda: Tx(version=1 << 16),
        lambda: Tx(lock_time=1 << 32),
        lambda: Tx(expiry=-1),
        lambda: Tx([SPENDING._replace(previous_hash=bytes(31))]),
        lambda: Tx([SPENDING._replace(tree=128)]),
        lambda: Tx([SPENDING._replace(sequence=-1)]),
        lambda: Tx([], [TxOut(1 << 63, b"")]),
        lambda: Tx([], [TxOut(0, b"", 1 << 16)]),
        lambda: Tx([], [TxOut(0, None)]),
        lambda: Tx([SPENDING], [], [TxWitness("text")]),
        lambda: Tx([SPENDING], [], [TxWitness(b"", 1 << 63)]),
    ],
)
def test_what_cannot_be_written_is_the_callers_fault(make):
    with pytest.raises(Unencodable):
        make()


@given(values.transactions())
def test_every_transaction_comes_back_as_it_went(tx):
    raw = tx.encode()
    seen = Tx.decode(raw)
    assert seen == tx
    assert Tx.read(b"<" + raw + b">", 1) == (tx, 1 + len(raw))
    again = Tx(
        seen.inputs,
        seen.outputs,
        seen.witnesses,
        version=seen.version,
        lock_time=seen.lock_time,
        expiry=seen.expiry,
        serialization=seen.serialization,
    )
    assert again.encode() == raw


@given(values.transactions(), st.data())
def test_damage_is_refused_or_means_something(tx, data):
    raw = bytearray(tx.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    survives(Tx, bytes(raw))
    with pytest.raises((Truncated, InvalidValue)):
        Tx.decode(tx.encode()[:-1])
    with pytest.raises(TrailingBytes):
        Tx.decode(tx.encode() + b"\0")
