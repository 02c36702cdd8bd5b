"""The numbers that Decred's messages carry: services, kinds of inventory, trees, versions."""

from __future__ import annotations

from enum import IntEnum, IntFlag

PROTOCOL_VERSION = 12
"""The highest version spoken: it has `addrv2` in place of `addr`."""
MIN_VERSION = 9
"""The lowest version accepted: the first without `reject`."""

SEND_HEADERS_VERSION = 3
FEE_FILTER_VERSION = 5
CF_VERSION = 6
"""Filters of version 1 from here on."""
CF_V2_VERSION = 7
"""Filters of version 2 from here on, those of version 1 no longer."""
INIT_STATE_VERSION = 8
"""`initstate` from here on, `miningstate` no longer."""
REMOVE_REJECT_VERSION = 9
MIX_VERSION = 10
BATCHED_CF_V2_VERSION = 11
ADDR_V2_VERSION = 12
"""`addrv2` from here on, `addr` no longer."""


class Services(IntFlag):
    """What a node offers."""

    NETWORK = 0x1
    """All blocks, and filters of version 2."""
    BLOOM = 0x2
    """Unused since bloom filters are gone."""
    COMPACT_FILTERS = 0x4
    """Filters of version 1, which are gone too."""


class InvType(IntEnum):
    """What an `InvVect` names."""

    ERROR = 0
    TX = 1
    """A transaction, by its id."""
    BLOCK = 2
    FILTERED_BLOCK = 3
    """Unused since bloom filters are gone: nobody answers a request for one."""
    MIX = 4
    """A mixing message, by the hash of its payload; from version 10 on."""


class Tree(IntEnum):
    """Where in a block a transaction stands."""

    UNKNOWN = -1
    REGULAR = 0
    STAKE = 1
    """Tickets, votes, revocations, and what the treasury receives and spends."""
