"""Compact filters: what a block is about, in a few bytes (BIP 158)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol as Shape

from bitpeer.bitcoin.script import OP_RETURN
from bitpeer.hashes import sha256d
from bitpeer.messages.gcs import CodedSet

NO_HEADER = bytes(32)
"""The filter header before that of the genesis block."""

_RETURN = bytes((OP_RETURN,))


class OutputLike(Shape):
    """What a filter needs to see of an output."""

    @property
    def script(self) -> bytes: ...


class TxLike(Shape):
    """What a filter needs to see of a transaction."""

    @property
    def outputs(self) -> Sequence[OutputLike]: ...


class BlockLike(Shape):
    """What a filter needs to see of a block."""

    @property
    def hash(self) -> bytes: ...
    @property
    def transactions(self) -> Sequence[TxLike]: ...


class CompactFilter(CodedSet):
    """A filter of one block, whose key are the first 16 bytes of the block's hash, wire order."""

    __slots__ = ()

    @property
    def hash(self) -> bytes:
        """The filter hash, wire order: what `cfheaders` carries."""
        return sha256d(self.encoding)

    def header(self, previous: bytes) -> bytes:
        """Return the filter header, wire order, given that of the block before."""
        return filter_header(self.hash, previous)


def basic_filter(block: BlockLike, previous_scripts: Iterable[bytes]) -> CompactFilter:
    """Return the basic filter of *block*.

    Args:
        previous_scripts: the scripts of all outputs that the block spends, in any order.
    """
    elements = set(previous_scripts)
    elements.update(
        output.script
        for tx in block.transactions
        for output in tx.outputs
        if output.script[:1] != _RETURN
    )
    elements.discard(b"")
    return CompactFilter.of(block.hash, elements)


def filter_header(filter_hash: bytes, previous: bytes) -> bytes:
    """Return the filter header that follows *previous*; both, like it, in wire order."""
    return sha256d(filter_hash + previous)


def filter_headers(filter_hashes: Iterable[bytes], previous: bytes) -> Iterator[bytes]:
    """Yield the header for each of *filter_hashes*, as `cfheaders` brings them, in wire order."""
    for filter_hash in filter_hashes:
        previous = filter_header(filter_hash, previous)
        yield previous
