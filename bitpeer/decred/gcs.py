"""Committed filters of version 2: what a block is about, and proof that its header says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Self

from bitpeer.decred.block import Block
from bitpeer.decred.constants import Tree
from bitpeer.decred.filters import CFilterV2
from bitpeer.decred.header import BlockHeader
from bitpeer.decred.merkle import is_included
from bitpeer.decred.transaction import Tx, TxIn, TxOut
from bitpeer.errors import InvalidValue
from bitpeer.hashes import hash_to_text
from bitpeer.hashes.blake256 import blake256
from bitpeer.messages.gcs import CodedSet

MAX_SCRIPT_SIZE = 16_384
"""Longer scripts cannot be run, and are in no filter."""

_OP_SSTX, _OP_SSGEN, _OP_SSRTX, _OP_SSTXCHANGE = 0xBA, 0xBB, 0xBC, 0xBD
_OP_TADD, _OP_TSPEND, _OP_TGEN = 0xC1, 0xC2, 0xC3
_TAGS = frozenset({_OP_SSTX, _OP_SSGEN, _OP_SSRTX, _OP_SSTXCHANGE, _OP_TGEN})
"""What the script of a stake output opens with; filters leave it out."""
_P2PKH, _P2SH = (b"\x76\xa9\x14", b"\x88\xac"), (b"\xa9\x14", b"\x87")

Previous = Callable[[TxIn], TxOut]
"""Returns the output that an input spends."""


class CommittedFilter(CodedSet):
    """A filter of one block, whose key are the first 16 bytes of the header's merkle root.

    Args:
        key: those bytes, wire order; more are ignored.
        encoding: the filter as `cfilterv2` carries it; a filter without elements is empty.

    Raises:
        DecodeError: *encoding* claims more elements than it has room for.
    """

    __slots__ = ()

    def __init__(self, key: bytes, encoding: bytes) -> None:
        super().__init__(key, encoding or b"\0")
        self.encoding = encoding

    @classmethod
    def of(cls, key: bytes, elements: Iterable[bytes]) -> Self:
        """Return the filter that holds *elements*; empty ones, and repetitions, do not count.

        Args:
            key: the first 16 bytes of the header's merkle root, wire order; more are ignored.

        Raises:
            Unencodable: there are more elements than a `cfilterv2` can carry.
        """
        distinct = {each for each in elements if each}
        return super().of(key, distinct) if distinct else cls(key, b"")

    @property
    def hash(self) -> bytes:
        """The hash that headers commit to, wire order; zeros for an empty filter."""
        return blake256(self.encoding) if self.encoding else bytes(32)


def open_filter(answer: CFilterV2, header: BlockHeader) -> CommittedFilter:
    """Return the filter in a `cfilterv2`, once it is proved to be the one of its block.

    Args:
        header: of that block, which must be from after the vote of DCP 0005.

    Raises:
        InvalidValue: it is of another block, or the header does not commit to it.
        DecodeError: it is no filter.
    """
    if answer.block_hash != header.hash:
        raise InvalidValue("block of a filter", hash_to_text(answer.block_hash))
    found = CommittedFilter(header.merkle_root, answer.filter)
    if not is_included(header.stake_root, found.hash, answer.proof_index, answer.proof_hashes):
        raise InvalidValue("hash of a filter", hash_to_text(found.hash))
    return found


def regular_filter(block: Block, previous: Previous) -> CommittedFilter:
    """Return the filter of *block*, which must be valid (dcrd blockcf2.Regular).

    In it are the scripts that the block pays to and those that it spends, without the
    opcode that opens those of the stake tree; of tickets the scripts that their votes
    will pay to, not those that may vote.
    """
    return CommittedFilter.of(block.header.merkle_root, _elements(block, previous))


def _elements(block: Block, previous: Previous) -> Iterator[bytes]:
    for at, tx in enumerate(block.transactions):
        yield from (each.script for each in tx.outputs if _counts(each))
        if at:  # the first one spends nothing
            yield from _spent(tx, previous)
    for tx in block.stake_transactions:
        yield from _staked(tx, previous)


def _staked(tx: Tx, previous: Previous) -> Iterator[bytes]:
    """Yield what a transaction of the stake tree is about."""
    tag, outputs = tx.outputs[0].script[:1], tx.outputs
    if tag == bytes((_OP_SSTX,)):
        yield from _spent(tx, previous)
        for at, output in enumerate(outputs):
            if at % 2:
                yield _promised(output.script)
            elif at and output.value:
                yield output.script[1:]
    elif tag == bytes((_OP_SSRTX,)):
        yield from (output.script[1:] for output in outputs)
    elif len(tx.inputs) == 2 and _is_nothing(tx.inputs[0]):  # a vote
        yield from (output.script[1:] for output in outputs[2:])
    elif tx.witnesses[0].script[-1:] == bytes((_OP_TSPEND,)) and tag != bytes((_OP_TADD,)):
        yield from (output.script[1:] for output in outputs[1:])
    elif not _is_nothing(tx.inputs[0]):  # what is added to the treasury, but for its share
        yield from _spent(tx, previous)
        yield from (output.script[1:] for output in outputs[1:] if output.value)


def _spent(tx: Tx, previous: Previous) -> Iterator[bytes]:
    for spent in tx.inputs:
        output = previous(spent)
        if _counts(output):
            script = output.script
            tagged = spent.tree == Tree.STAKE and script[0] in _TAGS and _is_plain(script[1:])
            yield script[1:] if tagged else script


def _counts(output: TxOut) -> bool:
    return (
        output.script_version == 0
        and len(output.script) <= MAX_SCRIPT_SIZE
        and output.script != b""
    )


def _is_plain(script: bytes) -> bool:
    """Whether *script* pays to the hash of a key or of a script."""
    return any(
        len(script) == 20 + len(head) + len(tail)
        and script.startswith(head)
        and script.endswith(tail)
        for head, tail in (_P2PKH, _P2SH)
    )


def _is_nothing(spent: TxIn) -> bool:
    return spent[:3] == (bytes(32), 0xFFFF_FFFF, Tree.REGULAR)


def _promised(commitment: bytes) -> bytes:
    """Return the script that a ticket's vote will pay to: 20 bytes of hash, 8 of amount."""
    head, tail = _P2SH if commitment[29] & 0x80 else _P2PKH
    return head + commitment[2:22] + tail
