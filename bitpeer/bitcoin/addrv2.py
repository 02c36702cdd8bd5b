"""Where a node can be reached, in the form that knows every kind of network (BIP 155)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error as struct_error
from typing import ClassVar, NamedTuple, Self

from bitpeer.bitcoin.hosts import (
    ADDRESS_SIZES,
    MAPPED_PREFIX,
    NetworkId,
    belongs,
    format_host,
    parse_host,
)
from bitpeer.bitcoin.reach import is_routable, network_group
from bitpeer.errors import InvalidValue, Truncated, Unencodable
from bitpeer.messages.addresses import MAX_ADDRESSES, TimedNetAddress
from bitpeer.wire.compactsize import read_compact_size, read_count, write_compact_size
from bitpeer.wire.message import Message

MAX_ADDRESS_SIZE = 512
"""Most bytes of one address, whatever its network."""

_TIME = Struct("<I")
_NETWORK_AND_SIZE = Struct("BB")
_PORT = Struct(">H")
_MIN_ENTRY = _TIME.size + 1 + _NETWORK_AND_SIZE.size + _PORT.size
_MAX_ENTRY = _TIME.size + 9 + 1 + 3 + MAX_ADDRESS_SIZE + _PORT.size

_FIRM_SIZES = {
    network: size for network, size in ADDRESS_SIZES.items() if network != NetworkId.YGGDRASIL
}
"""Networks for which any other size makes the whole message malformed.

Yggdrasil is not among them: the reference node does not know it, so takes any size for it.
"""


class NodeAddress(NamedTuple):
    """An address as `addrv2` carries it."""

    time: int
    """When somebody last heard of it, in seconds since 1970; unsigned, 32 bits."""
    services: int
    """Service bits that it is said to offer: a hint, no more; unsigned, 64 bits."""
    network: int
    """A `NetworkId`."""
    address: bytes
    """As many bytes as its network demands, in network byte order."""
    port: int
    """0 where the network has no ports (I2P)."""

    @classmethod
    def of(cls, host: str, port: int, services: int = 0, time: int = 0) -> Self:
        """Return the address of *host*: an IP literal, an onion name or an I2P name.

        Raises:
            ValueError: *host* is none of these.
        """
        network, address = parse_host(host)
        return cls(time, services, network, address, port)

    @classmethod
    def from_addr(cls, old: TimedNetAddress) -> Self | None:
        """Return an address out of an `addr`; `None` if it stands for something that is no IP."""
        network, address = NetworkId.IPV6, old.ip
        if address.startswith(MAPPED_PREFIX):
            network, address = NetworkId.IPV4, address[12:]
        if not belongs(network, address):
            return None
        return cls(old.time, old.services, network, address, old.port)

    def to_addr(self) -> TimedNetAddress | None:
        """Return the address as `addr` carries it; `None` if it is not an IP address."""
        if self.network == NetworkId.IPV4:
            ip = MAPPED_PREFIX + self.address
        elif self.network == NetworkId.IPV6:
            ip = self.address
        else:
            return None
        return TimedNetAddress(self.time, self.services, ip, self.port)

    @property
    def host(self) -> str:
        """The address as people write it, without the port."""
        return format_host(self.network, self.address)

    def is_routable(self) -> bool:
        """Whether it may be dialled on hearsay: it leads to the public network."""
        return is_routable(self.network, self.address)

    def network_group(self) -> bytes:
        """Return a key that it shares with those likely in the same hands."""
        return network_group(self.network, self.address)

    def encode(self) -> bytes:
        """Return the wire form.

        Raises:
            Unencodable: a field does not fit, or every receiver would have to ignore it.
        """
        if not belongs(self.network, self.address):
            raise Unencodable("NodeAddress", f"no address of network {self.network}")
        try:
            return b"".join(
                (
                    _TIME.pack(self.time),
                    write_compact_size(self.services),
                    _NETWORK_AND_SIZE.pack(self.network, len(self.address)),
                    self.address,
                    _PORT.pack(self.port),
                )
            )
        except struct_error as error:
            raise Unencodable("NodeAddress", str(error)) from None


@dataclass(frozen=True, slots=True)
class AddrV2(Message):
    """Tell a peer that sent `sendaddrv2` where other nodes can be reached (BIP 155)."""

    command: ClassVar[str] = "addrv2"
    min_size: ClassVar[int] = 1
    max_size: ClassVar[int] = 3 + MAX_ADDRESSES * _MAX_ENTRY

    addresses: tuple[NodeAddress, ...]
    """Those of networks that are known; reading leaves out all others."""

    def __post_init__(self) -> None:
        """Keep what was given as it is now."""
        object.__setattr__(self, "addresses", tuple(self.addresses))

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        count, pos = read_count(data, pos, MAX_ADDRESSES, _MIN_ENTRY)
        addresses = []
        for _ in range(count):
            entry, pos = _read_entry(data, pos)
            if belongs(entry.network, entry.address):
                addresses.append(entry)
        return cls(tuple(addresses)), pos

    def encode(self) -> bytes:
        if len(self.addresses) > MAX_ADDRESSES:
            count = len(self.addresses)
            raise Unencodable("AddrV2", f"{count} addresses exceed the limit of {MAX_ADDRESSES}")
        entries = [entry.encode() for entry in self.addresses]
        return write_compact_size(len(entries)) + b"".join(entries)


def _read_entry(data: bytes, pos: int) -> tuple[NodeAddress, int]:
    """Read one entry of any network, known or not."""
    services, at = read_compact_size(data, pos + _TIME.size)
    if at >= len(data):
        raise Truncated(1, 0)
    network = data[at]
    size, start = read_count(data, at + 1, MAX_ADDRESS_SIZE, 1)
    if size != _FIRM_SIZES.get(network, size):
        raise InvalidValue("size of an address", size)
    stop = start + size
    end = stop + _PORT.size
    if end > len(data):
        raise Truncated(_PORT.size, len(data) - stop)
    (time,) = _TIME.unpack_from(data, pos)
    (port,) = _PORT.unpack_from(data, stop)
    return NodeAddress(time, services, network, data[start:stop], port), end
