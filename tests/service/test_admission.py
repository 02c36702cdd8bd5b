"""Tests of bitpeer.service.admission."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from bitpeer.net.factory import PeerFactory
from bitpeer.net.protocol import PeerProtocol
from bitpeer.service.admission import Admission, GuardedFactory, TurnedAway
from tests.service.fakes import Line, LogLines, Reactor, make_node


class World:
    """A node with a guarded door."""

    def __init__(self, **limits):
        self.reactor = Reactor()
        self.node = make_node(self.reactor)
        self.admission = Admission(self.node, **limits)
        self.factory = GuardedFactory(PeerFactory(self.node, outbound=False), self.admission)

    def knock(self, host):
        """Return the connection from *host* if it was let in."""
        kind = IPv6Address if ":" in host else IPv4Address
        line = Line(self.factory.buildProtocol(kind("TCP", host, 4711))).open()
        assert isinstance(line.protocol, TurnedAway if line.transport.aborted else PeerProtocol)
        return None if line.transport.aborted else line


def test_when_all_places_are_taken_the_next_is_turned_away_at_once():
    world = World(most=2)
    assert world.knock("192.0.2.1")
    first = world.knock("192.0.2.2")
    assert not world.knock("192.0.2.3")
    assert world.admission.turned_away == 1
    assert len(world.node.peers) == 2
    first.hang_up()
    assert world.knock("192.0.2.3")
    assert not world.knock("192.0.2.2")
    assert world.admission.turned_away == 2


def test_a_host_has_only_so_many_places():
    world = World(per_host=2)
    line = world.knock("192.0.2.1")
    assert world.knock("192.0.2.1")
    assert not world.knock("192.0.2.1")
    assert world.knock("192.0.2.2")
    line.hang_up()
    assert world.knock("192.0.2.1")
    assert not world.knock("192.0.2.1")


def test_64_bits_of_ipv6_are_one_host():
    world = World(per_host=1)
    assert world.knock("2001:db8::1")
    assert not world.knock("2001:db8::2")
    assert world.knock("2001:db8:0:1::1")


def test_ipv4_is_the_same_host_however_it_is_written():
    world = World(per_host=1)
    assert world.knock("::ffff:192.0.2.1")
    assert world.knock("::ffff:192.0.2.2")
    assert not world.knock("192.0.2.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_has_all_places(host):
    world = World(most=3, per_host=1)
    assert world.knock(host)
    assert world.knock(host)
    assert world.knock(host)
    assert not world.knock(host)


@pytest.mark.parametrize("address", [None, UNIXAddress("/run/peers")])
def test_who_comes_without_an_address_is_of_this_machine(address):
    world = World(most=2, per_host=1)
    kinds = [type(world.factory.buildProtocol(address)) for _ in range(3)]
    assert kinds == [PeerProtocol, PeerProtocol, TurnedAway]


def test_many_who_are_turned_away_are_one_line_a_minute():
    world = World(most=1, per_host=5)
    world.admission.startService()
    world.knock("192.0.2.1")
    with LogLines() as lines:
        for _ in range(100):
            world.knock("192.0.2.1")
        world.reactor.advance(59)
        assert lines == []
        world.reactor.advance(1)
        assert lines == ["100 connections turned away: at most 1 peers, 5 of one host"]
        world.reactor.advance(60)
        assert len(lines) == 1
        world.knock("192.0.2.1")
        world.reactor.advance(60)
        assert lines[1:] == ["1 connections turned away: at most 1 peers, 5 of one host"]
    world.admission.stopService()
    world.node.stop()
    assert world.reactor.getDelayedCalls() == []
