"""Every method of the seed documents' peer has its counterpart."""

import pytest
from twisted.internet.defer import Deferred

from bitpeer import bitcoin
from bitpeer.bitcoin import REGTEST, Addr, GetBlocks, GetHeaders, Inv, InvType, InvVect
from bitpeer.config import BlockPosition, PeerConfig
from bitpeer.errors import Disconnected, DisconnectReason, NotEstablished
from bitpeer.messages.addresses import NOWHERE, NetAddress, TimedNetAddress
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener, on
from tests.parity.conversation import EVERYTHING, START, Conversation, Recorder

ONE, TWO = b"\1" * 32, b"\2" * 32


def fired(deferred: Deferred) -> list:
    results: list = []
    deferred.addBoth(results.append)
    return results


def settled(**settings: object) -> tuple[Conversation, Recorder]:
    recorder = Recorder()
    talk = Conversation(far_listeners=[recorder], **settings).carry()
    recorder.messages.clear()
    return talk, recorder


# Construction and life


def test_new_outbound_peer_speaks_first_and_new_inbound_peer_does_not() -> None:
    talk = Conversation()
    assert talk.near.transport.value()
    assert not talk.far.transport.value()
    assert not talk.near.inbound
    assert talk.far.inbound


def test_associate_connection_is_make_connection_on_a_transport_of_the_callers() -> None:
    talk = Conversation()
    other = PeerFactory(talk.near_node, outbound=True).buildProtocol(None)
    assert other.transport is None
    other.makeConnection(talk.near.transport)
    assert other.transport is talk.near.transport


def test_connected_until_lost() -> None:
    talk, _ = settled()
    assert talk.far.snapshot().connected
    talk.cut()
    assert not talk.far.snapshot().connected


def test_disconnect_ends_it_and_may_be_repeated() -> None:
    talk, recorder = settled()
    talk.near.disconnect()
    talk.near.disconnect()
    talk.carry()
    assert [lost.reason for lost in recorder.lost] == [DisconnectReason.CLOSED_BY_PEER]
    assert talk.near.snapshot().disconnect_reason is DisconnectReason.CLOSED_HERE


def test_wait_for_disconnect() -> None:
    talk, _ = settled()
    waiting = fired(talk.near.when_lost())
    assert not waiting
    talk.near.disconnect()
    talk.carry()
    assert [ending.reason for ending in waiting] == [DisconnectReason.CLOSED_HERE]
    assert len(fired(talk.near.when_lost())) == 1


def test_id_counts_connections() -> None:
    talk, _ = settled()
    assert (talk.near.id, talk.far.id) == (1, 1)
    other = PeerFactory(talk.near_node, outbound=True).buildProtocol(None)
    other.makeConnection(talk.near.transport)
    assert other.id == 2


def test_string_shows_address_and_direction() -> None:
    talk, _ = settled()
    assert str(talk.near) == "peer 1 192.0.2.2:18444 (outbound)"
    assert str(talk.far) == "peer 1 192.0.2.1:50000 (inbound)"


# What is known


def test_addr_and_local_addr() -> None:
    talk, _ = settled()
    assert (talk.near.address, talk.near.local_address) == ("192.0.2.2:18444", "192.0.2.1:50000")


def test_na_is_the_address_a_peer_is_told_of_itself() -> None:
    node = Conversation().near_node
    assert node.receiver_address("8.8.8.8", 8333) == NetAddress.of("8.8.8.8", 8333)
    assert node.receiver_address("127.0.0.1", 8333) == NOWHERE


def test_services_user_agent_version_and_starting_height() -> None:
    config = PeerConfig(
        network=REGTEST,
        services=9,
        user_agent=b"/near:1/",
        protocol_version=70015,
        newest_block=lambda: BlockPosition(ONE, 77),
    )
    talk, _ = settled(near=config)
    assert talk.far.services == 9
    assert talk.far.user_agent == b"/near:1/"
    assert talk.far.version.version == 70015
    assert talk.far.version.height == 77
    assert talk.far.known_height == 77


def test_protocol_version_is_the_lower_one() -> None:
    talk, _ = settled(near=PeerConfig(network=REGTEST, protocol_version=70014))
    assert talk.near.negotiated_version == talk.far.negotiated_version == 70014


def test_version_known_and_ver_ack_received() -> None:
    talk = Conversation()
    assert talk.near.version is None
    assert not talk.near.established
    waiting = fired(talk.near.when_established())
    talk.carry()
    assert talk.near.version is not None
    assert talk.near.established
    assert waiting == [talk.near]


def test_wants_headers() -> None:
    talk, _ = settled(near=PeerConfig(network=REGTEST, preferences=()))
    assert not talk.far.wants_headers
    talk.near.send(bitcoin.SendHeaders())
    talk.carry()
    assert talk.far.wants_headers
    assert talk.near.wants_headers


def test_last_block_only_rises() -> None:
    talk, _ = settled()
    talk.near.update_last_block(10)
    talk.near.update_last_block(5)
    assert talk.near.known_height == 10
    assert talk.near.snapshot().last_block == 10


def test_last_announced_block() -> None:
    talk, _ = settled()
    assert talk.near.last_announced_block is None
    talk.near.update_last_announced_block(ONE)
    assert talk.near.snapshot().last_announced_block == ONE


def test_bytes_sent_and_received_agree() -> None:
    talk, _ = settled()
    assert talk.near.bytes_sent == talk.far.bytes_received > 0
    assert talk.far.bytes_sent == talk.near.bytes_received > 0


def test_last_send_and_last_receive_are_moments() -> None:
    talk, _ = settled()
    talk.clock.advance(1)
    talk.near.send(bitcoin.GetAddr())
    talk.clock.advance(1)
    talk.carry()
    assert talk.near.snapshot().last_send == START + 1
    assert talk.far.snapshot().last_receive == START + 2


def test_time_connected_and_time_offset() -> None:
    talk, _ = settled()
    assert talk.near.connected_at == START
    assert talk.near.snapshot().time_offset == 0


def test_pings_are_timed() -> None:
    talk = Conversation()
    talk.carry()
    snapshot = talk.near.snapshot()
    assert snapshot.last_ping_at == START
    assert snapshot.latency == 0
    assert snapshot.last_ping_nonce == 0  # it was answered
    talk.clock.advance(140)
    assert talk.near.snapshot().last_ping_nonce != 0
    talk.clock.advance(0.25)
    talk.carry()
    assert talk.near.snapshot().latency == pytest.approx(0.25, abs=1.1)
    assert talk.near.snapshot().min_latency == 0


def test_a_snapshot_has_everything_of_the_seeds() -> None:
    talk, _ = settled()
    snapshot = talk.near.snapshot()
    assert (snapshot.id, snapshot.address, snapshot.inbound) == (1, "192.0.2.2:18444", False)
    assert (snapshot.services, snapshot.version) == (EVERYTHING, 70017)
    assert snapshot.user_agent.startswith(b"/bitpeer:")
    assert (snapshot.starting_height, snapshot.last_block) == (0, 0)
    assert (snapshot.bytes_sent, snapshot.bytes_received) == (
        talk.near.bytes_sent,
        talk.near.bytes_received,
    )
    assert (snapshot.connected_at, snapshot.last_send, snapshot.last_receive) == (START,) * 3
    assert snapshot.queued_bytes == 0


# Sending


def test_queue_message_sends_in_order() -> None:
    talk, recorder = settled()
    talk.near.send(bitcoin.GetAddr())
    talk.near.send(bitcoin.MemPool())
    talk.carry()
    assert recorder.messages == [bitcoin.GetAddr(), bitcoin.MemPool()]


def test_queue_message_tells_when_it_is_sent() -> None:
    talk, _ = settled()
    assert fired(talk.near.deliver(bitcoin.GetAddr())) == [None]


def test_queue_message_tells_when_it_never_will_be() -> None:
    talk, _ = settled()
    talk.cut()
    [failure] = fired(talk.near.deliver(bitcoin.GetAddr()))
    assert failure.check(Disconnected)
    talk.near.send(bitcoin.GetAddr())  # harmless


def test_nothing_is_queued_before_the_handshake() -> None:
    talk = Conversation()
    with pytest.raises(NotEstablished):
        talk.near.send(bitcoin.GetAddr())
    assert fired(talk.near.deliver(bitcoin.GetAddr()))[0].check(NotEstablished)
    assert not talk.near.announce(InvVect(InvType.TX, ONE))


def test_queue_inventory_trickles_in_batches() -> None:
    talk, recorder = settled()
    for number in range(1500):
        assert talk.near.announce(InvVect(InvType.TX, number.to_bytes(32, "little")))
    talk.pass_time(9.5)
    assert not recorder.heard(Inv)
    talk.pass_time(1)
    assert [len(inv.items) for inv in recorder.heard(Inv)] == [1000, 500]


def test_queue_inventory_ignores_what_the_peer_knows() -> None:
    talk, recorder = settled()
    talk.far.announce(InvVect(InvType.TX, ONE))
    talk.pass_time(11)
    assert not talk.near.announce(InvVect(InvType.TX, ONE))
    talk.pass_time(11)
    assert not recorder.heard(Inv)


def test_blocks_are_announced_at_once() -> None:
    talk, recorder = settled()
    item = InvVect(InvType.BLOCK, ONE)
    assert talk.near.announce(item)
    talk.carry()
    assert recorder.heard(Inv) == [Inv([item])]


def test_add_known_inventory() -> None:
    talk, recorder = settled()
    item = InvVect(InvType.TX, ONE)
    talk.near.add_known(item)
    assert talk.near.knows(item)
    assert not talk.near.announce(item)
    talk.pass_time(11)
    assert not recorder.heard(Inv)


def address(number: int) -> TimedNetAddress:
    return TimedNetAddress(1, 1, bytes(12) + number.to_bytes(4, "big"), 8333)


def test_push_addr_msg_draws_a_thousand_and_returns_them() -> None:
    config = PeerConfig(network=REGTEST, protocol_version=70015)
    talk, recorder = settled(far=config)
    addresses = [address(number) for number in range(1, 2501)]
    sent = talk.near.push_addresses(addresses)
    talk.carry()
    [message] = recorder.heard(Addr)
    assert len(sent) == 1000
    assert list(message.addresses) == list(sent)
    assert set(sent) < set(addresses)
    assert list(sent) != addresses[:1000]


def test_push_addr_msg_sends_nothing_if_there_is_nothing() -> None:
    talk, recorder = settled()
    assert not talk.near.push_addresses([])
    talk.carry()
    assert not recorder.messages


@pytest.mark.parametrize(("push", "kind"), [("blocks", GetBlocks), ("headers", GetHeaders)])
def test_push_get_blocks_msg_and_push_get_headers_msg(push: str, kind: type) -> None:
    talk, recorder = settled()
    ask = talk.near.push_get_blocks if push == "blocks" else talk.near.push_get_headers
    assert ask([ONE, TWO], TWO)
    assert not ask([ONE], TWO)  # begins alike, stops alike
    assert ask([TWO], TWO)
    talk.carry()
    assert [list(message.locator) for message in recorder.heard(kind)] == [[ONE, TWO], [TWO]]
    assert {message.stop for message in recorder.heard(kind)} == {TWO}


def test_push_reject_msg() -> None:
    talk, recorder = settled()
    assert fired(talk.near.push_reject("tx", 0x10, "bad", ONE, wait=True)) == [None]
    talk.near.push_reject("block", 0x10, "bad")
    talk.near.push_reject("version", 0x11, "old", ONE)
    talk.carry()
    assert [(each.message, each.extra) for each in recorder.heard(bitcoin.Reject)] == [
        (b"tx", ONE),
        (b"block", bytes(32)),
        (b"version", b""),
    ]


def test_push_reject_msg_is_skipped_below_version_70002() -> None:
    talk, recorder = settled(far=PeerConfig(network=REGTEST, protocol_version=70001))
    assert fired(talk.near.push_reject("tx", 0x10, "bad", ONE, wait=True)) == [None]
    talk.carry()
    assert not recorder.heard(bitcoin.Reject)


def test_a_peer_may_be_written_to_while_reading_from_it_is_paused() -> None:
    answer: Deferred[None] = Deferred()

    class Slow(PeerListener):
        @on(bitcoin.GetAddr)
        def asked(self, peer: IPeer, message: bitcoin.GetAddr) -> Deferred[None]:
            return answer

    near = Recorder()
    talk = Conversation(near_listeners=[near], far_listeners=[recorder := Recorder(), Slow()])
    talk.carry()
    talk.near.send(bitcoin.GetAddr())
    talk.near.send(bitcoin.MemPool())
    talk.carry()
    assert not recorder.heard(bitcoin.MemPool)
    talk.far.send(bitcoin.GetAddr())
    talk.carry()
    assert near.heard(bitcoin.GetAddr)
    answer.callback(None)
    assert recorder.heard(bitcoin.MemPool)
