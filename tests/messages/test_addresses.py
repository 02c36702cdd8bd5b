import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.messages.addresses import (
    MAX_ADDRESSES,
    NOWHERE,
    Addr,
    NetAddress,
    TimedNetAddress,
    pack_ip,
    unpack_ip,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

LOOPBACK = bytes(15) + b"\x01"

# Three entries of Bitcoin Core's net_tests.cpp.
PUBLISHED = (
    "03"
    "61bc6649 0000000000000000 00000000000000000000000000000001 0000"
    "79627683 0100000000000000 00000000000000000000000000000001 00f1"
    "ffffffff 4804000000000000 00000000000000000000000000000001 f1f2"
)

examples = pytest.mark.parametrize(
    ("value", "text"),
    [
        (Addr(()), "00"),
        (
            Addr(
                (
                    TimedNetAddress(1231469665, 0, LOOPBACK, 0),
                    TimedNetAddress(2205573753, 1, LOOPBACK, 241),
                    TimedNetAddress(0xFFFFFFFF, 0x448, LOOPBACK, 61938),
                )
            ),
            PUBLISHED,
        ),
    ],
    ids=["empty", "published"],
)


@examples
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    refuses_every_truncation(value, text)


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


def test_a_thousand_addresses_are_the_limit():
    raw = write_compact_size(MAX_ADDRESSES) + bytes(30 * MAX_ADDRESSES)
    assert len(Addr.decode(raw).addresses) == MAX_ADDRESSES
    assert len(raw) == Addr.max_size == 30_003
    with pytest.raises(LimitExceeded):
        Addr.decode(write_compact_size(MAX_ADDRESSES + 1) + bytes(30 * MAX_ADDRESSES + 30))
    with pytest.raises(Unencodable, match=r"Addr\.addresses cannot be encoded: 1001 items exceed"):
        Addr((TimedNetAddress(0, 0, LOOPBACK, 0),) * (MAX_ADDRESSES + 1)).encode()


def test_r_b11_no_addresses_are_a_message():
    assert Addr.decode(b"\0").addresses == ()


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (TimedNetAddress(-1, 0, LOOPBACK, 0), "time"),
        (TimedNetAddress(0, 2**64, LOOPBACK, 0), "services"),
        (TimedNetAddress(0, 0, b"\x7f\0\0\x01", 0), "ip"),
        (TimedNetAddress(0, 0, LOOPBACK, 65536), "port"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(entry, name):
    with pytest.raises(Unencodable, match=rf"TimedNetAddress\.{name} cannot be encoded"):
        Addr((entry,)).encode()


def test_the_port_alone_is_big_endian():
    address = NetAddress.of("10.0.0.1", 8333, 0x0409)
    assert address.encode().hex() == "0904000000000000" + "00" * 10 + "ffff0a000001" + "208d"
    assert NetAddress.read(address.encode()) == (address, 26)
    assert (NetAddress.min_size, NetAddress.max_size) == (26, 26)


@pytest.mark.parametrize(
    ("host", "ip"),
    [
        ("1.2.3.4", "00000000000000000000ffff01020304"),
        ("::ffff:1.2.3.4", "00000000000000000000ffff01020304"),
        ("::1", "00000000000000000000000000000001"),
        ("2001:DB8::a", "20010db800000000000000000000000a"),
        ("fe80::1%eth0", "fe800000000000000000000000000001"),
    ],
)
def test_an_address_is_sixteen_bytes(host, ip):
    assert pack_ip(host).hex() == ip


@pytest.mark.parametrize("host", ["1.2.3.4", "0.0.0.0", "255.255.255.255", "::", "::1", "fd87::1"])
def test_an_address_comes_back_as_people_write_it(host):
    assert unpack_ip(pack_ip(host)) == host
    assert NetAddress.of(host, 1).host == host
    assert TimedNetAddress(0, 0, pack_ip(host), 1).host == host


@pytest.mark.parametrize("host", ["", "example.com", "1.2.3", "1.2.3.4:80", "[::1]", "abc.onion"])
def test_only_literals_are_addresses(host):
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        NetAddress.of(host, 8333)


@given(st.binary(min_size=16, max_size=16))
def test_any_sixteen_bytes_are_an_address(ip):
    assert pack_ip(unpack_ip(ip)) == ip


def test_nowhere_is_all_zeros():
    assert NOWHERE.encode() == bytes(26)
    assert NOWHERE.host == "::"
