import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import LimitExceeded, TrailingBytes, Truncated, Unencodable
from bitpeer.messages.gcs import MAX_ELEMENTS, CodedSet, pack_numbers, unpack_numbers

KEY = bytes(range(16))


@given(st.binary(min_size=16, max_size=40), st.sets(st.binary(max_size=30)))
def test_whatever_is_put_in_is_found_again(key, elements):
    made = CodedSet.of(key, elements)
    seen = CodedSet(key, made.encoding)
    assert seen.count == len(elements)
    assert all(seen.matches(each) for each in elements)
    assert seen.matches_any(elements) == bool(elements)
    assert list(seen.numbers()) == sorted(seen.numbers())


def test_what_was_not_put_in_is_seldom_found():
    made = CodedSet.of(KEY, (b"in %d" % at for at in range(100)))
    assert not made.matches_any(b"out %d" % at for at in range(1000))
    assert not made.matches_any(())


@given(st.lists(st.integers(0, 1 << 40)).map(sorted))
def test_numbers_are_packed_and_unpacked(numbers):
    assert list(unpack_numbers(pack_numbers(numbers), len(numbers))) == numbers


def test_what_ends_early_is_refused():
    with pytest.raises(Truncated):
        list(unpack_numbers(b"\xff\xff\xff", 1))
    with pytest.raises(Truncated):
        list(unpack_numbers(b"\xff\xfe\0\0", 1))
    with pytest.raises(TrailingBytes):
        list(unpack_numbers(bytes(4), 1))


def test_claims_are_checked_at_once():
    with pytest.raises(Truncated):
        CodedSet(KEY, b"\x02\0\0\0")
    with pytest.raises(LimitExceeded):
        CodedSet(KEY, b"\xfe\xff\xff\xff\xff")
    with pytest.raises(Unencodable):
        CodedSet.of(KEY, (at.to_bytes(4, "big") for at in range(MAX_ELEMENTS + 1)))
