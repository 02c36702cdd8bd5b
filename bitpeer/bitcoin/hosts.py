"""The networks a node can be reached through, and how their addresses are written (BIP 155)."""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from bitpeer.messages.onion import ONION, onion_key, onion_name, parse_base32, to_base32


class NetworkId(IntEnum):
    """Which network an address belongs to."""

    IPV4 = 1
    IPV6 = 2
    TORV2 = 3
    """Gone since 2021: nobody may send it, everybody ignores it."""
    TORV3 = 4
    I2P = 5
    CJDNS = 6
    YGGDRASIL = 7


ADDRESS_SIZES: dict[int, int] = {
    NetworkId.IPV4: 4,
    NetworkId.IPV6: 16,
    NetworkId.TORV3: 32,
    NetworkId.I2P: 32,
    NetworkId.CJDNS: 16,
    NetworkId.YGGDRASIL: 16,
}
"""Bytes of an address of each network that is in use."""

MAPPED_PREFIX = bytes(10) + b"\xff\xff"
"""``::ffff:0:0/96``: an IPv4 address dressed up as an IPv6 one."""

_ONION_CAT = bytes.fromhex("fd87d87eeb43")
_CORE_INTERNAL = bytes.fromhex("fd6b88c08724")
_I2P = ".b32.i2p"
_LONGEST = 62  # an onion name


def belongs(network: int, address: bytes) -> bool:
    """Whether *address* can be one of *network*.

    An address has the size that its network demands, and does not try to pass
    for one of another network: no IPv4 and no TORv2 address in IPv6 clothes, no
    name that Bitcoin Core packed into IPv6 for its own use, and CJDNS and
    Yggdrasil addresses from their own ranges only.
    """
    if len(address) != ADDRESS_SIZES.get(network):
        return False
    match network:
        case NetworkId.IPV6:
            return not address.startswith((MAPPED_PREFIX, _ONION_CAT, _CORE_INTERNAL))
        case NetworkId.CJDNS:
            return address[0] == 0xFC
        case NetworkId.YGGDRASIL:
            return address[0] in (0x02, 0x03)
    return True


def format_host(network: int, address: bytes) -> str:
    """Return *address* as people write it.

    What has no usual form, being of an unknown network or of a wrong size,
    becomes ``network:hexadecimal``.
    """
    if len(address) == ADDRESS_SIZES.get(network):
        match network:
            case NetworkId.IPV4:
                return str(IPv4Address(address))
            case NetworkId.TORV3:
                return onion_name(address)
            case NetworkId.I2P:
                return to_base32(address) + _I2P
        return str(IPv6Address(address))
    return f"{network}:{address.hex()}"


def parse_host(text: str) -> tuple[NetworkId, bytes]:
    """Return the network and the address that *text* stands for.

    An IPv6 literal from ``fc00::/8`` is taken for CJDNS, one from ``200::/7``
    for Yggdrasil: nothing else is there.  ``::ffff:1.2.3.4`` is IPv4.

    Raises:
        ValueError: *text* is neither an IP literal nor an onion nor an I2P name.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:20]!r} and so on, {len(text)} characters, is no address")
    name = text.lower()
    if name.endswith(ONION):
        return NetworkId.TORV3, onion_key(name)
    if name.endswith(_I2P):
        return NetworkId.I2P, parse_base32(name, _I2P, 32)
    ip = ip_address(text)
    if isinstance(ip, IPv4Address):
        return NetworkId.IPV4, ip.packed
    if ip.scope_id is not None:
        raise ValueError(f"{text!r} names an interface of one machine")
    return _sorted_out(ip.packed)


def _sorted_out(packed: bytes) -> tuple[NetworkId, bytes]:
    """Return sixteen bytes as an address of the network whose range they are from."""
    if packed.startswith(MAPPED_PREFIX):
        return NetworkId.IPV4, packed[12:]
    for network in (NetworkId.CJDNS, NetworkId.YGGDRASIL):
        if belongs(network, packed):
            return network, packed
    return NetworkId.IPV6, packed
