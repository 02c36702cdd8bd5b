"""Decred as a `Dialect`: its messages, and the manners of its peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bitpeer.decred.addresses import AddrV2, NodeAddress
from bitpeer.decred.block import Block, MerkleBlock
from bitpeer.decred.constants import (
    ADDR_V2_VERSION,
    FEE_FILTER_VERSION,
    MIN_VERSION,
    PROTOCOL_VERSION,
    REMOVE_REJECT_VERSION,
    SEND_HEADERS_VERSION,
    InvType,
    Services,
)
from bitpeer.decred.filters import (
    CFHeaders,
    CFilter,
    CFiltersV2,
    CFilterV2,
    CFTypes,
    GetCFHeaders,
    GetCFilter,
    GetCFiltersV2,
    GetCFilterV2,
    GetCFTypes,
)
from bitpeer.decred.header import Headers
from bitpeer.decred.messages import (
    GetInitState,
    GetMiningState,
    InitState,
    MiningState,
    Version,
)
from bitpeer.decred.mixing import (
    MAX_MIX_CONFIRM,
    MAX_MIX_FACTORED_POLY,
    MAX_MIX_PAIR_REQ,
    MixCiphertexts,
    MixConfirm,
    MixDCNet,
    MixFactoredPoly,
    MixKeyExchange,
    MixMessage,
    MixPairReq,
    MixSecrets,
    MixSlotReserve,
)
from bitpeer.decred.transaction import Tx
from bitpeer.dialect import Dialect, Greeting, Pace, Preference, Question
from bitpeer.hashes.blake256 import blake256
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
from bitpeer.messages.inquiry import (
    LARGE,
    Fit,
    Inquiry,
    Topic,
    addresses,
    headers,
    item,
    mempool,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.wire.message import Message, Registry

Address = NodeAddress | TimedNetAddress

MIXING = (
    MixPairReq, MixKeyExchange, MixCiphertexts, MixSlotReserve, MixFactoredPoly, MixDCNet,
    MixConfirm, MixSecrets,
)  # fmt: skip
"""All messages of mixing."""

REGISTRY = Registry(
    (
        Version, VerAck, Ping, Pong, SendHeaders, FeeFilter, Reject, Alert,
        GetAddr, Addr, AddrV2,
        Inv, GetData, NotFound, MemPool, Tx,
        GetBlocks, GetHeaders, Headers, Block,
        GetMiningState, MiningState, GetInitState, InitState,
        FilterLoad, FilterAdd, FilterClear, MerkleBlock,
        GetCFilter, CFilter, GetCFHeaders, CFHeaders, GetCFTypes, CFTypes,
        GetCFilterV2, CFilterV2, GetCFiltersV2, CFiltersV2,
        *MIXING,
    ),
    limits={
        MixPairReq: MAX_MIX_PAIR_REQ,
        MixFactoredPoly: MAX_MIX_FACTORED_POLY,
        MixConfirm: MAX_MIX_CONFIRM,
    },
)  # fmt: skip
"""Every message of Decred's peers: one expression, to be extended by one's own."""

EARLY_MESSAGES = 2
"""Messages that may come before `verack` from peers below version 12: it is one of three."""


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


def welcome(_: int) -> tuple[Message, ...]:
    """Return the wishes to send after the handshake."""
    return (SendHeaders(),)


def early_messages(version: int) -> int:
    """Return how many messages may come before `verack` (dcrd peer.Handshake)."""
    return 0 if version >= ADDR_V2_VERSION else EARLY_MESSAGES


def asked_for(getdata: GetData) -> Iterator[Question]:
    """Yield what a `getdata` waits for; kinds that nobody answers are not waited for."""
    return _named(getdata.items)


def denied(notfound: NotFound) -> Iterator[Question]:
    """Yield what a `notfound` answers."""
    return _named(notfound.items)


_NAMES = {int(InvType.TX): "tx", int(InvType.BLOCK): "block", int(InvType.MIX): "mix"}


def _named(items: Sequence[InvVect]) -> Iterator[Question]:
    for kind, name in items:
        if kind in _NAMES:
            yield _NAMES[kind], name


def _mixed(message: MixMessage) -> Iterator[Question]:
    yield "mix", message.hash


def tellable(addresses: Sequence[Address], _: Preference, version: int) -> Sequence[Address]:
    """Return those of *addresses* that a peer of *version* can be told of."""
    if version >= ADDR_V2_VERSION:
        return addresses
    return [each for each in addresses if _old(each) is not None]


def tell(addresses: Sequence[Address], _: Preference, version: int) -> Message:
    """Return `addrv2` from version 12 on, `addr` below: the other would end the connection."""
    if version >= ADDR_V2_VERSION:
        return AddrV2(tuple(map(_new, addresses)))
    return Addr(tuple(old for each in addresses if (old := _old(each)) is not None))


def _old(address: Address) -> TimedNetAddress | None:
    return address if isinstance(address, TimedNetAddress) else address.to_addr()


def _new(address: Address) -> NodeAddress:
    return address if isinstance(address, NodeAddress) else NodeAddress.from_addr(address)


def ask_filters(start: bytes, stop: bytes) -> Inquiry:
    """Ask for the filters of up to 100 blocks in a row, from a hash to a hash."""

    def fit(answer: CFiltersV2) -> Fit:
        ends = answer.filters and (answer.filters[0].block_hash, answer.filters[-1].block_hash)
        return Fit.WHOLE if ends == (start, stop) else Fit.NOT

    return Inquiry(
        what=f"filters up to {stop[::-1].hex()}",
        key=("cfilters", start, stop),
        messages=(GetCFiltersV2(start, stop),),
        answers=frozenset({CFiltersV2}),
        fit=fit,
        collect=lambda parts: list(parts[-1].filters),
        timeout=LARGE,
    )


TOPICS = {
    "block": Topic(
        ask=lambda name: item("block", InvType.BLOCK, name, frozenset({Block}), LARGE),
        kind=GetData,
        services=Services.NETWORK,
    ),
    "tx": Topic(ask=lambda name: item("tx", InvType.TX, name, frozenset({Tx})), kind=GetData),
    "headers": Topic(
        ask=partial(headers, Headers), kind=GetHeaders, arguments=("version", "genesis", "nonce")
    ),
    "cfilters": Topic(ask=ask_filters, kind=GetCFiltersV2, services=Services.NETWORK),
    "addresses": Topic(ask=lambda: addresses(GetAddr(), frozenset({Addr, AddrV2})), kind=GetAddr),
    "mempool": Topic(
        ask=partial(mempool, frozenset({InvType.TX, InvType.MIX})),
        kind=MemPool,
    ),
}
"""What Decred's peers can be asked for."""

DIALECT = Dialect(
    name="decred",
    registry=REGISTRY,
    checksum=blake256,
    protocol_version=PROTOCOL_VERSION,
    min_version=MIN_VERSION,
    max_payload=33_554_432,
    service_bits={int(bit): name for name, bit in Services.__members__.items()},
    greet=greet,
    pace=Pace(
        ping_interval=107.0,
        idle_timeout=120.0,
        trickle_interval=(0.1, 0.5),
        known_for=900.0,
    ),
    welcome=welcome,
    preferences=frozenset({SendHeaders, FeeFilter}),
    urgent=frozenset({InvType.BLOCK}),
    gates={
        SendHeaders: (SEND_HEADERS_VERSION, None),
        FeeFilter: (FEE_FILTER_VERSION, None),
        Reject: (0, REMOVE_REJECT_VERSION),
        Addr: (0, ADDR_V2_VERSION),
        # Gone with dcrd 1.2 and 1.3, which both speak version 6.
        Alert: (0, 6),
        FilterLoad: (2, 6),
        FilterAdd: (2, 6),
        FilterClear: (2, 6),
    },
    # A Decred node hangs up on whatever it does not know.
    strict_versions=True,
    strict_commands=True,
    early_messages=early_messages,
    # A peer owes an answer to these.  Not to getheaders, getblocks and mempool, to which it may
    # have nothing to say; nor to requests for filters, to which silence means no.
    questions={
        GetData: asked_for,
        GetInitState: lambda _: (("initstate", b""),),
    },
    answers={
        NotFound: denied,
        Tx: lambda message: (("tx", message.txid),),
        Block: lambda message: (("block", message.hash),),
        InitState: lambda _: (("initstate", b""),),
        **dict.fromkeys(MIXING, _mixed),
    },
    topics=TOPICS,
    get_addresses=GetAddr,
    told={Addr: lambda message: message.addresses, AddrV2: lambda message: message.addresses},
    address=NodeAddress.of,
    tellable=tellable,
    tell=tell,
)
