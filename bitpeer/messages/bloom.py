"""Messages that set and change a peer's bloom filter for this side (BIP 37)."""

from __future__ import annotations

from typing import Annotated

from bitpeer.wire.fields import Fixed, Limit, Uint8, Uint32
from bitpeer.wire.message import Message, message

MAX_FILTER_SIZE = 36_000
"""Most bytes of a filter."""
MAX_HASH_FUNCTIONS = 50
"""Most bits that each element of a filter sets."""
MAX_ELEMENT_SIZE = 520
"""Most bytes of an element added to a filter."""


@message("filterload")
class FilterLoad(Message):
    """Ask to hear only of transactions that match this filter."""

    filter: Annotated[bytes, Limit(MAX_FILTER_SIZE)]
    hash_functions: Annotated[int, Fixed("I", most=MAX_HASH_FUNCTIONS)]
    """How many bits each element sets."""
    tweak: Uint32
    """Makes equal filters of different users look different."""
    flags: Uint8
    """What a match adds to the filter: 0 nothing, 1 its outpoint, 2 that of P2PK and multisig."""


@message("filteradd")
class FilterAdd(Message):
    """Add one element to the filter that is loaded."""

    element: Annotated[bytes, Limit(MAX_ELEMENT_SIZE)]


@message("filterclear")
class FilterClear(Message):
    """Ask to hear of all transactions again."""
