"""Which addresses lead to the public network, and which are likely in the same hands."""

from __future__ import annotations

from enum import Enum
from ipaddress import ip_network

from bitpeer.bitcoin.hosts import MAPPED_PREFIX, NetworkId, belongs


class Reach(Enum):
    """Where an address leads.  The value is the phrase shown to people."""

    PUBLIC = "anywhere"
    UNSPECIFIED = "nowhere"
    LOOPBACK = "this machine"
    LINK_LOCAL = "this link, cloud metadata services among it"
    PRIVATE = "a private network"
    SHARED = "a provider's own network"
    MULTICAST = "many machines at once"
    DOCUMENTATION = "examples in books"
    BENCHMARK = "a test bench"
    RESERVED = "a range kept for other purposes"
    UNKNOWN = "no network in use"


_Table = list[tuple[int, int, Reach]]
"""How many low bits a range spans, the bits above them, and where it leads."""


def _table(*rows: tuple[str, Reach]) -> _Table:
    """Return the ranges named in *rows*; of two that overlap the first counts."""
    table = []
    for text, reach in rows:
        network = ip_network(text)
        bits = network.max_prefixlen - network.prefixlen
        table.append((bits, int(network.network_address) >> bits, reach))
    return table


# Both tables follow IANA's registries of special-purpose addresses.
_IPV4 = _table(
    ("0.0.0.0/8", Reach.UNSPECIFIED),
    ("127.0.0.0/8", Reach.LOOPBACK),
    ("10.0.0.0/8", Reach.PRIVATE),
    ("172.16.0.0/12", Reach.PRIVATE),
    ("192.168.0.0/16", Reach.PRIVATE),
    ("169.254.0.0/16", Reach.LINK_LOCAL),
    ("100.64.0.0/10", Reach.SHARED),
    ("192.0.2.0/24", Reach.DOCUMENTATION),
    ("198.51.100.0/24", Reach.DOCUMENTATION),
    ("203.0.113.0/24", Reach.DOCUMENTATION),
    ("198.18.0.0/15", Reach.BENCHMARK),
    ("192.0.0.0/24", Reach.RESERVED),
    ("192.88.99.0/24", Reach.RESERVED),
    ("168.63.129.16/32", Reach.RESERVED),  # inside Azure it is the host, whatever IANA says
    ("224.0.0.0/4", Reach.MULTICAST),
    ("240.0.0.0/4", Reach.RESERVED),
    ("0.0.0.0/0", Reach.PUBLIC),
)
_IPV6 = _table(
    ("::/128", Reach.UNSPECIFIED),
    ("::1/128", Reach.LOOPBACK),
    ("64:ff9b:1::/48", Reach.PRIVATE),
    ("fc00::/7", Reach.PRIVATE),
    ("fec0::/10", Reach.PRIVATE),
    ("fe80::/10", Reach.LINK_LOCAL),
    ("ff00::/8", Reach.MULTICAST),
    ("2001:db8::/32", Reach.DOCUMENTATION),
    ("3fff::/20", Reach.DOCUMENTATION),
    ("2001:2::/48", Reach.BENCHMARK),
    ("2001::/23", Reach.RESERVED),  # ORCHID (RFC 4843, RFC 7343) and other protocols' own
    ("2000::/3", Reach.PUBLIC),
    ("::/0", Reach.RESERVED),
)

_TRANSLATED_PREFIXES = (
    MAPPED_PREFIX,
    bytes(8) + b"\xff\xff\0\0",  # RFC 6145
    bytes.fromhex("0064ff9b") + bytes(8),  # RFC 6052
)
_6TO4_PREFIX = bytes.fromhex("2002")  # RFC 3964
_TEREDO_PREFIX = bytes.fromhex("20010000")  # RFC 4380
_HURRICANE_ELECTRIC = bytes.fromhex("20010470")

_UNROUTABLE_GROUP = b"\0"
_GROUP_BITS: dict[int, int] = {
    NetworkId.IPV4: 16,
    NetworkId.IPV6: 32,
    NetworkId.TORV3: 4,
    NetworkId.I2P: 4,
    NetworkId.CJDNS: 12,  # behind the eight that are the same in all of them
    NetworkId.YGGDRASIL: 20,  # likewise behind sixteen that are nearly so
}


def reach(network: int, address: bytes) -> Reach:
    """Return where *address* leads.

    An IPv6 address that a gateway turns into an IPv4 one leads where that leads.

    Args:
        network: a `NetworkId`; sixteen bytes from `addr` or `version` count as IPv6, the IPv4
            addresses among them as what they are.
    """
    network, address = _unwrapped(network, address)
    if network == NetworkId.IPV4 and len(address) == 4:
        return _look_up(_IPV4, address)
    if network == NetworkId.IPV6 and len(address) == 16:
        return _look_up(_IPV6, address)
    return Reach.PUBLIC if belongs(network, address) else Reach.UNKNOWN


def is_routable(network: int, address: bytes) -> bool:
    """Whether *address* may be dialled on hearsay: it leads to the public network."""
    return reach(network, address) is Reach.PUBLIC


def network_group(network: int, address: bytes) -> bytes:
    """Return a key that is equal for addresses which one operator can easily have many of.

    A node keeps one outbound connection per group: /16 of IPv4, /32 of IPv6
    (/36 of Hurricane Electric, who hands them out freely), 4 random bits of an
    overlay network's address; all that is not routable is one group
    (Bitcoin Core netgroup.cpp).
    """
    if not is_routable(network, address):
        return _UNROUTABLE_GROUP
    network, address = _unwrapped(network, address)
    bits = _GROUP_BITS[network]
    if network == NetworkId.IPV6 and address.startswith(_HURRICANE_ELECTRIC):
        bits = 36
    size = (bits + 7) // 8
    spare = size * 8 - bits
    prefix = int.from_bytes(address[:size], "big") >> spare << spare
    return bytes((network,)) + prefix.to_bytes(size, "big")


def _look_up(table: _Table, address: bytes) -> Reach:
    number = int.from_bytes(address, "big")
    return next(reach for bits, prefix, reach in table if number >> bits == prefix)


def _unwrapped(network: int, address: bytes) -> tuple[int, bytes]:
    """Return the IPv4 address behind an IPv6 one, or what was given."""
    if network == NetworkId.IPV6 and len(address) == 16:
        if address.startswith(_TRANSLATED_PREFIXES):
            return NetworkId.IPV4, address[12:]
        if address.startswith(_6TO4_PREFIX):
            return NetworkId.IPV4, address[2:6]
        if address.startswith(_TEREDO_PREFIX):
            return NetworkId.IPV4, bytes(byte ^ 0xFF for byte in address[12:])
    return network, address
