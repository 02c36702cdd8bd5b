import struct

import pytest
from hypothesis import given, strategies as st

from bitpeer.wire.fields import Fixed

CODES = "?bBhHiIqQ"


@pytest.mark.parametrize("code", [*CODES, "1s", "32s", "300s"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_field_has_the_size_that_struct_gives_it(code, order):
    assert Fixed(code, order).size == struct.calcsize(order + code)


@pytest.mark.parametrize("code", ["", "s", "0s", "x", "4x", "2I", "f", "d", "n", "II", "I ", "<I"])
def test_what_is_neither_one_number_nor_bytes_is_no_field(code):
    with pytest.raises(TypeError, match="describes no field"):
        Fixed(code)


@pytest.mark.parametrize("order", ["", "=", "@", "!", "<>"])
def test_the_byte_order_is_one_or_the_other(order):
    with pytest.raises(TypeError, match="describes no field"):
        Fixed("I", order)


def test_only_numbers_of_two_bytes_or_more_have_a_byte_order():
    assert [code for code in (*CODES, "32s") if Fixed(code).ordered] == list("hHiIqQ")


def test_only_byte_strings_hold_bytes():
    assert [code for code in (*CODES, "32s") if Fixed(code).holds_bytes] == ["32s"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("B", "an integer from 0 to 255"),
        ("b", "an integer from -128 to 127"),
        ("H", "an integer from 0 to 65535"),
        ("i", "an integer from -2147483648 to 2147483647"),
        ("Q", "an integer from 0 to 18446744073709551615"),
        ("32s", "32 bytes"),
    ],
)
def test_what_a_field_expects_can_be_said(code, expected):
    assert Fixed(code).expected == expected


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [("B", 0, 255), ("b", -128, 127), ("H", 0, 2**16 - 1), ("q", -(2**63), 2**63 - 1)],
)
def test_a_number_fits_from_the_lowest_to_the_highest(code, low, high):
    field = Fixed(code)
    assert field.fits(low)
    assert field.fits(high)
    assert not field.fits(low - 1)
    assert not field.fits(high + 1)


def test_a_number_may_stop_before_its_bytes_do():
    field = Fixed("I", most=50)
    assert field.fits(50)
    assert not field.fits(51)
    assert not field.fits(-1)
    assert not field.fits("1")
    assert field.expected == "an integer from 0 to 50"


@pytest.mark.parametrize(("code", "most"), [("B", 256), ("B", -1), ("b", 128), ("4s", 3)])
def test_a_limit_must_be_a_value(code, most):
    with pytest.raises(TypeError, match="describes no field"):
        Fixed(code, most=most)


@given(st.integers(0, 8))
def test_bytes_fit_if_they_are_as_many(size):
    assert Fixed("4s").fits(bytes(size)) == (size == 4)


@pytest.mark.parametrize("value", [None, 1, "four", [1, 2, 3, 4]])
def test_only_bytes_are_bytes(value):
    assert not Fixed("4s").fits(value)


@pytest.mark.parametrize("value", [None, 1.0, "1", b"1"])
def test_only_integers_are_numbers(value):
    assert not Fixed("I").fits(value)
