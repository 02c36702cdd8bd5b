"""Tests of bitpeer.service.endpoints."""

import sys

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.protocol import Factory

from bitpeer.errors import InvalidSetting
from bitpeer.net.onion import TheirOnionEndpoint
from bitpeer.service.endpoints import (
    check_several,
    distinct,
    server_endpoint,
)
from tests.service.fakes import Reactor


def test_an_endpoint_passes_through():
    door = TCP4ServerEndpoint(Reactor(), 1)
    assert server_endpoint(Reactor(), door, 7) is door


def test_an_address_is_listened_on_at_the_networks_port():
    reactor = Reactor()
    server_endpoint(reactor, "127.0.0.1", 7).listen(Factory())
    assert (reactor.tcpServers[0][0], reactor.tcpServers[0][3]) == (7, "127.0.0.1")
    assert isinstance(server_endpoint(reactor, "[::1]:7", 7), TCP6ServerEndpoint)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tcp:port", "a port from 0 to 65535"),
        ("systemd:domain=INET:index=0", "no service manager has passed such a socket"),
        ("node.example:1", "an IP address of this machine"),
    ],
)
def test_what_cannot_be_listened_on_is_refused_with_the_reason(text, why):
    with pytest.raises(InvalidSetting, match=why) as caught:
        server_endpoint(Reactor(), text, 7)
    assert caught.value.value == text


@pytest.mark.parametrize("place", [None, 18444, TCP4ClientEndpoint(Reactor(), "192.0.2.1", 1)])
def test_what_is_neither_text_nor_an_endpoint_cannot_be_listened_on(place):
    with pytest.raises(InvalidSetting, match="expected port, address:port or a server endpoint"):
        server_endpoint(Reactor(), place, 7)


@pytest.mark.parametrize("places", ["18444", b"18444", 18444, None])
def test_a_place_is_no_list_of_places(places):
    with pytest.raises(InvalidSetting, match=r"listen is .*, expected a list of places"):
        check_several("listen", places)


@pytest.mark.parametrize("places", [[], (), {"18444"}, iter(["18444"])])
def test_a_list_of_places_may_be_anything_with_items(places):
    check_several("listen", places)


def test_a_place_written_twice_is_one():
    dial = TCP4ClientEndpoint(Reactor(), "192.0.2.1", 7)
    places = ["192.0.2.1", "192.0.2.1:7", "tcp:192.0.2.1:7", "192.0.2.1:8", dial, dial]
    assert distinct(places, 7) == {
        "tcp:192.0.2.1:7": "192.0.2.1",
        "tcp:192.0.2.1:8": "192.0.2.1:8",
        id(dial): dial,
    }


def test_parts_that_an_endpoint_does_not_have_are_refused_in_words():
    with pytest.raises(InvalidSetting, match="tcp: has other parts, or more of them") as caught:
        server_endpoint(Reactor(), "tcp:7:9:9:9:9:9", 7)
    assert "argument" not in str(caught.value)


def test_an_onion_service_starts_no_tor_before_it_is_opened():
    reactor = Reactor()
    assert isinstance(server_endpoint(reactor, "onion:8333", 7), TheirOnionEndpoint)
    assert not reactor.getDelayedCalls()


def test_an_onion_service_without_a_port_is_refused():
    with pytest.raises(InvalidSetting, match=r"listen is 'onion:', expected onion:port"):
        server_endpoint(Reactor(), "onion:", 7)


def test_without_txtorcon_there_is_no_onion_service(monkeypatch):
    monkeypatch.setitem(sys.modules, "txtorcon.torcontrolprotocol", None)
    with pytest.raises(InvalidSetting, match=r"something else: .* pip install 'bitpeer\[tor\]'"):
        server_endpoint(Reactor(), "onion:8333", 7)
