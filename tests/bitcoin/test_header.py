import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.header import MAX_HEADERS, BlockHeader, Headers
from bitpeer.errors import (
    DecodeError,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.bitcoin import values
from tests.bitcoin.vectors import BLOCK_926485, GENESIS, HASH_926485, unhex

REAL = BlockHeader.read(BLOCK_926485)[0]
networks = pytest.mark.parametrize("network", GENESIS)


@networks
def test_genesis_headers_are_read_and_written(network):
    known = GENESIS[network]
    header, end = BlockHeader.read(known.raw_header)
    assert end == 80
    assert header == BlockHeader(
        1, bytes(32), unhex(known.merkle_root), known.time, known.bits, known.nonce
    )
    assert header.encode() == known.raw_header
    assert header.hash == unhex(known.hash)
    assert repr(header) == f"<BlockHeader {known.hash}>"


@networks
def test_genesis_headers_meet_their_target(network):
    header, _ = BlockHeader.read(GENESIS[network].raw_header)
    assert header.meets_target()
    assert header.meets_target(limit=header.target)
    assert not header.meets_target(limit=header.target - 1)
    assert not header._replace(merkle_root=bytes(32), bits=0x1D00FFFF).meets_target()


def test_a_header_is_read_inside_other_bytes():
    assert BlockHeader.read(b"before" + BLOCK_926485, 6) == (REAL, 86)
    assert REAL.hash == HASH_926485
    assert REAL.time == 1472857006
    assert REAL.version == 0x20000000


# The cases on which Bitcoin Core tries the same number format (arith_uint256_tests).
@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (0, 0),
        (0x00123456, 0),
        (0x01003456, 0),
        (0x02000056, 0),
        (0x03000000, 0),
        (0x04000000, 0),
        (0x01123456, 0x12),
        (0x02123456, 0x1234),
        (0x03123456, 0x123456),
        (0x04123456, 0x12345600),
        (0x02008000, 0x80),
        (0x05009234, 0x92340000),
        (0x20123456, 0x123456 << 232),
        (0x1D00FFFF, 0xFFFF << 208),
        (0x01FEDCBA, 0),  # below zero
        (0x04923456, 0),
        (0xFF123456, 0),  # beyond 256 bits
        (0x21010000, 0),
        (0x2100FFFF, 0xFFFF << 240),
        (0x220000FF, 0xFF << 248),
    ],
)
def test_the_compact_form_of_a_target(bits, target):
    assert REAL._replace(bits=bits).target == target


def test_a_target_that_makes_no_sense_is_met_by_nobody():
    assert not REAL._replace(bits=0).meets_target()
    assert not REAL._replace(bits=0xFF123456).meets_target()


def test_every_truncation_of_a_header_is_refused():
    for end in range(80):
        with pytest.raises(Truncated):
            BlockHeader.read(BLOCK_926485[:end])


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1 << 31},
        {"previous_hash": bytes(31)},
        {"merkle_root": bytes(33)},
        {"time": -1},
        {"bits": 1 << 32},
        {"nonce": None},
    ],
)
def test_what_cannot_be_written_is_the_callers_fault(change):
    (field,) = change
    with pytest.raises(Unencodable, match=f"BlockHeader.{field}"):
        REAL._replace(**change).encode()
    with pytest.raises(Unencodable, match=f"BlockHeader.{field}"):
        Headers([REAL._replace(**change)])


@given(values.HEADER)
def test_every_header_comes_back_as_it_went(header):
    assert BlockHeader.read(header.encode()) == (header, 80)


def wire(headers, counts):
    return write_compact_size(len(headers)) + b"".join(
        header.encode() + count for header, count in zip(headers, counts, strict=True)
    )


@given(st.lists(values.HEADER, max_size=5))
def test_headers_come_back_as_they_went(headers):
    message = Headers(headers)
    raw = message.encode()
    assert raw == wire(headers, [b"\x00"] * len(headers))
    decoded = Headers.decode(raw)
    assert decoded.encode() is raw
    assert decoded.headers == headers
    assert list(decoded.headers) == headers
    assert decoded.hashes() == [header.hash for header in headers]
    assert decoded == message
    assert hash(decoded) == hash(message)
    assert decoded != headers


def test_real_headers_in_a_message():
    headers = [BlockHeader.read(known.raw_header)[0] for known in GENESIS.values()]
    message = Headers.decode(wire(headers, [b"\x00"] * 6))
    assert message.hashes() == [unhex(known.hash) for known in GENESIS.values()]
    assert message.headers[-1] == headers[-1]
    assert message.headers[1:3] == headers[1:3]
    assert list(message.headers.column("nonce")) == [known.nonce for known in GENESIS.values()]
    assert repr(message) == "<Headers, 6 of them>"


def test_no_headers_are_a_message_too():
    assert Headers.decode(b"\x00") == Headers([])
    assert Headers([]).hashes() == []


# btcd refuses these; the reference node reads the count and forgets it.
@pytest.mark.parametrize("count", [1, 252, 253, 65535, 1 << 16, 1 << 32])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_transaction_counts_are_tolerated_and_forgotten(count, at):
    headers = [REAL._replace(nonce=nonce) for nonce in range(3)]
    counts = [write_compact_size(count if at == each else 0) for each in range(3)]
    message = Headers.decode(wire(headers, counts))
    assert message == Headers(headers)
    assert message.headers == headers
    assert message.encode() == wire(headers, [b"\x00"] * 3)
    assert message.hashes() == [header.hash for header in headers]


def test_transaction_counts_must_be_written_in_their_shortest_form():
    with pytest.raises(NonCanonical):
        Headers.decode(wire([REAL], [b"\xfd\x00\x00"]))


@pytest.mark.parametrize("counts", [[b"\x00"] * 3, [b"\x00", b"\xfd\xff\xff", b"\x05"]])
def test_every_truncation_and_every_addition_is_refused(counts):
    raw = wire([REAL] * 3, counts)
    for end in range(len(raw)):
        with pytest.raises(DecodeError) as caught:
            Headers.decode(raw[:end])
        assert isinstance(caught.value, Truncated)
    with pytest.raises(TrailingBytes):
        Headers.decode(raw + b"\x00")


def test_two_thousand_headers_and_no_more():
    headers = [REAL] * MAX_HEADERS
    message = Headers(headers)
    assert len(message.encode()) == 3 + 2000 * 81
    assert len(Headers.decode(message.encode()).headers) == 2000
    with pytest.raises(Unencodable, match="2001"):
        Headers([*headers, REAL])
    with pytest.raises(LimitExceeded):
        Headers.decode(wire([*headers, REAL], [b"\x00"] * 2001))


def test_what_the_bytes_cannot_hold_is_refused_at_once():
    for count in (b"\x01", b"\xfd\xd0\x07"):
        with pytest.raises(Truncated):
            Headers.decode(count)
    for count in (b"\xfd\xd1\x07", b"\xff" + b"\xff" * 8):
        with pytest.raises(LimitExceeded):
            Headers.decode(count)


def test_sizes_are_known():
    assert (BlockHeader.min_size, BlockHeader.max_size) == (80, 80)
    assert Headers.min_size == len(Headers([]).encode())
    widest = wire([REAL] * 2000, [write_compact_size(1 << 32)] * 2000)
    assert Headers.max_size == len(widest)
    assert len(Headers.decode(widest).headers) == 2000
