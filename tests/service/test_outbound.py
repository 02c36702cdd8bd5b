"""Tests of bitpeer.service.outbound."""

from dataclasses import replace

import pytest
from twisted.internet.defer import fail
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionRefusedError as NobodyListens

from bitpeer.config import BlockPosition, PeerConfig
from bitpeer.dialect import DnsSeed
from bitpeer.errors import (
    BadChecksum,
    DisconnectReason,
    ProxyFailed,
    ProxyRefused,
    TorUnavailable,
)
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.anchors import Anchors
from bitpeer.service.bans import Bans
from bitpeer.service.lookups import ByResolver
from bitpeer.service.merits import Merits
from bitpeer.service.outbound import IDLE, NEXT_TRIAL, STEADY, SUSPICIOUS, TRIAL, Outbound
from bitpeer.service.rests import NOT_TODAY, SOON
from bitpeer.service.seeds import Address, Seeds
from bitpeer.service.slots import CONNECTION_TYPE
from tests import toy
from tests.service.fakes import Dials, Line, LogLines, Reactor, Resolver, accept, refuse

NETWORK = replace(
    toy.NETWORK,
    seeds=(DnsSeed("a.example"),),
    dialect=replace(toy.DIALECT, service_bits={1: "BLOCKS"}),
)
FIVE_GROUPS = [f"20.{n}.0.1" for n in range(5)]
PORT = NETWORK.port
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


class World:
    """Slots for peers on a reactor that connects to nothing, with one seed."""

    def __init__(self, full=2, hosts=(), *, seeds=(), block_only=0, proxied=False, **settings):
        self.resolver = Resolver({"a.example.": list(seeds)})
        self.reactor = Reactor(self.resolver)
        self.reactor.advance(1_700_000_000)
        self.tip = BlockPosition(bytes(32), 0)
        network = settings.pop("network", NETWORK)
        follow = settings.pop("follow_redirects", False)
        config = PeerConfig(
            network=network,
            follow_redirects=follow,
            newest_block=lambda: self.tip,
            idle_timeout=1e7,
            ping_timeout=1e7,
        )
        self.node = LocalNode(config, clock=self.reactor)
        look_up = ByResolver(self.resolver, PORT, clock=self.reactor)
        self.seeds = Seeds(
            network, look_up, clock=self.reactor, journal=self.node.journal, draw=lambda: 0.0
        )
        self.book = AddressBook(secret=bytes(32), draw=lambda: 0.0)
        self.told = []
        self.routes = Routes(self.reactor, direct=not proxied)
        self.slots = Outbound(
            self.node,
            self.book,
            self.routes,
            self.seeds,
            full=full,
            block_only=block_only,
            draw=lambda: 0.0,
            tell=lambda name, **fields: self.told.append((name, fields)),
            **settings,
        )
        self.answered = set()
        self.learn(*hosts)

    def learn(self, *hosts):
        return self.slots.learn([Address(host, PORT) for host in hosts])

    def start(self):
        """Start, and let the first second pass, at whose end the seeds' answers are used."""
        self.slots.startService()
        self.tick()

    def tick(self, seconds=1):
        self.reactor.pump([1.0] * int(seconds))

    def accept_all(self, height=0):
        """Let all dials succeed that nobody has answered, and shake hands."""
        lines = []
        for index in range(len(self.reactor.tcpClients)):
            if index not in self.answered:
                self.answered.add(index)
                lines.append(accept(self.reactor, index).shake_hands(height))
        return lines

    @property
    def dialled(self):
        return self.reactor.dialled()

    def stop(self):
        self.slots.stopService()
        self.node.stop()


def kinds(lines):
    return sorted(line.peer.facts[CONNECTION_TYPE] for line in lines)


def greeting_in(line):
    """Return what was said to the peer before it had said anything."""
    data = line.transport.value()
    size = int.from_bytes(data[16:20], "little")
    return toy.Hello.decode(data[24 : 24 + size])


# Filling the slots


def test_as_many_peers_are_dialled_as_are_wanted():
    world = World(3, seeds=FIVE_GROUPS)
    world.start()
    assert len(set(world.dialled)) == 3
    assert set(world.dialled) < set(FIVE_GROUPS)
    assert {client[1] for client in world.reactor.tcpClients} == {PORT}
    world.tick(8)
    assert len(world.dialled) == 3
    assert world.slots.known == 5
    world.stop()


def test_who_wants_to_know_hears_of_each_dial_and_of_those_in_vain():
    world, dials = World(1, ["20.1.0.1"]), Dials()
    world.node.add_listener(dials)
    world.start()
    refuse(world.reactor)
    place = f"20.1.0.1:{PORT}"
    assert dials.noted == [(place, None), (place, DisconnectReason.DIAL_REFUSED)]
    world.stop()


def test_what_this_side_wants_no_more_is_not_unreachable():
    world, dials = World(1, ["20.1.0.1"]), Dials()
    world.node.add_listener(dials)
    world.start()
    world.stop()
    assert dials.noted == [(f"20.1.0.1:{PORT}", None)]


def test_peers_for_blocks_only_are_asked_for_nothing_else():
    world = World(2, FIVE_GROUPS, block_only=2)
    world.start()
    lines = world.accept_all()
    assert kinds(lines) == ["block-relay-only"] * 2 + ["outbound-full-relay"] * 2
    for line in lines:
        full = line.peer.facts[CONNECTION_TYPE] == "outbound-full-relay"
        assert greeting_in(line).relay is full
    world.stop()


def test_a_dial_that_fails_is_made_up_for_by_another_address():
    world = World(1, FIVE_GROUPS)
    world.start()
    refuse(world.reactor)
    world.tick()
    assert len(set(world.dialled)) == 2
    world.stop()


@pytest.mark.parametrize(
    ("error", "reason", "failures"),
    [
        (ProxyFailed("is on fire"), DisconnectReason.PROXY_FAILED, 0),
        (TorUnavailable("Tor", "it is gone"), DisconnectReason.DIAL_FAILED, 0),
        (ProxyRefused(4, "host unreachable"), DisconnectReason.PROXY_FAILED, 1),
        (NobodyListens(), DisconnectReason.DIAL_REFUSED, 1),
    ],
)
def test_an_address_is_not_to_blame_if_it_was_never_asked(monkeypatch, error, reason, failures):
    world, begun = World(1, ["20.1.0.1"]), []

    class Way:
        def connect(self, _):
            return fail(error)

    monkeypatch.setattr(world.routes, "endpoint", lambda *_: Way())
    monkeypatch.setattr(world.slots._rests, "begin", lambda *heard: begun.append(heard[1]))
    world.start()
    world.slots.stopService()
    assert begun[0] is reason
    assert world.book.look_up(Address("20.1.0.1", PORT)).failures == failures


def test_a_lost_peer_is_replaced_within_a_second():
    world = World(2, FIVE_GROUPS)
    world.start()
    line, _ = world.accept_all()
    world.tick(100)
    assert len(world.dialled) == 2
    line.hang_up()
    world.tick()
    assert len(set(world.dialled)) == 3
    world.stop()


def test_a_peer_is_named_by_what_was_dialled():
    world = World(2, ["20.1.0.1", "2a01::1"])
    world.start()
    addresses = {line.peer.address for line in world.accept_all()}
    assert addresses == {f"20.1.0.1:{PORT}", f"[2a01::1]:{PORT}"}
    world.stop()


def test_r_e1_one_peer_of_each_network_group_is_enough():
    world = World(3, ["20.1.0.1", "20.1.0.2", "20.1.200.200", "20.2.0.1"], block_only=2)
    world.start()
    assert len(world.dialled) == 2
    assert "20.2.0.1" in world.dialled
    world.stop()


def test_what_counts_as_a_group_can_be_said():
    world = World(2, ["20.1.0.1", "20.1.0.2"], group_of=lambda known: known.address)
    world.start()
    assert set(world.dialled) == {"20.1.0.1", "20.1.0.2"}
    world.stop()


def test_seeds_are_asked_once_no_address_is_left():
    world = World(1, seeds=["20.1.0.1"])
    world.start()
    assert world.resolver.asked == ["a.example."]
    refuse(world.reactor)
    world.resolver.names["a.example."] = ["20.2.0.1"]
    world.tick(40)
    assert world.resolver.asked == ["a.example."] * 2
    assert world.dialled[-1] == "20.2.0.1"
    world.stop()


def test_good_peers_make_the_seeds_worth_asking_soon():
    world = World(1, ["20.1.0.1"])
    world.start()
    world.seeds._backoff.failures = 5
    world.accept_all()
    assert world.seeds._backoff.failures == 0
    world.stop()


def test_a_book_full_of_addresses_where_nobody_is_makes_the_seeds_worth_asking():
    world = World(1, [f"20.{n}.0.1" for n in range(SUSPICIOUS + 2)])
    world.start()
    for _ in range(SUSPICIOUS):
        assert world.resolver.asked == []
        refuse(world.reactor)
        world.tick()
    assert world.resolver.asked == ["a.example."]
    world.stop()


def test_with_nothing_to_dial_the_book_is_left_alone_until_something_changes(monkeypatch):
    world = World(2, ["20.1.0.1"])
    looks = []
    monkeypatch.setattr(world.book, "pick", lambda *_, **__: looks.append(world.reactor.seconds()))
    world.start()
    world.tick(30)
    assert 3 <= len(looks) <= 5
    before = len(looks)
    world.learn("20.2.0.1")
    world.tick()
    assert len(looks) == before + 1
    world.stop()


# What the book learns of it


def known_of(world, host):
    return world.book.look_up(Address(host, PORT))


def test_the_book_is_told_of_a_success():
    world = World(1, ["20.1.0.1"])
    world.start()
    assert known_of(world, "20.1.0.1").tried_at == world.reactor.seconds() - 1
    world.accept_all()
    known = known_of(world, "20.1.0.1")
    assert known.proven
    assert known.success_at == world.reactor.seconds()
    assert known.services_seen
    world.stop()


def test_the_book_is_told_of_a_failure_and_of_a_handshake_that_came_to_nothing():
    world = World(2, ["20.1.0.1", "20.2.0.1"])
    world.start()
    refuse(world.reactor, 0)
    accept(world.reactor, 1).hang_up()
    assert [known_of(world, host).failures for host in world.dialled] == [1, 1]
    world.stop()


def test_the_end_of_an_established_connection_is_no_failure():
    world = World(1, ["20.1.0.1"])
    world.start()
    world.accept_all()[0].hang_up()
    assert known_of(world, "20.1.0.1").failures == 0
    world.stop()


# Resting


def test_an_address_that_failed_rests():
    world = World(1, ["20.1.0.1"])
    world.start()
    refuse(world.reactor)
    world.tick(SOON - 1)
    assert len(world.dialled) == 1
    world.tick(IDLE + 1)
    assert len(world.dialled) == 2
    world.stop()


def test_a_peer_that_leaves_at_once_rests_ever_longer():
    world = World(1, ["20.1.0.1"])
    world.start()
    for wait in (SOON, 2 * SOON, 4 * SOON):
        before = len(world.dialled)
        world.accept_all()[0].hang_up()
        world.tick(wait - 1)
        assert len(world.dialled) == before
        world.tick(IDLE + 1)
        assert len(world.dialled) == before + 1
    world.stop()


def test_a_peer_that_stayed_for_a_while_rests_only_shortly():
    world = World(1, ["20.1.0.1"])
    world.start()
    world.accept_all()[0].hang_up()
    world.tick(SOON + IDLE)
    (line,) = world.accept_all()
    world.tick(STEADY)
    line.hang_up()
    world.tick(SOON - 1)
    assert len(world.dialled) == 2
    world.tick(IDLE + 1)
    assert len(world.dialled) == 3
    world.stop()


def test_a_peer_that_breaks_the_rules_rests_for_a_day():
    world = World(1, ["20.1.0.1"])
    world.start()
    (line,) = world.accept_all()
    line.peer.fail(BadChecksum("say"))
    line.hang_up()
    world.reactor.advance(NOT_TODAY - 2)
    assert len(world.dialled) == 1
    world.tick(IDLE + 3)
    assert len(world.dialled) == 2
    world.stop()


def test_an_address_that_turns_out_to_be_our_own_is_never_dialled_again():
    world = World(1, ["20.1.0.1"])
    world.start()
    line = accept(world.reactor)
    sent = line.transport.value()
    line.protocol.dataReceived(sent)  # our own version comes back
    line.hang_up()
    assert world.node.lost == {DisconnectReason.SELF_CONNECTION: 1}
    for _ in range(100):
        world.reactor.advance(NOT_TODAY)
    assert len(world.dialled) == 1
    world.stop()


def test_a_destination_that_routes_object_to_is_a_dial_that_failed(monkeypatch):
    world = World(1, ["20.1.0.1"], proxied=True)
    monkeypatch.setattr(world.routes, "reaches", lambda _: True)
    world.start()
    assert world.dialled == []
    assert known_of(world, "20.1.0.1").failures == 1
    world.stop()


# Services


def test_r_e3_what_others_say_of_services_is_a_hint_and_what_the_peer_says_counts():
    world = World(1, ["20.1.0.1"], wanted=1)
    known_of(world, "20.1.0.1").services = 1
    world.start()
    with LogLines() as lines:
        line = accept(world.reactor).shake_hands()
        line.hang_up()
    assert lines == [
        "peer 1 20.1.0.1:7 (outbound) not won: one side refused the other: it does not offer BLOCKS"
    ]
    known = known_of(world, "20.1.0.1")
    assert (known.services, known.services_seen) == (0, True)
    world.reactor.advance(NOT_TODAY)
    world.tick()
    assert len(world.dialled) == 1
    world.stop()


def test_r_e3_who_is_said_to_offer_what_is_wanted_is_dialled_first_and_others_then():
    world = World(1, ["20.1.0.1", "20.2.0.1"], wanted=0x401)
    known_of(world, "20.2.0.1").services = 0x40D
    world.start()
    assert world.dialled == ["20.2.0.1"]
    refuse(world.reactor)
    world.tick()
    assert world.dialled == ["20.2.0.1", "20.1.0.1"]
    line = accept(world.reactor)
    line.say(b"version", toy.Hello(version=2, services=0x8, time=0, nonce=9).encode())
    line.hang_up()
    assert world.node.lost == {DisconnectReason.REFUSED: 1}
    world.stop()


def test_who_offers_what_is_wanted_is_welcome():
    world = World(1, ["20.1.0.1"], wanted=1)
    world.start()
    line = accept(world.reactor)
    line.say(b"version", toy.Hello(version=2, services=0x9, time=0, nonce=9).encode())
    line.say(b"verack")
    assert line.peer.established
    world.stop()


def test_nothing_is_demanded_of_peers_that_were_not_picked():
    world = World(1, wanted=1)
    line = Line(PeerFactory(world.node, outbound=True).buildProtocol(None)).open()
    assert line.shake_hands().peer.established
    line.hang_up()
    world.node.stop()


# Feelers


def test_a_feeler_sees_that_somebody_answers_and_goes():
    world = World(0, ["20.1.0.1"], wanted=1)
    world.slots.startService()
    assert world.slots.feel()
    assert not world.slots.feel()
    (line,) = world.accept_all()
    assert kinds([line]) == ["feeler"]
    assert line.transport.disconnecting
    line.hang_up()
    assert known_of(world, "20.1.0.1").proven
    assert world.node.lost == {DisconnectReason.CLOSED_HERE: 1}
    assert not world.slots.feel()
    world.stop()


def test_an_address_that_a_feeler_found_good_may_be_dialled_at_once():
    world = World(0, ["20.1.0.1"])
    world.slots.startService()
    world.slots.feel()
    world.accept_all()[0].hang_up()
    world.slots.full = 1
    world.tick()
    assert world.dialled == ["20.1.0.1"] * 2
    world.stop()


def test_a_feeler_that_fails_is_a_failure():
    world = World(0, ["20.1.0.1"])
    world.slots.startService()
    world.slots.feel()
    refuse(world.reactor)
    assert known_of(world, "20.1.0.1").failures == 1
    assert not world.slots.feel()
    world.stop()


# Bans


def test_whoever_is_banned_while_connected_has_to_go():
    reactor = Reactor()
    bans = Bans(None, reactor.seconds)
    bans.startService()
    world = World(2, ["20.1.0.1", "20.2.0.1"], bans=bans)
    world.start()
    lines = {line.peer.address: line for line in world.accept_all()}
    bans.ban("20.1.0.1", 1e10)
    assert lines[f"20.1.0.1:{PORT}"].transport.disconnecting
    assert not lines[f"20.2.0.1:{PORT}"].transport.disconnecting
    world.stop()
    bans.stopService()


# Anchors


def test_peers_for_blocks_are_dialled_again_first_after_a_restart(tmp_path):
    path = tmp_path / "anchors.txt"
    world = World(1, FIVE_GROUPS, block_only=2)
    world.slots._anchors = Anchors(path, world.node.journal)
    world.start()
    lines = world.accept_all()
    anchors = {
        line.peer.address.partition(":")[0]
        for line in lines
        if line.peer.facts[CONNECTION_TYPE] == "block-relay-only"
    }
    world.stop()
    assert len(anchors) == 2

    again = World(3, FIVE_GROUPS, block_only=2)
    again.slots._anchors = Anchors(path, again.node.journal)
    again.start()
    assert set(again.dialled[:2]) == anchors
    assert kinds(again.accept_all()[:2]) == ["block-relay-only"] * 2
    assert not path.exists()
    again.stop()


def test_anchors_that_may_not_be_dialled_are_not(tmp_path):
    path = tmp_path / "anchors.txt"
    path.write_text("127.0.0.1 7\n20.9.0.1 7\n")
    world = World(0, FIVE_GROUPS, block_only=2, is_own=lambda address: address.host == "20.9.0.1")
    world.slots._anchors = Anchors(path, world.node.journal)
    world.start()
    assert len(world.dialled) == 2
    assert set(world.dialled) < set(FIVE_GROUPS)
    world.stop()
    assert not path.exists()


# When there is no new block


def stale_world():
    """Return a world with two peers, one of whom has been of use, and a tip that stays."""
    world = World(2, FIVE_GROUPS, stale_after=1_800)
    world.slots._merits = Merits(world.reactor.seconds)
    world.start()
    lines = world.accept_all(height=5)
    world.slots._merits.note(lines[0].peer)
    world.tick(1_797)
    assert len(world.dialled) == 2
    world.tick(5)
    assert len(world.dialled) == 3
    return world, lines


def test_when_there_is_no_new_block_one_more_peer_is_tried_and_the_least_useful_goes():
    world, lines = stale_world()
    (third,) = world.accept_all(height=9)
    world.tick(TRIAL - 1)
    assert not any(line.transport.disconnecting for line in (*lines, third))
    with LogLines() as log:
        world.tick(2)
    assert [line.transport.disconnecting for line in (*lines, third)] == [False, True, False]
    name = lines[1].peer.address
    assert log == [
        f"peer 2 {name} (outbound) has to go: of 3, it told us of new blocks least",
    ]
    assert world.told == [("peer.replaced", {"peer": 2, "addr": name})]
    lines[1].hang_up()
    world.tick(NEXT_TRIAL - 10)
    assert len(world.dialled) == 3
    world.tick(20)
    assert len(world.dialled) == 4
    world.stop()


def test_who_is_on_trial_and_of_no_use_goes_again():
    world, lines = stale_world()
    (third,) = world.accept_all(height=3)
    world.tick(TRIAL + 1)
    assert [line.transport.disconnecting for line in (*lines, third)] == [False, False, True]
    world.tick(5)
    assert len(world.told) == 1
    world.stop()


def test_without_a_chain_nobody_is_tried():
    world = World(1, FIVE_GROUPS)
    world.start()
    world.accept_all()
    world.reactor.advance(1e6)
    world.tick()
    assert len(world.dialled) == 1
    world.stop()


# Redirections


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


@pytest.mark.parametrize(
    ("first", "second", "followed"),
    [
        ("20.0.0.1", "20.1.0.1", True),
        ("20.0.0.1", ONION, True),
        (ONION, ONION, True),
        (ONION, "20.1.0.1", False),
        ("20.0.0.1", "fc00::1", False),
    ],
)
def test_r_f5_nobody_is_followed_out_of_a_proxy(first, second, followed):
    world = World(1, network=GUIDED, follow_redirects=True)
    way = Proxy(endpoint=TCP4ClientEndpoint(world.reactor, "192.0.2.99", 9050))
    world.slots._routes = Routes(world.reactor, onion_proxy=way)
    assert world.slots._leads_out(Address(first, PORT), Address(second, PORT)) is not followed


def test_a_peer_that_names_no_address_teaches_nothing():
    world = World(1, ["20.0.0.1"], network=GUIDED, follow_redirects=True)
    world.start()
    accept(world.reactor).hang_up()
    world.tick()
    assert world.slots.known == 1
    world.stop()


def test_nobody_is_followed_unless_the_operator_wants_it():
    world = World(1, ["20.0.0.1"], network=GUIDED)
    world.start()
    sends(world, "20.1.0.1")
    world.tick(5)
    assert world.dialled == ["20.0.0.1"]
    world.stop()


# The log, and the end


def test_nothing_is_logged_for_a_dial_but_much_failure_is_told_once():
    hosts = [f"20.{n}.0.1" for n in range(SUSPICIOUS + 6)]
    world = World(1, hosts)
    with LogLines() as lines:
        world.start()
        for _ in hosts[1:]:
            refuse(world.reactor)
            world.tick()
    told = [line for line in lines if "in a row" in line]
    assert told == [
        f"{SUSPICIOUS} addresses in a row could not be reached, the last because: "
        "Connection was refused by other side"
    ]
    world.stop()


def test_stopping_ends_the_dials_and_leaves_nothing_behind():
    world = World(2, FIVE_GROUPS)
    world.start()
    accept(world.reactor, 0)
    with LogLines() as lines:
        world.slots.stopService()
        world.tick(5)
    assert [connector.stoppedConnecting for connector in world.reactor.connectors] == [False, True]
    assert len(world.dialled) == 2
    assert lines == []
    assert known_of(world, world.dialled[1]).failures == 0
    world.stop()


def test_one_line_tells_of_a_peer_won_and_one_of_a_peer_lost():
    world = World(1, ["20.1.0.1"])
    world.start()
    with LogLines() as lines:
        world.accept_all()[0].hang_up()
    assert lines == [
        "peer 1 20.1.0.1:7 (outbound) established: /toy:1/, version 2",
        "peer 1 20.1.0.1:7 (outbound) lost: closed by the peer",
    ]
    world.stop()


def test_a_mistake_in_one_look_does_not_end_all_looking(logged_failures):
    def is_own(_):
        if world.reactor.seconds() < 1_700_000_003:
            raise ZeroDivisionError
        return False

    world = World(1, FIVE_GROUPS, is_own=is_own)
    with pytest.raises(ZeroDivisionError):
        world.start()
    world.tick(5)
    assert len(world.dialled) == 1
    assert logged_failures.claim(ZeroDivisionError)
    world.stop()
