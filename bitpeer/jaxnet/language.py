"""Jax.Network as a `Dialect`: its messages, and the manners of its peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bitpeer.bitcoin.transaction import Tx
from bitpeer.dialect import Dialect, Greeting, Preference, Question, ServiceGate, ToldAddress
from bitpeer.errors import InvalidSetting, WrongChain
from bitpeer.hashes import sha256d
from bitpeer.jaxnet.block import Block, BlockBox, Headers, MerkleBlock
from bitpeer.jaxnet.constants import (
    BEACON,
    BLOCKS,
    PROTOCOL_VERSION,
    TRANSACTIONS,
    InvType,
    Services,
)
from bitpeer.jaxnet.messages import (
    Addr,
    EAddresses,
    EadIp,
    GetAddr,
    PortRedirect,
    Version,
)
from bitpeer.messages.addresses import NOWHERE, NetAddress, TimedNetAddress, pack_ip
from bitpeer.messages.bloom import FilterAdd, FilterClear, FilterLoad
from bitpeer.messages.control import (
    Alert,
    FeeFilter,
    MemPool,
    Ping,
    Pong,
    Reject,
    RejectCode,
    SendHeaders,
    VerAck,
)
from bitpeer.messages.filters import (
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inquiry import (
    LARGE,
    Topic,
    addresses,
    filter_topics,
    headers,
    item,
    mempool,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.wire.message import Message, Registry

MAX_PAYLOAD = 4_000_000
"""The largest payload of any message, in bytes: our own limit, where jaxnetd allows 2 GiB."""
NEVER = PROTOCOL_VERSION + 1
"""A version that is not spoken."""

REGISTRY = Registry(
    (
        Version, VerAck, PortRedirect,
        Ping, Pong, SendHeaders, FeeFilter, Reject, Alert,
        GetAddr, Addr,
        Inv, GetData, NotFound, MemPool, Tx,
        GetBlocks, GetHeaders, Headers, Block, BlockBox,
        FilterLoad, FilterAdd, FilterClear, MerkleBlock,
        GetCFilters, CFilter, GetCFHeaders, CFHeaders, GetCFCheckpt, CFCheckpt,
        EAddresses, EadIp,
    )
)  # fmt: skip
"""Every message of jaxnetd: one expression, to be extended by one's own.

jaxnetd hangs up on all others: send it none that it does not know."""

Ports = Callable[[int], int | None]
"""Returns the port at which this node serves the chain with an id; `None` if it does not."""


def no_ports(_: int) -> None:
    """Know of no other chain."""


def greet(chain_id: int, greeting: Greeting) -> Version:
    """Build the `version` that introduces this side; of itself it gives no address."""
    return Version(
        version=greeting.version,
        services=greeting.services,
        time=greeting.time,
        is_beacon=chain_id == BEACON,
        shard=chain_id,
        receiver=greeting.receiver,
        sender=NetAddress(greeting.services, NOWHERE.ip, NOWHERE.port),
        nonce=greeting.nonce,
        user_agent=greeting.user_agent,
        height=greeting.height,
        chain_weight=greeting.work,
        relay=greeting.relay,
    )


def review(
    chain_id: int, ports: Ports, address: str, version: Version, greeting: Greeting
) -> Iterator[Message]:
    """Refuse peers of other chains; tell those that dialled where theirs is, if it is here.

    As in jaxnetd, only the id counts, not what the peer says of being a beacon.

    Raises:
        WrongChain: the peer came for another chain.
    """
    if version.shard == chain_id:
        return
    port = ports(version.shard)
    if port is None:
        yield Reject(b"version", RejectCode.INVALID, b"shard is not served here")
    elif not greeting.outbound:
        # Never where this side dialled: jaxnetd, redirected by a peer that it did not dial,
        # looks for what it meant to dial, finds nothing and crashes.
        yield PortRedirect.of(version.shard, address, port)
    raise WrongChain(version.shard, chain_id)


def redirected(message: PortRedirect) -> NetAddress:
    """Return where the peer sends us; of the port, jaxnetd keeps 16 bits, too."""
    return NetAddress(0, message.ip, message.port & 0xFFFF)


def asked_for(getdata: GetData) -> Iterator[Question]:
    """Yield what a `getdata` waits for, whatever the form in which it asks for it."""
    return _named(getdata.items)


def denied(notfound: NotFound) -> Iterator[Question]:
    """Yield what a `notfound` answers."""
    return _named(notfound.items)


def _named(items: Iterable[InvVect]) -> Iterator[Question]:
    for kind, name in items:
        if kind in TRANSACTIONS:
            yield "tx", name
        elif kind in BLOCKS:
            yield "block", name


def tell(addresses: Sequence[Any], _: Preference, __: int = 0) -> Message:
    """Return `addr`, without the list by shard: jaxnetd crashes over it."""
    return Addr(tuple(addresses))


def told(chain_id: int, message: Addr) -> Sequence[ToldAddress]:
    """Return the addresses that serve a chain: all without a shard, and those of its own."""
    if not message.shards:
        return message.addresses
    ours = [each for each in message.shards if each.shard == chain_id]
    return [*message.addresses, *ours]


def address_to_tell(host: str, port: int, services: int, time: int) -> TimedNetAddress:
    """Return an address to tell, of IPv4 or IPv6.

    Raises:
        ValueError: *host* is neither.
    """
    return TimedNetAddress(time, services, pack_ip(host), port)


def _of_block(message: Block | MerkleBlock) -> Iterable[Question]:
    return (("block", message.header.hash),)


TOPICS = {
    "block": Topic(
        ask=lambda name: item(
            "block", InvType.WITNESS_BLOCK, name, frozenset({Block, BlockBox}), LARGE
        ),
        kind=GetData,
        services=Services.NETWORK,
    ),
    "tx": Topic(
        ask=lambda name: item("tx", InvType.WITNESS_TX, name, frozenset({Tx})), kind=GetData
    ),
    # The chain hangs by the root of the mountain range, not by the hash before.
    "headers": Topic(
        ask=partial(headers, Headers, parent=None),
        kind=GetHeaders,
        arguments=("version", "genesis", "nonce"),
    ),
    "addresses": Topic(ask=lambda: addresses(GetAddr(), frozenset({Addr})), kind=GetAddr),
    "mempool": Topic(
        ask=partial(mempool, TRANSACTIONS),
        kind=MemPool,
        services=Services.BLOOM,
    ),
    **filter_topics(Services.COMPACT_FILTERS),
}
"""What peers can be asked for; for headers only if the dialect allows it, see `dialect`."""

_BLOOM = ServiceGate(Services.BLOOM, PROTOCOL_VERSION)

DIALECT = Dialect(
    name="jaxnet",
    registry=REGISTRY,
    checksum=sha256d,
    protocol_version=PROTOCOL_VERSION,
    min_version=PROTOCOL_VERSION,
    max_payload=MAX_PAYLOAD,
    service_bits={int(bit): name for name, bit in Services.__members__.items()},
    greet=partial(greet, BEACON),
    review=partial(review, BEACON, no_ports, ""),
    redirects={PortRedirect: redirected},
    preferences=frozenset({SendHeaders, FeeFilter}),
    urgent=frozenset(BLOCKS),
    gates={
        # jaxnetd builds its answer of empty headers, and crashes when it encodes them; ask it
        # for blocks by getblocks.  See `dialect` for the other way.
        GetHeaders: (NEVER, None),
        # Larger than the 28 bytes that jaxnetd allows it, always.
        EadIp: (NEVER, None),
    },
    # Who asks for the mempool of a node without bloom filters is hung up on, too.
    service_gates=dict.fromkeys((MemPool, FilterLoad, FilterAdd, FilterClear), _BLOOM),
    # Whoever has nothing new, or is busy, may stay silent to getblocks; nor is an empty
    # mempool announced.
    questions={
        GetData: asked_for,
        GetCFilters: lambda message: (("cfilter", message.stop_hash),),
        GetCFHeaders: lambda message: (("cfheaders", message.stop_hash),),
        GetCFCheckpt: lambda message: (("cfcheckpt", message.stop_hash),),
    },
    answers={
        NotFound: denied,
        Tx: lambda message: (("tx", message.txid), ("tx", message.wtxid)),
        Block: _of_block,
        BlockBox: _of_block,
        MerkleBlock: _of_block,
        CFilter: lambda message: (("cfilter", message.block_hash),),
        CFHeaders: lambda message: (("cfheaders", message.stop_hash),),
        CFCheckpt: lambda message: (("cfcheckpt", message.stop_hash),),
    },
    topics=TOPICS,
    get_addresses=GetAddr,
    told={Addr: partial(told, BEACON)},
    address=address_to_tell,
    tell=tell,
)
"""What peers of the beacon chain speak."""


def dialect(
    chain_id: int = BEACON,
    *,
    ports: Ports | None = None,
    address: str | None = None,
    allow_get_headers: bool = False,
) -> Dialect:
    """Return what peers of one chain speak.

    Args:
        chain_id: 0 for the beacon, or the id of a shard.
        ports: where this node serves its other chains: peers that came for one of them
            are told.  Asked each time, so that it may change.
        address: the IPv4 or IPv6 literal at which these ports are to be reached.
        allow_get_headers: whether `getheaders` may be sent.  jaxnetd 0.4.9 crashes when it has an
            answer to it.

    Raises:
        InvalidSetting: *chain_id* is no id, or *address* no literal, or *ports* come without it.
    """
    if not 0 <= chain_id < 1 << 32:
        raise InvalidSetting("chain_id", chain_id, "a number from 0 to 2**32 - 1")
    try:
        pack_ip(address or ("" if ports else "::"))
    except ValueError:
        raise InvalidSetting("address", address, "an IPv4 or IPv6 address") from None
    gates = dict(DIALECT.gates)
    if allow_get_headers:
        del gates[GetHeaders]
    return replace(
        DIALECT,
        greet=partial(greet, chain_id),
        review=partial(review, chain_id, ports or no_ports, address or ""),
        told={Addr: partial(told, chain_id)},
        gates=gates,
    )
