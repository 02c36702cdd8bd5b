"""Tests of bitpeer.service.farewell."""

from bitpeer.errors import DisconnectReason
from bitpeer.service.farewell import LIMIT, PATIENCE, Farewell
from tests.service.fakes import LogLines, Reactor, make_node, visit


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.node = make_node(self.reactor)
        self.farewell = Farewell(self.node)
        self.farewell.startService()
        self.done = []

    def stop(self):
        self.farewell.stopService().addCallback(self.done.append)


def test_without_peers_stopping_takes_no_time():
    world = World()
    world.stop()
    assert world.done == [None]
    assert world.reactor.getDelayedCalls() == []


def test_stopping_waits_for_the_last_peer():
    world = World()
    first, second = visit(world.node).shake_hands(), visit(world.node)
    world.stop()
    assert first.transport.disconnecting
    assert second.transport.disconnecting
    first.hang_up()
    assert world.done == []
    second.hang_up()
    assert world.done == [None]
    assert world.node.lost == {DisconnectReason.CLOSED_HERE: 2}
    assert world.reactor.getDelayedCalls() == []


def test_who_does_not_go_is_cut_off():
    world = World()
    line = visit(world.node)
    world.stop()
    assert not line.transport.aborted
    world.reactor.advance(PATIENCE)
    assert line.transport.aborted
    line.hang_up()
    assert world.done == [None]


def test_five_seconds_are_enough_whatever_the_network_does():
    world = World()
    line = visit(world.node)
    world.stop()
    with LogLines() as lines:
        world.reactor.pump([PATIENCE, LIMIT - PATIENCE])
    assert world.done == [None]
    assert lines == ["1 connections would not close"]
    line.hang_up()
