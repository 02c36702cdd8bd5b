"""Tests of bitpeer.service.every."""

from bitpeer.service.every import Every
from tests.service.fakes import Reactor, make_node


def test_it_acts_at_every_interval_and_not_at_once():
    clock, times = Reactor(), []
    every = Every(clock, 5, lambda: times.append(clock.seconds()), make_node(clock).journal)
    every.start()
    clock.pump([1] * 11)
    assert times == [5, 10]


def test_it_acts_no_more_once_stopped():
    clock, times = Reactor(), []
    every = Every(clock, 5, lambda: times.append(clock.seconds()), make_node(clock).journal)
    every.start()
    every.stop()
    every.stop()
    clock.advance(20)
    assert times == []
    assert clock.getDelayedCalls() == []


def test_r_j3_an_exception_is_logged_and_the_next_time_comes(logged_failures):
    clock, times = Reactor(), []

    def act():
        times.append(clock.seconds())
        raise ZeroDivisionError

    Every(clock, 5, act, make_node(clock).journal).start()
    clock.pump([5] * 3)
    assert times == [5, 10, 15]
    assert len(logged_failures.claim(ZeroDivisionError)) == 1  # the same again is only counted
