import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.addresses import ADDRESS_SIZES, AddrV2, NetworkId, NodeAddress
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.messages.addresses import Addr, TimedNetAddress, pack_ip
from tests.decred import vectors
from tests.decred.battery import is_exactly, survives

KEY = bytes.fromhex("b8391d2003bb3bd285b035ac8eb30c80c4e2a29bb7a2f0ce0df8743c37ec3593")
ONION = "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion"
TIME = 1231006505
IPV4 = NodeAddress(TIME, 1, NetworkId.IPV4, bytes((127, 0, 0, 1)), 8333)
IPV6 = NodeAddress.of("2620:100::1", 8333, 1, TIME)
TOR = NodeAddress(TIME, 1, NetworkId.TORV3, KEY, 8333)

addresses = st.sampled_from(sorted(ADDRESS_SIZES)).flatmap(
    lambda network: st.builds(
        NodeAddress,
        st.integers(0, 9_223_371_974_719_179_007),
        st.integers(0, 2**64 - 1),
        st.just(network),
        st.binary(min_size=ADDRESS_SIZES[network], max_size=ADDRESS_SIZES[network]),
        st.integers(0, 0xFFFF),
    )
)


def test_addr_has_its_bytes():
    both = [
        TimedNetAddress(TIME, 1, pack_ip("127.0.0.1"), 8333),
        TimedNetAddress(TIME, 1, pack_ip("192.168.0.1"), 8334),
    ]
    is_exactly(Addr(both), vectors.ADDR)


@pytest.mark.parametrize(
    ("address", "raw"),
    [(IPV4, vectors.ADDR_V2_IPV4), (IPV6, vectors.ADDR_V2_IPV6), (TOR, vectors.ADDR_V2_TOR)],
)
def test_each_address_has_its_bytes(address, raw):
    assert address.encode() == raw
    assert NodeAddress.read(b"<" + raw + b">", 1) == (address, 1 + len(raw))
    is_exactly(AddrV2((address,)), b"\x01" + raw)


def test_several_addresses_have_theirs_one_after_the_other():
    is_exactly(
        AddrV2((IPV4, TOR, IPV6)),
        b"\x03" + vectors.ADDR_V2_IPV4 + vectors.ADDR_V2_TOR + vectors.ADDR_V2_IPV6,
    )


@pytest.mark.parametrize("network", [0, 4, 255])
def test_an_unknown_network_spoils_the_message(network):
    raw = bytearray(vectors.ADDR_V2_UNKNOWN)
    raw[16] = network
    with pytest.raises(InvalidValue):
        AddrV2.decode(b"\x01" + bytes(raw))


def test_a_message_has_one_to_a_thousand_addresses():
    with pytest.raises(InvalidValue):
        AddrV2.decode(b"\0" + bytes(30))
    most = AddrV2((TOR,) * 1000)
    assert len(most.encode()) == AddrV2.max_size == 51_003
    assert AddrV2.decode(most.encode()) == most
    with pytest.raises(LimitExceeded):
        AddrV2.decode(b"\xfd\xe9\x03" + vectors.ADDR_V2_IPV4 * 1001)
    for wrong in ((), (IPV4,) * 1001):
        with pytest.raises(Unencodable, match="1 to 1000"):
            AddrV2(wrong).encode()


def test_a_count_that_the_bytes_cannot_hold_is_refused_at_once():
    with pytest.raises(Truncated) as caught:
        AddrV2.decode(b"\xfd\xe8\x03" + vectors.ADDR_V2_IPV4)
    assert caught.value.needed == 23_000


def test_times_that_go_cannot_count_are_refused_both_ways():
    latest = 9_223_371_974_719_179_007
    assert NodeAddress.read(IPV4._replace(time=latest).encode())[0].time == latest
    with pytest.raises(Unencodable):
        IPV4._replace(time=latest + 1).encode()
    with pytest.raises(LimitExceeded):
        NodeAddress.read((latest + 1).to_bytes(8, "little") + vectors.ADDR_V2_IPV4[8:])


@pytest.mark.parametrize(
    "change",
    [
        {"time": -1},
        {"services": 1 << 64},
        {"services": -1},
        {"port": 65536},
        {"network": 9},
        {"address": bytes(5)},
        {"network": NetworkId.IPV6},
    ],
)
def test_what_nobody_could_use_is_not_sent(change):
    with pytest.raises(Unencodable):
        IPV4._replace(**change).encode()


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", IPV4), ("2620:100::1", IPV6), (ONION, TOR)]
)
def test_an_address_knows_how_people_write_it(host, address):
    assert NodeAddress.of(host, 8333, 1, TIME) == address
    assert NodeAddress.of(host.upper(), 8333, 1, TIME) == address
    assert address.host == host


@pytest.mark.parametrize("host", ["example.org", "a.onion", ONION.replace("x", "y", 1), ""])
def test_an_address_that_nobody_can_read_is_refused(host):
    with pytest.raises(ValueError, match=r"is no|does not appear"):
        NodeAddress.of(host, 9108)


def test_an_ipv4_address_in_the_clothes_of_ipv6_is_seen_through():
    # A node bans whoever calls such an address IPv6.
    assert NodeAddress.of("::ffff:127.0.0.1", 8333, 1, TIME) == IPV4


def test_ip_addresses_go_to_the_old_form_and_back():
    for address in (IPV4, IPV6):
        old = address.to_addr()
        assert old == TimedNetAddress(TIME, 1, pack_ip(address.host), 8333)
        assert NodeAddress.from_addr(old) == address
    assert TOR.to_addr() is None
    assert IPV4._replace(time=1 << 40).to_addr().time == 0xFFFF_FFFF


@given(st.lists(addresses, min_size=1, max_size=9).map(tuple))
def test_what_is_sent_is_what_arrives(several):
    raw = AddrV2(several).encode()
    assert AddrV2.decode(raw) == AddrV2(several)
    assert AddrV2.min_size <= len(raw) <= AddrV2.max_size


@given(st.binary(max_size=120))
def test_noise_is_refused_or_survives_a_round_trip(noise):
    survives(AddrV2, noise)
