from hashlib import sha256

import pytest
import siphashc
from hypothesis import given, strategies as st

from bitpeer.bitcoin.reconciliation import (
    MAX_SKETCH_CAPACITY,
    Q_PRECISION,
    RECONCILIATION_VERSION,
    ReconcilDiff,
    ReqRecon,
    ReqSketchExt,
    SendTxRcncl,
    Sketch,
    reconciliation_key,
    short_id,
)
from bitpeer.errors import LimitExceeded, TrailingBytes, Truncated, Unencodable

MESSAGES = [
    (SendTxRcncl(RECONCILIATION_VERSION, 0x0807060504030201), "01000000" + "0102030405060708"),
    (ReqRecon(0x0102, Q_PRECISION), "0201ff7f"),
    (Sketch(b""), "00"),
    (Sketch(bytes(range(8))), "08" + "0001020304050607"),
    (ReqSketchExt(), ""),
    (ReconcilDiff(0, ()), "0000"),
    (ReconcilDiff(1, (1, 0xFFFFFFFF)), "01" + "02" + "01000000" + "ffffffff"),
]
SALTS = st.integers(0, (1 << 64) - 1)
numbers = {size: st.integers(0, (1 << size) - 1) for size in (8, 16, 32, 64)}
any_message = st.one_of(
    st.builds(SendTxRcncl, numbers[32], numbers[64]),
    st.builds(ReqRecon, numbers[16], numbers[16]),
    st.builds(Sketch, st.binary(max_size=300)),
    st.builds(ReqSketchExt),
    st.builds(ReconcilDiff, numbers[8], st.lists(numbers[32], max_size=300)),
)


@pytest.mark.parametrize(("message", "wire"), MESSAGES)
def test_the_bytes_are_as_specified(message, wire):
    assert message.encode().hex() == wire
    assert type(message).decode(bytes.fromhex(wire)) == message


@pytest.mark.parametrize(("message", "wire"), MESSAGES)
def test_every_truncation_is_refused(message, wire):
    raw = bytes.fromhex(wire)
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            type(message).decode(raw[:size])


@pytest.mark.parametrize(("message", "wire"), MESSAGES)
def test_a_byte_too_many_is_refused(message, wire):
    with pytest.raises(TrailingBytes):
        type(message).decode(bytes.fromhex(wire) + b"\0")


@given(any_message)
def test_what_is_sent_is_what_arrives(message):
    wire = message.encode()
    assert type(message).decode(wire) == message
    assert type(message).min_size <= len(wire) <= type(message).max_size


def test_a_sketch_has_its_limit():
    most = MAX_SKETCH_CAPACITY * 4
    assert len(Sketch(bytes(most)).encode()) == Sketch.max_size
    with pytest.raises(Unencodable):
        Sketch(bytes(most + 1)).encode()
    with pytest.raises(LimitExceeded):
        Sketch.decode(b"\xfe\x01\x00\x01\x00" + bytes(most + 1))


def test_a_difference_has_its_limit():
    most = MAX_SKETCH_CAPACITY
    assert len(ReconcilDiff(1, (7,) * most).encode()) == ReconcilDiff.max_size
    with pytest.raises(Unencodable):
        ReconcilDiff(1, (7,) * (most + 1)).encode()
    with pytest.raises(LimitExceeded):
        ReconcilDiff.decode(b"\x01\xfd\x01\x40" + bytes(4 * (most + 1)))


def test_the_messages_are_named_and_gated():
    kinds = (SendTxRcncl, ReqRecon, Sketch, ReqSketchExt, ReconcilDiff)
    assert [kind.command for kind in kinds] == [
        "sendtxrcncl",
        "reqrecon",
        "sketch",
        "reqsketchext",
        "reconcildiff",
    ]
    assert {kind.since for kind in kinds} == {70016}


@given(SALTS, SALTS)
def test_both_sides_come_to_the_same_key(ours, theirs):
    key = reconciliation_key(ours, theirs)
    assert key == reconciliation_key(theirs, ours)
    tag = sha256(b"Tx Relay Salting").digest()
    salts = b"".join(salt.to_bytes(8, "little") for salt in sorted((ours, theirs)))
    assert key == sha256(tag + tag + salts).digest()[:16]


@given(SALTS, SALTS, st.binary(min_size=32, max_size=32))
def test_short_ids_are_keyed_and_never_zero(ours, theirs, wtxid):
    key = reconciliation_key(ours, theirs)
    assert short_id(key, wtxid) == 1 + siphashc.siphash(key, wtxid) % 0xFFFFFFFF
    assert 1 <= short_id(key, wtxid) < 1 << 32


def test_keys_and_short_ids_stay_what_they_are():
    key = reconciliation_key(2, 1)
    assert key.hex() == "a452e03974d2635ab921698d9ff5dac8"
    assert short_id(key, bytes(range(32))) == 961547771
