from dataclasses import fields, replace

import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.mixing import (
    CIPHERTEXT_SIZE,
    MAX_MIX_CONFIRM,
    MAX_MIX_FACTORED_POLY,
    MAX_MIX_PAIR_REQ,
    P2PKH,
    MixCiphertexts,
    MixConfirm,
    MixDCNet,
    MixFactoredPoly,
    MixKeyExchange,
    MixPairReq,
    MixSecrets,
    MixSlotReserve,
    MixUtxo,
    data_hash,
    peer_order,
    session_id,
    signed_digest,
)
from bitpeer.decred.transaction import OutPoint, Tx, TxOut
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes.blake256 import blake256
from tests.decred import values, vectors
from tests.decred.battery import is_exactly, survives


def rep(byte, count):
    """Return one byte again and again, as the reference's tests do."""
    return bytes((byte,)) * count


def row(first, count, size):
    """Return strings of ascending bytes."""
    return tuple(rep(first + at, size) for at in range(count))


def sized(*strings):
    return b"".join(bytes((len(each),)) + each for each in strings)


HEAD = (rep(0x80, 64), rep(0x81, 33), rep(0x82, 32), 0x83838383)
HEAD_RAW = rep(0x80, 64) + rep(0x81, 33) + rep(0x82, 32) + rep(0x83, 4)
PAIR_REQ = MixPairReq(
    rep(0x80, 64),
    rep(0x81, 33),
    0x82828282,
    0x0383838383838383,
    P2PKH,
    0x8484,
    0x85858585,
    0x86868686,
    0x0787878787878787,
    (
        MixUtxo(OutPoint(rep(0x88, 32), 0x89898989, 0x0A), b"", rep(0x8B, 33), rep(0x8C, 64), 0xBB),
        MixUtxo(
            OutPoint(rep(0x8D, 32), 0x8E8E8E8E, 0x0F),
            rep(0x90, 25),
            rep(0x91, 33),
            rep(0x92, 64),
            0xBC,
        ),
    ),
    TxOut(0x1393939393939393, rep(0x94, 25)),
    0x95,
    0x96,
)
PAIR_REQ_RAW = b"".join(
    (
        rep(0x80, 64), rep(0x81, 33), rep(0x82, 4), rep(0x83, 7), b"\x03", sized(P2PKH),
        rep(0x84, 2), rep(0x85, 4), rep(0x86, 4), rep(0x87, 7), b"\x07", b"\x02",
        rep(0x88, 32), rep(0x89, 4), b"\x0a\0", sized(rep(0x8B, 33), rep(0x8C, 64)), b"\xbb",
        rep(0x8D, 32), rep(0x8E, 4), b"\x0f", sized(rep(0x90, 25), rep(0x91, 33), rep(0x92, 64)),
        b"\xbc", b"\x01", rep(0x93, 7), b"\x13", b"\0\0", sized(rep(0x94, 25)), b"\x95\x96",
    )
)  # fmt: skip
KEY_EXCHANGE = MixKeyExchange(
    *HEAD[:3],
    0x8383838383838383,
    0x84848484,
    0x8C8C8C8C,
    rep(0x85, 33),
    rep(0x86, 1218),
    rep(0x87, 32),
    row(0x88, 4, 32),
)
KEY_EXCHANGE_RAW = b"".join(
    (
        HEAD_RAW[:129], rep(0x83, 8), rep(0x84, 4), rep(0x8C, 4), rep(0x85, 33), rep(0x86, 1218),
        rep(0x87, 32), b"\x04", *row(0x88, 4, 32),
    )
)  # fmt: skip
SLOTS = tuple(row(0x84 + 4 * at, 4, 32) for at in range(4))
NET = tuple(row(0x84 + 4 * at, 4, 20) for at in range(4))
EMPTY_TX = Tx()

# dcrd wire/msgmix*_test.go; the hashes were derived from them.
EXAMPLES = [
    (PAIR_REQ, PAIR_REQ_RAW, "b575d967d660ee6b4eeb9a9a78102bfb7a7c3248536cd5f7296485aff854a062"),
    (
        KEY_EXCHANGE,
        KEY_EXCHANGE_RAW,
        "373cb4ab878dc2b7b68e4eb641d725290127a60e90dcba157e00aa13166542bd",
    ),
    (
        MixCiphertexts(*HEAD, row(0x84, 4, CIPHERTEXT_SIZE), row(0x88, 4, 32)),
        HEAD_RAW + b"\x04" + b"".join(row(0x84, 4, CIPHERTEXT_SIZE) + row(0x88, 4, 32)),
        "66031a151197e02687feba75fa70ef8a82da13bfba60d52377659ead40e9dfb8",
    ),
    (
        MixSlotReserve(*HEAD, SLOTS, row(0x94, 4, 32)),
        b"".join((HEAD_RAW, b"\x04\x04", *(sized(*each) for each in SLOTS), b"\x04"))
        + b"".join(row(0x94, 4, 32)),
        "a5d0c18d72ce55d2e142033037cc1e2bc136c9a69e3610771813c55eacbf43c4",
    ),
    (
        MixFactoredPoly(*HEAD, row(0x84, 4, 32), row(0x88, 4, 32)),
        HEAD_RAW + b"\x04" + sized(*row(0x84, 4, 32)) + b"\x04" + b"".join(row(0x88, 4, 32)),
        "f41abc84907cc2da4a574e344cf2fe79145ce4f9cedd5562f46974eaeb3cba00",
    ),
    (
        MixDCNet(*HEAD, NET, row(0x94, 4, 32)),
        b"".join((HEAD_RAW, b"\x04\x04\x14", *(b"".join(each) for each in NET), b"\x04"))
        + b"".join(row(0x94, 4, 32)),
        "863bae1e278843e26ebc0f94ef294acf0e2f45b5d568fb047e3986b7af6db32e",
    ),
    (
        MixConfirm(*HEAD, EMPTY_TX, row(0x84, 4, 32)),
        HEAD_RAW + EMPTY_TX.encode() + b"\x04" + b"".join(row(0x84, 4, 32)),
        "afb54b8de0c1a8ef9621f8148e5c01978e1f4158009322b1cc62a4223ae6a92c",
    ),
    (
        MixSecrets(
            *HEAD, rep(0x84, 32), row(0x85, 4, 32), row(0x89, 4, 20), row(0x8D, 4, 32)
        ),
        b"".join((HEAD_RAW, rep(0x84, 32), b"\x04", sized(*row(0x85, 4, 32)), b"\x04\x14"))
        + b"".join((*row(0x89, 4, 20), b"\x04", *row(0x8D, 4, 32))),
        "bdfa90ea6577eefbf987dff0d2bfdcdc082ebaba3a84ebd51018fcf1ec11dfad",
    ),
]  # fmt: skip
KINDS = [type(value) for value, _, _ in EXAMPLES]
each_example = pytest.mark.parametrize(
    ("value", "raw", "name"), EXAMPLES, ids=[kind.command for kind in KINDS]
)


@each_example
def test_each_message_has_its_bytes_and_its_name(value, raw, name):
    is_exactly(value, raw)
    assert value.hash.hex() == name


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (MixPairReq, 8_476_851), (MixKeyExchange, 17_815), (MixCiphertexts, 552_584),
        (MixSlotReserve, 17_318_030), (MixFactoredPoly, 50_315), (MixDCNet, 20_988_047),
        (MixSecrets, 70_831),
    ],
)  # fmt: skip
def test_the_longest_is_as_long_as_its_fields_can_make_it(kind, size):
    assert kind.max_size == size
    assert (kind.since, kind.until) == (10, None)


def test_the_reference_miscounted_three_times():
    assert MixPairReq.max_size - MAX_MIX_PAIR_REQ == 3
    assert MixFactoredPoly.max_size - MAX_MIX_FACTORED_POLY == 1024
    assert MixConfirm.max_size > MAX_MIX_CONFIRM == 1_016_520


@pytest.mark.parametrize(
    "value", [value for value, _, _ in EXAMPLES], ids=lambda each: each.command
)
def test_what_has_the_wrong_size_cannot_be_written(value):
    for field in fields(value):
        good = getattr(value, field.name)
        if field.name in ("signature", "identity", "session_id"):
            with pytest.raises(Unencodable):
                replace(value, **{field.name: good[1:]}).encode()
        elif field.name in ("run", "expiry"):
            with pytest.raises(Unencodable):
                replace(value, **{field.name: -1}).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"mix_amount": -1},
        {"mix_amount": 1 << 63},
        {"input_value": -1},
        {"script_class": b"a" * 33},
        {"script_class": b"\x80"},
        {"utxos": PAIR_REQ.utxos * 257},
        {"change": TxOut(1 << 63, b"")},
        {"change": TxOut(0, bytes(16_385))},
        {"utxos": (replace(PAIR_REQ.utxos[0], public_key=bytes(34)),)},
        {"utxos": (replace(PAIR_REQ.utxos[0], signature=bytes(65)),)},
        {"utxos": (replace(PAIR_REQ.utxos[0], script=bytes(16_385)),)},
    ],
)
def test_a_pair_request_has_limits(change):
    with pytest.raises(Unencodable):
        replace(PAIR_REQ, **change).encode()


def test_negative_amounts_are_refused():
    for at in (101, PAIR_REQ_RAW.index(rep(0x87, 7))):
        with pytest.raises(LimitExceeded):
            MixPairReq.decode(PAIR_REQ_RAW[:at] + b"\xff" * 8 + PAIR_REQ_RAW[at + 8 :])


def test_change_is_there_or_not():
    without = replace(PAIR_REQ, change=None)
    raw = without.encode()
    assert raw[-3:] == b"\x00\x95\x96"
    assert MixPairReq.decode(raw) == without
    with pytest.raises(InvalidValue, match="mark of change"):
        MixPairReq.decode(raw[:-3] + b"\x02" + raw[-2:])


def test_a_signed_pair_request():
    # dcrd mixing/signatures_test.go
    request = MixPairReq.decode(vectors.PAIR_REQUEST)
    assert (request.expiry, request.mix_amount, request.script_class) == (15, 16, b"script class")
    assert (request.tx_version, request.lock_time, request.message_count) == (17, 18, 19)
    assert (request.input_value, request.change) == (20, TxOut(10, b"\x0c\x0d\x0e", 11))
    assert (request.flags, request.pairing_flags) == (21, 22)
    is_exactly(request, vectors.PAIR_REQUEST)
    assert request.pairing().hex() == "10000000000000000c73637269707420636c61737311001200000016"
    assert data_hash(request).hex() == (
        "dc059c0a267ffe3519b6fd44200a62230af86646df1990cf0316e492de3235f5"
    )
    assert signed_digest(request).hex() == (
        "bd117cb3e25960bfe803274052411ce01ed3dcf5cf1f0dfe61f5d8f8515f4b24"
    )


def test_all_but_pair_requests_sign_their_session_too():
    assert signed_digest(KEY_EXCHANGE) != signed_digest(replace(KEY_EXCHANGE, run=1))
    assert signed_digest(KEY_EXCHANGE) == signed_digest(replace(KEY_EXCHANGE, signature=bytes(64)))


def test_sessions_have_names_and_peers_an_order():
    hashes = [bytes((at,)) + bytes(31) for at in range(6)]
    session = session_id(0, hashes)
    assert session.hex() == "695794d3492979b67b51cd79fa330eaae643955ecea866b3e35d7abed2ec621e"
    assert session_id(0, hashes[::-1]) == session != session_id(1, hashes)
    assert [each[0] for each in peer_order(session, hashes)] == [1, 0, 3, 2, 5, 4]


def test_ciphertexts_and_hashes_are_as_many():
    ciphertexts = EXAMPLES[2][0]
    for change in (
        {"seen": ()},
        {"ciphertexts": ()},
        {"seen": (*row(0x88, 3, 32), bytes(31))},
        {"ciphertexts": row(0x88, 4, 1046)},
        {"ciphertexts": (bytes(1047),) * 513, "seen": (bytes(32),) * 513},
    ):
        with pytest.raises(Unencodable):
            replace(ciphertexts, **change).encode()
    with pytest.raises(LimitExceeded):
        MixCiphertexts.decode(HEAD_RAW + b"\xfd\x01\x02" + bytes(99))


@pytest.mark.parametrize(
    "slots",
    [(), ((),), ((b"a",), (b"a", b"b")), ((b"a" * 33,),), ((b"",),) * 1025, ((b"",) * 513,)],
)
def test_slots_are_a_matrix(slots):
    with pytest.raises(Unencodable):
        MixSlotReserve(*HEAD, slots, ()).encode()


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        (b"\0\x01", InvalidValue),
        (b"\x01\0", InvalidValue),
        (b"\xfd\x01\x04\x01", LimitExceeded),
        (b"\x01\xfd\x01\x02", LimitExceeded),
        (b"\x01\x01\x21", LimitExceeded),
        (b"\xfd\0\x04\xfd\0\x02", Truncated),
    ],
)
def test_slots_have_limits(counts, error):
    with pytest.raises(error):
        MixSlotReserve.decode(HEAD_RAW + counts + bytes(99))


@pytest.mark.parametrize(
    "messages",
    [((),), ((bytes(19),),), ((bytes(20),), ()), ((bytes(20),),) * 1025],
)
def test_a_dc_net_is_a_matrix_of_messages(messages):
    with pytest.raises(Unencodable):
        MixDCNet(*HEAD, messages, ()).encode()


def test_a_dc_net_without_rows_has_a_hash():
    message = MixDCNet.decode(HEAD_RAW + b"\0\0")
    assert message.messages == ()
    assert message.encode() == HEAD_RAW + b"\0\0"
    assert message.hash == blake256(HEAD_RAW + b"\0\0")


def test_lists_are_kept_as_they_were_given():
    rows = [(bytes(20),)]
    message = MixDCNet(*HEAD, rows, ())
    rows.append(())
    assert message == MixDCNet.decode(message.encode())
    assert hash(message) == hash(MixDCNet.decode(message.encode()))


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        (b"\xfd\x01\x04\x01\x14", LimitExceeded),
        (b"\x01\xfd\x01\x04\x14", LimitExceeded),
        (b"\x01\x01\x13", InvalidValue),
        (b"\xfd\0\x04\xfd\0\x04\x14", Truncated),
    ],
)
def test_a_dc_net_has_limits(counts, error):
    with pytest.raises(error):
        MixDCNet.decode(HEAD_RAW + counts + bytes(9999))


def test_secrets_may_be_of_nothing():
    secrets = MixSecrets(*HEAD, bytes(32), (), (), ())
    is_exactly(secrets, HEAD_RAW + bytes(32) + bytes(3))


def test_secrets_have_limits():
    secrets = EXAMPLES[-1][0]
    for change in (
        {"messages": (bytes(20),) * 1025},
        {"messages": (bytes(21),)},
        {"slots": (bytes(33),)},
        {"slots": (b"",) * 1025},
        {"seen": (bytes(32),) * 513},
    ):
        with pytest.raises(Unencodable):
            replace(secrets, **change).encode()
    with pytest.raises(InvalidValue, match="size of a mixed message"):
        MixSecrets.decode(HEAD_RAW + bytes(33) + b"\x01\x15" + bytes(99))
    with pytest.raises(LimitExceeded):
        MixSecrets.decode(HEAD_RAW + bytes(33) + b"\xfd\x01\x04\x14" + bytes(99))


@given(values.transactions())
def test_any_transaction_can_be_confirmed(tx):
    confirm = MixConfirm(*HEAD, tx, (bytes(32),))
    assert MixConfirm.decode(confirm.encode()) == confirm


@given(
    st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.binary(max_size=32), min_size=columns, max_size=columns).map(tuple),
            min_size=1,
            max_size=4,
        )
    )
)
def test_any_slots_come_back_as_they_went(slots):
    message = MixSlotReserve(*HEAD, tuple(slots), ())
    assert MixSlotReserve.decode(message.encode()) == message


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_noise_is_refused_or_survives_a_round_trip(kind, noise):
    survives(kind, HEAD_RAW + noise)
    survives(kind, noise)
