"""Introductions to a real node, and every way in which they end."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from zope.interface import implementer

from bitpeer import PeerConfig, connect
from bitpeer.bitcoin import (
    MAINNET,
    REGTEST,
    FeeFilter,
    GetAddr,
    Ping,
    Pong,
    Reject,
    RejectCode,
    SendCmpct,
    Services,
)
from bitpeer.config import BlockPosition, user_agent
from bitpeer.errors import Disconnected, DisconnectReason, WrongNetwork
from bitpeer.net.interfaces import IVersionListener
from bitpeer.wire.message import Unknown
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.our_side import Ears, Lost


@pytest_twisted.ensureDeferred
async def test_both_sides_say_the_same_of_a_handshake(bcoin, dial):
    opened = within(PATIENCE, bcoin.event("peer open"))
    peer, _ = await dial(
        bcoin,
        user_agent=user_agent("tester", "1.2", ("loopback",)),
        services=Services.NETWORK_LIMITED | Services.WITNESS,
        newest_block=lambda: BlockPosition(bytes(32), 7),
        relay=False,
    )
    theirs = await opened
    ours = peer.snapshot()
    assert theirs["address"] == ours.local_address
    assert theirs["inbound"]
    assert theirs["version"] == 70017
    assert theirs["services"] == Services.NETWORK_LIMITED | Services.WITNESS
    assert theirs["user_agent"] == "/tester:1.2(loopback)/"
    assert theirs["height"] == 7
    assert not theirs["relay"]

    assert ours.address == f"127.0.0.1:{bcoin.port}"
    assert not ours.inbound
    assert ours.connected
    assert ours.established
    assert ours.version == ours.negotiated_version == peer.negotiated_version == 70015
    assert ours.services == Services.NETWORK | Services.BLOOM | Services.WITNESS
    assert ours.user_agent == b"/bcoin:v1.0.2/"
    assert ours.starting_height == ours.last_block == await bcoin.height()
    assert ours.relay
    assert abs(ours.time_offset) <= 2
    assert f"{peer.version.receiver.host}:{peer.version.receiver.port}" == ours.local_address


@pytest_twisted.ensureDeferred
async def test_node_states_its_wishes_and_we_keep_them(bcoin, dial):
    peer, ears = await dial(bcoin)
    await within(PATIENCE, ears.first(GetAddr))
    wish = await within(PATIENCE, ears.first(SendCmpct))
    assert wish == SendCmpct(announce=False, version=2)
    assert peer.preference(SendCmpct) == wish


@pytest_twisted.ensureDeferred
async def test_node_keeps_our_wishes(bcoin, dial):
    taken = within(PATIENCE, bcoin.event("message", command="feefilter"))
    peer, _ = await dial(bcoin)
    peer.send(FeeFilter(12_345))
    await taken
    theirs = await bcoin.peer(peer.snapshot().local_address)
    assert theirs["prefers_headers"]
    assert (theirs["compact_mode"], theirs["compact_witness"]) == (0, True)
    assert theirs["fee_rate"] == 12_345


@pytest_twisted.ensureDeferred
async def test_features_that_the_node_is_too_old_for_are_not_announced_to_it(bcoin, dial):
    announced = [
        bcoin.event("message", command=command) for command in ("wtxidrelay", "sendaddrv2")
    ]
    pinged = within(PATIENCE, bcoin.event("message", command="ping"))
    await dial(bcoin)
    await pinged
    assert not any(feature.called for feature in announced)
    for feature in announced:
        feature.addErrback(lambda _: None).cancel()


@pytest_twisted.ensureDeferred
async def test_our_ping_is_answered_and_measured(bcoin, dial):
    peer, ears = await dial(bcoin)
    pong = await within(PATIENCE, ears.first(Pong))
    snapshot = peer.snapshot()
    assert 0 <= snapshot.min_latency <= snapshot.latency < PATIENCE
    assert snapshot.last_ping_nonce == 0  # none is unanswered
    assert pong.nonce != 0


@pytest_twisted.ensureDeferred
async def test_their_ping_is_answered(bcoin, dial):
    peer, ears = await dial(bcoin)
    address = peer.snapshot().local_address
    asked = within(PATIENCE, ears.next(Ping))
    answered = within(PATIENCE, bcoin.event("message", address=address, command="pong"))
    await bcoin.ping(address)
    ping = await asked
    assert (await answered)["payload"] == ping.encode().hex()
    theirs = await bcoin.peer(address)
    assert theirs["pings_open"] == 0
    assert theirs["latency"] >= 0


@pytest_twisted.ensureDeferred
async def test_both_sides_count_the_same_bytes(bcoin, dial):
    peer, ears = await dial(bcoin)
    address = peer.snapshot().local_address
    await within(PATIENCE, ears.first(Pong))
    asked = within(PATIENCE, ears.next(Ping))
    answered = within(PATIENCE, bcoin.event("message", address=address, command="pong"))
    await bcoin.ping(address)
    await asked
    await answered
    ours, theirs = peer.snapshot(), await bcoin.peer(address)
    assert ours.bytes_sent == theirs["bytes_received"]
    assert ours.bytes_received == theirs["bytes_sent"]
    assert ours.queued_bytes == 0


@pytest_twisted.ensureDeferred
async def test_messages_that_nobody_knows_pass_in_both_directions(bcoin, dial):
    peer, ears = await dial(bcoin)
    address = peer.snapshot().local_address
    taken = within(PATIENCE, bcoin.event("message", command="greetings"))
    peer.send(Unknown("greetings", b"to whom it may concern"))
    assert (await taken)["payload"] == b"to whom it may concern".hex()
    heard = within(PATIENCE, ears.next(Unknown))
    await bcoin.send(address, "salutations", b"from afar")
    assert await heard == Unknown("salutations", b"from afar")


@pytest_twisted.ensureDeferred
async def test_speaking_for_another_network_ends_the_connection(bcoin):
    ears = Ears()
    config = PeerConfig(network=MAINNET)
    dialled = connect(reactor, f"127.0.0.1:{bcoin.port}", config, [ears])
    with pytest.raises(Disconnected) as caught:
        await within(PATIENCE, dialled)
    assert caught.value.reason is DisconnectReason.WRONG_NETWORK
    assert not caught.value.reason.transient
    assert isinstance(caught.value.cause, WrongNetwork)
    assert caught.value.cause.magic == REGTEST.magic
    lost = await within(PATIENCE, ears.first(Lost))
    assert lost.reason is caught.value


@implementer(IVersionListener)
class Doorkeeper:
    """Wants nobody."""

    def version_received(self, peer, version):
        return Reject(b"version", RejectCode.OBSOLETE, b"not today")


@pytest_twisted.ensureDeferred
async def test_node_hears_the_last_words_with_which_it_is_refused(bcoin):
    refused = within(PATIENCE, bcoin.event("message", command="reject"))
    closed = within(PATIENCE, bcoin.event("peer close"))
    config = PeerConfig(network=REGTEST)
    with pytest.raises(Disconnected) as caught:
        await within(PATIENCE, connect(reactor, f"127.0.0.1:{bcoin.port}", config, [Doorkeeper()]))
    assert caught.value.reason is DisconnectReason.REFUSED
    words = Reject(b"version", RejectCode.OBSOLETE, b"not today").encode()
    assert (await refused)["payload"] == words.hex()
    assert not (await closed)["established"]


@pytest_twisted.ensureDeferred
async def test_message_that_cannot_be_decoded_ends_the_connection(bcoin, dial):
    peer, _ = await dial(bcoin)
    closed = within(PATIENCE, bcoin.event("peer close"))
    await bcoin.send(peer.snapshot().local_address, "ping", b"short")
    lost = await within(PATIENCE, peer.when_lost())
    assert lost.reason is DisconnectReason.MALFORMED
    await closed


@pytest_twisted.ensureDeferred
async def test_message_that_cannot_be_decoded_may_be_tolerated(bcoin, dial):
    peer, ears = await dial(bcoin, tolerate_malformed=True)
    address = peer.snapshot().local_address
    asked = within(PATIENCE, ears.next(Ping))
    await bcoin.send(address, "ping", b"short")
    await bcoin.ping(address)
    await asked
    assert peer.snapshot().malformed == 1


@pytest_twisted.ensureDeferred
async def test_two_connections_to_one_node_are_two_peers(bcoin, dial):
    one, _ = await dial(bcoin)
    other, ears = await dial(bcoin)
    addresses = {one.snapshot().local_address, other.snapshot().local_address}
    assert len(addresses) == 2
    assert addresses <= {peer["address"] for peer in await bcoin.peers()}
    closed = within(PATIENCE, bcoin.event("peer close", address=one.snapshot().local_address))
    one.disconnect()
    assert (await within(PATIENCE, one.when_lost())).reason is DisconnectReason.CLOSED_HERE
    await closed
    asked = within(PATIENCE, ears.next(Ping))
    await bcoin.ping(other.snapshot().local_address)
    await asked
    assert other.established


@pytest_twisted.ensureDeferred
async def test_node_that_hangs_up_is_lost_with_that_reason(bcoin, dial):
    peer, ears = await dial(bcoin)
    lost = within(PATIENCE, peer.when_lost())
    await bcoin.hang_up(peer.snapshot().local_address)
    ending = await lost
    assert ending.reason is DisconnectReason.CLOSED_BY_PEER
    assert ending.reason.transient
    assert [event.reason for event in ears.heard(Lost)] == [ending]
    assert not peer.snapshot().connected
    assert peer.snapshot().disconnect_reason is DisconnectReason.CLOSED_BY_PEER


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest_twisted.ensureDeferred
async def test_node_that_restarts_is_lost_and_can_be_dialled_again(start_bcoin, dial, end):
    node = await start_bcoin()
    peer, ears = await dial(node)
    await within(PATIENCE, ears.first(Pong))
    lost = within(PATIENCE, peer.when_lost())
    await within(PATIENCE, getattr(node, end)())
    assert (await lost).reason is DisconnectReason.CLOSED_BY_PEER
    with pytest.raises(Disconnected) as caught:
        await dial(node)
    assert caught.value.reason is DisconnectReason.DIAL_REFUSED
    await within(PATIENCE, node.start())
    again, _ = await dial(node)
    assert again.established
