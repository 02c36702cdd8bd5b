"""Messages whose Jax.Network form is Jax.Network's own, blocks and headers apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple, Self

from bitpeer.errors import Truncated, Unencodable
from bitpeer.jaxnet.constants import BEACON
from bitpeer.jaxnet.fields import BigInt, CompactSize
from bitpeer.messages.addresses import (
    MAX_ADDRESSES,
    NOWHERE,
    NetAddress,
    TimedNetAddress,
    pack_ip,
    unpack_ip,
)
from bitpeer.wire.compactsize import read_bytes, write_compact_size
from bitpeer.wire.compiler import Codec
from bitpeer.wire.fields import (
    TAIL,
    Bool,
    Bytes16,
    Hash,
    Int32,
    Int64,
    Limit,
    Rest,
    Uint16BE,
    Uint32,
    Uint64,
)
from bitpeer.wire.message import Message, Record, message, record

MAX_USER_AGENT = 256
"""Most bytes of a user agent.

jaxnetd accepts no `version` of more than 358 bytes, a limit that forgets its own fields: a user
agent of less than 200 bytes is safe."""
MAX_EADS = 10_000
"""Most entries of an `eaddresses`.  jaxnetd sets no limit of its own."""
MAX_EADS_SIZE = 786_432
"""Most bytes of an `eaddresses`."""
MAX_PUBLIC_KEY = 130
MAX_URL = 256
_IP_SIZE = 16


@message("version")
class Version(Message):
    """Introduce oneself, and one's chain; the first message on every connection."""

    version: Uint32
    """jaxnetd writes a signed number, and reads it as if it had none: so -1 is a high one."""
    services: Uint64
    time: Int64
    """Seconds since 1970, as the sender sees it; kept raw, however absurd."""
    is_beacon: Bool
    """Whether `shard` is the beacon chain's; said, and never looked at."""
    shard: Uint32
    """The id of the chain that the sender wants to talk about."""
    receiver: NetAddress
    """Where the sender believes the receiver to be."""
    sender: Annotated[NetAddress, TAIL] = NOWHERE
    nonce: Annotated[Uint64, TAIL] = 1
    user_agent: Annotated[bytes, Limit(MAX_USER_AGENT), TAIL] = b""
    """Text of the peer's: escape it before showing it."""
    height: Annotated[Int32, TAIL] = -1
    chain_weight: Annotated[BigInt, TAIL] = 0
    """The work of the sender's chain."""
    relay: Annotated[Bool, TAIL] = True
    """Whether the sender wants to hear of transactions at once (BIP 37)."""
    extra: Rest = b""
    """What newer versions of the protocol may put behind."""


@message("getaddr")
class GetAddr(Message):
    """Ask for addresses of other nodes; answered once, and only to peers that dialled."""

    shard: Uint32 = BEACON
    """jaxnetd sends 0 whatever its chain, and looks at none."""


@record
class ShardAddress(Record):
    """The address of a node that serves a shard."""

    shard: CompactSize
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
    """Tell a peer where other nodes can be reached.

    Never send jaxnetd one without `addresses`: it hangs up.
    """

    addresses: Annotated[Sequence[TimedNetAddress], Limit(MAX_ADDRESSES)]
    shards: Annotated[Sequence[ShardAddress], Limit(MAX_ADDRESSES)] = ()
    """Addresses by shard.  jaxnetd can write this list and crashes when it reads one that is not
    empty: leave it empty, unless the peer is known to be something else."""


@message("portredirect")
class PortRedirect(Message):
    """Turn away a peer that came for another shard, and say where that shard is served.

    It comes instead of a `version`.  Send it to peers that dialled only: jaxnetd crashes when
    it comes as the first word of a peer that jaxnetd did not dial.
    """

    shard: Uint32
    """The one that was asked for; nobody compares."""
    port: Uint32
    """jaxnetd keeps the low 16 bits.  Not big-endian, unlike everywhere else."""
    ip: Bytes16
    """As in `NetAddress`; jaxnetd tells the address of its own end of the connection."""

    @classmethod
    def of(cls, shard: int, host: str, port: int) -> Self:
        """Return the message that sends a peer to *host*, an IPv4 or IPv6 literal.

        Raises:
            ValueError: *host* is not a literal.
        """
        return cls(shard, port, pack_ip(host))

    @property
    def host(self) -> str:
        """The address as people write it."""
        return unpack_ip(self.ip)


class EadPlace(NamedTuple):
    """Where an exchange agent can be reached."""

    is_url: bool
    text: bytes
    """A URL of at most 256 bytes, or an IP address of 16 as in `NetAddress`."""


def _read_place(data: bytes, pos: int) -> tuple[EadPlace, int]:
    if pos >= len(data):
        raise Truncated(1, 0)
    is_url, pos = bool(data[pos]), pos + 1
    if is_url:
        text, pos = read_bytes(data, pos, MAX_URL)
        return EadPlace(is_url, text), pos
    end = pos + _IP_SIZE
    if end > len(data):
        raise Truncated(_IP_SIZE, len(data) - pos)
    return EadPlace(is_url, data[pos:end]), end


def _write_place(place: EadPlace) -> bytes:
    is_url, text = place
    if len(text) > MAX_URL or (not is_url and len(text) != _IP_SIZE):
        raise Unencodable("EadPlace.text", "it must be 16 bytes, or a URL of at most 256")
    return b"\1" + write_compact_size(len(text)) + text if is_url else b"\0" + text


@record
class EadAddress(Record):
    """Where an exchange agent can be reached for one shard."""

    expires: Uint32
    """Until when, in seconds since 1970."""
    shard: Uint32
    tx_hash: Hash
    """The transaction by which the agent registered this, wire order."""
    port: Uint32
    """jaxnetd keeps the low 16 bits."""
    output_index: Uint64
    """Which output of that transaction."""
    place: Annotated[EadPlace, Codec(_read_place, _write_place, 2, 1 + 3 + MAX_URL)]


@message("eaddresses", max_size=MAX_EADS_SIZE)
class EAddresses(Message):
    """Tell where an exchange agent can be reached.  jaxnetd neither sends nor heeds it."""

    id: CompactSize
    owner: Annotated[bytes, Limit(MAX_PUBLIC_KEY)]
    """The agent's public key."""
    addresses: Annotated[Sequence[EadAddress], Limit(MAX_EADS)]


@message("eadip")
class EadIp(Message):
    """One address of an exchange agent.

    jaxnetd knows the message, but allows it 28 bytes, and it never has less than 54: sending it
    ends the connection.
    """

    address: EadAddress
