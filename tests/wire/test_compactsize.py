import tracemalloc

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import LimitExceeded, NonCanonical, Truncated, Unencodable
from bitpeer.wire.compactsize import (
    compact_size_length,
    read_bytes,
    read_compact_size,
    read_count,
    write_compact_size,
)

BOUNDARIES = [
    (0, "00"),
    (1, "01"),
    (0xFC, "fc"),
    (0xFD, "fdfd00"),
    (0xFE, "fdfe00"),
    (0xFF, "fdff00"),
    (0x100, "fd0001"),
    (0xFFFF, "fdffff"),
    (0x1_0000, "fe00000100"),
    (0xFFFF_FFFF, "feffffffff"),
    (0x1_0000_0000, "ff0000000001000000"),
    (0xFFFF_FFFF_FFFF_FFFF, "ffffffffffffffffff"),
]

WASTEFUL = [
    (0, "fd0000"),
    (1, "fd0100"),
    (0xFC, "fdfc00"),
    (0, "fe00000000"),
    (0xFC, "fefc000000"),
    (0xFD, "fefd000000"),
    (0xFFFF, "feffff0000"),
    (0, "ff0000000000000000"),
    (0xFC, "fffc00000000000000"),
    (0xFFFF, "ffffff000000000000"),
    (0x1_0000, "ff0000010000000000"),
    (0xFFFF_FFFF, "ffffffffff00000000"),
]


@pytest.mark.parametrize(("value", "text"), BOUNDARIES)
def test_each_width_begins_where_the_one_before_ends(value, text):
    raw = bytes.fromhex(text)
    assert write_compact_size(value) == raw
    assert read_compact_size(raw, 0) == (value, len(raw))
    assert compact_size_length(value) == len(raw)


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_what_is_written_can_be_read_wherever_it_lies(value, before, after):
    raw = write_compact_size(value)
    end = len(before) + len(raw)
    assert read_compact_size(before + raw + after, len(before)) == (value, end)


@pytest.mark.parametrize(("value", "text"), WASTEFUL)
def test_r_b1_only_the_shortest_form_is_read(value, text):
    with pytest.raises(NonCanonical) as caught:
        read_compact_size(bytes.fromhex(text), 0)
    assert caught.value.value == value


@pytest.mark.parametrize("text", [text for _, text in BOUNDARIES])
def test_every_truncation_is_refused(text):
    raw = bytes.fromhex(text)
    for size in range(len(raw)):
        with pytest.raises(Truncated) as caught:
            read_compact_size(b"before" + raw[:size], 6)
        assert caught.value.needed > caught.value.available == max(0, size - 1)


@pytest.mark.parametrize(
    "value", [-1, -(10**5000), 2**64, 10**5000], ids=["-1", "far too low", "2**64", "far too high"]
)
def test_what_needs_no_or_too_many_bytes_cannot_be_written(value):
    with pytest.raises(Unencodable, match="compact size"):
        write_compact_size(value)


def test_a_count_up_to_the_limit_is_read():
    assert read_count(b"\x03abcdef", 0, limit=3, size=2) == (3, 1)


def test_a_count_beyond_the_limit_is_refused():
    with pytest.raises(LimitExceeded) as caught:
        read_count(b"\x04abcdefgh", 0, limit=3, size=2)
    assert (caught.value.count, caught.value.limit) == (4, 3)


def test_a_count_of_more_than_is_left_is_refused():
    with pytest.raises(Truncated) as caught:
        read_count(b"\x03abcde", 0, limit=3, size=2)
    assert (caught.value.needed, caught.value.available) == (6, 5)


@pytest.mark.parametrize("claim", [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 2**64 - 1])
def test_r_b2_a_length_is_never_negative_and_never_trusted(claim):
    raw = write_compact_size(claim) + b"x" * 1000
    tracemalloc.start()
    with pytest.raises(LimitExceeded) as beyond_limit:
        read_bytes(raw, 0, 1000)
    with pytest.raises(Truncated) as beyond_data:
        read_bytes(raw, 0, 2**64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 65536
    assert len(str(beyond_limit.value)) < 512
    assert len(str(beyond_data.value)) < 512


def test_bytes_are_cut_out_of_what_surrounds_them():
    assert read_bytes(b"..\x03abc...", 2, 3) == (b"abc", 6)


def test_no_bytes_are_bytes():
    assert read_bytes(b"\x00", 0, 3) == (b"", 1)
