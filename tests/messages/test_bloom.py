import pytest

from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.messages.bloom import (
    MAX_ELEMENT_SIZE,
    MAX_FILTER_SIZE,
    MAX_HASH_FUNCTIONS,
    FilterAdd,
    FilterClear,
    FilterLoad,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

examples = pytest.mark.parametrize(
    ("value", "text"),
    [
        (FilterLoad(b"\x61\x4e\x9b", 5, 0, 1), "03614e9b050000000000000001"),
        (FilterLoad(b"\xce\x42\x99", 5, 2147483649, 1), "03ce4299050000000100008001"),
        (FilterLoad(b"", 0, 0, 0), "00000000000000000000"),
        (FilterAdd(b""), "00"),
        (FilterAdd(b"\xab" * 20), "14" + "ab" * 20),
        (FilterClear(), ""),
    ],
)


@examples
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    refuses_every_truncation(value, text)


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


def test_each_message_has_its_command():
    commands = [kind.command for kind in (FilterLoad, FilterAdd, FilterClear)]
    assert commands == ["filterload", "filteradd", "filterclear"]


def test_r_a14_a_filter_has_a_limit():
    value = FilterLoad(bytes(MAX_FILTER_SIZE), MAX_HASH_FUNCTIONS, 2**32 - 1, 255)
    assert FilterLoad.decode(value.encode()) == value
    assert FilterLoad.max_size == len(value.encode()) == 36_012
    over = bytes(MAX_FILTER_SIZE + 1)
    with pytest.raises(LimitExceeded) as caught:
        FilterLoad.decode(write_compact_size(len(over)) + over + bytes(9))
    assert (caught.value.count, caught.value.limit) == (36_001, 36_000)
    with pytest.raises(Unencodable, match=r"FilterLoad\.filter"):
        FilterLoad(over, 1, 0, 0).encode()


@pytest.mark.parametrize("hash_functions", [51, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_r_a14_a_filter_has_fifty_hash_functions_at_most(hash_functions):
    raw = b"\x01\xff" + hash_functions.to_bytes(4, "little") + bytes(5)
    with pytest.raises(LimitExceeded) as caught:
        FilterLoad.decode(raw)
    assert (caught.value.count, caught.value.limit) == (hash_functions, 50)
    with pytest.raises(Unencodable, match=r"hash_functions .*: it must be an integer from 0 to 50"):
        FilterLoad(b"\xff", hash_functions, 0, 0).encode()


def test_r_a14_a_filter_may_be_empty():
    assert FilterLoad.decode(bytes(10)).filter == b""


def test_an_element_has_a_limit():
    value = FilterAdd(bytes(MAX_ELEMENT_SIZE))
    assert FilterAdd.decode(value.encode()) == value
    assert FilterAdd.max_size == len(value.encode()) == 523
    with pytest.raises(LimitExceeded):
        FilterAdd.decode(write_compact_size(521) + bytes(521))
    with pytest.raises(Unencodable, match=r"FilterAdd\.element cannot be encoded: 521 bytes"):
        FilterAdd(bytes(521)).encode()
