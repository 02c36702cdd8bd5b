"""Tests of bitpeer.service.admission."""

from collections import Counter
from math import inf
from random import Random

import pytest
from hypothesis import given, strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from bitpeer.errors import DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.net.protocol import PeerProtocol
from bitpeer.service.admission import (
    MAX_STRANGERS,
    MAX_STRANGERS_PER_HOST,
    PATIENCE,
    Admission,
    GuardedFactory,
    Limits,
    Refusal,
    TurnedAway,
)
from bitpeer.service.bans import Bans
from bitpeer.service.endpoints import server_endpoint
from bitpeer.service.merits import Merits
from tests.service.fakes import HERE, Line, LogLines, Reactor, Transport, make_node, visit


class World:
    """A node with a guarded door."""

    def __init__(self, *, bans=False, forwarders=(), choose=lambda several: several[0], **limits):
        self.reactor = Reactor()
        self.reactor.advance(1_000)
        self.node = make_node(self.reactor)
        self.told = []
        self.bans = Bans(None, self.reactor.seconds) if bans else None
        if self.bans is not None:
            self.bans.startService()
        self.merits = Merits(self.reactor.seconds)
        self.admission = Admission(
            self.node,
            Limits(**limits),
            bans=self.bans,
            merits=self.merits,
            forwarders=forwarders,
            secret=bytes(16),
            choose=choose,
            tell=lambda name, **fields: self.told.append((name, fields)),
        )
        self.factory = GuardedFactory(PeerFactory(self.node, outbound=False), self.admission)

    def knock(self, host, port=4711):
        """Return the connection from *host* if it was let in."""
        kind = IPv6Address if ":" in host else IPv4Address
        address = kind("TCP", host, port)
        transport = Transport(hostAddress=HERE, peerAddress=address)
        line = Line(self.factory.buildProtocol(address), transport).open()
        assert isinstance(line.protocol, TurnedAway if line.transport.aborted else PeerProtocol)
        return None if line.transport.aborted else line

    def enter(self, host):
        """Return the connection from *host*, which has introduced itself, if it may stay."""
        line = self.knock(host)
        if line is not None:
            line.shake_hands()
            self.tidy(line)
        return None if line is None or line.transport.aborted else line

    def tidy(self, *lines):
        """Let those whose connection was cut notice it."""
        for line in lines:
            if line.transport.aborted:
                line.hang_up()

    @property
    def guests(self):
        return list(self.admission._visits.guests)


@pytest.fixture
def make_world():
    """Return what makes a world; all are stopped at the end."""
    worlds = []

    def make(**settings):
        worlds.append(World(**settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.node.stop()
        if world.bans is not None:
            world.bans.stopService()


# Counting


def test_a_host_has_only_so_many_places(make_world):
    world = make_world(per_host=2)
    line = world.enter("192.0.2.1")
    assert world.knock("192.0.2.1")
    assert not world.knock("192.0.2.1")
    assert world.knock("192.0.2.2")
    line.hang_up()
    assert world.knock("192.0.2.1")
    assert not world.knock("192.0.2.1")
    assert world.admission.refusals == {Refusal.HOST: 2}


def test_64_bits_of_ipv6_are_one_host(make_world):
    world = make_world(per_host=1)
    assert world.knock("2001:db8::1")
    assert not world.knock("2001:db8::2")
    assert world.knock("2001:db8:0:1::1")


def test_ipv4_is_the_same_host_however_it_is_written(make_world):
    world = make_world(per_host=1)
    assert world.knock("::ffff:192.0.2.1")
    assert world.knock("::ffff:192.0.2.2")
    assert not world.knock("192.0.2.1")


@pytest.mark.parametrize(
    ("inside", "outside"),
    [("20.1.1.{}", "20.1.2.1"), ("2a01:1:1:{}::", "2a01:1:2::")],
)
def test_a_prefix_has_only_so_many_places(inside, outside, make_world):
    world = make_world(per_prefix=3)
    assert all(world.enter(inside.format(n)) for n in (1, 2, 3))
    assert not world.knock(inside.format(4))
    assert world.knock(outside)
    assert world.admission.refusals == {Refusal.PREFIX: 1}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.9.9.9"])
def test_this_machine_and_those_who_forward_strangers_have_all_places(host, make_world):
    world = make_world(
        most=9, per_host=1, per_prefix=1, strangers_per_host=1, forwarders={"10.9.9.9"}
    )
    assert all(world.knock(host) for _ in range(6))
    assert all(world.enter(host) for _ in range(9))


@pytest.mark.parametrize("address", [None, UNIXAddress("/run/peers")])
def test_who_comes_without_an_address_is_of_this_machine(address, make_world):
    world = make_world(strangers=2, strangers_per_host=1, per_host=1)
    peers = [world.factory.buildProtocol(address) for _ in range(3)]
    assert [type(peer) for peer in peers] == [PeerProtocol] * 3
    assert list(world.admission._visits.strangers) == peers[1:]


def test_those_who_are_dialled_are_no_guests(make_world):
    world = make_world(most=1)
    dialled = PeerFactory(world.node, outbound=True).buildProtocol(None)
    line = Line(dialled).open().shake_hands()
    visit(world.node).shake_hands()
    assert world.guests == []
    line.hang_up()
    assert world.enter("192.0.2.1")


# Strangers


def test_half_open_strangers_take_no_places(make_world):
    world = make_world(most=2)
    assert all(world.knock(f"20.{n}.1.1") for n in range(MAX_STRANGERS - 1))
    assert world.enter("30.1.1.1")
    assert world.enter("30.2.1.1")
    assert len(world.guests) == 2
    assert world.told == []


def test_a_host_can_have_only_few_half_open_connections(make_world):
    world = make_world()
    lines = [world.knock("20.1.1.1") for _ in range(MAX_STRANGERS_PER_HOST)]
    assert not world.knock("20.1.1.1")
    assert world.admission.refusals == {Refusal.STRANGERS: 1}
    assert world.knock("20.1.1.2")
    lines[0].shake_hands()
    assert world.knock("20.1.1.1")


def test_of_too_many_strangers_the_one_who_has_been_silent_for_long_gives_way(make_world):
    world = make_world(strangers=3)
    lines = [world.knock(f"20.{n}.1.1") for n in range(3)]
    world.reactor.advance(PATIENCE)
    assert world.knock("30.1.1.1")
    assert [line.transport.aborted for line in lines] == [True, False, False]
    world.tidy(*lines)
    assert world.node.lost == {DisconnectReason.CLOSED_HERE: 1}
    assert world.admission.turned_away == 0


def test_if_all_have_just_come_the_lot_falls_on_one_of_the_largest_group(make_world):
    world = make_world(strangers=5, choose=lambda several: several[-1])
    hosts = ["20.1.1.1", "20.2.1.1", "20.2.2.1", "20.2.3.1", "20.3.1.1"]
    lines = [world.knock(host) for host in hosts]
    assert world.knock("30.1.1.1")
    assert [line.transport.aborted for line in lines] == [False, False, False, True, False]


def test_a_flood_of_half_open_connections_keeps_nobody_out(make_world):
    """A hundred a second, each from a network of its own; who is honest needs 0.2 seconds."""
    chance = Random(1)
    world = make_world(most=500, choose=chance.choice)
    got_in = 0
    for n in range(200):
        line = world.knock("2a01::1")
        for m in range(20):
            world.knock(f"{20 + n % 60}.{m}.{n}.1")
        if not line.transport.aborted:
            line.shake_hands()
            got_in += line.peer.established
        world.tidy(line)
        world.reactor.advance(0.2)
    assert got_in > 80
    assert len(world.admission._visits.strangers) == MAX_STRANGERS


# Leaving for somebody else


def test_when_all_places_are_taken_somebody_leaves_for_the_newcomer(make_world):
    world = make_world(most=4)
    lines = [world.enter(f"20.1.{n}.1") for n in range(4)]
    newcomer = world.enter("30.1.1.1")
    assert newcomer
    assert [line.transport.aborted for line in lines] == [False, False, False, True]
    world.tidy(*lines)
    assert len(world.node.peers) == 4
    assert world.admission.evicted == 1
    assert world.admission.turned_away == 0
    fields = {"peer": 4, "addr": "20.1.3.1:4711", "newcomer": 5}
    assert world.told == [("peer.evicted", fields)]


def test_when_nobody_must_leave_the_newcomer_must(make_world):
    world = make_world(most=1)
    first = world.enter("20.1.1.1")
    assert not world.enter("30.1.1.1")
    assert not first.transport.aborted
    assert world.admission.refusals == {Refusal.FULL: 1}
    first.hang_up()
    assert world.enter("30.1.1.1")


def test_guests_who_are_near_or_of_use_may_stay(make_world):
    world = make_world(most=16)
    lines = [world.enter(f"20.1.{n}.1") for n in range(16)]
    lines[15].peer.machine.keepalive.min_latency = 0.01
    world.merits.note(lines[14].peer)
    gone = set()
    for n in range(6):
        world.enter(f"30.1.{n}.1")
        gone |= {n for n, line in enumerate(lines) if line.transport.aborted}
        world.tidy(*(line for line in lines if line.transport.aborted and line.peer.established))
    assert {14, 15}.isdisjoint(gone)
    assert 13 in gone


def test_two_guests_without_a_name_for_it_are_still_two(make_world):
    world = make_world(most=2)
    lines = [world.enter("127.0.0.1") for _ in range(3)]
    assert [line.transport.aborted for line in lines] == [False, True, False]


# Bans


def test_who_is_banned_does_not_come_in_until_the_ban_ends(make_world):
    world = make_world(bans=True)
    world.bans.ban("20.1.0.0/16", 1_060)
    assert not world.knock("20.1.1.1")
    assert world.knock("20.2.1.1")
    assert world.admission.refusals == {Refusal.BANNED: 1}
    world.reactor.advance(60)
    assert world.knock("20.1.1.1")


def test_who_is_here_when_banned_must_leave(make_world):
    world = make_world(bans=True)
    lines = [world.enter("20.1.1.1"), world.knock("20.1.1.2"), world.enter("20.2.1.1")]
    lines.append(world.enter("127.0.0.1"))
    world.bans.ban("20.1.0.0/16", 1_060)
    assert [line.transport.aborted for line in lines] == [True, True, False, False]
    world.tidy(*lines)
    assert world.node.lost == {DisconnectReason.CLOSED_HERE: 2}


def test_without_bans_nobody_has_to_leave(make_world):
    world = make_world()
    line = world.enter("20.1.1.1")
    world.admission.part_with_banned()
    assert not line.transport.aborted


def test_the_discouraged_may_come_in_while_there_is_room(make_world):
    world = make_world(bans=True, most=3)
    world.bans.discourage("20.1.1.1")
    assert world.enter("20.1.1.1")
    assert world.enter("20.2.1.1")
    late = world.knock("20.1.1.1")
    assert world.enter("20.3.1.1")
    assert not world.knock("20.1.1.1")
    assert world.admission.refusals == {Refusal.DISCOURAGED: 1}
    late.shake_hands()
    assert late.transport.aborted
    assert len(world.guests) == 3
    assert world.admission.evicted == 0


def test_the_discouraged_are_the_first_to_leave(make_world):
    world = make_world(bans=True, most=4)
    lines = [world.enter(f"20.1.{n}.1") for n in range(4)]
    world.bans.discourage("20.1.2.1")
    assert world.enter("30.1.1.1")
    assert [line.transport.aborted for line in lines] == [False, False, True, False]


# Doors that tell later who comes


def proxied(world):
    """Return a line through a load balancer, which has said nothing yet."""
    if not world.reactor.tcpServers:
        endpoint = server_endpoint(world.reactor, "haproxy:tcp:0", 7)
        endpoint.listen(world.factory)
    factory = world.reactor.tcpServers[0][1]
    balancer = IPv4Address("TCP", "127.0.0.1", 9)
    transport = Transport(hostAddress=HERE, peerAddress=balancer)
    return Line(factory.buildProtocol(balancer), transport).open()


def peer_of(line):
    return line.protocol.wrappedProtocol


def come_from(line, host):
    """Let the load balancer say who it is, then shake hands."""
    family = "TCP6" if ":" in host else "TCP4"
    here = "::1" if ":" in host else "127.0.0.1"
    line.protocol.dataReceived(f"PROXY {family} {host} {here} 4711 8333\r\n".encode())
    return line.shake_hands()


@pytest.mark.parametrize("host", ["20.1.1.1", "2a01::1"])
def test_behind_a_load_balancer_the_address_that_it_tells_counts(host, make_world):
    world = make_world(bans=True, per_host=2)
    lines = [come_from(proxied(world), host) for _ in range(3)]
    assert [peer_of(line).established for line in lines] == [True, True, False]
    assert world.admission.refusals == {Refusal.HOST: 1}
    assert not world.knock(host)
    lines[0].hang_up()
    lines[2].hang_up()
    assert world.knock(host)


def test_behind_a_load_balancer_a_ban_counts(make_world):
    world = make_world(bans=True)
    world.bans.ban("20.1.1.1", 1_060)
    line = come_from(proxied(world), "20.1.1.1")
    assert not peer_of(line).established
    assert world.admission.refusals == {Refusal.BANNED: 1}
    line.hang_up()
    assert world.node.lost == {DisconnectReason.REFUSED: 1}
    world.reactor.advance(60)
    line = come_from(proxied(world), "20.1.1.1")
    world.bans.ban("20.1.1.1", 2_000)
    line.hang_up()
    assert world.node.lost[DisconnectReason.CLOSED_HERE] == 1


def test_a_peer_without_a_transport_comes_from_nowhere_new(make_world):
    world = make_world()
    peer = PeerFactory(world.node, outbound=False).buildProtocol(None)
    world.admission.entered(peer, world.admission.origin(None))
    world.admission.version_received(peer, None)
    assert list(world.admission._visits.strangers) == [peer]


# Whatever happens

HOSTS = ["20.1.1.1", "20.1.1.2", "20.1.1.3", "20.1.2.1", "20.2.1.1", "2a01::1", "127.0.0.1"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["knock", "knock", "introduce", "introduce", "leave", "ban", "wait"]),
            st.integers(0, 30),
        ),
        max_size=60,
    )
)
def test_whatever_happens_limits_are_kept_and_nothing_is_left(steps):
    world = World(bans=True, most=5, strangers=4, per_host=3, per_prefix=4, strangers_per_host=2)
    visits = world.admission._visits
    lines = []
    for step, number in steps:
        if step == "knock":
            lines.append(world.knock(HOSTS[number % len(HOSTS)]))
        elif step == "ban":
            subject = HOSTS[number % 6] if number % 2 else "20.1.0.0/16"
            world.bans.ban(subject, world.reactor.seconds() + 10)
        elif step == "wait":
            world.reactor.advance(number)
        elif lines:
            line = lines[number % len(lines)]
            if step == "introduce" and not line.peer.established:
                line.shake_hands()
            elif step == "leave":
                line.hang_up()
        world.tidy(*(line for line in lines if line is not None))
        lines = [line for line in lines if line is not None and line.peer in world.node.peers]
        everybody = [*visits.strangers.values(), *visits.guests.values()]
        hosts = Counter(visit.origin.host for visit in everybody if visit.origin.host)
        prefixes = Counter(visit.origin.prefix for visit in everybody if visit.origin.host)
        assert len(visits.guests) <= 5
        assert len(visits.strangers) <= 4
        assert max(hosts.values(), default=0) <= 3
        assert max(prefixes.values(), default=0) <= 4
        assert {*visits.strangers, *visits.guests} == world.node.peers
        assert all(peer.established for peer in visits.guests)
        assert not any(world.bans.is_banned(visit.origin.address) for visit in everybody)
    for line in lines:
        line.hang_up()
    left = (visits.strangers, visits.guests, visits._counts, visits._strangers)
    assert not any(left)
    world.node.stop()
    world.bans.stopService()


# Limits and lines


def test_all_strangers_who_were_cut_off_are_one_line_a_minute(make_world):
    world = make_world(strangers=2)
    world.admission.startService()
    for n in range(5):
        world.knock(f"20.{n}.1.1")
    assert world.admission.crowded_out == 3
    with LogLines() as lines:
        world.reactor.advance(60)
        world.reactor.advance(60)
    cut = "3 strangers were cut off, as others came before they had said who they are"
    assert lines.count(cut) == 1


def test_all_who_had_to_go_are_one_line_a_minute(make_world):
    world = make_world(most=4)
    world.admission.startService()
    for n in range(6):
        world.enter(f"20.1.{n}.1")
    with LogLines() as lines:
        world.reactor.advance(60)
        world.reactor.advance(60)
    assert lines == ["2 peers had to go, as others came and the house is full"]
    world.admission.stopService()
    world.node.stop()


def test_many_who_are_turned_away_are_one_line_a_minute(make_world):
    world = make_world(per_host=1, per_prefix=2)
    world.admission.startService()
    world.enter("192.0.2.1")
    world.enter("192.0.2.2")
    with LogLines() as lines:
        for _ in range(99):
            world.knock("192.0.2.1")
        world.knock("192.0.2.3")
        world.reactor.advance(59)
        assert lines == []
        world.reactor.advance(1)
        assert lines == [
            "100 connections turned away: too many of one host (99); too many of one prefix (1)"
        ]
        world.reactor.advance(60)
        assert len(lines) == 1
        world.knock("192.0.2.1")
        world.reactor.advance(60)
        assert lines[1:] == ["1 connections turned away: too many of one host (1)"]
    world.admission.stopService()
    world.node.stop()
    assert world.admission.turned_away == 101
    assert world.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("room", "most", "strangers"),
    [(inf, 117, 32), (1_000, 117, 32), (140, 108, 32), (8, 6, 2), (2, 1, 1), (1, 0, 1), (-5, 0, 1)],
)
def test_r_j8_guests_and_strangers_together_find_room(room, most, strangers):
    limits = Limits(most=117).within(room)
    assert (limits.most, limits.strangers) == (most, strangers)
    assert limits.most + limits.strangers <= max(room, 1)
