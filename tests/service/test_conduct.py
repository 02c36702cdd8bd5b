"""Tests of bitpeer.service.conduct."""

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress

from bitpeer.errors import DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.service.bans import Bans
from bitpeer.service.conduct import COUNTS, Conduct
from bitpeer.service.slots import CONNECTION_TYPE, Kind
from tests.service.fakes import Line, Reactor, Transport, make_node


class World:
    """A node whose peers are judged."""

    def __init__(self):
        self.reactor = Reactor()
        self.told = []
        self.bans = Bans(None, self.reactor.seconds)
        self.conduct = Conduct(
            self.bans, tell=lambda name, **fields: self.told.append((name, fields))
        )
        self.node = make_node(self.reactor, [self.conduct])

    def meet(self, host="20.1.1.1", *, outbound=False, kind=None):
        address = IPv4Address("TCP", host, 7) if host else UNIXAddress("/run/peers")
        peer = PeerFactory(self.node, outbound=outbound).buildProtocol(address)
        line = Line(peer, Transport(peerAddress=address)).open()
        if kind is not None:
            peer.facts[CONNECTION_TYPE] = kind.value
        return line

    def judge(self, line):
        line.say(b"verack")  # nobody begins like that
        line.hang_up()
        assert self.node.lost == {DisconnectReason.OUT_OF_ORDER: 1}
        return self.bans.is_discouraged("20.1.1.1")


@pytest.mark.parametrize("reason", DisconnectReason)
def test_there_is_a_judgement_for_every_reason(reason):
    assert isinstance(COUNTS[reason], bool)


def test_r_i3_who_breaks_a_rule_is_discouraged_and_somebody_is_told_why():
    world = World()
    assert world.judge(world.meet())
    why = "a message came when it was not allowed: 'verack' before version"
    assert world.told == [
        ("host.discouraged", {"peer": 1, "addr": "20.1.1.1:7", "why": why}),
    ]


def test_who_goes_in_peace_is_not():
    world = World()
    line = world.meet()
    line.shake_hands()
    line.hang_up()
    assert world.node.lost == {DisconnectReason.CLOSED_BY_PEER: 1}
    assert world.bans.discouraged == 0
    assert world.told == []


def test_who_was_dialled_by_chance_is_judged_too():
    world = World()
    assert world.judge(world.meet(outbound=True, kind=Kind.FULL))


def test_whom_the_operator_chose_is_not_judged():
    world = World()
    assert not world.judge(world.meet(outbound=True))


def test_nobody_is_blamed_where_there_is_no_host():
    world = World()
    world.judge(world.meet(host=None))
    assert world.bans.discouraged == 0
    assert world.told == []
