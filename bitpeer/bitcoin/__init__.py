"""Bitcoin: messages, networks and dialect, under the names that everybody uses."""

from __future__ import annotations

from bitpeer.bitcoin.addrv2 import AddrV2, NodeAddress
from bitpeer.bitcoin.alert import AlertPayload, alert_payload
from bitpeer.bitcoin.block import Block, MerkleBlock
from bitpeer.bitcoin.bloom import BloomFilter
from bitpeer.bitcoin.compact import (
    BlockTxn,
    CmpctBlock,
    GetBlockTxn,
    PartialBlock,
    SendCmpct,
)
from bitpeer.bitcoin.constants import BLOCKS, TRANSACTIONS, WITNESS_FLAG, InvType, Services
from bitpeer.bitcoin.feature import Feature
from bitpeer.bitcoin.gcs import CompactFilter, basic_filter, filter_header, filter_headers
from bitpeer.bitcoin.header import BlockHeader, Headers
from bitpeer.bitcoin.hosts import NetworkId
from bitpeer.bitcoin.language import DIALECT
from bitpeer.bitcoin.merkle import PartialMerkleTree, merkle_root
from bitpeer.bitcoin.messages import SendAddrV2, Version, WtxidRelay
from bitpeer.bitcoin.networks import (
    MAINNET,
    NETWORKS,
    REGTEST,
    SIGNET,
    SIMNET,
    TESTNET3,
    TESTNET4,
    signet,
    signet_magic,
)
from bitpeer.bitcoin.packages import AncPkgInfo, GetPkgTxns, PkgTxns, SendPackages
from bitpeer.bitcoin.reconciliation import (
    ReconcilDiff,
    ReqRecon,
    ReqSketchExt,
    SendTxRcncl,
    Sketch,
)
from bitpeer.bitcoin.transaction import OutPoint, Tx, TxIn, TxOut
from bitpeer.hashes import hash_from_text, hash_to_text
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
    RejectCode,
    SendHeaders,
    VerAck,
)
from bitpeer.messages.filters import (
    BASIC_FILTER,
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders, locator_heights

__all__ = [
    "BASIC_FILTER",
    "BLOCKS",
    "DIALECT",
    "MAINNET",
    "NETWORKS",
    "REGTEST",
    "SIGNET",
    "SIMNET",
    "TESTNET3",
    "TESTNET4",
    "TRANSACTIONS",
    "WITNESS_FLAG",
    "Addr",
    "AddrV2",
    "Alert",
    "AlertPayload",
    "AncPkgInfo",
    "Block",
    "BlockHeader",
    "BlockTxn",
    "BloomFilter",
    "CFCheckpt",
    "CFHeaders",
    "CFilter",
    "CmpctBlock",
    "CompactFilter",
    "Feature",
    "FeeFilter",
    "FilterAdd",
    "FilterClear",
    "FilterLoad",
    "GetAddr",
    "GetBlockTxn",
    "GetBlocks",
    "GetCFCheckpt",
    "GetCFHeaders",
    "GetCFilters",
    "GetData",
    "GetHeaders",
    "GetPkgTxns",
    "Headers",
    "Inv",
    "InvType",
    "InvVect",
    "MemPool",
    "MerkleBlock",
    "NetAddress",
    "NetworkId",
    "NodeAddress",
    "NotFound",
    "OutPoint",
    "PartialBlock",
    "PartialMerkleTree",
    "Ping",
    "PkgTxns",
    "Pong",
    "ReconcilDiff",
    "Reject",
    "RejectCode",
    "ReqRecon",
    "ReqSketchExt",
    "SendAddrV2",
    "SendCmpct",
    "SendHeaders",
    "SendPackages",
    "SendTxRcncl",
    "Services",
    "Sketch",
    "TimedNetAddress",
    "Tx",
    "TxIn",
    "TxOut",
    "VerAck",
    "Version",
    "WtxidRelay",
    "alert_payload",
    "basic_filter",
    "filter_header",
    "filter_headers",
    "hash_from_text",
    "hash_to_text",
    "locator_heights",
    "merkle_root",
    "signet",
    "signet_magic",
]
