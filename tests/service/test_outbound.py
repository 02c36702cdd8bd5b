"""Tests of bitpeer.service.outbound."""

from dataclasses import replace
from math import inf

import pytest

from bitpeer.config import PeerConfig
from bitpeer.dialect import DnsSeed
from bitpeer.errors import BadChecksum, DisconnectReason
from bitpeer.messages.addresses import NetAddress
from bitpeer.net import routes
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.service import outbound
from bitpeer.service.lookups import ByResolver
from bitpeer.service.outbound import MAX_KNOWN, NOT_TODAY, SOON, STEADY, SUSPICIOUS, Outbound
from bitpeer.service.seeds import Address, Seeds
from tests import toy
from tests.service.fakes import HERE, Line, LogLines, Reactor, Resolver, accept, refuse

NETWORK = replace(toy.NETWORK, seeds=(DnsSeed("a.example"),))
FIVE_GROUPS = [f"20.{n}.0.1" for n in range(5)]


class World:
    """Slots for peers on a reactor that connects to nothing, with one seed."""

    def __init__(self, count=2, hosts=(), *, is_own=lambda _: False, **settings):
        self.resolver = Resolver({"a.example.": list(hosts)})
        self.reactor = Reactor(self.resolver)
        config = PeerConfig(**{"network": NETWORK, **settings})
        self.node = LocalNode(config, clock=self.reactor)
        look_up = ByResolver(self.resolver, NETWORK.port, clock=self.reactor)
        self.seeds = Seeds(
            NETWORK, look_up, clock=self.reactor, journal=self.node.journal, draw=lambda: 0.0
        )
        self.routes = Routes(self.reactor)
        self.slots = Outbound(
            self.node,
            count,
            self.seeds,
            routes=self.routes,
            is_own=is_own,
            choose=lambda fit: fit[0],
            draw=lambda: 0.0,
        )

    def start(self):
        """Start, and let the first second pass, at whose end the seeds' answers are used."""
        self.slots.startService()
        self.tick()

    def tick(self, seconds=1):
        self.reactor.pump([1.0] * int(seconds))

    @property
    def dialled(self):
        return self.reactor.dialled()

    def stop(self):
        self.slots.stopService()
        self.node.stop()


def test_as_many_peers_are_dialled_as_are_wanted():
    world = World(3, FIVE_GROUPS)
    world.start()
    assert world.dialled == FIVE_GROUPS[:3]
    assert {client[1] for client in world.reactor.tcpClients} == {NETWORK.port}
    assert {client[3] for client in world.reactor.tcpClients} == {routes.TIMEOUT}
    world.tick(30)
    assert len(world.dialled) == 3
    assert world.slots.known == 5


def test_a_dial_that_fails_is_made_up_for_by_another_address():
    world = World(1, FIVE_GROUPS)
    world.start()
    refuse(world.reactor)
    world.tick()
    assert world.dialled == FIVE_GROUPS[:2]


def test_a_lost_peer_is_replaced_within_a_second():
    world = World(2, FIVE_GROUPS)
    world.start()
    line = accept(world.reactor, 0).shake_hands()
    accept(world.reactor, 1).shake_hands()
    world.tick(100)
    assert len(world.dialled) == 2
    line.hang_up()
    world.tick()
    assert world.dialled == FIVE_GROUPS[:3]
    world.stop()


def test_choice_is_random_unless_somebody_chooses():
    firsts = set()
    for _ in range(60):
        world = World(1, FIVE_GROUPS)
        world.slots = Outbound(world.node, 1, world.seeds, routes=world.routes)
        world.start()
        firsts.add(world.dialled[0])
    assert len(firsts) > 1


def test_r_e1_one_peer_of_each_network_group_is_enough():
    world = World(3, ["20.1.0.1", "20.1.0.2", "20.1.200.200", "20.2.0.1"])
    world.start()
    assert world.dialled == ["20.1.0.1", "20.2.0.1"]


def test_groups_of_peers_whom_the_operator_named_are_taken_and_those_of_visitors_are_not():
    world = World(1, ["20.1.0.1", "20.2.0.1", "20.3.0.1"])
    address = replace_host("20.1.9.9")
    named = PeerFactory(world.node, outbound=True).buildProtocol(address)
    line = Line(named)
    line.transport.peerAddr = address
    line.open()
    visitor = Line(PeerFactory(world.node, outbound=False).buildProtocol(None))
    visitor.transport.peerAddr = replace_host("20.2.9.9")
    visitor.open()
    local = Line(PeerFactory(world.node, outbound=True).buildProtocol(None))
    local.transport.peerAddr = replace_host("a name")
    local.open()
    world.start()
    assert world.dialled == ["20.2.0.1"]
    world.stop()


def replace_host(host):
    return type(HERE)("TCP", host, 7)


def test_r_j7_addresses_of_both_families_are_dialled_by_number():
    world = World(2, ["20.1.0.1", "2a01::1"])
    world.start()
    assert world.dialled == ["20.1.0.1", "2a01::1"]


def test_r_e2_addresses_that_lead_nowhere_are_not_even_remembered():
    world = World()
    bad = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "224.0.0.1", "::1", "fe80::1", "no address"]
    assert world.slots.learn([Address(host, 7) for host in bad]) == 0
    assert world.slots.learn([Address("20.1.0.1", 7), Address("20.1.0.1", 7)]) == 1
    assert world.slots.known == 1


def test_addresses_to_which_no_way_leads_are_not_remembered():
    world = World()
    onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    assert world.slots.learn([Address(host, 7) for host in (onion, "fc00::1")]) == 0


def test_our_own_address_is_never_dialled():
    world = World(2, ["20.1.0.1", "20.2.0.1"], is_own=lambda address: address.host == "20.1.0.1")
    world.start()
    assert world.dialled == ["20.2.0.1"]


def test_an_address_that_turns_out_to_be_our_own_is_never_dialled_again():
    world = World(1, ["20.1.0.1"])
    world.start()
    line = accept(world.reactor)
    sent = line.transport.value()
    line.protocol.dataReceived(sent)  # our own version comes back
    line.hang_up()
    assert world.node.lost == {DisconnectReason.SELF_CONNECTION: 1}
    (candidate,) = world.slots._known.values()
    assert candidate.dial_at == inf
    world.stop()


def test_an_address_that_failed_rests_ever_longer():
    world = World(1, ["20.1.0.1"])
    world.start()
    waits = []
    for _ in range(4):
        before = len(world.dialled)
        refuse(world.reactor)
        waited = 0
        while len(world.dialled) == before:
            world.tick()
            waited += 1
        waits.append(waited)
    assert waits == [SOON, 2 * SOON, 4 * SOON, 8 * SOON]


def test_a_peer_that_stayed_for_a_while_rests_only_shortly():
    world = World(1, ["20.1.0.1"])
    world.start()
    (candidate,) = world.slots._known.values()
    for _ in range(5):
        candidate.backoff.failed()
    line = accept(world.reactor).shake_hands()
    world.tick(STEADY)
    line.hang_up()
    assert candidate.dial_at == world.reactor.seconds() + SOON


def test_a_peer_that_leaves_at_once_rests_as_after_a_failure():
    world = World(1, ["20.1.0.1"])
    world.start()
    (candidate,) = world.slots._known.values()
    candidate.backoff.failed()
    accept(world.reactor).shake_hands().hang_up()
    assert candidate.dial_at == world.reactor.seconds() + 2 * SOON


def test_a_peer_that_breaks_the_rules_rests_for_a_day():
    world = World(1, ["20.1.0.1"])
    world.start()
    line = accept(world.reactor).shake_hands()
    line.peer.fail(BadChecksum("say"))
    line.hang_up()
    (candidate,) = world.slots._known.values()
    assert candidate.dial_at == world.reactor.seconds() + NOT_TODAY


def test_seeds_are_asked_again_once_no_address_is_left():
    world = World(1, ["20.1.0.1"])
    world.start()
    assert world.resolver.asked == ["a.example."]
    refuse(world.reactor)
    world.resolver.names["a.example."] = ["20.2.0.1"]
    world.tick(40)
    assert world.resolver.asked == ["a.example."] * 2
    assert world.dialled[-1] == "20.2.0.1"


def test_good_peers_make_the_seeds_worth_asking_soon():
    world = World(1, ["20.1.0.1"])
    world.start()
    world.seeds._backoff.failures = 5
    accept(world.reactor).shake_hands()
    assert world.seeds._backoff.failures == 0
    world.stop()


def test_r_a9_memory_is_bounded_and_the_worst_is_forgotten():
    world = World(1)
    many = [Address(f"20.{n % 250}.{n // 250}.1", 7) for n in range(MAX_KNOWN)]
    assert world.slots.learn(many) == MAX_KNOWN
    world.slots._known[many[500]].dial_at = 1e9
    assert world.slots.learn([Address("30.1.1.1", 7)]) == 1
    assert world.slots.known == MAX_KNOWN
    assert many[500] not in world.slots._known


def test_whoever_is_connected_is_not_forgotten(monkeypatch):
    monkeypatch.setattr(outbound, "MAX_KNOWN", 1)
    world = World(1, ["20.1.0.1"])
    world.start()
    assert world.slots.learn([Address("30.1.1.1", 7)]) == 1
    assert Address("20.1.0.1", 7) in world.slots._known


def test_nothing_is_logged_for_a_dial_but_much_failure_is_told_once():
    hosts = [f"20.{n}.0.1" for n in range(SUSPICIOUS + 6)]
    world = World(1, hosts)
    with LogLines() as lines:
        world.start()
        for _ in hosts[1:]:
            refuse(world.reactor)
            world.tick()
    assert lines[1:] == [
        f"{SUSPICIOUS} addresses in a row could not be reached, the last because: "
        "Connection was refused by other side"
    ]
    assert "DNS seeds" in lines[0]


def test_stopping_ends_the_dials_and_leaves_nothing_behind():
    world = World(2, FIVE_GROUPS)
    world.start()
    accept(world.reactor, 0)
    with LogLines() as lines:
        world.slots.stopService()
        world.tick(100)
    assert [connector.stoppedConnecting for connector in world.reactor.connectors] == [False, True]
    assert len(world.dialled) == 2
    assert lines == []
    world.stop()


def test_one_line_tells_of_a_peer_won_and_one_of_a_peer_lost():
    world = World(1, ["20.1.0.1"])
    world.start()
    with LogLines() as lines:
        accept(world.reactor).shake_hands().hang_up()
    assert lines == [
        "peer 1 20.1.0.1:7 (outbound) established: /toy:1/, version 2",
        "peer 1 20.1.0.1:7 (outbound) lost: closed by the peer",
    ]


def test_a_mistake_in_one_look_does_not_end_all_looking(logged_failures):
    def is_own(_):
        if world.reactor.seconds() < 3:
            raise ZeroDivisionError
        return False

    world = World(1, FIVE_GROUPS, is_own=is_own)
    world.start()
    world.tick(5)
    assert world.dialled == FIVE_GROUPS[:1]
    assert logged_failures.claim(ZeroDivisionError)


@pytest.mark.parametrize("count", [0, 1, 8])
def test_the_number_wanted_is_known(count):
    assert World(count).slots.count == count


GUIDED = replace(
    NETWORK,
    dialect=replace(
        toy.DIALECT, redirects={toy.Say: lambda said: NetAddress.of(said.text.decode(), 18446)}
    ),
)


def sends(world, host):
    """Let the peer that was dialled last send us to *host*."""
    line = accept(world.reactor)
    line.say(b"say", toy.Say(host.encode()).encode())
    line.hang_up()


def test_a_peer_that_sends_us_elsewhere_is_followed_once():
    world = World(1, ["20.0.0.1"], network=GUIDED, follow_redirects=True)
    world.start()
    sends(world, "20.1.0.1")
    world.tick()
    assert world.dialled == ["20.0.0.1", "20.1.0.1"]
    sends(world, "20.2.0.1")
    world.tick(5)
    assert world.dialled == ["20.0.0.1", "20.1.0.1"]
    assert world.slots.known == 2
    world.stop()


def test_a_peer_that_names_an_address_that_is_known_teaches_nothing():
    world = World(1, ["20.0.0.1"], network=GUIDED, follow_redirects=True)
    world.start()
    world.slots.learn([Address("20.1.0.1", 18446)])
    sends(world, "20.1.0.1")
    world.tick()
    assert world.slots.known == 2
    world.stop()


def test_nobody_is_followed_unless_the_operator_wants_it():
    world = World(1, ["20.0.0.1"], network=GUIDED)
    world.start()
    sends(world, "20.1.0.1")
    world.tick(5)
    assert world.dialled == ["20.0.0.1"]
    world.stop()
