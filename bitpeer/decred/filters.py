"""Asking for committed filters of blocks, in both versions, and answering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.decred.constants import BATCHED_CF_V2_VERSION, CF_V2_VERSION, CF_VERSION
from bitpeer.messages.filters import MAX_CFHEADERS, MAX_FILTER_BYTES
from bitpeer.messages.locator import MAX_LOCATOR
from bitpeer.wire.fields import Hash, Limit, Uint8, Uint32
from bitpeer.wire.message import Message, message

REGULAR_FILTER, EXTENDED_FILTER = 0, 1
"""The types of filters of version 1."""
MAX_FILTER_TYPES = 256
"""Most types in one `cftypes`."""
MAX_HEADER_PROOF = 32
"""Most hashes of the proof that a filter is committed to."""
MAX_BATCH = 100
"""Most filters in one `cfiltersv2`."""

_Locator = Annotated[Sequence[Hash], Limit(MAX_LOCATOR)]


@message("getcfilterv2", since=CF_V2_VERSION)
class GetCFilterV2(Message):
    """Ask for the filter of one block."""

    block_hash: Hash


@message("cfilterv2", since=CF_V2_VERSION)
class CFilterV2(Message):
    """The filter of one block, and proof that the block's header commits to it."""

    block_hash: Hash
    filter: Annotated[bytes, Limit(MAX_FILTER_BYTES)]
    """See `gcs.CommittedFilter`; empty if nothing is in the block to be found."""
    proof_index: Uint32
    """Which of the header's commitments it is."""
    proof_hashes: Annotated[Sequence[Hash], Limit(MAX_HEADER_PROOF)]
    """Lead from the filter's hash up to the header's stake root; none while it is alone."""


@message("getcfsv2", since=BATCHED_CF_V2_VERSION)
class GetCFiltersV2(Message):
    """Ask for the filters of up to 100 blocks in a row; no answer means no."""

    start_hash: Hash
    """The first block, wire order."""
    end_hash: Hash
    """The last block, wire order."""


@message("cfiltersv2", since=BATCHED_CF_V2_VERSION)
class CFiltersV2(Message):
    """The filters of blocks in a row, the oldest first."""

    filters: Annotated[Sequence[CFilterV2], Limit(MAX_BATCH)]


# Version 1, which nobody serves any more.


@message("getcfilter", since=CF_VERSION, until=CF_V2_VERSION)
class GetCFilter(Message):
    """Ask for a filter of one block."""

    block_hash: Hash
    filter_type: Uint8


@message("cfilter", since=CF_VERSION, until=CF_V2_VERSION)
class CFilter(Message):
    """A filter of one block."""

    block_hash: Hash
    filter_type: Uint8
    filter: Annotated[bytes, Limit(MAX_FILTER_BYTES)]


@message("getcfheaders", since=CF_VERSION, until=CF_V2_VERSION)
class GetCFHeaders(Message):
    """Ask for the headers of filters; unlike `getheaders` it does not open with a version."""

    locator: _Locator
    """Block hashes in wire order, the newest first."""
    stop: Hash
    """The last block wanted, in wire order."""
    filter_type: Uint8


@message("cfheaders", since=CF_VERSION, until=CF_V2_VERSION)
class CFHeaders(Message):
    """Headers of filters: each is the hash of a filter's hash and of the header before."""

    stop_hash: Hash
    filter_type: Uint8
    filter_headers: Annotated[Sequence[Hash], Limit(MAX_CFHEADERS)]


@message("getcftypes", since=CF_VERSION, until=CF_V2_VERSION)
class GetCFTypes(Message):
    """Ask which types of filters the peer has."""


@message("cftypes", since=CF_VERSION, until=CF_V2_VERSION)
class CFTypes(Message):
    """The types of filters that this side has."""

    types: Annotated[Sequence[Uint8], Limit(MAX_FILTER_TYPES)]
