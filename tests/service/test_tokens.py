"""Tests of bitpeer.service.tokens."""

from bitpeer.service.tokens import TokenBucket


def test_no_more_can_be_taken_than_there_is():
    bucket = TokenBucket(0.1, 1_000, 0.0, tokens=3)
    assert bucket.take(2, 0.0) == 2
    assert bucket.take(2, 0.0) == 1
    assert bucket.take(2, 0.0) == 0


def test_time_brings_more_up_to_a_limit():
    bucket = TokenBucket(0.1, 5, 0.0)
    assert bucket.take(9, 9.0) == 0
    assert bucket.take(9, 10.0) == 1
    assert bucket.take(9, 1_000.0) == 5


def test_what_is_granted_may_be_more_but_time_adds_nothing_to_it():
    bucket = TokenBucket(0.1, 5, 0.0, tokens=1)
    bucket.grant(10)
    assert bucket.take(4, 1_000.0) == 4
    assert bucket.take(99, 1_000.0) == 7


def test_a_clock_that_goes_back_brings_nothing_and_takes_nothing():
    bucket = TokenBucket(1.0, 5, 100.0, tokens=1)
    assert bucket.take(0, 50.0) == 0
    assert bucket.take(9, 52.0) == 3
