"""Where a node can be reached, in the form that knows only IP addresses."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, NamedTuple, Self

from bitpeer.wire.fields import Bytes16, Limit, Uint16BE, Uint32, Uint64
from bitpeer.wire.message import Message, Record, message, record
from bitpeer.wire.vector import packed

MAX_ADDRESSES = 1_000
"""Most addresses in one message."""

_IPV4_PREFIX = bytes(10) + b"\xff\xff"


@record
class NetAddress(Record):
    """An address as `version` carries it: without a time."""

    services: Uint64
    ip: Bytes16
    """An IPv6 address, or an IPv4 address as ``::ffff:a.b.c.d``; network byte order."""
    port: Uint16BE

    @classmethod
    def of(cls, host: str, port: int, services: int = 0) -> Self:
        """Return the address of *host*, an IPv4 or IPv6 literal.

        Raises:
            ValueError: *host* is not a literal.
        """
        return cls(services, pack_ip(host), port)

    @property
    def host(self) -> str:
        """The address as people write it."""
        return unpack_ip(self.ip)


NOWHERE = NetAddress(0, bytes(16), 0)
"""The address of somebody who does not say where they are."""


@packed
class TimedNetAddress(NamedTuple):
    """An address as `addr` carries it."""

    time: Uint32
    """When somebody last heard of it, in seconds since 1970."""
    services: Uint64
    ip: Bytes16
    """As in `NetAddress`."""
    port: Uint16BE

    @property
    def host(self) -> str:
        """The address as people write it."""
        return unpack_ip(self.ip)


@message("addr")
class Addr(Message):
    """Tell a peer where other nodes can be reached."""

    addresses: Annotated[Sequence[TimedNetAddress], Limit(MAX_ADDRESSES)]


def pack_ip(host: str) -> bytes:
    """Return an IP literal as sixteen bytes, IPv4 as ``::ffff:a.b.c.d``.

    Raises:
        ValueError: *host* is not a literal.
    """
    address = ip_address(host)
    packed_address = address.packed
    return packed_address if address.version == 6 else _IPV4_PREFIX + packed_address


def unpack_ip(ip: bytes) -> str:
    """Return sixteen bytes as an IP literal."""
    if ip.startswith(_IPV4_PREFIX):
        return str(IPv4Address(ip[12:]))
    return str(IPv6Address(ip))
