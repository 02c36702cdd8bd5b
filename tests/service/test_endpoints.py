"""Tests of bitpeer.service.endpoints."""

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.protocol import Factory

from bitpeer.errors import InvalidSetting
from bitpeer.service.endpoints import client_endpoint, server_endpoint
from tests.service.fakes import Reactor


def test_a_host_is_dialled_on_the_networks_port():
    reactor = Reactor()
    client_endpoint(reactor, "node.example", 7).connect(Factory())
    assert reactor.tcpClients[0][:2] == ("node.example", 7)


def test_a_client_description_is_taken_as_it_is():
    reactor = Reactor()
    client_endpoint(reactor, "tcp:192.0.2.1:99:timeout=5", 7).connect(Factory())
    assert reactor.tcpClients[0][:2] == ("192.0.2.1", 99)
    assert reactor.tcpClients[0][3] == 5


def test_endpoints_pass_through():
    dial = TCP4ClientEndpoint(Reactor(), "192.0.2.1", 1)
    door = TCP4ServerEndpoint(Reactor(), 1)
    assert client_endpoint(Reactor(), dial, 7) is dial
    assert server_endpoint(Reactor(), door, 7) is door


def test_an_address_is_listened_on_at_the_networks_port():
    reactor = Reactor()
    server_endpoint(reactor, "127.0.0.1", 7).listen(Factory())
    assert (reactor.tcpServers[0][0], reactor.tcpServers[0][3]) == (7, "127.0.0.1")
    assert isinstance(server_endpoint(reactor, "[::1]:7", 7), TCP6ServerEndpoint)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tcp:", "tcp:host:port, with"),
        ("tcp:host:port", "a port from 1 to 65535"),
        ("nonsense:option=1", "Unknown endpoint type"),
        ("host:port", "and a port from 1 to 65535"),
    ],
)
def test_what_cannot_be_dialled_is_refused_with_the_reason(text, why):
    with pytest.raises(InvalidSetting, match=why) as caught:
        client_endpoint(Reactor(), text, 7)
    assert caught.value.value == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tcp:port", "a port from 0 to 65535"),
        ("systemd:domain=INET:index=0", "Twisted can read"),  # nobody passed a descriptor
        ("node.example:1", "an IP address of this machine"),
    ],
)
def test_what_cannot_be_listened_on_is_refused_with_the_reason(text, why):
    with pytest.raises(InvalidSetting, match=why) as caught:
        server_endpoint(Reactor(), text, 7)
    assert caught.value.value == text
