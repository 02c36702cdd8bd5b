"""Tests of fuzz.loop."""

from random import Random

import pytest

from fuzz import loop
from fuzz.loop import Mutator, run_loop


def tried(seed, count=300, first=(b"seed",), max_size=64, outcome=len):
    """Return what a loop tries."""
    inputs = []

    def try_one(data):
        inputs.append(data)
        return outcome(data)

    run = run_loop(try_one, first, seed=seed, max_size=max_size, goes_on=lambda done: done < count)
    assert run.inputs == count
    return inputs


def test_the_same_seed_tries_the_same():
    assert tried(7) == tried(7)
    assert tried(7) != tried(8)


def test_it_begins_with_nothing_and_what_it_is_given():
    assert tried(1, count=3, first=(b"a", b"b")) == [b"", b"a", b"b"]


def test_inputs_are_not_longer_than_they_may_be():
    assert max(map(len, tried(1, max_size=10))) == 10


def test_it_goes_on_from_what_led_somewhere_new():
    def outcome(data):
        return next((at for at in range(4) if data[at : at + 1] != b"find"[at : at + 1]), 4)

    assert any(data.startswith(b"find") for data in tried(1, 200_000, (b"xxxx",), 8, outcome))


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(loop, "MAX_POOL", 5)
    assert len(set(tried(1, outcome=lambda data: data))) > 100


def test_what_is_raised_ends_it():
    with pytest.raises(ZeroDivisionError):
        tried(1, outcome=lambda data: 1 // (len(data) - 4))


def test_nothing_can_be_mutated_in_every_way():
    mutator = Mutator(Random(1), 20)
    assert len({mutator.mutate(b"", b"") for _ in range(500)}) > 100
