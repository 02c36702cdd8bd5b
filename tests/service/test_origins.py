"""Tests of bitpeer.service.origins."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from bitpeer.bitcoin.hosts import NetworkId
from bitpeer.net.factory import PeerFactory
from bitpeer.service.eviction import LOCAL
from bitpeer.service.origins import HERE, host_of, origin_of, plain_address, unit_of
from tests.service.fakes import Line, Reactor, Transport, make_node


def test_an_ipv4_address_is_a_host_in_a_prefix_of_24_bits():
    origin = origin_of("20.1.2.3")
    assert origin.address == "20.1.2.3"
    assert origin.host == "20.1.2.3/32"
    assert origin.prefix == "20.1.2.0/24"
    assert origin.network == NetworkId.IPV4
    assert not origin.local
    assert origin.group == origin_of("20.1.200.200").group != origin_of("20.2.2.3").group


def test_64_bits_of_ipv6_are_a_host_and_48_a_prefix():
    origin = origin_of("2a01:1:2:3::4")
    assert origin.host == "2a01:1:2:3::/64"
    assert origin.prefix == "2a01:1:2::/48"
    assert origin.network == NetworkId.IPV6
    assert origin.group == origin_of("2a01:1:ffff::").group != origin_of("2a01:2::").group


def test_an_address_of_an_overlay_is_of_its_network():
    assert origin_of("fc00::1").network == NetworkId.CJDNS
    assert origin_of("200::1").network == NetworkId.YGGDRASIL


def test_ipv4_is_the_same_however_it_is_written():
    assert origin_of("::ffff:20.1.2.3") == origin_of("20.1.2.3")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "name"])
def test_whoever_comes_through_this_machine_is_of_no_host(host):
    assert origin_of(host) == HERE
    assert HERE.local
    assert HERE.network == LOCAL
    assert HERE.address == HERE.host == HERE.prefix == ""


def test_a_host_that_forwards_strangers_counts_as_this_machine():
    assert origin_of("10.0.0.5", {"10.0.0.5"}) == HERE
    assert origin_of("::ffff:10.0.0.5", {"10.0.0.5"}) == HERE
    assert origin_of("10.0.0.6", {"10.0.0.5"}).host == "10.0.0.6/32"


def test_an_address_of_one_link_is_read_without_the_name_of_the_link():
    assert str(plain_address("fe80::1%eth0")) == "fe80::1"
    assert plain_address("no address") is None


@pytest.mark.parametrize(
    ("host", "unit"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::1", "2001:db8::/64"),
        ("ABC.onion", "abc.onion"),
    ],
)
def test_a_unit_is_what_counts_as_one_host(host, unit):
    assert unit_of(host) == unit


@pytest.mark.parametrize(
    ("address", "dialled", "host"),
    [
        (IPv4Address("TCP", "192.0.2.1", 7), None, "192.0.2.1"),
        (IPv6Address("TCP", "2a01::1", 7), None, "2a01::1"),
        (UNIXAddress("/run/peers"), None, ""),
        (IPv4Address("TCP", "127.0.0.1", 9050), "abc.onion:8333", "abc.onion"),
        (IPv4Address("TCP", "127.0.0.1", 9050), "tcp:192.0.2.1:7", ""),
    ],
)
def test_the_host_of_a_peer_is_what_was_dialled_or_where_it_comes_from(address, dialled, host):
    node = make_node(Reactor())
    factory = PeerFactory(node, outbound=dialled is not None, dialled=dialled)
    line = Line(factory.buildProtocol(None), Transport(peerAddress=address)).open()
    assert host_of(line.peer) == host
    node.stop()
