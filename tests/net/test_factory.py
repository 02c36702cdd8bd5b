import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.net.factory import PeerFactory
from tests import toy
from tests.net.stage import SocketTransport, node


@pytest.mark.parametrize("outbound", [True, False])
def test_a_protocol_is_built_for_one_direction(outbound):
    stage = node()
    factory = PeerFactory(stage, outbound=outbound)
    first = factory.buildProtocol(IPv4Address("TCP", "203.0.113.7", 8333))
    second = factory.buildProtocol(IPv4Address("TCP", "203.0.113.7", 8333))
    assert first.inbound is not outbound
    assert first is not second
    assert first.machine is not second.machine
    assert first.node is factory.node is stage


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (IPv4Address("TCP", "8.8.8.8", 8333), "8.8.8.8", 8333),
        (IPv6Address("TCP", "2001:db8::1", 8333), "2001:db8::1", 8333),
        (UNIXAddress("/run/peer"), "", 0),
        (None, "", 0),
    ],
)
def test_the_node_decides_what_a_peer_may_hear_of_its_own_address(address, host, port):
    asked = []
    stage = node()

    def receiver_address(*where):
        asked.append(where)
        return NOWHERE

    stage.receiver_address = receiver_address
    PeerFactory(stage, outbound=True).buildProtocol(address)
    assert asked == [(host, port)]


def test_a_public_peer_is_told_where_it_is():
    assert node().receiver_address("8.8.8.8", 8333) == NetAddress.of("8.8.8.8", 8333)


def test_a_peer_is_named_by_what_was_dialled():
    factory = PeerFactory(node(), outbound=True, dialled="abc.onion:8333")
    assert factory.buildProtocol(None).address == "abc.onion:8333"
    assert PeerFactory(node(), outbound=True).buildProtocol(None).address == "nowhere"


def test_building_and_closing_say_nothing():
    assert not PeerFactory.noisy


@pytest.mark.parametrize(
    ("relay", "quiet", "told"), [(True, True, False), (True, False, True), (False, True, False)]
)
def test_quiet_peers_are_asked_for_no_transactions_and_told_all_else(relay, quiet, told):
    stage = node(relay=relay)
    factory = PeerFactory(stage, outbound=True, quiet=quiet)
    greetings = []
    for _ in range(2):
        transport = SocketTransport()
        factory.buildProtocol(transport.getPeer()).makeConnection(transport)
        greetings.append(toy.Hello.decode(transport.sent[24:]))
    assert [greeting.relay for greeting in greetings] == [told, told]
    assert greetings[0].user_agent == stage.config.user_agent
    assert stage.terms.own_nonces == {greeting.nonce for greeting in greetings}
    stage.stop()
