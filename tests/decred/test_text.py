import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.text import strict_text
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable

TEXT = strict_text(32)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=32))
def test_what_is_printable_comes_back_as_it_went(text):
    raw = TEXT.write(text.encode())
    assert raw == bytes((len(text),)) + text.encode()
    assert TEXT.read(b"<" + raw, 1) == (text.encode(), 1 + len(raw))
    assert TEXT.min_size <= len(raw) <= TEXT.max_size == 33


@pytest.mark.parametrize("text", [b"\x1f", b"a\0", b"\x7f", b"\x80", "ü".encode(), b"a\n"])
def test_what_is_not_printable_is_refused_both_ways(text):
    with pytest.raises(InvalidValue, match="text cannot be"):
        TEXT.read(bytes((len(text),)) + text, 0)
    with pytest.raises(Unencodable, match="not printable ASCII"):
        TEXT.write(text)


def test_what_is_too_long_is_refused_both_ways():
    with pytest.raises(LimitExceeded):
        TEXT.read(b"\x21" + b"a" * 33, 0)
    with pytest.raises(Unencodable, match="33 bytes exceed the limit of 32"):
        TEXT.write(b"a" * 33)


def test_what_ends_early_is_refused():
    with pytest.raises(Truncated):
        TEXT.read(b"\x03ab", 0)
