"""Bitcoin as a `Dialect`: its messages, and the manners of its peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bitpeer.bitcoin.addrv2 import AddrV2, NodeAddress
from bitpeer.bitcoin.block import Block, MerkleBlock
from bitpeer.bitcoin.compact import BlockTxn, CmpctBlock, GetBlockTxn, SendCmpct
from bitpeer.bitcoin.constants import (
    BLOCKS,
    BLOOM_VERSION,
    MIN_VERSION,
    PROTOCOL_VERSION,
    TRANSACTIONS,
    WTXID_VERSION,
    InvType,
    Services,
)
from bitpeer.bitcoin.feature import Feature
from bitpeer.bitcoin.header import Headers
from bitpeer.bitcoin.messages import SendAddrV2, Version, WtxidRelay
from bitpeer.bitcoin.packages import AncPkgInfo, GetPkgTxns, PkgTxns, SendPackages
from bitpeer.bitcoin.reconciliation import (
    ReconcilDiff,
    ReqRecon,
    ReqSketchExt,
    SendTxRcncl,
    Sketch,
)
from bitpeer.bitcoin.transaction import Tx
from bitpeer.dialect import Dialect, Greeting, Preference, Question, ServiceGate
from bitpeer.hashes import sha256d
from bitpeer.messages.addresses import NOWHERE, Addr, NetAddress, TimedNetAddress
from bitpeer.messages.bloom import FilterAdd, FilterClear, FilterLoad
from bitpeer.messages.control import (
    Alert,
    FeeFilter,
    GetAddr,
    MemPool,
    Ping,
    Pong,
    Reject,
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
    Inquiry,
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

Address = NodeAddress | TimedNetAddress

MAX_LOCATOR_PAYLOAD = 4 + 1 + 101 * 32 + 32
"""Most bytes of a request with a locator: the reference node hangs up on more than 101 hashes."""

REGISTRY = Registry(
    (
        Version, VerAck, WtxidRelay, SendAddrV2, Feature, SendTxRcncl, SendPackages,
        Ping, Pong, SendHeaders, FeeFilter, Reject, Alert,
        GetAddr, Addr, AddrV2,
        Inv, GetData, NotFound, MemPool, Tx,
        GetBlocks, GetHeaders, Headers, Block,
        SendCmpct, CmpctBlock, GetBlockTxn, BlockTxn,
        FilterLoad, FilterAdd, FilterClear, MerkleBlock,
        GetCFilters, CFilter, GetCFHeaders, CFHeaders, GetCFCheckpt, CFCheckpt,
        ReqRecon, Sketch, ReqSketchExt, ReconcilDiff,
        AncPkgInfo, GetPkgTxns, PkgTxns,
    ),
    limits={GetBlocks: MAX_LOCATOR_PAYLOAD, GetHeaders: MAX_LOCATOR_PAYLOAD},
)  # fmt: skip
"""Every message of Bitcoin's peers: one expression, to be extended by one's own."""


def greet(greeting: Greeting) -> Version:
    """Build the `version` that introduces this side; of itself it gives no address."""
    return Version(
        version=greeting.version,
        services=greeting.services,
        time=greeting.time,
        receiver=greeting.receiver,
        sender=NetAddress(greeting.services, NOWHERE.ip, NOWHERE.port),
        nonce=greeting.nonce,
        user_agent=greeting.user_agent,
        height=greeting.height,
        relay=greeting.relay,
    )


def announce(version: int) -> tuple[Message, ...]:
    """Return the features to announce before `verack` (BIP 339, 155)."""
    return (WtxidRelay(), SendAddrV2()) if version >= WTXID_VERSION else ()


def welcome(_: int) -> tuple[Message, ...]:
    """Return the wishes to send after the handshake, to peers of any version (BIP 130, 152)."""
    return SendHeaders(), SendCmpct(announce=False, version=2)


def asked_for(getdata: GetData) -> Iterator[Question]:
    """Yield what a `getdata` waits for, whatever the form in which it asks for it."""
    return _named(getdata.items)


def denied(notfound: NotFound) -> Iterator[Question]:
    """Yield what a `notfound` answers."""
    return _named(notfound.items)


def _named(items: Sequence[InvVect]) -> Iterator[Question]:
    for kind, name in items:
        if kind in TRANSACTIONS:
            yield "tx", name
        elif kind in BLOCKS:
            yield "block", name


def tellable(addresses: Sequence[Address], preference: Preference, _: int = 0) -> Sequence[Address]:
    """Return those of *addresses* that a peer can be told of in the form it understands."""
    if preference(SendAddrV2) is not None:
        return addresses
    return [each for each in addresses if _old(each) is not None]


def tell(addresses: Sequence[Address], preference: Preference, _: int = 0) -> Message:
    """Return `addrv2` for peers that asked for it, `addr` for all others."""
    if preference(SendAddrV2) is not None:
        return AddrV2(tuple(new for each in addresses if (new := _new(each)) is not None))
    return Addr(tuple(old for each in addresses if (old := _old(each)) is not None))


def _old(address: Address) -> TimedNetAddress | None:
    return address if isinstance(address, TimedNetAddress) else address.to_addr()


def _new(address: Address) -> NodeAddress | None:
    return address if isinstance(address, NodeAddress) else NodeAddress.from_addr(address)


def ask_block(name: bytes, services: int) -> Inquiry:
    """Ask for a block, with its witnesses if the peer has them."""
    kind = InvType.WITNESS_BLOCK if services & Services.WITNESS else InvType.BLOCK
    return item("block", kind, name, frozenset({Block}), LARGE)


def ask_tx(name: bytes, services: int) -> Inquiry:
    """Ask for a transaction by its txid, with its witnesses if the peer has them."""
    kind = InvType.WITNESS_TX if services & Services.WITNESS else InvType.TX
    return item("tx", kind, name, frozenset({Tx}))


_BLOCKS_SERVED = Services.NETWORK | Services.NETWORK_LIMITED

TOPICS = {
    "block": Topic(ask=ask_block, kind=GetData, services=_BLOCKS_SERVED, arguments=("services",)),
    "tx": Topic(ask=ask_tx, kind=GetData, arguments=("services",)),
    "wtx": Topic(
        ask=lambda name: item("tx", InvType.WTX, name, frozenset({Tx})),
        kind=GetData,
        services=Services.WITNESS,
    ),
    "headers": Topic(
        ask=partial(headers, Headers), kind=GetHeaders, arguments=("version", "genesis", "nonce")
    ),
    "addresses": Topic(ask=lambda: addresses(GetAddr(), frozenset({Addr, AddrV2})), kind=GetAddr),
    "mempool": Topic(
        ask=partial(mempool, TRANSACTIONS),
        kind=MemPool,
        services=Services.BLOOM,
    ),
    **filter_topics(Services.COMPACT_FILTERS),
}
"""What Bitcoin's peers can be asked for.  Core hangs up on who asks for the mempool of a node
without bloom filters."""

_BLOOM = ServiceGate(Services.BLOOM, BLOOM_VERSION)

DIALECT = Dialect(
    name="bitcoin",
    registry=REGISTRY,
    checksum=sha256d,
    protocol_version=PROTOCOL_VERSION,
    min_version=MIN_VERSION,
    max_payload=4_000_000,
    wanted_services=int(Services.NETWORK | Services.WITNESS),
    service_bits={int(bit): name for name, bit in Services.__members__.items()},
    greet=greet,
    announce=announce,
    welcome=welcome,
    negotiation=frozenset({WtxidRelay, SendAddrV2, Feature, SendTxRcncl, SendPackages}),
    preferences=frozenset({WtxidRelay, SendAddrV2, SendTxRcncl, SendHeaders, SendCmpct, FeeFilter}),
    urgent=frozenset(BLOCKS),
    gates={
        MemPool: (60002, None),
        NotFound: (70001, None),
        Reject: (70002, None),
        FilterLoad: (70001, None),
        FilterAdd: (70001, None),
        FilterClear: (70001, None),
        MerkleBlock: (70001, None),
        SendHeaders: (70012, None),
        FeeFilter: (70013, None),
        SendCmpct: (70014, None),
        CmpctBlock: (70014, None),
        GetBlockTxn: (70014, None),
        BlockTxn: (70014, None),
    },
    service_gates={FilterLoad: _BLOOM, FilterAdd: _BLOOM, FilterClear: _BLOOM},
    # A peer owes an answer to these.  Not to getheaders and getblocks: whoever has nothing
    # new, or is busy, may stay silent; nor to mempool: an empty one is not announced.
    questions={
        GetData: asked_for,
        GetBlockTxn: lambda message: (("blocktxn", message.block_hash),),
        GetCFilters: lambda message: (("cfilter", message.stop_hash),),
        GetCFHeaders: lambda message: (("cfheaders", message.stop_hash),),
        GetCFCheckpt: lambda message: (("cfcheckpt", message.stop_hash),),
    },
    answers={
        NotFound: denied,
        Tx: lambda message: (("tx", message.txid), ("tx", message.wtxid)),
        Block: lambda message: (("block", message.hash), ("blocktxn", message.hash)),
        MerkleBlock: lambda message: (("block", message.header.hash),),
        CmpctBlock: lambda message: (("block", message.header.hash),),
        BlockTxn: lambda message: (("blocktxn", message.block_hash),),
        CFilter: lambda message: (("cfilter", message.block_hash),),
        CFHeaders: lambda message: (("cfheaders", message.stop_hash),),
        CFCheckpt: lambda message: (("cfcheckpt", message.stop_hash),),
    },
    topics=TOPICS,
    get_addresses=GetAddr,
    told={Addr: lambda message: message.addresses, AddrV2: lambda message: message.addresses},
    address=NodeAddress.of,
    tellable=tellable,
    tell=tell,
)
