"""Tests of bitpeer.service.status.lag."""

from twisted.internet.task import Clock

from bitpeer.service.status.lag import BOUNDS, PERIOD, RECENT, LagMeter


def measured(*steps):
    clock = Clock()
    meter = LagMeter(clock)
    meter.startService()
    for step in steps:
        clock.advance(step)
    return clock, meter


def test_an_idle_reactor_has_no_lag():
    _, meter = measured(*[PERIOD] * 10)
    assert (meter.latest, meter.worst, meter.total) == (0, 0, 0)
    assert meter.counts[0] == 10


def test_r_j9_what_keeps_the_reactor_busy_shows():
    clock, meter = measured(PERIOD, PERIOD + 0.3, PERIOD + 20, PERIOD)
    assert meter.latest == 0
    assert round(meter.worst, 6) == 20
    assert round(meter.total, 6) == 20.3
    assert meter.counts[BOUNDS.index(0.5)] == 1
    assert meter.counts[-1] == 1
    clock.pump([PERIOD] * RECENT)
    assert meter.worst == 0


def test_before_anything_is_measured_there_is_no_lag():
    _, meter = measured()
    assert (meter.latest, meter.worst) == (0, 0)


def test_a_clock_that_is_set_back_is_no_lag():
    clock, meter = measured()
    clock.rightNow = -100.0
    clock.callLater(0, meter._measure)
    clock.advance(0)
    assert meter.latest == 0
    assert meter.total == 0


def test_nothing_is_measured_once_it_is_stopped():
    clock, meter = measured(PERIOD)
    meter.stopService()
    assert clock.getDelayedCalls() == []
    LagMeter(clock).stopService()
