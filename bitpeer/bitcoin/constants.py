"""The numbers that Bitcoin's messages carry: services, kinds of inventory, protocol versions."""

from __future__ import annotations

from enum import IntEnum, IntFlag

PROTOCOL_VERSION = 70017
"""The highest version spoken: it has `feature` (BIP 434)."""
MIN_VERSION = 60001
"""The lowest version accepted: the first whose pings have nonces (BIP 31)."""
WTXID_VERSION = 70016
"""From here on, features are announced before `verack` (BIP 155, 339)."""
BLOOM_VERSION = 70011
"""From here on, a peer knows whether bloom filters are served (BIP 111)."""

WITNESS_FLAG = 1 << 30
"""In a `getdata`, asks for the form with witnesses (BIP 144)."""


class Services(IntFlag):
    """What a node offers."""

    NETWORK = 0x1
    """All blocks."""
    GETUTXO = 0x2
    """BIP 64."""
    BLOOM = 0x4
    """BIP 37, 111."""
    WITNESS = 0x8
    """BIP 144."""
    COMPACT_FILTERS = 0x40
    """BIP 157."""
    NETWORK_LIMITED = 0x400
    """The last 288 blocks (BIP 159)."""
    P2P_V2 = 0x800
    """The encrypted transport (BIP 324)."""


class InvType(IntEnum):
    """What an `InvVect` names."""

    TX = 1
    """A transaction, by txid."""
    BLOCK = 2
    FILTERED_BLOCK = 3
    """In a `getdata`: the block as `merkleblock` (BIP 37)."""
    CMPCT_BLOCK = 4
    """In a `getdata`: the block as `cmpctblock` (BIP 152)."""
    WTX = 5
    """A transaction, by wtxid (BIP 339)."""
    PACKAGE_TXNS = 6
    """BIP 331."""
    ANCESTOR_PACKAGE = 7
    """BIP 331."""
    WITNESS_TX = TX | WITNESS_FLAG
    """In a `getdata`: with witnesses, by txid (BIP 144)."""
    WITNESS_BLOCK = BLOCK | WITNESS_FLAG
    """In a `getdata`: with witnesses (BIP 144)."""


TRANSACTIONS = frozenset({InvType.TX, InvType.WTX, InvType.WITNESS_TX})
"""Kinds of inventory that are transactions."""
BLOCKS = frozenset(
    {
        InvType.BLOCK,
        InvType.FILTERED_BLOCK,
        InvType.CMPCT_BLOCK,
        InvType.WITNESS_BLOCK,
        InvType.FILTERED_BLOCK | WITNESS_FLAG,
    }
)
"""Kinds of inventory that are blocks, in whatever form."""
