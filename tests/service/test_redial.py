"""Tests of bitpeer.service.redial."""

from dataclasses import replace

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionLost
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from bitpeer.errors import BadChecksum, DisconnectReason
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.listeners import PeerListener
from bitpeer.service import redial
from bitpeer.service.redial import Redial, fixed_peer
from tests import toy
from tests.service.fakes import NETWORK, Dials, LogLines, Reactor, accept, make_node, refuse


class World:
    """One fixed peer on a reactor that connects to nothing."""

    def __init__(self, *listeners):
        self.reactor = Reactor()
        self.node = make_node(self.reactor, listeners)
        self.endpoint = TCP4ClientEndpoint(self.reactor, "192.0.2.1", 7)
        self.redial = Redial("192.0.2.1", self.endpoint, self.node, draw=lambda: 0.0)
        self.service = fixed_peer("192.0.2.1", self.endpoint, self.node)

    @property
    def dials(self):
        return len(self.reactor.tcpClients)

    def seconds_until_next_dial(self, limit=5_000):
        before = self.dials
        for second in range(limit):
            if self.dials > before:
                return second
            self.reactor.advance(1)
        raise AssertionError("never dialled again")


def test_the_peer_is_dialled_and_known_by_the_name_given():
    world = World()
    world.service.startService()
    assert world.reactor.tcpClients[0][:2] == ("192.0.2.1", 7)
    with LogLines() as lines:
        accept(world.reactor).shake_hands()
    assert lines == ["peer 1 192.0.2.1 (outbound) established: /toy:1/, version 2"]


def test_a_peer_that_cannot_be_reached_is_dialled_again_ever_more_seldom():
    world = World()
    world.service.startService()
    waits = []
    for _ in range(8):
        refuse(world.reactor)
        waits.append(world.seconds_until_next_dial())
    assert waits[:6] == sorted(waits[:6])
    assert waits[0] <= 2
    assert 60 <= waits[-1] <= 76


def test_who_wants_to_know_hears_of_each_dial_and_of_those_in_vain():
    dials = Dials()
    world = World(dials)
    world.service.startService()
    refuse(world.reactor)
    world.seconds_until_next_dial()
    world.service.stopService()
    world.reactor.connectors[-1].stopConnecting()
    name = "192.0.2.1"
    assert dials.noted == [(name, None), (name, DisconnectReason.DIAL_REFUSED), (name, None)]


def test_why_it_cannot_be_reached_is_said_once():
    world = World()
    world.service.startService()
    with LogLines() as lines:
        for _ in range(3):
            refuse(world.reactor)
            world.seconds_until_next_dial()
    assert lines == ["192.0.2.1 cannot be reached: Connection was refused by other side"]


def test_twisted_tells_of_retries_at_level_debug_only_and_where_the_node_logs():
    heard = []
    world = World()
    world.node.log = Logger("bitpeer", observer=heard.append)
    service = fixed_peer("192.0.2.1", world.endpoint, world.node)
    service.startService()
    refuse(world.reactor)
    (retry,) = (each for each in heard if "retry" in each["log_format"])
    assert retry["log_level"] is LogLevel.debug
    assert retry["log_namespace"] == "twisted.application.internet"
    service.startService()
    assert heard[-1]["log_level"] is LogLevel.warn
    assert "Duplicate" in heard[-1]["log_format"]


def test_it_is_said_again_after_things_went_well():
    world = World()
    world.service.startService()
    refuse(world.reactor)
    world.seconds_until_next_dial()
    line = accept(world.reactor).shake_hands()
    line.hang_up()
    world.seconds_until_next_dial()
    with LogLines() as lines:
        refuse(world.reactor)
    assert lines == ["192.0.2.1 cannot be reached: Connection was refused by other side"]


def test_a_lost_peer_is_dialled_again_soon():
    world = World()
    world.service.startService()
    line = accept(world.reactor).shake_hands()
    line.hang_up()
    assert world.seconds_until_next_dial() <= 2


def test_a_peer_that_always_hangs_up_is_not_hammered():
    world = World()
    world.service.startService()
    waits = []
    for _ in range(8):
        accept(world.reactor).shake_hands().hang_up()
        waits.append(world.seconds_until_next_dial())
    assert waits[:6] == sorted(waits[:6])
    assert waits[-1] >= 60


def test_a_handshake_that_fails_counts_as_a_failure():
    world = World()
    world.service.startService()
    waits = []
    for _ in range(8):
        accept(world.reactor).hang_up()
        waits.append(world.seconds_until_next_dial())
    assert waits[-1] >= 60


def test_a_peer_that_stayed_is_welcome_at_once():
    world = World()
    world.service.startService()
    for _ in range(8):
        refuse(world.reactor)
        world.seconds_until_next_dial()
    line = accept(world.reactor).shake_hands()
    world.reactor.advance(redial.STEADY)
    line.hang_up()
    assert world.seconds_until_next_dial() <= 2


def test_a_peer_of_another_network_is_left_alone_for_long():
    world = World()
    world.service.startService()
    waits = []
    for _ in range(8):
        line = accept(world.reactor)
        line.protocol.dataReceived(toy.frame(b"version", magic=b"else"))
        line.hang_up()
        assert world.node.lost[DisconnectReason.WRONG_NETWORK]
        waits.append(world.seconds_until_next_dial())
    assert waits[0] >= 60
    assert 3_600 <= waits[-1] <= 4_501


def test_other_mistakes_are_told_by_their_reason_too():
    world = World()
    world.service.startService()
    line = accept(world.reactor).shake_hands()
    line.peer.fail(BadChecksum("say"))
    line.hang_up()
    assert world.seconds_until_next_dial() >= 60


def test_the_log_names_the_peer_and_a_round_number_of_seconds():
    world = World()
    assert repr(world.redial) == "192.0.2.1"
    assert Redial("x", world.endpoint, world.node, draw=lambda: 1 / 3).delay(1) == 1.1
    assert [world.redial.delay(n) for n in range(3)] == [1, 2, 4]


def test_stopping_while_it_dials_ends_the_dial_without_a_word():
    world = World()
    world.service.startService()
    done = []
    with LogLines() as lines:
        world.service.stopService().addCallback(done.append)
        world.reactor.connectors[0].stopConnecting()
        world.reactor.advance(0)
    assert done == [None]
    assert lines == []


def test_stopping_while_it_waits_ends_the_waiting():
    world = World()
    world.service.startService()
    refuse(world.reactor)
    done = []
    world.service.stopService().addCallback(done.append)
    world.reactor.advance(1_000)
    assert done == [None]
    assert world.dials == 1


def test_a_listener_may_stop_the_service_while_it_hears_of_the_loss():
    done = []

    class Quitter(PeerListener):
        def peer_lost(self, peer, reason):
            world.service.stopService().addCallback(done.append)

    world = World(Quitter())
    world.service.startService()
    accept(world.reactor).shake_hands().hang_up()
    world.reactor.advance(1_000)
    assert done == [None]
    assert world.dials == 1


def test_a_connection_that_breaks_is_worth_another_try_soon():
    world = World()
    world.service.startService()
    line = accept(world.reactor).shake_hands()
    line.protocol.connectionLost(Failure(ConnectionLost()))
    assert world.seconds_until_next_dial() <= 2


GUIDED = replace(
    NETWORK,
    dialect=replace(
        toy.DIALECT, redirects={toy.Say: lambda said: NetAddress.of(said.text.decode(), 18446)}
    ),
)


class GuidedWorld(World):
    """A fixed peer that may send us elsewhere."""

    def __init__(self, *, follows=True, way=True):
        super().__init__()
        self.node = make_node(self.reactor, network=GUIDED)
        self.way = way
        elsewhere = self.elsewhere if follows else None
        self.service = fixed_peer("192.0.2.1", self.endpoint, self.node, elsewhere)

    def elsewhere(self, place):
        return TCP4ClientEndpoint(self.reactor, *place) if self.way else None

    def sends(self, host):
        """Let the peer that was dialled send us to *host*."""
        line = accept(self.reactor)
        line.say(b"say", toy.Say(host.encode()).encode())
        line.hang_up()

    @property
    def places(self):
        return [client[:2] for client in self.reactor.tcpClients]


def test_a_peer_that_sends_us_elsewhere_is_followed_once_and_then_asked_again():
    world = GuidedWorld()
    world.service.startService()
    world.sends("8.8.8.8")
    assert world.seconds_until_next_dial() == 1
    assert world.places == [("192.0.2.1", 7), ("8.8.8.8", 18446)]
    world.sends("8.8.4.4")
    assert world.seconds_until_next_dial() >= 60
    assert world.places[2:] == [("192.0.2.1", 7)]
    world.sends("10.0.0.1")
    world.seconds_until_next_dial()
    assert world.places[3:] == [("192.0.2.1", 18446)]


def test_nobody_is_followed_where_no_way_leads():
    world = GuidedWorld(way=False)
    world.service.startService()
    world.sends("8.8.8.8")
    assert world.seconds_until_next_dial() >= 60
    assert set(world.places) == {("192.0.2.1", 7)}


def test_nobody_is_followed_unless_the_operator_wants_it():
    world = GuidedWorld(follows=False)
    world.service.startService()
    world.sends("8.8.8.8")
    assert world.seconds_until_next_dial() >= 60
    assert set(world.places) == {("192.0.2.1", 7)}


def test_who_stops_the_service_is_known_to_have_ended_the_connection():
    world = World()
    world.service.startService()
    line = accept(world.reactor).shake_hands()
    done = []
    world.service.stopService().addCallback(done.append)
    assert line.transport.disconnecting
    line.hang_up()
    assert len(done) == 1
    assert world.node.lost == {DisconnectReason.CLOSED_HERE: 1}
    world.reactor.advance(5_000)
    assert world.dials == 1
