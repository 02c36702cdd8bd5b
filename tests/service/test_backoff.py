"""Tests of bitpeer.service.backoff."""

from bitpeer.service.backoff import Backoff


def test_waits_double_up_to_the_limit():
    backoff = Backoff(10, 60, draw=lambda: 0.0)
    assert [backoff.failed() for _ in range(5)] == [10, 20, 40, 60, 60]


def test_a_success_begins_anew():
    backoff = Backoff(10, 60, draw=lambda: 0.0)
    backoff.failed()
    backoff.failed()
    backoff.succeeded()
    assert backoff.failures == 0
    assert backoff.failed() == 10


def test_a_random_quarter_comes_on_top():
    assert Backoff(10, 60, draw=lambda: 0.5).failed() == 10 * 1.125
    assert 10 <= Backoff(10, 60).failed() < 12.5


def test_a_million_failures_overflow_nothing():
    backoff = Backoff(1, 60, draw=lambda: 0.0)
    backoff.failures = 1_000_000
    assert backoff.failed() == 60
