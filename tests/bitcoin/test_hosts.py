import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.hosts import (
    ADDRESS_SIZES,
    NetworkId,
    belongs,
    format_host,
    parse_host,
)

# The overlay addresses are those of the address sheets of Bitcoin Core and rust-bitcoin.
TEXTS = [
    (NetworkId.IPV4, "01020304", "1.2.3.4"),
    (NetworkId.IPV6, "20010470" + "00" * 11 + "01", "2001:470::1"),
    (NetworkId.IPV6, "00" * 15 + "01", "::1"),
    (
        NetworkId.TORV3,
        "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f",
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
    ),
    (
        NetworkId.I2P,
        "a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a87",
        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
    ),
    (NetworkId.CJDNS, "fc000001000200030004000500060007", "fc00:1:2:3:4:5:6:7"),
    (NetworkId.YGGDRASIL, "0200" + "00" * 13 + "07", "200::7"),
    (NetworkId.YGGDRASIL, "03ff" + "00" * 13 + "07", "3ff::7"),
]


@pytest.mark.parametrize(("network", "address", "text"), TEXTS)
def test_addresses_are_written_as_people_write_them(network, address, text):
    assert format_host(network, bytes.fromhex(address)) == text


@pytest.mark.parametrize(("network", "address", "text"), TEXTS)
def test_what_people_write_is_understood(network, address, text):
    assert parse_host(text) == (network, bytes.fromhex(address))
    assert parse_host(text.upper()) == (network, bytes.fromhex(address))


@pytest.mark.parametrize(("network", "address"), [(network, raw) for network, raw, _ in TEXTS])
def test_these_belong_to_their_networks_and_one_byte_less_does_not(network, address):
    assert belongs(network, bytes.fromhex(address))
    assert not belongs(network, bytes.fromhex(address)[1:])
    assert not belongs(network, b"\0" + bytes.fromhex(address))


@given(
    st.sampled_from(list(ADDRESS_SIZES)).flatmap(
        lambda network: st.tuples(
            st.just(network),
            st.binary(min_size=ADDRESS_SIZES[network], max_size=ADDRESS_SIZES[network]),
        )
    )
)
def test_every_address_survives_being_written_and_read(host):
    network, address = host
    read_network, read = parse_host(format_host(network, address))
    if belongs(network, address):
        assert read == address
        assert read_network == network or address[0] in (0x02, 0x03, 0xFC)
    else:
        assert address.endswith(read)


def test_a_mapped_address_is_read_as_ipv4():
    assert parse_host("::ffff:1.2.3.4") == (NetworkId.IPV4, bytes([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("network", "address"),
    [
        (NetworkId.IPV6, "00" * 10 + "ffff01020304"),
        (NetworkId.IPV6, "fd87d87eeb43" + "00" * 9 + "01"),
        (NetworkId.IPV6, "fd6b88c08724" + "00" * 9 + "01"),
        (NetworkId.CJDNS, "fd" + "00" * 14 + "01"),
        (NetworkId.YGGDRASIL, "04" + "00" * 14 + "01"),
        (NetworkId.YGGDRASIL, "01" + "00" * 14 + "01"),
        (NetworkId.TORV2, "00" * 10),
        (0, ""),
        (8, "00" * 16),
        (0x99, "abab"),
    ],
)
def test_what_poses_as_another_network_does_not_belong(network, address):
    assert not belongs(network, bytes.fromhex(address))


@pytest.mark.parametrize(
    ("network", "address", "text"),
    [
        (0x99, b"\xab\xab", "153:abab"),
        (NetworkId.TORV2, bytes(10), "3:" + "00" * 10),
        (NetworkId.IPV4, b"\1\2\3", "1:010203"),
        (NetworkId.TORV3, b"", "4:"),
    ],
)
def test_what_has_no_usual_form_is_shown_in_hexadecimal(network, address, text):
    assert format_host(network, address) == text


ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 1_000_000,
        "example.org",
        "1.2.3",
        "1.2.3.4:8333",
        "fe80::1%eth0",
        ".onion",
        "expyuzz4wqqyqhjn.onion",  # TORv2
        "q" + ONION[1:] + ".onion",  # checksum
        ONION[:-1] + "c.onion",  # version 2
        ONION[:-1] + ".onion",
        ONION + "a.onion",
        "1" + ONION[1:] + ".onion",  # not a digit of base 32
        "ä" + ONION[1:] + ".onion",
        ".b32.i2p",
        I2P[:-1] + ".b32.i2p",
        I2P + "a.b32.i2p",
        I2P[:-1] + "r.b32.i2p",  # a spelling with stray bits at the end
        I2P + "====.b32.i2p",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"is no |does not appear|names an interface") as caught:
        parse_host(text)
    assert len(str(caught.value)) < 200
