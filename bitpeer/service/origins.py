"""Where a connection comes from: whom one host, one prefix and one network group stand for."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.bitcoin.reach import network_group
from bitpeer.errors import InvalidSetting
from bitpeer.net.interfaces import IPeer
from bitpeer.net.places import split_host_port
from bitpeer.service.eviction import LOCAL
from bitpeer.service.seeds import Address

HOST_BITS = {4: 32, 6: 64}
"""How many bits of an address name a host: whoever has one address of IPv6 has at least as
many as 64 bits leave (R-A8)."""
PREFIX_BITS = {4: 24, 6: 48}
"""How many bits name a prefix: the longest that the internet routes, so what is inside is of one
network; shorter ones would count strangers who share a provider as one."""


class Origin(NamedTuple):
    """Where a peer that dialled us comes from."""

    address: str
    """An IP literal, or nothing."""
    host: str
    """As `unit_of` returns it, or nothing."""
    prefix: str
    """The IPv4 /24 or the IPv6 /48 around it, or nothing."""
    group: bytes
    """See `network_group`."""
    network: int
    """A `NetworkId`, or `LOCAL`."""

    @property
    def local(self) -> bool:
        """Whether many strangers may share this origin, and none can be blamed for it.

        That is this machine, where proxies and onion services stand, and where nobody
        is told from anybody else.
        """
        return self.network == LOCAL


HERE = Origin("", "", "", b"", LOCAL)
"""The origin of whoever comes from this machine, or through it."""


def origin_of(host: str, forwarders: Container[str] = ()) -> Origin:
    """Return the origin of whoever comes from *host*.

    Args:
        host: an IP literal; whatever else, such as nothing, is of this machine, as a
            socket in the file system is.
        forwarders: hosts, other than this one, through which strangers come: a machine
            that runs an onion service for us, say.
    """
    address = plain_address(host)
    if address is None or address.is_loopback or str(address) in forwarders:
        return HERE
    network, packed = parse_host(str(address))
    return Origin(
        str(address),
        unit_of(str(address)),
        _network_around(address, PREFIX_BITS),
        network_group(network, packed),
        network,
    )


def plain_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return *host* as an address, without disguise and without scope; `None` if it is none."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def address_of(peer: IPeer) -> Address | None:
    """Return where *peer* is, whether it was dialled or dialled us; `None` if nobody can say.

    Its host is an IP literal, or a name that was dialled.
    """
    try:
        return Address(*split_host_port(peer.address, 1))
    except InvalidSetting:
        return None


def host_of(peer: IPeer) -> str:
    """Return the host of `address_of`; nothing if there is none."""
    address = address_of(peer)
    return "" if address is None else address.host


@lru_cache(maxsize=1_024)
def unit_of(host: str) -> str:
    """Return what counts as one host: ``192.0.2.1/32``, ``2001:db8::/64``, or a name as it is."""
    address = plain_address(host)
    return host.lower() if address is None else _network_around(address, HOST_BITS)


def _network_around(address: IPv4Address | IPv6Address, bits: dict[int, int]) -> str:
    return str(ip_network((address, bits[address.version]), strict=False))
