"""Tests of bitpeer.service.detour."""

from types import SimpleNamespace

import pytest
from twisted.internet.address import IPv4Address

from bitpeer.messages.addresses import NetAddress
from bitpeer.service.detour import detour


def sent(host, port, *, there="192.168.0.1"):
    """Return where a peer at *there* may send us by naming *host* and *port*."""
    address = None if there is None else IPv4Address("TCP", there, 8444)
    transport = SimpleNamespace(getPeer=lambda: address)
    return detour(SimpleNamespace(new_address=NetAddress.of(host, port), transport=transport))


@pytest.mark.parametrize("host", ["8.8.8.8", "2a00:1450::1"])
def test_a_public_host_is_as_good_as_another(host):
    assert sent(host, 18446) == (host, 18446)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "192.168.0.9", "169.254.1.1", "0.0.0.0", "::1", "fe80::1"]
)
def test_nobody_may_send_us_into_a_network_of_our_own(host):
    assert sent(host, 22) == ("192.168.0.1", 22)
    assert sent(host, 22, there=None) is None


def test_a_port_is_a_port():
    assert sent("8.8.8.8", 0) is None


def test_most_peers_send_us_nowhere():
    assert detour(SimpleNamespace(new_address=None, transport=None)) is None
