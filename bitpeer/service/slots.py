"""The connections that this side makes by itself: what each is for, and how it goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred

from bitpeer.net.interfaces import IPeer
from bitpeer.net.peer import PURPOSE
from bitpeer.service.knownaddress import KnownAddress

CONNECTION_TYPE = PURPOSE
"""The key in `IPeer.facts` under which the value of a `Kind` is noted."""


class Kind(Enum):
    """What a connection is for.  The value is what Bitcoin Core calls it (``getpeerinfo``)."""

    FULL = "outbound-full-relay"
    """Everything: blocks, transactions, addresses."""
    BLOCK_ONLY = "block-relay-only"
    """Blocks.  Neither transactions nor addresses, so that nobody who watches what is relayed
    can tell that there is a connection."""
    FEELER = "feeler"
    """To see whether somebody answers at an address, and no more."""


@dataclass(slots=True, eq=False)
class Slot:
    """One connection that is made, or has been."""

    kind: Kind
    known: KnownAddress
    """Where to."""
    is_detour: bool = False
    """Whether a peer sent us there: then nobody there may send us further."""
    dial: Deferred[Any] | None = None
    """While it is dialled."""
    established_at: float | None = None
    """When the handshake was complete, once it is."""


def counted(slots: Iterable[Slot], kind: Kind) -> int:
    """Return how many of *slots* are of a *kind*."""
    return sum(slot.kind is kind for slot in slots)


def speaks_of_addresses(peer: IPeer) -> bool:
    """Whether addresses may be exchanged with *peer*; for `Gossip`."""
    return peer.facts.get(CONNECTION_TYPE) in (None, Kind.FULL.value)
