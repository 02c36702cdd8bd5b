import pytest
from hypothesis import example, given, strategies as st

from bitpeer.bitcoin.scan import scan_payload, scan_transactions
from bitpeer.errors import DecodeError, InvalidValue, NonCanonical, TrailingBytes, Truncated
from tests.bitcoin import values, vectors

VERSION, LOCK_TIME = bytes(4), b"\xaa\xbb\xcc\xdd"
INPUT = bytes(36) + b"\x00" + bytes(4)
OUTPUT = bytes(8) + b"\x00"
EMPTY = VERSION + b"\x00\x00" + LOCK_TIME
LEGACY = VERSION + b"\x01" + INPUT + b"\x01" + OUTPUT + LOCK_TIME
SEGWIT = VERSION + b"\x00\x01\x01" + INPUT + b"\x01" + OUTPUT + b"\x01\x01w" + LOCK_TIME
KNOWN = {
    EMPTY: 6,
    LEGACY: 56,
    SEGWIT: 58,
    vectors.P2SH_P2WPKH.raw: 140,
    vectors.P2WPKH.raw: 231,
    vectors.BLOCKTXN_COINBASE.raw: 134,
    vectors.GENESIS_COINBASE: 200,
}
NAMES = ["empty", "legacy", "segwit", "P2SH-P2WPKH", "P2WPKH", "coinbase", "genesis"]


def scan_one(data, pos=0):
    """Scan with the function for many what should be exactly one transaction."""
    start, end = scan_transactions(data, pos, 1)
    assert start == pos
    if end != len(data):
        raise TrailingBytes(len(data) - end)
    return end


known = pytest.mark.parametrize("data", KNOWN, ids=NAMES)
both = pytest.mark.parametrize("scan", [scan_payload, scan_one])


@pytest.mark.parametrize(("data", "body"), KNOWN.items(), ids=NAMES)
def test_where_the_witnesses_begin_is_found(data, body):
    assert scan_payload(data) == body


@known
def test_a_transaction_is_found_inside_other_bytes(data):
    assert scan_transactions(b"before" + data + b"behind", 6, 1) == [6, 6 + len(data)]


def test_many_are_found_one_after_the_other():
    raws = list(KNOWN)
    ends = [sum(map(len, raws[: count + 1])) for count in range(len(raws))]
    assert scan_transactions(b"".join(raws), 0, len(raws)) == [0, *ends]
    assert scan_transactions(b"anything", 3, 0) == [3]


@both
@known
def test_every_truncation_is_refused(data, scan):
    for end in range(len(data)):
        with pytest.raises(Truncated):
            scan(data[:end])


@both
@known
def test_bytes_behind_are_refused(data, scan):
    with pytest.raises(TrailingBytes):
        scan(data + b"\x00")


def test_a_block_whose_last_transaction_is_cut_is_refused():
    for end in range(len(LEGACY), 2 * len(LEGACY)):
        with pytest.raises(Truncated):
            scan_transactions((LEGACY + LEGACY)[:end], 0, 2)


# A size can stand in seven places; what comes before it, and after as many bytes or items.
PLACES = {
    "inputs": (VERSION, INPUT, b"\x00" + LOCK_TIME),
    "marked inputs": (VERSION + b"\x00\x01", INPUT, None),
    "input script": (VERSION + b"\x01" + bytes(36), b"s", bytes(4) + b"\x00" + LOCK_TIME),
    "outputs": (VERSION + b"\x01" + INPUT, OUTPUT, LOCK_TIME),
    "output script": (VERSION + b"\x01" + INPUT + b"\x01" + bytes(8), b"s", LOCK_TIME),
    "items": (VERSION + b"\x00\x01\x01" + INPUT + b"\x00", b"\x00", LOCK_TIME),
    "first item": (VERSION + b"\x00\x01\x01" + INPUT + b"\x00\x02", b"w", b"\x00" + LOCK_TIME),
    "second item": (VERSION + b"\x00\x01\x01" + INPUT + b"\x00\x02\x00", b"w", LOCK_TIME),
    "third item": (VERSION + b"\x00\x01\x01" + INPUT + b"\x00\x03\x00\x00", b"w", LOCK_TIME),
}
places = pytest.mark.parametrize("place", PLACES)


@both
@places
@pytest.mark.parametrize(
    ("size", "count"),
    [
        (b"\xfc", 252),
        (b"\xfd\xfd\x00", 253),
        (b"\xfd\xff\xff", 65535),
        (b"\xfe\x00\x00\x01\x00", 65536),
    ],
)
def test_sizes_of_every_width_are_read_in_every_place(place, size, count, scan):
    before, item, behind = PLACES[place]
    if behind is None:  # every input has a stack, and the first has an item
        behind = b"\x00" + b"\x01\x00" + bytes(count - 1) + LOCK_TIME
    scan(before + size + count * item + behind)


@both
@places
@pytest.mark.parametrize(
    "size",
    [
        b"\xfd\x01\x00",
        b"\xfd\xfc\x00",
        b"\xfe\xff\xff\x00\x00",
        b"\xff\xff\xff\xff\xff\x00\x00\x00\x00",
    ],
)
def test_sizes_longer_than_they_need_be_are_refused_in_every_place(place, size, scan):
    with pytest.raises(NonCanonical):
        scan(PLACES[place][0] + size + bytes(300_000))


@both
@places
@pytest.mark.parametrize(
    "size", [b"\xfd\xff\xff", b"\xfe" + b"\xff" * 4, b"\xff" + b"\xff" * 8], ids=["2", "4", "8"]
)
def test_what_the_bytes_cannot_hold_is_refused_at_once(place, size, scan):
    before, item, _ = PLACES[place]
    for data in (before + size, before + size + 100 * item):
        with pytest.raises(Truncated) as caught:
            scan(data)
        assert len(str(caught.value)) < 512


@both
@pytest.mark.parametrize("flag", [2, 3, 0x80, 0xFF])
def test_unknown_flags_are_refused(flag, scan):
    marked = bytearray(SEGWIT)
    marked[5] = flag
    with pytest.raises(InvalidValue, match="flag"):
        scan(bytes(marked))


# BIP 144 leaves no room for these, and the reference node refuses them: an output without any
# input, which reads as a mark; a mark without inputs, with an output and with nothing at all;
# and a mark although no input has a witness.
@both
@pytest.mark.parametrize(
    "data",
    [
        VERSION + b"\x00\x01" + OUTPUT + LOCK_TIME,
        VERSION + b"\x00\x01\x00\x01" + OUTPUT + LOCK_TIME,
        VERSION + b"\x00\x01\x00\x00" + LOCK_TIME,
        VERSION + b"\x00\x01\x01" + INPUT + b"\x01" + OUTPUT + b"\x00" + LOCK_TIME,
        VERSION + b"\x00\x01\x02" + 2 * INPUT + b"\x00" + b"\x00\x00" + LOCK_TIME,
    ],
    ids=["no mark", "no input", "nothing", "one empty witness", "two empty witnesses"],
)
def test_a_superfluous_mark_is_refused(data, scan):
    with pytest.raises(InvalidValue, match="witnesses"):
        scan(data)


@both
def test_one_witness_among_many_inputs_is_enough(scan):
    for at in range(3):
        stacks = b"".join(b"\x01\x00" if at == each else b"\x00" for each in range(3))
        scan(VERSION + b"\x00\x01\x03" + 3 * INPUT + b"\x00" + stacks + LOCK_TIME)


def accepts(scan, data):
    try:
        scan(data)
    except (DecodeError, values.Malformed):
        return False
    return True


@given(values.transactions(), st.data())
@example(values.coinbase(), None)
def test_both_scans_judge_as_a_slow_reader_does(tx, data):
    raw = bytearray(tx.encode())
    if data is not None:
        for _ in range(data.draw(st.integers(0, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.sampled_from([0, 1, 2, 0xFC, 0xFD, 0xFE, 0xFF])
            )
        del raw[data.draw(st.integers(len(raw) - 8, len(raw))) :]
    raw = bytes(raw)
    expected = accepts(values.slow_read, raw)
    assert accepts(scan_payload, raw) is expected
    assert accepts(scan_one, raw) is expected


@given(st.binary(max_size=80))
def test_nothing_but_a_decode_error_escapes(data):
    assert accepts(scan_payload, data) == accepts(scan_one, data) == accepts(values.slow_read, data)
