"""Announcing, asking for and denying blocks and transactions by hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from bitpeer.wire.fields import Hash, Limit, Uint32
from bitpeer.wire.message import Message, message
from bitpeer.wire.vector import packed

MAX_INVENTORY = 50_000
"""Most items in one message."""


@packed
class InvVect(NamedTuple):
    """The kind and hash of one object."""

    kind: Uint32
    """A number of the network's `InvType`, or one that nobody has defined yet."""
    hash: Hash
    """32 bytes in wire order."""


Inventory = Annotated[Sequence[InvVect], Limit(MAX_INVENTORY)]


@message("inv")
class Inv(Message):
    """Announce objects that this side can serve."""

    items: Inventory


@message("getdata")
class GetData(Message):
    """Ask for announced objects."""

    items: Inventory


@message("notfound")
class NotFound(Message):
    """Say that objects asked for cannot be served."""

    items: Inventory
