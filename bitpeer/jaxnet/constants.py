"""The numbers that Jax.Network's messages carry: services, kinds of inventory, versions, limits."""

from __future__ import annotations

from enum import IntEnum, IntFlag

PROTOCOL_VERSION = 1
"""The only version there is; every message belongs to it."""
BEACON = 0
"""The id of the beacon chain; shards count from 1."""
WITNESS_FLAG = 1 << 30
"""In a `getdata`, asks for the form with witnesses (BIP 144)."""
MAX_BLOCK_SIZE = 786_432
"""Most bytes of a block."""
MAX_BLOCK_TRANSACTIONS = 78_644
"""Most transactions of a block."""


class Services(IntFlag):
    """What a node offers; jaxnetd itself offers NETWORK, BLOOM, WITNESS and COMPACT_FILTERS."""

    NETWORK = 0x1
    """All blocks; jaxnetd refuses to have dialled a peer without it."""
    GETUTXO = 0x2
    BLOOM = 0x4
    """BIP 37, 111."""
    WITNESS = 0x8
    """BIP 144; jaxnetd hangs up if it dialled a peer without it."""
    XTHIN = 0x10
    BIT5 = 0x20
    COMPACT_FILTERS = 0x40
    """BIP 157."""
    TWO_X = 0x80


class InvType(IntEnum):
    """What an `InvVect` names."""

    TX = 1
    """A transaction, by txid."""
    BLOCK = 2
    """In a `getdata`: the block as `blockbox`."""
    FILTERED_BLOCK = 3
    """In a `getdata`: the block as `merkleblock` (BIP 37)."""
    MMR_ROOT = 4
    """Declared by jaxnetd, never sent and never served.  (Bitcoin: a compact block.)"""
    WITNESS_TX = TX | WITNESS_FLAG
    """In a `getdata`: with witnesses."""
    WITNESS_BLOCK = BLOCK | WITNESS_FLAG
    """In a `getdata`: with witnesses, as `blockbox`."""
    FILTERED_WITNESS_BLOCK = FILTERED_BLOCK | WITNESS_FLAG


TRANSACTIONS = frozenset({InvType.TX, InvType.WITNESS_TX})
"""Kinds of inventory that are transactions."""
BLOCKS = frozenset(
    {
        InvType.BLOCK,
        InvType.FILTERED_BLOCK,
        InvType.WITNESS_BLOCK,
        InvType.FILTERED_WITNESS_BLOCK,
    }
)
"""Kinds of inventory that are blocks, in whatever form."""
