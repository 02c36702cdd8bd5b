"""Decred: messages, networks and dialect, under the names that everybody uses."""

from __future__ import annotations

from bitpeer.decred.addresses import AddrV2, NetworkId, NodeAddress
from bitpeer.decred.block import Block, MerkleBlock
from bitpeer.decred.constants import InvType, Services, Tree
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
from bitpeer.decred.gcs import CommittedFilter, open_filter, regular_filter
from bitpeer.decred.header import BlockHeader, Headers
from bitpeer.decred.language import DIALECT
from bitpeer.decred.merkle import combined_root, inclusion_proof, is_included, merkle_root
from bitpeer.decred.messages import (
    HEAD_BLOCK_VOTES,
    HEAD_BLOCKS,
    TSPENDS,
    GetInitState,
    GetMiningState,
    InitState,
    MiningState,
    Version,
)
from bitpeer.decred.mixing import (
    MixCiphertexts,
    MixConfirm,
    MixDCNet,
    MixFactoredPoly,
    MixKeyExchange,
    MixMessage,
    MixPairReq,
    MixSecrets,
    MixSlotReserve,
    MixUtxo,
)
from bitpeer.decred.networks import GENESIS_BLOCKS, MAINNET, NETWORKS, REGNET, SIMNET, TESTNET3
from bitpeer.decred.seeding import seeded_addresses
from bitpeer.decred.transaction import OutPoint, Serialization, Tx, TxIn, TxOut, TxWitness
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
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders, locator_heights

__all__ = [
    "DIALECT", "GENESIS_BLOCKS", "HEAD_BLOCKS", "HEAD_BLOCK_VOTES", "MAINNET", "NETWORKS", "REGNET",
    "SIMNET", "TESTNET3", "TSPENDS",
    "Addr", "AddrV2", "Alert", "Block", "BlockHeader", "CFHeaders", "CFTypes", "CFilter",
    "CFilterV2", "CFiltersV2", "CommittedFilter", "FeeFilter", "FilterAdd", "FilterClear",
    "FilterLoad", "GetAddr", "GetBlocks", "GetCFHeaders", "GetCFTypes", "GetCFilter",
    "GetCFilterV2", "GetCFiltersV2", "GetData", "GetHeaders", "GetInitState", "GetMiningState",
    "Headers", "InitState", "Inv", "InvType", "InvVect", "MemPool", "MerkleBlock", "MiningState",
    "MixCiphertexts", "MixConfirm", "MixDCNet", "MixFactoredPoly", "MixKeyExchange", "MixMessage",
    "MixPairReq", "MixSecrets", "MixSlotReserve", "MixUtxo", "NetAddress", "NetworkId",
    "NodeAddress", "NotFound", "OutPoint", "Ping", "Pong", "Reject", "RejectCode", "SendHeaders",
    "Serialization", "Services", "TimedNetAddress", "Tree", "Tx", "TxIn", "TxOut", "TxWitness",
    "VerAck", "Version",
    "combined_root", "hash_from_text", "hash_to_text", "inclusion_proof", "is_included",
    "locator_heights", "merkle_root", "open_filter", "regular_filter",
    "seeded_addresses",
]  # fmt: skip
