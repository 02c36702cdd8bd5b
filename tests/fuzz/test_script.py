"""Tests of fuzz.script."""

from fuzz.script import Script


def test_choices_are_read_one_after_the_other():
    script = Script(b"\x05\x01\x02\x01\x03abcdef")
    assert script.number(4) == 1
    assert script.flag()
    assert script.number(1_000) == 0x102
    assert script.blob(9) == b"abc"
    assert script.take(2) == b"de"
    assert script
    assert script.rest() == b"f"
    assert not script


def test_where_nothing_is_left_every_choice_is_the_first():
    script = Script(b"")
    assert script.number(9) == 0
    assert not script.flag()
    assert script.pick("xyz") == "x"
    assert script.blob(9) == script.rest() == b""
    assert script.cut(b"whole") == [b"whole"]


def test_there_may_be_a_single_choice():
    script = Script(b"x")
    assert script.number(1) == 0
    assert script.take(1) == b"x"


def test_bytes_are_cut_in_many_ways():
    assert Script(b"\x02").cut(b"abc") == [b"a", b"b", b"c"]
    assert Script(b"\x03\x01").cut(b"abc") == [b"ab", b"c"]
    assert Script(b"\x03\x00\x01\x00").cut(b"abcdef") == [b"a", b"bc", b"d", b"ef"]
    assert Script(b"\x03").cut(b"") == [b""]
    assert b"".join(Script(b"\x02").cut(bytes(9_999))) == bytes(9_999)
    assert len(Script(b"\x02").cut(bytes(9_999))) <= 512
