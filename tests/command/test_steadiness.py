"""Tests of bitpeer.command.steadiness."""

from twisted.internet.base import ReactorBase

from bitpeer.command.steadiness import SteadySeconds, keep_steady


class Day:
    """A clock on a wall, and the time that really passes."""

    def __init__(self):
        self.shown = 1_000_000.0
        self.passed = 50.0

    def wait(self, seconds):
        self.shown += seconds
        self.passed += seconds


class Reactor(ReactorBase):
    """One that has timers and nothing else."""

    def installWaker(self):  # noqa: N802
        """Do without."""


def clock_of(day):
    return SteadySeconds(lambda: day.shown, lambda: day.passed)


def test_it_is_the_time_of_day():
    day = Day()
    clock = clock_of(day)
    assert clock() == 1_000_000
    day.wait(10)
    assert clock() == 1_000_010
    day.shown += 3_600  # somebody sets it
    assert clock() == 1_003_610


def test_set_back_it_goes_slowly_until_the_time_of_day_has_caught_up():
    day = Day()
    clock = clock_of(day)
    day.shown -= 100
    assert clock() == 1_000_000
    day.wait(60)
    assert clock() == 1_000_030
    day.wait(100)
    assert clock() == 1_000_080
    day.wait(100)
    assert clock() == day.shown == 1_000_160


def test_what_a_reactor_was_to_do_is_done_though_the_clock_is_set_back():
    day, done = Day(), []
    reactor = Reactor()
    keep_steady(reactor)
    steady = reactor.seconds
    keep_steady(reactor)
    assert reactor.seconds is steady
    reactor.seconds = clock_of(day)
    reactor.callLater(10, done.append, "it")
    day.shown -= 7_200
    day.wait(19)
    reactor.runUntilCurrent()
    assert done == []
    day.wait(1)
    reactor.runUntilCurrent()
    assert done == ["it"]
