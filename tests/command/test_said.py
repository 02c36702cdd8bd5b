"""What was said, and where."""

import pytest

from bitpeer.command.said import Said, WrongSetting, find, refused, value
from bitpeer.command.settings import BY_NAME
from bitpeer.errors import InvalidSetting

OUTBOUND, CONNECT = BY_NAME["outbound"], BY_NAME["connect"]


def test_of_one_value_the_last_counts():
    assert Said(("1", "2"), "--outbound").read(OUTBOUND) == 2


def test_of_many_all_count_and_each_once():
    assert Said(("b", "a", "b"), "--connect").read(CONNECT) == ["b", "a"]


def test_a_complaint_names_the_place_and_what_is_right():
    with pytest.raises(WrongSetting) as caught:
        Said(("many",), "outbound in a.toml").read(OUTBOUND)
    assert str(caught.value) == "outbound in a.toml is 'many', expected a number from 0 to 1000"


def test_complaints_do_not_repeat_novels():
    assert len(str(Said((), "--x").wrong("y" * 10_000, "less"))) < 300


def test_what_a_part_refuses_is_told_as_the_operator_said_it():
    error = refused("listen", "a", InvalidSetting("address", "b", "a port"))
    assert isinstance(error, WrongSetting)
    assert str(error) == "--listen is 'a', expected a port"


def test_the_first_that_mentions_it_decides():
    first, second = {"connect": Said(("a",), "x")}, {"connect": Said(("b",), "y")}
    assert find(CONNECT, [{}, first, second]) == Said(("a",), "x")
    assert value(CONNECT, [first, second]) == ["a"]


def test_without_a_word_the_default_counts():
    assert find(CONNECT, [{}]) is None
    assert value(CONNECT, [{}]) == []
    assert value(BY_NAME["max-inbound"], []) == 117
