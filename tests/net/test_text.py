from functools import partial

import pytest

from bitpeer.net.text import hexdump, name_of, printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"/Satoshi:27.0.0/", "/Satoshi:27.0.0/"),
        (b"\x1b[2J", r"\x1b[2J"),
        (b"a\r\nb\x00", r"a\x0d\x0ab\x00"),
        ("\u202egnp.exe", r"\xe2\x80\xaegnp.exe"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\ud800", r"\x5cud800"),
        (b"\\x1b", r"\x5cx1b"),
        (b"<script>", "<script>"),
        (b"", ""),
        ("", ""),
    ],
)
def test_what_is_shown_is_printable_and_tells_every_byte(raw, shown):
    assert printable(raw) == shown
    assert printable(raw).isascii()
    assert printable(raw).isprintable() or not raw


def test_every_byte_is_shown_as_itself_or_escaped():
    shown = printable(bytes(range(256)), 1_024)
    assert shown.encode().decode("unicode_escape").encode("latin-1") == bytes(range(256))


def test_too_much_is_cut_off():
    assert printable(b"abcdef", 3) == "abc..."
    assert printable(b"abc", 3) == "abc"
    assert printable(b"\x1b\x1b", 5) == r"\x1b\..."
    assert len(printable(b"\xff" * 10_000_000)) == 256 + 3


def test_functions_and_what_may_be_called_like_them_have_names():
    assert name_of(name_of) == "bitpeer.net.text.name_of"
    assert name_of("".join) == "builtins.str.join"
    assert name_of(partial(print)) == "functools.partial"


def test_a_dump_has_offsets_bytes_and_text():
    assert hexdump(bytes(range(0x41, 0x41 + 19)) + b"\x00") == (
        "00000000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|\n"
        "00000010  51 52 53 00                                       |QRS.|"
    )
    assert hexdump(b"") == ""


def test_a_dump_says_how_much_it_leaves_out():
    assert hexdump(bytes(20), 16).splitlines()[1] == "... 4 more bytes"
