"""Asking for what follows a point of the chain that both sides know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.wire.fields import Hash, Limit, Uint32
from bitpeer.wire.message import Message, message

MAX_LOCATOR = 500
"""Most hashes in a locator; a network may allow fewer."""

NO_STOP = bytes(32)
"""As a stop: send as much as one message may carry."""


@message("getblocks")
class GetBlocks(Message):
    """Ask for an `inv` of the blocks behind the first hash of the locator that is known."""

    version: Uint32
    """Ignored by everybody; the sender's protocol version."""
    locator: Annotated[Sequence[Hash], Limit(MAX_LOCATOR)]
    """Block hashes in wire order, the newest first."""
    stop: Hash = NO_STOP
    """The last block wanted, in wire order."""


@message("getheaders")
class GetHeaders(Message):
    """Ask for the `headers` behind the first hash of the locator that is known."""

    version: Uint32
    """Ignored by everybody; the sender's protocol version."""
    locator: Annotated[Sequence[Hash], Limit(MAX_LOCATOR)]
    """Block hashes in wire order, the newest first."""
    stop: Hash = NO_STOP
    """The last header wanted, in wire order."""


def locator_heights(height: int) -> list[int]:
    """Return the heights whose hashes make a good locator for a chain up to *height*.

    The twelve newest blocks, then ever larger steps, the genesis block last
    (btcd blockchain.BlockLocator).
    """
    heights, step = [], 1
    while height > 0:
        heights.append(height)
        if len(heights) > 11:
            step *= 2
        height -= step
    return [*heights, 0]
