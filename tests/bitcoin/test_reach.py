from ipaddress import ip_address

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.hosts import NetworkId, parse_host
from bitpeer.bitcoin.reach import Reach, is_routable, network_group, reach
from bitpeer.messages.addresses import pack_ip

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"

PLACES = [
    ("0.0.0.0", Reach.UNSPECIFIED),
    ("0.255.255.255", Reach.UNSPECIFIED),
    ("1.0.0.0", Reach.PUBLIC),
    ("9.255.255.255", Reach.PUBLIC),
    ("10.0.0.1", Reach.PRIVATE),
    ("11.0.0.0", Reach.PUBLIC),
    ("100.63.255.255", Reach.PUBLIC),
    ("100.64.0.1", Reach.SHARED),
    ("100.100.100.200", Reach.SHARED),  # a cloud's metadata service
    ("100.127.255.255", Reach.SHARED),
    ("100.128.0.0", Reach.PUBLIC),
    ("127.0.0.1", Reach.LOOPBACK),
    ("127.255.255.255", Reach.LOOPBACK),
    ("128.0.0.0", Reach.PUBLIC),
    ("168.63.129.16", Reach.RESERVED),
    ("169.254.169.254", Reach.LINK_LOCAL),  # most clouds' metadata service
    ("172.15.255.255", Reach.PUBLIC),
    ("172.16.0.0", Reach.PRIVATE),
    ("172.31.255.255", Reach.PRIVATE),
    ("172.32.0.0", Reach.PUBLIC),
    ("192.0.0.192", Reach.RESERVED),
    ("192.0.2.1", Reach.DOCUMENTATION),
    ("192.88.99.1", Reach.RESERVED),
    ("192.168.0.1", Reach.PRIVATE),
    ("198.18.0.0", Reach.BENCHMARK),
    ("198.19.255.255", Reach.BENCHMARK),
    ("198.20.0.0", Reach.PUBLIC),
    ("198.51.100.7", Reach.DOCUMENTATION),
    ("203.0.113.255", Reach.DOCUMENTATION),
    ("223.255.255.255", Reach.PUBLIC),
    ("224.0.0.1", Reach.MULTICAST),
    ("239.255.255.255", Reach.MULTICAST),
    ("240.0.0.0", Reach.RESERVED),
    ("255.255.255.255", Reach.RESERVED),
    ("::", Reach.UNSPECIFIED),
    ("::1", Reach.LOOPBACK),
    ("::2", Reach.RESERVED),
    ("::7f00:1", Reach.RESERVED),
    ("64:ff9b:1::a00:1", Reach.PRIVATE),
    ("100::1", Reach.RESERVED),
    ("2001::", Reach.RESERVED),  # Teredo around 255.255.255.255
    ("2001:2::1", Reach.BENCHMARK),
    ("2001:10::1", Reach.RESERVED),
    ("2001:20::1", Reach.RESERVED),
    ("2001:200::1", Reach.PUBLIC),
    ("2001:470::1", Reach.PUBLIC),
    ("2001:db8::1", Reach.DOCUMENTATION),
    ("3ffe:ffff::1", Reach.PUBLIC),
    ("3fff:fff::1", Reach.DOCUMENTATION),
    ("3fff:1000::1", Reach.PUBLIC),
    ("4000::1", Reach.RESERVED),
    ("fd00:ec2::254", Reach.PRIVATE),  # a cloud's metadata service
    ("fd87:d87e:eb43::1", Reach.PRIVATE),
    ("fd6b:88c0:8724::1", Reach.PRIVATE),
    ("fe80::1", Reach.LINK_LOCAL),
    ("febf:ffff::1", Reach.LINK_LOCAL),
    ("fec0::1", Reach.PRIVATE),
    ("ff02::1", Reach.MULTICAST),
    (ONION, Reach.PUBLIC),
    (I2P, Reach.PUBLIC),
    ("fc00::1", Reach.PUBLIC),
    ("200::1", Reach.PUBLIC),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_addresses_lead_where_the_registries_say(text, place):
    assert reach(*parse_host(text)) is place
    assert is_routable(*parse_host(text)) is (place is Reach.PUBLIC)


ON_IP = [row for row in PLACES if parse_host(row[0])[0] in (NetworkId.IPV4, NetworkId.IPV6)]


@pytest.mark.parametrize(("text", "place"), ON_IP)
def test_the_sixteen_byte_form_of_an_address_leads_to_the_same_place(text, place):
    assert reach(NetworkId.IPV6, pack_ip(text)) is place


@pytest.mark.parametrize(
    "form", ["::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "2002:{hex}::", "2001:0:1::{inverse}"]
)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", Reach.LOOPBACK),
        ("10.9.8.7", Reach.PRIVATE),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("8.8.8.8", Reach.PUBLIC),
    ],
)
def test_a_tunnel_leads_where_its_other_end_is(form, text, place):
    packed = ip_address(text).packed
    tunnel = form.format(
        text,
        hex=f"{packed[:2].hex()}:{packed[2:].hex()}",
        inverse=ip_address(bytes(255 - byte for byte in packed)),
    )
    address = ip_address(tunnel).packed
    assert reach(NetworkId.IPV6, address) is place
    assert network_group(NetworkId.IPV6, address) == network_group(NetworkId.IPV4, packed)


@pytest.mark.parametrize(
    ("network", "address"),
    [
        (NetworkId.IPV6, bytes.fromhex("fc") + bytes(15)),
        (NetworkId.IPV6, bytes.fromhex("02") + bytes(15)),
        (NetworkId.CJDNS, bytes.fromhex("fd") + bytes(15)),
        (NetworkId.TORV2, bytes(10)),
        (NetworkId.IPV4, b"\x08\x08\x08"),
        (NetworkId.IPV6, b"\x20" + bytes(14)),
        (NetworkId.TORV3, bytes(31)),
        (0x99, b"\xab\xab"),
    ],
)
def test_an_address_that_is_not_of_its_network_leads_nowhere_public(network, address):
    assert not is_routable(network, address)
    assert network_group(network, address) == b"\0"


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("1.2.3.4", "010102"),
        ("250.1.2.3", "00"),
        ("127.0.0.1", "00"),
        ("10.0.0.1", "00"),
        ("2a01:7c8:d005:390::5", "022a0107c8"),
        ("2001:470:abcd::1", "0220010470a0"),
        (ONION, "0470"),
        (I2P, "05a0"),
        ("fc12:3456::1", "06fc10"),
        ("201:abcd::1", "070201a0"),
    ],
)
def test_groups_are_prefixes_behind_the_number_of_the_network(text, group):
    assert network_group(*parse_host(text)).hex() == group


def test_a_key_that_begins_like_hurricane_electric_is_grouped_as_a_key():
    key = bytes.fromhex("20010470") + bytes(28)
    assert network_group(NetworkId.TORV3, key).hex() == "0420"


@given(st.integers(0, 255), st.binary(max_size=40))
def test_nothing_that_arrives_is_too_strange_to_be_judged(network, address):
    assert is_routable(network, address) is (network_group(network, address) != b"\0")
