"""Tests of bitpeer.service.feelers."""

from random import Random

import pytest

from bitpeer.service.feelers import MEAN, Feelers
from tests.service.fakes import Reactor, make_node


class World:
    """Feelers that leave for nowhere."""

    def __init__(self, feel=None, **settings):
        self.reactor = Reactor()
        self.felt = []
        self.feelers = Feelers(
            feel or (lambda: self.felt.append(self.reactor.seconds())),
            clock=self.reactor,
            journal=make_node(self.reactor).journal,
            **settings,
        )


def test_feelers_leave_at_moments_that_chance_decides():
    world = World(draw=Random(7).random)
    world.feelers.startService()
    assert world.felt == []
    world.reactor.pump([1.0] * 300 * int(MEAN))
    waits = [later - sooner for sooner, later in zip(world.felt, world.felt[1:], strict=False)]
    assert sum(waits) / len(waits) == pytest.approx(MEAN, rel=0.15)
    assert min(waits) < MEAN / 50
    assert max(waits) > 4 * MEAN
    world.feelers.stopService()


def test_when_it_stops_nothing_is_left():
    world = World(draw=lambda: 0.5)
    world.feelers.stopService()
    world.feelers.startService()
    world.feelers.stopService()
    assert world.reactor.getDelayedCalls() == []
    world.reactor.advance(10 * MEAN)
    assert world.felt == []


def test_r_j3_a_feeler_that_goes_wrong_is_not_the_last(logged_failures):
    def feel():
        tries.append(world.reactor.seconds())
        raise ZeroDivisionError

    tries = []
    world = World(feel, draw=lambda: 0.5, mean=10.0)
    world.feelers.startService()
    world.reactor.pump([7.0] * 3)
    assert tries == [7.0, 14.0, 21.0]
    assert logged_failures.claim(ZeroDivisionError)
    world.feelers.stopService()
