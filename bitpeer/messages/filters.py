"""Asking for compact filters of blocks, and for what proves them (BIP 157)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.wire.fields import Hash, Limit, Uint8, Uint32
from bitpeer.wire.message import Message, message

BASIC_FILTER = 0
"""The only filter type in use (BIP 158)."""
MAX_CFILTERS = 1_000
"""Most filters that one `getcfilters` may ask for."""
MAX_CFHEADERS = 2_000
"""Most filter hashes in one `cfheaders`."""
MAX_FILTER_BYTES = 262_144
"""Most bytes of one filter."""
CHECKPOINT_INTERVAL = 1_000
"""Blocks between two filter headers of a `cfcheckpt`."""
MAX_CHECKPOINTS = 100_000
"""Most filter headers in one `cfcheckpt`."""


@message("getcfilters")
class GetCFilters(Message):
    """Ask for the filters of a range of blocks."""

    filter_type: Uint8
    start_height: Uint32
    stop_hash: Hash
    """The last block of the range, wire order."""


@message("cfilter")
class CFilter(Message):
    """The filter of one block."""

    filter_type: Uint8
    block_hash: Hash
    filter: Annotated[bytes, Limit(MAX_FILTER_BYTES)]


@message("getcfheaders")
class GetCFHeaders(Message):
    """Ask for the filter hashes of a range of blocks."""

    filter_type: Uint8
    start_height: Uint32
    stop_hash: Hash
    """The last block of the range, wire order."""


@message("cfheaders")
class CFHeaders(Message):
    """The filter hashes of a range, and the filter header before it."""

    filter_type: Uint8
    stop_hash: Hash
    previous_header: Hash
    filter_hashes: Annotated[Sequence[Hash], Limit(MAX_CFHEADERS)]


@message("getcfcheckpt")
class GetCFCheckpt(Message):
    """Ask for filter headers at every thousandth block."""

    filter_type: Uint8
    stop_hash: Hash
    """The last block of interest, wire order."""


@message("cfcheckpt")
class CFCheckpt(Message):
    """Filter headers at heights 1000, 2000, ... up to the stop."""

    filter_type: Uint8
    stop_hash: Hash
    filter_headers: Annotated[Sequence[Hash], Limit(MAX_CHECKPOINTS)]
