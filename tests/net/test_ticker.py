from time import perf_counter

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from bitpeer.net.journal import Journal
from bitpeer.net.ticker import Ticker

PERIOD = 0.5


class Bedroom:
    """A ticker, its clock, and what it woke when."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.25)
        self.woken = []
        journal = Journal(Logger(), self.clock.seconds)
        self.ticker = Ticker(self.clock, PERIOD, self.wake, journal)

    def wake(self, sleeper, now):
        self.woken.append((sleeper, now))
        if callable(sleeper):
            sleeper()

    @property
    def names(self):
        return [sleeper for sleeper, _ in self.woken]


@pytest.fixture
def bedroom():
    return Bedroom()


def test_a_sleeper_is_woken_when_it_is_time_and_not_before(bedroom):
    bedroom.ticker.schedule("late riser", 1003)
    bedroom.clock.pump([0.1] * 27)
    assert bedroom.clock.seconds() < 1003
    assert not bedroom.woken
    bedroom.clock.pump([0.1] * 11)
    assert bedroom.names == ["late riser"]
    assert 1003 <= bedroom.woken[0][1] <= 1003 + 2 * PERIOD


def test_sleepers_are_woken_in_the_order_of_their_moments(bedroom):
    bedroom.ticker.schedule("second", 1002)
    bedroom.ticker.schedule("third", 1002)
    bedroom.ticker.schedule("first", 1001)
    bedroom.clock.advance(60)
    assert bedroom.names == ["first", "second", "third"]


def test_it_turns_only_while_somebody_sleeps(bedroom):
    assert not bedroom.ticker.running
    assert not bedroom.clock.getDelayedCalls()
    bedroom.ticker.schedule("sleeper", 1001)
    assert bedroom.ticker.running
    assert len(bedroom.clock.getDelayedCalls()) == 1
    bedroom.clock.advance(2)
    assert not bedroom.ticker.running
    assert not bedroom.clock.getDelayedCalls()
    bedroom.ticker.schedule("next night", 1010)
    bedroom.clock.pump([1] * 10)
    assert bedroom.names == ["sleeper", "next night"]


def test_r_j3_a_sleeper_that_raises_is_logged_and_robs_nobody(bedroom, logged_failures):
    """R-J3."""

    def nightmare():
        raise ValueError("boo")

    bedroom.ticker.schedule(nightmare, 1001)
    bedroom.ticker.schedule("good", 1001)
    bedroom.ticker.schedule("later", 1010)
    bedroom.clock.advance(1)
    assert bedroom.names == [nightmare, "good"]
    assert bedroom.ticker.running
    bedroom.clock.advance(10)
    assert bedroom.names == [nightmare, "good", "later"]
    assert len(logged_failures.claim(ValueError)) == 1


def test_who_is_due_at_once_is_woken_at_the_next_tick_not_in_this_one(bedroom):
    def insomniac():
        if len(bedroom.woken) < 3:
            bedroom.ticker.schedule(insomniac, 0)

    bedroom.ticker.schedule(insomniac, 1001)
    bedroom.clock.advance(1)
    assert len(bedroom.woken) == 1
    bedroom.clock.pump([PERIOD] * 5)
    assert len(bedroom.woken) == 3


def test_stopping_wakes_nobody_any_more(bedroom):
    bedroom.ticker.stop()
    bedroom.ticker.schedule("sleeper", 1001)
    bedroom.ticker.stop()
    assert not bedroom.clock.getDelayedCalls()
    bedroom.clock.advance(10)
    assert not bedroom.woken


def test_stopping_within_a_tick_spares_the_others_of_that_tick(bedroom):
    bedroom.ticker.schedule(bedroom.ticker.stop, 1001)
    bedroom.ticker.schedule("same moment", 1001)
    bedroom.ticker.schedule("later", 1002)
    bedroom.clock.advance(10)
    assert bedroom.names == [bedroom.ticker.stop, "same moment"]
    assert not bedroom.clock.getDelayedCalls()


def test_stopping_and_scheduling_within_a_tick_leaves_one_timer(bedroom):
    def restart():
        bedroom.ticker.stop()
        bedroom.ticker.schedule("again", 1005)

    bedroom.ticker.schedule(restart, 1001)
    bedroom.clock.advance(1)
    assert len(bedroom.clock.getDelayedCalls()) == 1
    bedroom.clock.pump([PERIOD] * 20)
    assert bedroom.names == [restart, "again"]
    assert not bedroom.clock.getDelayedCalls()


def test_a_leap_of_the_clock_wakes_everybody_it_leapt_over_once(bedroom):
    for second in range(1, 3600):
        bedroom.ticker.schedule(second, 1000 + second)
    bedroom.clock.advance(10_000)
    assert bedroom.names == list(range(1, 3600))


def test_a_clock_that_is_set_back_only_delays(bedroom):
    bedroom.ticker.schedule("sleeper", 1001)
    bedroom.clock.rightNow -= 500
    bedroom.clock.advance(1)
    assert not bedroom.woken
    bedroom.clock.advance(500)
    assert bedroom.names == ["sleeper"]


def test_ten_thousand_sleepers_are_cheap(bedroom):
    began = perf_counter()
    for number in range(10_000):
        bedroom.ticker.schedule(number, 1001 + number % 300)
    assert len(bedroom.clock.getDelayedCalls()) == 1
    bedroom.clock.pump([PERIOD] * 610)
    assert len(bedroom.woken) == 10_000
    assert perf_counter() - began < 2
