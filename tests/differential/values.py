"""Random values of every kind that a message is made of."""

from hypothesis import strategies as st

from bitpeer.bitcoin.addrv2 import AddrV2, NodeAddress
from bitpeer.bitcoin.block import Block, MerkleBlock
from bitpeer.bitcoin.compact import BlockTxn, CmpctBlock, GetBlockTxn, SendCmpct
from bitpeer.bitcoin.feature import Feature
from bitpeer.bitcoin.header import BlockHeader, Headers
from bitpeer.bitcoin.hosts import ADDRESS_SIZES, belongs
from bitpeer.bitcoin.messages import SendAddrV2, Version, WtxidRelay
from bitpeer.bitcoin.reconciliation import SendTxRcncl
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut
from bitpeer.messages.addresses import Addr, NetAddress, TimedNetAddress
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
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders


def uint(bits):
    return st.integers(0, 2**bits - 1)


def sint(bits):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def few(items, most=6):
    """A short sequence: what a long one could show, the tests of the limits show."""
    return st.lists(items, max_size=most).map(tuple)


HASH = st.binary(min_size=32, max_size=32)
IP = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=4, max_size=4).map(lambda ipv4: bytes(10) + b"\xff\xff" + ipv4),
)
NET_ADDRESS = st.builds(NetAddress, uint(64), IP, uint(16))
TIMED_ADDRESS = st.builds(TimedNetAddress, uint(32), uint(64), IP, uint(16))
INVENTORY = few(st.builds(InvVect, uint(32), HASH))
LOCATOR = few(HASH)
SCRIPT = st.binary(max_size=300)
MAX_MONEY = 21_000_000 * 100_000_000
OUTPUTS = few(st.builds(TxOut, st.integers(0, MAX_MONEY), SCRIPT), most=3)
UTF8 = st.text(max_size=3).map(str.encode)


@st.composite
def node_addresses(draw):
    network = draw(st.sampled_from(sorted(ADDRESS_SIZES)))
    size = ADDRESS_SIZES[network]
    address = draw(
        st.binary(min_size=size, max_size=size).filter(lambda raw: belongs(network, raw))
        | st.binary(min_size=size - 1, max_size=size - 1).map(
            lambda raw: {6: b"\xfc", 7: b"\x02"}.get(network, b"\x20") + raw
        )
    )
    return NodeAddress(draw(uint(32)), draw(uint(64)), network, address, draw(uint(16)))


@st.composite
def transactions(draw):
    inputs = draw(
        st.lists(st.builds(TxIn, HASH, uint(32), SCRIPT, uint(32)), min_size=1, max_size=3)
    )
    stack = few(SCRIPT, most=3)
    witnesses = draw(
        st.just(()) | st.lists(stack, min_size=len(inputs), max_size=len(inputs)).map(tuple)
    )
    return Tx(inputs, draw(OUTPUTS), witnesses, version=draw(uint(32)), lock_time=draw(uint(32)))


HEADER = st.builds(BlockHeader, sint(32), HASH, HASH, uint(32), uint(32), uint(32))
INDICES = st.lists(st.integers(0, 0xFFFE), unique=True, max_size=8).map(sorted).map(tuple)
BLOCK = st.builds(Block, HEADER, few(transactions(), most=4))


@st.composite
def compact_blocks(draw):
    """Like those made of real blocks: every index within the block."""
    block = draw(BLOCK)
    indices = st.integers(0, max(0, block.transaction_count - 1))
    return CmpctBlock.of(block, draw(uint(64)), draw(st.sets(indices)))


_OF_KIND = {
    Addr: st.builds(Addr, few(TIMED_ADDRESS)),
    Alert: st.builds(Alert, st.binary(max_size=300), st.binary(max_size=80)),
    FeeFilter: st.builds(FeeFilter, sint(64)),
    Ping: st.builds(Ping, uint(64)),
    Pong: st.builds(Pong, uint(64)),
    Reject: st.builds(Reject, UTF8, uint(8), UTF8, st.just(b"") | HASH),
    GetCFilters: st.builds(GetCFilters, uint(8), uint(32), HASH),
    GetCFHeaders: st.builds(GetCFHeaders, uint(8), uint(32), HASH),
    GetCFCheckpt: st.builds(GetCFCheckpt, uint(8), HASH),
    CFilter: st.builds(CFilter, uint(8), HASH, st.binary(max_size=300)),
    CFHeaders: st.builds(CFHeaders, uint(8), HASH, HASH, few(HASH)),
    CFCheckpt: st.builds(CFCheckpt, uint(8), HASH, few(HASH)),
    Inv: st.builds(Inv, INVENTORY),
    GetData: st.builds(GetData, INVENTORY),
    NotFound: st.builds(NotFound, INVENTORY),
    GetBlocks: st.builds(GetBlocks, uint(31), LOCATOR, HASH),
    GetHeaders: st.builds(GetHeaders, uint(31), LOCATOR, HASH),
    VerAck: st.just(VerAck()),
    GetAddr: st.just(GetAddr()),
    MemPool: st.just(MemPool()),
    SendHeaders: st.just(SendHeaders()),
    WtxidRelay: st.just(WtxidRelay()),
    SendAddrV2: st.just(SendAddrV2()),
    AddrV2: st.builds(AddrV2, few(node_addresses())),
    Feature: st.builds(Feature, st.binary(min_size=4, max_size=80), st.binary(max_size=512)),
    SendTxRcncl: st.builds(SendTxRcncl, uint(32), uint(64)),
    FilterLoad: st.builds(
        FilterLoad, st.binary(max_size=300), st.integers(0, 50), uint(32), uint(8)
    ),
    FilterAdd: st.builds(FilterAdd, st.binary(max_size=520)),
    FilterClear: st.just(FilterClear()),
    Tx: transactions(),
    Block: BLOCK,
    Headers: st.builds(Headers, few(HEADER)),
    MerkleBlock: st.builds(MerkleBlock, HEADER, uint(32), few(HASH), st.binary(max_size=4)),
    SendCmpct: st.builds(SendCmpct, st.integers(0, 1), uint(64)),
    CmpctBlock: compact_blocks(),
    GetBlockTxn: st.builds(GetBlockTxn, HASH, INDICES),
    BlockTxn: st.builds(BlockTxn, HASH, few(transactions())),
    Version: st.builds(
        Version,
        sint(32),
        uint(64),
        sint(64),
        NET_ADDRESS,
        NET_ADDRESS,
        uint(64),
        st.binary(max_size=256),
        sint(32),
        st.booleans(),
    ),
}

KINDS = {kind.command: kind for kind in _OF_KIND}
"""Every message, by command."""

VALUES = {kind.command: values for kind, values in _OF_KIND.items()}
"""Values of every message, by command."""
