import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import DecodeError, InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.jaxnet.fields import (
    MAX_BIG_INT,
    MAX_HASHES,
    read_big_int,
    read_hashes,
    write_big_int,
    write_hashes,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.jaxnet.vectors import BIG

ONE, TWO = bytes([1]) * 32, bytes([2]) * 32


@pytest.mark.parametrize(("number", "raw"), list(zip([0, 1, 256, 2**72], BIG, strict=True)))
def test_big_integers_of_the_reference(number, raw):
    assert write_big_int(number) == raw
    assert read_big_int(b"<" + raw, 1) == (number, 1 + len(raw))


@given(st.integers(0, (1 << 8 * MAX_BIG_INT) - 1))
def test_every_big_integer_comes_back(number):
    raw = write_big_int(number)
    assert read_big_int(raw, 0) == (number, len(raw))


@pytest.mark.parametrize("number", [-1, 1 << 8 * MAX_BIG_INT])
def test_what_is_no_such_number_cannot_be_written(number):
    with pytest.raises(Unencodable):
        write_big_int(number)


@pytest.mark.parametrize("raw", BIG)
def test_every_truncation_of_a_big_integer_is_refused(raw):
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            read_big_int(raw[:size], 0)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("02 01000000 01", InvalidValue),
        ("02 02000000 0001", InvalidValue),
        ("01 01000000 00", InvalidValue),
        ("41 41000000" + "01" * 65, LimitExceeded),
        ("fd0100 01000000 01", DecodeError),
    ],
)
def test_big_integers_that_could_be_written_otherwise_are_refused(text, error):
    with pytest.raises(error):
        read_big_int(bytes.fromhex(text), 0)


def test_hashes_come_in_counted_lists():
    raw = b"\2" + ONE + TWO
    assert write_hashes([ONE, TWO]) == raw
    assert read_hashes(b"<" + raw, 1) == ((ONE, TWO), 66)
    assert read_hashes(write_hashes(()), 0) == ((), 1)


def test_lists_of_hashes_are_refused_before_anything_is_allocated():
    with pytest.raises(LimitExceeded):
        read_hashes(write_compact_size(MAX_HASHES + 1), 0)
    with pytest.raises(Truncated):
        read_hashes(b"\2" + ONE + TWO[:-1], 0)


def test_hashes_that_do_not_fit_cannot_be_written():
    with pytest.raises(Unencodable, match="32 bytes"):
        write_hashes([ONE, b"short"])
    with pytest.raises(Unencodable, match="limit"):
        write_hashes([ONE] * (MAX_HASHES + 1))
