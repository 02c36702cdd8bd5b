"""Jax.Network: messages, networks and dialects, under the names that everybody uses."""

from __future__ import annotations

from bitpeer.bitcoin.alert import AlertPayload, alert_payload
from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.transaction import OutPoint, Tx, TxIn, TxOut
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.jaxnet.block import Block, BlockBox, Headers, MerkleBlock, RootedHeader
from bitpeer.jaxnet.constants import BEACON, BLOCKS, TRANSACTIONS, WITNESS_FLAG, InvType, Services
from bitpeer.jaxnet.genesis import beacon_genesis, shard_genesis
from bitpeer.jaxnet.header import BeaconHeader, BtcAux, CoinbaseAux, ShardHeader, read_header
from bitpeer.jaxnet.language import DIALECT, dialect
from bitpeer.jaxnet.messages import (
    Addr,
    EadAddress,
    EAddresses,
    EadIp,
    EadPlace,
    GetAddr,
    PortRedirect,
    ShardAddress,
    Version,
)
from bitpeer.jaxnet.networks import FASTNET, MAINNET, NETWORKS, SIMNET, TESTNET, chain
from bitpeer.jaxnet.trees import MountainRange, branch_root, coinbase_branch, shard_root, weight_of
from bitpeer.messages.addresses import NetAddress, TimedNetAddress
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
    "BEACON",
    "BLOCKS",
    "DIALECT",
    "FASTNET",
    "MAINNET",
    "NETWORKS",
    "SIMNET",
    "TESTNET",
    "TRANSACTIONS",
    "WITNESS_FLAG",
    "Addr",
    "Alert",
    "AlertPayload",
    "BeaconHeader",
    "Block",
    "BlockBox",
    "BlockHeader",
    "BtcAux",
    "CFCheckpt",
    "CFHeaders",
    "CFilter",
    "CoinbaseAux",
    "EAddresses",
    "EadAddress",
    "EadIp",
    "EadPlace",
    "FeeFilter",
    "FilterAdd",
    "FilterClear",
    "FilterLoad",
    "GetAddr",
    "GetBlocks",
    "GetCFCheckpt",
    "GetCFHeaders",
    "GetCFilters",
    "GetData",
    "GetHeaders",
    "Headers",
    "Inv",
    "InvType",
    "InvVect",
    "MemPool",
    "MerkleBlock",
    "MountainRange",
    "NetAddress",
    "NotFound",
    "OutPoint",
    "Ping",
    "Pong",
    "PortRedirect",
    "Reject",
    "RejectCode",
    "RootedHeader",
    "SendHeaders",
    "Services",
    "ShardAddress",
    "ShardHeader",
    "TimedNetAddress",
    "Tx",
    "TxIn",
    "TxOut",
    "VerAck",
    "Version",
    "alert_payload",
    "beacon_genesis",
    "branch_root",
    "chain",
    "coinbase_branch",
    "dialect",
    "hash_from_text",
    "hash_to_text",
    "locator_heights",
    "read_header",
    "shard_genesis",
    "shard_root",
    "weight_of",
]
