import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.addrv2 import MAX_ADDRESS_SIZE, AddrV2, NodeAddress
from bitpeer.bitcoin.hosts import ADDRESS_SIZES, NetworkId, belongs
from bitpeer.errors import (
    DecodeError,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.messages.addresses import TimedNetAddress, pack_ip

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"
HEAD = "61bc6649" + "01"  # time 1231469665, services 1

# The first four from Bitcoin Core's net_tests.cpp and rust-bitcoin's p2p tests.
MESSAGES = [
    (
        "0361bc6649000210000000000000000000000000000000010000796276830102100000000000000000"
        "000000000000000100f1fffffffffd4804021000000000000000000000000000000001f1f2",
        (
            NodeAddress.of("::1", 0, 0, 1231469665),
            NodeAddress.of("::1", 241, 1, 2205573753),
            NodeAddress.of("::1", 61938, 0x448, 0xFFFFFFFF),
        ),
    ),
    (f"01{HEAD}010401020304208d", (NodeAddress.of("1.2.3.4", 8333, 1, 1231469665),)),
    (
        f"01{HEAD}042079bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f208d",
        (NodeAddress.of(ONION, 8333, 1, 1231469665),),
    ),
    (
        f"01{HEAD}0520a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a870000",
        (NodeAddress.of(I2P, 0, 1, 1231469665),),
    ),
    (
        f"01{HEAD}0610fc000001000200030004000500060007208d",
        (NodeAddress.of("fc00:1:2:3:4:5:6:7", 8333, 1, 1231469665),),
    ),
    (
        f"01{HEAD}071002000000000000000000000000000007208d",
        (NodeAddress.of("200::7", 8333, 1, 1231469665),),
    ),
    (
        "0100000000ffffffffffffffffff010408080808ffff",
        (NodeAddress.of("8.8.8.8", 0xFFFF, (1 << 64) - 1),),
    ),
    ("00", ()),
]

known_addresses = st.sampled_from(list(ADDRESS_SIZES)).flatmap(
    lambda network: st.builds(
        NodeAddress,
        time=st.integers(0, 0xFFFFFFFF),
        services=st.integers(0, (1 << 64) - 1),
        network=st.just(int(network)),
        address=st.binary(min_size=ADDRESS_SIZES[network], max_size=ADDRESS_SIZES[network])
        .map({NetworkId.CJDNS: b"\xfc", NetworkId.YGGDRASIL: b"\x03"}.get(network, b"").__add__)
        .map(lambda address: address[: ADDRESS_SIZES[network]])
        .filter(lambda address: belongs(network, address)),
        port=st.integers(0, 0xFFFF),
    )
)


@pytest.mark.parametrize(("wire", "addresses"), MESSAGES)
def test_the_bytes_are_as_specified(wire, addresses):
    assert AddrV2(addresses).encode().hex() == wire
    assert AddrV2.decode(bytes.fromhex(wire)) == AddrV2(addresses)


@pytest.mark.parametrize("wire", [wire for wire, _ in MESSAGES])
def test_every_truncation_is_refused(wire):
    raw = bytes.fromhex(wire)
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            AddrV2.decode(raw[:size])


@pytest.mark.parametrize("wire", [wire for wire, _ in MESSAGES])
def test_bytes_behind_the_last_address_are_refused(wire):
    with pytest.raises(TrailingBytes):
        AddrV2.decode(bytes.fromhex(wire) + b"\0")


@given(st.lists(known_addresses, max_size=20).map(tuple))
def test_what_is_sent_is_what_arrives(addresses):
    wire = AddrV2(addresses).encode()
    assert AddrV2.decode(wire) == AddrV2(addresses)
    assert AddrV2.min_size <= len(wire) <= AddrV2.max_size


@given(st.binary(max_size=200))
def test_noise_is_refused_or_survives_a_round_trip(noise):
    try:
        message = AddrV2.decode(noise)
    except DecodeError:
        return
    assert AddrV2.decode(message.encode()) == message


def test_reading_begins_where_it_is_told_to():
    wire = bytes.fromhex(MESSAGES[1][0])
    assert AddrV2.read(b"\xff\xff" + wire + b"\xff", 2) == (
        AddrV2(MESSAGES[1][1]),
        2 + len(wire),
    )


def test_r_b8_an_unknown_network_is_left_out_and_the_rest_used():
    wire = "0261bc6649019902abab208d79627683fd4804010409090909208d"
    (address,) = AddrV2.decode(bytes.fromhex(wire)).addresses
    assert address == NodeAddress(2205573753, 0x448, NetworkId.IPV4, bytes([9] * 4), 8333)


@pytest.mark.parametrize(
    "skipped",
    [
        "0000",
        "0800",
        "fffd0002" + "ab" * MAX_ADDRESS_SIZE,
        "030a" + "ab" * 10,  # TORv2, obsolete
        "0300",
        "0210" + "00" * 10 + "ffff01020304",  # IPv4 in IPv6
        "0210fd87d87eeb43" + "ab" * 10,  # TORv2 in IPv6
        "0210fd6b88c08724" + "ab" * 10,  # Core's own names
        "0610fd000001000200030004000500060007",  # not from the range of CJDNS
        "07100400" + "00" * 14,  # not from the range of Yggdrasil
        "0700",
        "070f" + "02" * 15,
    ],
)
def test_r_b8_an_address_nobody_can_use_is_left_out_and_the_rest_used(skipped):
    good = f"{HEAD}010401020304208d"
    wire = bytes.fromhex(f"03{good}{HEAD}{skipped}208d{good}")
    (expected,) = MESSAGES[1][1]
    assert AddrV2.decode(wire).addresses == (expected, expected)
    for size in range(len(wire)):
        with pytest.raises(Truncated):
            AddrV2.decode(wire[:size])


@pytest.mark.parametrize("network", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("size", [0, 3, 5, 15, 17, 31, 33, 252, 512])
def test_a_wrong_size_for_a_known_network_spoils_the_message(network, size):
    prefix = bytes([size]) if size < 253 else b"\xfd" + size.to_bytes(2, "little")
    wire = b"\x01" + bytes.fromhex(HEAD) + bytes([network]) + prefix + bytes(size) + b"\0\0"
    with pytest.raises(InvalidValue):
        AddrV2.decode(wire)


@pytest.mark.parametrize("network", [1, 2, 3, 7, 0x99])
def test_r_b8_a_byte_more_than_512_spoils_the_message(network):
    wire = b"\x01" + bytes.fromhex(HEAD) + bytes([network]) + b"\xfd\x01\x02" + bytes(515)
    with pytest.raises(LimitExceeded):
        AddrV2.decode(wire)


def test_a_thousand_addresses_are_allowed_and_one_more_is_not():
    (address,) = MESSAGES[1][1]
    wire = AddrV2((address,) * 1000).encode()
    assert len(AddrV2.decode(wire).addresses) == 1000
    with pytest.raises(Unencodable):
        AddrV2((address,) * 1001).encode()
    with pytest.raises(LimitExceeded):
        AddrV2.decode(b"\xfd\xe9\x03" + address.encode() * 1001)


@pytest.mark.parametrize("count", ["fde903", "feffffffff", "ffffffffffffffffff"])
def test_a_count_beyond_the_limit_is_refused_without_a_single_entry(count):
    with pytest.raises(LimitExceeded):
        AddrV2.decode(bytes.fromhex(count))


def test_a_count_that_the_bytes_cannot_hold_is_refused_at_once():
    with pytest.raises(Truncated) as caught:
        AddrV2.decode(bytes.fromhex("fde803") + bytes(8999))
    assert caught.value.needed == 9000


@pytest.mark.parametrize("wire", ["fd0100", "0161bc6649fd0100010401020304208d"])
def test_a_number_that_is_longer_than_needed_is_refused(wire):
    with pytest.raises(NonCanonical):
        AddrV2.decode(bytes.fromhex(wire))


def test_the_largest_message_is_the_one_that_btcd_computes():
    assert AddrV2.max_size == 531_003
    entry = "00000000" + "ff" * 9 + "99" + "fd0002" + "00" * 512 + "0000"
    assert AddrV2.decode(bytes.fromhex("fde803" + entry * 1000)) == AddrV2(())
    assert len("fde803" + entry * 1000) // 2 == AddrV2.max_size


@pytest.mark.parametrize(
    "address",
    [
        NodeAddress(-1, 0, 1, bytes(4), 0),
        NodeAddress(1 << 32, 0, 1, bytes(4), 0),
        NodeAddress(0, -1, 1, bytes(4), 0),
        NodeAddress(0, 1 << 64, 1, bytes(4), 0),
        NodeAddress(0, 0, 1, bytes(4), -1),
        NodeAddress(0, 0, 1, bytes(4), 1 << 16),
        NodeAddress(0, 0, 1, bytes(5), 0),
        NodeAddress(0, 0, NetworkId.TORV2, bytes(10), 0),
        NodeAddress(0, 0, 0x99, bytes(2), 0),
        NodeAddress(0, 0, NetworkId.IPV6, pack_ip("1.2.3.4"), 0),
    ],
)
def test_what_nobody_could_use_is_not_sent(address):
    with pytest.raises(Unencodable):
        AddrV2((address,)).encode()


@pytest.mark.parametrize("host", ["1.2.3.4", "2001:470::1", ONION, I2P, "fc00::1", "200::1"])
def test_an_address_knows_how_people_write_it(host):
    assert NodeAddress.of(host, 8333).host == host


def test_an_address_that_nobody_can_read_is_refused():
    with pytest.raises(ValueError, match=r"example\.org"):
        NodeAddress.of("example.org", 8333)


@pytest.mark.parametrize("host", ["1.2.3.4", "2001:470::1", "::1"])
def test_ip_addresses_go_to_the_old_form_and_back(host):
    old = TimedNetAddress(7, 9, pack_ip(host), 8333)
    assert NodeAddress.from_addr(old) == NodeAddress.of(host, 8333, 9, 7)
    assert NodeAddress.of(host, 8333, 9, 7).to_addr() == old


@pytest.mark.parametrize("host", [ONION, I2P, "fc00::1", "200::1"])
def test_other_addresses_have_no_old_form(host):
    assert NodeAddress.of(host, 8333).to_addr() is None


def test_an_old_form_that_stands_for_no_ip_address_has_no_new_one():
    old = TimedNetAddress(0, 0, pack_ip("fd87:d87e:eb43:6422:2cf5:4dca:5941:2db7"), 8333)
    assert NodeAddress.from_addr(old) is None


def test_an_address_knows_where_it_leads():
    assert NodeAddress.of("8.8.8.8", 8333).is_routable()
    assert not NodeAddress.of("127.0.0.1", 8333).is_routable()
    assert (
        NodeAddress.of("8.8.4.4", 1).network_group() == NodeAddress.of("8.8.8.8", 2).network_group()
    )
