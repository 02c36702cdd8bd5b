from dataclasses import replace

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from bitpeer.errors import DisconnectReason
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.control import FeeFilter, Ping, Pong, SendHeaders, VerAck
from bitpeer.net.factory import PeerFactory
from bitpeer.net.listeners import PeerListener
from bitpeer.net.peer import PURPOSE, where
from tests.net.stage import (
    GREETING,
    HELLO,
    HERE,
    NETWORK,
    NOON,
    THERE,
    PushTransport,
    SocketTransport,
    frame,
    frames,
    join,
    meet,
    node,
    ping,
    say,
)
from tests.toy import Hello, Say


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (IPv4Address("TCP", "203.0.113.7", 8333), "203.0.113.7:8333"),
        (IPv6Address("TCP", "2001:db8::1", 8333), "[2001:db8::1]:8333"),
        (UNIXAddress("/run/peer"), "/run/peer"),
        (UNIXAddress(b"/run/\x1bpeer"), r"/run/\x1bpeer"),
        (UNIXAddress(None), "UNIXAddress(None)"),
        (None, "nowhere"),
    ],
)
def test_addresses_are_written_as_people_write_them(address, written):
    assert where(address) == written


# Sent elsewhere


def test_a_peer_may_send_us_elsewhere():
    elsewhere = NetAddress.of("192.0.2.9", 18446)
    dialect = replace(NETWORK.dialect, redirects={Say: lambda _: elsewhere})
    peer = join(node(network=replace(NETWORK, dialect=dialect)), outbound=True)
    assert not peer.redirect_requested
    peer.dataReceived(say(b"go there"))
    assert peer.redirect_requested
    assert peer.new_address == elsewhere
    peer.transport.lose()
    assert peer.new_address == elsewhere
    assert peer.snapshot().disconnect_reason is DisconnectReason.REDIRECTED


def test_a_peer_that_does_not_leaves_us_where_we_are():
    peer = meet(node())
    assert not peer.redirect_requested
    assert peer.new_address is None


# Before anything is known


def test_before_the_connection_nothing_is_known_and_everything_may_be_asked():
    peer = PeerFactory(node(), outbound=False).buildProtocol(None)
    assert str(peer) == "peer 0 nowhere (inbound)"
    assert peer.address == peer.local_address == "nowhere"
    assert not peer.established
    assert peer.version is None
    assert peer.negotiated_version == peer.services == peer.fee_filter == 0
    assert peer.user_agent == peer.payload == b""
    assert not peer.wants_headers
    assert peer.known_height == -1
    assert peer.bytes_received == peer.bytes_sent == peer.queued == peer.held == 0
    snapshot = peer.snapshot()
    assert snapshot.connected
    assert not snapshot.established
    assert snapshot.latency is snapshot.last_send is snapshot.last_receive is None


def test_a_connection_that_says_nothing_has_addresses_and_a_number():
    stage = node()
    assert join(stage).id == 1
    peer = join(stage, outbound=True)
    assert peer.id == 2
    assert peer.connected_at == NOON
    assert peer.address == "203.0.113.7:8333"
    assert peer.local_address == "192.0.2.1:18444"
    assert not peer.inbound
    assert peer.node is stage
    assert peer.machine.outbound
    assert str(peer) == "peer 2 203.0.113.7:8333 (outbound)"


def test_what_was_dialled_names_the_peer():
    assert str(join(node(), dialled="abc.onion:8333")) == "peer 1 abc.onion:8333 (inbound)"


def test_the_address_is_asked_for_anew_until_the_balancer_has_told_it():
    """Behind haproxy it is known only with the first bytes (ecosystem.md F)."""
    transport = PushTransport(peer=IPv4Address("TCP", "10.0.0.1", 5))
    peer = join(node(), transport)
    assert peer.address == "10.0.0.1:5"
    transport.peer_address = IPv4Address("TCP", "198.51.100.9", 8333)
    transport.host_address = IPv4Address("TCP", "192.0.2.9", 8333)
    peer.dataReceived(GREETING)
    assert peer.address == "198.51.100.9:8333"
    assert peer.local_address == "192.0.2.9:8333"


@pytest.mark.parametrize("make", [SocketTransport, PushTransport])
def test_the_addresses_outlive_the_connection(make):
    peer = meet(node(), make())
    peer.transport.lose()
    assert peer.address == "203.0.113.7:8333"
    assert peer.local_address == "192.0.2.1:18444"


def test_a_transport_that_is_gone_before_it_was_asked_is_nowhere():
    peer = join(node(), PushTransport())
    peer.transport.lose()
    assert peer.local_address == "nowhere"


# What the peer said of itself, and wants


def test_the_version_tells_who_the_peer_is():
    peer = join(node())
    hello = Hello(1, 9, int(NOON) + 7, 5, b"/curious:1/", 700_000, False)
    peer.dataReceived(frame(hello) + frame(VerAck()))
    assert peer.version == hello
    assert peer.negotiated_version == 1
    assert peer.services == 9
    assert peer.user_agent == b"/curious:1/"
    assert peer.known_height == 700_000
    snapshot = peer.snapshot()
    assert snapshot.time_offset == 7
    assert not snapshot.relay


def test_wishes_are_remembered():
    peer = meet(node())
    assert not peer.wants_headers
    assert peer.fee_filter == 0
    peer.dataReceived(frame(SendHeaders()) + frame(FeeFilter(1_000)) + frame(FeeFilter(2_000)))
    assert peer.wants_headers
    assert peer.fee_filter == 2_000
    assert peer.preference(FeeFilter) == FeeFilter(2_000)
    assert peer.preference(Say) is None


def test_the_height_only_grows():
    """UpdateLastBlockHeight (bitcoin.md 7.3)."""
    peer = meet(node())
    assert peer.known_height == 0
    peer.update_last_block(5)
    peer.update_last_block(3)
    assert peer.known_height == peer.last_block == 5
    peer.update_last_announced_block(b"h" * 32)
    assert peer.snapshot().last_announced_block == b"h" * 32


def test_a_height_told_before_the_version_does_not_hide_a_higher_one():
    peer = join(node())
    peer.update_last_block(5)
    assert peer.known_height == 5
    hello = Hello(2, 0, int(NOON), 5, b"/x/", 9)
    peer.dataReceived(frame(hello) + frame(VerAck()))
    assert peer.known_height == 9


def test_facts_are_the_applications_own():
    stage = node()
    peer, other = join(stage), join(stage)
    peer.facts["score"] = 5
    assert peer.facts == {"score": 5}
    assert other.facts == {}


@pytest.mark.parametrize(
    ("purpose", "way", "passing"),
    [
        ("outbound-full-relay", "outbound", False),
        ("block-relay-only", "block-relay-only", False),
        ("feeler", "feeler", True),
    ],
)
def test_whoever_dials_may_note_what_for(purpose, way, passing):
    peer = join(node(), outbound=True)
    assert not peer.passing
    peer.facts[PURPOSE] = purpose
    assert str(peer) == f"peer 1 203.0.113.7:8333 ({way})"
    assert peer.passing is passing


# Snapshots


def test_a_snapshot_counts_what_has_moved():
    stage = node()
    peer = meet(stage)
    stage.clock.advance(10)
    peer.dataReceived(say(b"one") + say(b"two"))
    stage.clock.advance(10)
    peer.send(Say(b"three"))
    snapshot = peer.snapshot()
    assert snapshot.id == 1
    assert snapshot.network == "toy-nursery"
    assert snapshot.transport == "v1"
    assert snapshot.inbound
    assert snapshot.connected
    assert snapshot.established
    assert snapshot.version == snapshot.negotiated_version == 2
    assert snapshot.user_agent == HELLO.user_agent
    assert snapshot.relay
    assert snapshot.starting_height == snapshot.last_block == 0
    assert snapshot.connected_at == NOON
    assert snapshot.last_receive == NOON + 10
    assert snapshot.last_send == NOON + 20
    assert snapshot.messages_received == 4
    assert snapshot.bytes_received == len(GREETING) + 2 * (24 + 4)
    assert snapshot.bytes_sent == len(peer.transport.sent)
    assert snapshot.queued_bytes == 0
    assert snapshot.disconnect_reason is None


def test_a_snapshot_tells_of_pings_and_their_answers():
    stage = node()
    peer = meet(stage)
    stage.clock.advance(0.25)
    before = peer.snapshot()
    nonce = int.from_bytes(frames(peer.transport.sent)[-1][1], "little")
    assert before.last_ping_nonce == nonce
    assert before.last_ping_at == NOON
    assert before.latency is None
    peer.dataReceived(frame(Pong(nonce)))
    after = peer.snapshot()
    assert after.last_ping_nonce == 0
    assert after.latency == after.min_latency == 0.25


def test_a_snapshot_tells_what_is_waiting_and_when_the_network_last_took_something():
    stage = node()
    peer = meet(stage, SocketTransport())
    peer.transport.kernel.room = 0
    stage.clock.advance(5)
    peer.send(Say(bytes(1_000)))
    assert peer.snapshot().queued_bytes == peer.queued == peer.held == 1_027
    assert peer.snapshot().last_send == NOON
    stage.clock.advance(5)
    peer.transport.make_room(2_000)
    assert peer.snapshot().queued_bytes == peer.held == 0
    assert peer.snapshot().last_send == NOON + 10


def test_a_snapshot_tells_of_what_was_tolerated():
    peer = meet(node(tolerate_malformed=True))
    peer.dataReceived(frame(Ping(1))[:16] + b"\x01\0\0\0\x07\0\0\0\x07")
    assert peer.snapshot().malformed == 1
    assert peer.established


def test_a_snapshot_outlives_the_connection():
    peer = meet(node(), SocketTransport(room=200))
    peer.send(Say(bytes(1_000)))
    peer.transport.lose()
    snapshot = peer.snapshot()
    assert not snapshot.connected
    assert not snapshot.established
    assert snapshot.disconnect_reason is DisconnectReason.CLOSED_BY_PEER
    assert snapshot.bytes_sent == 200
    assert snapshot.queued_bytes == 0
    assert snapshot.user_agent == HELLO.user_agent
    assert (snapshot.address, snapshot.local_address) == ("203.0.113.7:8333", "192.0.2.1:18444")


def test_peers_that_dialled_one_address_share_its_text():
    stage = node()
    host = IPv4Address("TCP", HERE.host, HERE.port)
    one, other = join(stage, SocketTransport()), join(stage, SocketTransport(host=host, peer=THERE))
    assert one.local_address is other.local_address


def test_the_payload_is_that_of_the_message_being_delivered():
    seen = []

    class Nosy(PeerListener):
        def message_received(self, peer, message):
            seen.append(peer.payload)

    peer = meet(node(Nosy()))
    seen.clear()
    peer.dataReceived(ping(5) + say(b"abc"))
    assert seen == [(5).to_bytes(8, "little"), b"\x03abc"]
    assert peer.payload == b""
