"""Where a node can be reached, in the form that knows Tor as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct, error as struct_error
from typing import ClassVar, NamedTuple, Self

from bitpeer.decred.constants import ADDR_V2_VERSION
from bitpeer.decred.messages import Time64
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.messages.addresses import MAX_ADDRESSES, TimedNetAddress, pack_ip, unpack_ip
from bitpeer.messages.onion import ONION, onion_key, onion_name
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.message import Message
from bitpeer.wire.vector import fixed_marker

_HEAD, _PORT = Struct("<QQB"), Struct("<H")
_LIMIT = fixed_marker(Time64)
_LATEST = _LIMIT.most if _LIMIT is not None and _LIMIT.most is not None else 0


class NetworkId(IntEnum):
    """Which network an address belongs to.  Not the numbers of BIP 155."""

    IPV4 = 1
    IPV6 = 2
    TORV3 = 3


ADDRESS_SIZES: dict[int, int] = {NetworkId.IPV4: 4, NetworkId.IPV6: 16, NetworkId.TORV3: 32}
"""Bytes of an address of each network; the wire does not repeat them."""


class NodeAddress(NamedTuple):
    """An address as `addrv2` carries it."""

    time: int
    """When somebody last heard of it, in seconds since 1970."""
    services: int
    """Service bits that it is said to offer: a hint, no more; unsigned, 64 bits."""
    network: int
    """A `NetworkId`."""
    address: bytes
    """As many bytes as its network demands, in network byte order; for Tor the public key."""
    port: int
    """0 where ports make no sense."""

    @classmethod
    def of(cls, host: str, port: int, services: int = 0, time: int = 0) -> Self:
        """Return the address of *host*: an IP literal or the name of an onion service.

        Raises:
            ValueError: *host* is neither.
        """
        if host.lower().endswith(ONION):
            return cls(time, services, NetworkId.TORV3, onion_key(host.lower()), port)
        ip = ip_address(unpack_ip(pack_ip(host)))  # an IPv4 address in the clothes of IPv6 is one
        network = NetworkId.IPV4 if ip.version == 4 else NetworkId.IPV6
        return cls(time, services, network, ip.packed, port)

    @classmethod
    def from_addr(cls, old: TimedNetAddress) -> Self:
        """Return the address that an `addr` carried."""
        return cls.of(unpack_ip(old.ip), old.port, old.services, old.time)

    def to_addr(self) -> TimedNetAddress | None:
        """Return the address as `addr` carries it; `None` if it is not an IP address."""
        if self.network == NetworkId.TORV3:
            return None
        time = min(self.time, 0xFFFF_FFFF)
        return TimedNetAddress(time, self.services, pack_ip(self.host), self.port)

    @property
    def host(self) -> str:
        """The address as people write it."""
        match self.network:
            case NetworkId.IPV4:
                return str(IPv4Address(self.address))
            case NetworkId.TORV3:
                return onion_name(self.address)
        return str(IPv6Address(self.address))

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read the address at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is none, or its network is unknown, so that nobody can say
                how long it is.
        """
        start = pos + _HEAD.size
        if start > len(data):
            raise Truncated(_HEAD.size, len(data) - pos)
        time, services, network = _HEAD.unpack_from(data, pos)
        if time > _LATEST:
            raise LimitExceeded(time, _LATEST)
        size = ADDRESS_SIZES.get(network)
        if size is None:
            raise InvalidValue("network of an address", network)
        stop = start + size
        end = stop + _PORT.size
        if end > len(data):
            raise Truncated(size + _PORT.size, len(data) - start)
        (port,) = _PORT.unpack_from(data, stop)
        return cls(time, services, network, data[start:stop], port), end

    def encode(self) -> bytes:
        """Return the wire form; the port, unlike that of `addr`, is little-endian.

        Raises:
            Unencodable: a field does not fit, or the network is unknown.
        """
        if len(self.address) != ADDRESS_SIZES.get(self.network):
            raise Unencodable("NodeAddress.address", f"it is none of network {self.network}")
        if self.time > _LATEST:
            raise Unencodable("NodeAddress.time", f"it must be at most {_LATEST}")
        try:
            head = _HEAD.pack(self.time, self.services, self.network)
            return b"".join((head, self.address, _PORT.pack(self.port)))
        except struct_error as error:
            raise Unencodable("NodeAddress", str(error)) from None


_MIN_ENTRY = _HEAD.size + min(ADDRESS_SIZES.values()) + _PORT.size
_MAX_ENTRY = _HEAD.size + max(ADDRESS_SIZES.values()) + _PORT.size


@dataclass(frozen=True, slots=True)
class AddrV2(Message):
    """Tell a peer where other nodes can be reached: one address at least."""

    command: ClassVar[str] = "addrv2"
    since: ClassVar[int] = ADDR_V2_VERSION
    min_size: ClassVar[int] = 1 + _MIN_ENTRY
    max_size: ClassVar[int] = 3 + MAX_ADDRESSES * _MAX_ENTRY

    addresses: Sequence[NodeAddress]

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        count, pos = read_count(data, pos, MAX_ADDRESSES, _MIN_ENTRY)
        if not count:
            raise InvalidValue("number of addresses", 0)
        addresses = []
        for _ in range(count):
            entry, pos = NodeAddress.read(data, pos)
            addresses.append(entry)
        return cls(tuple(addresses)), pos

    def encode(self) -> bytes:
        count = len(self.addresses)
        if not 0 < count <= MAX_ADDRESSES:
            raise Unencodable("AddrV2", f"{count} addresses are not 1 to {MAX_ADDRESSES}")
        return write_compact_size(count) + b"".join(each.encode() for each in self.addresses)
