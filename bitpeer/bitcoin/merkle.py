"""Merkle trees: the root over a list of hashes, and proofs that some of them lie under it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from operator import eq
from typing import NamedTuple

from bitpeer.errors import InvalidValue, LimitExceeded, Unencodable

MAX_BLOCK_TRANSACTIONS = 16_666
"""Most transactions of a block: none weighs less than 240 of its 4,000,000 units."""
MAX_FLAG_BYTES = 4_168
"""Most bytes of flags: one bit for each of the 33,341 nodes of the largest tree."""


def merkle_root(hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree over *hashes*, wire order; 32 zero bytes for none."""
    root, _ = root_and_mutation(hashes)
    return root


def root_and_mutation(hashes: Iterable[bytes]) -> tuple[bytes, bool]:
    """Return the root, and whether another list of hashes has the same one.

    The last node of an odd level is its own partner.  A list whose end is repeated
    to the same effect has the same root, but not the same meaning
    (CVE-2012-2459); it is recognised by a node that equals its partner.
    """
    level, mutated = list(hashes), False
    while len(level) > 1:
        left, right = level[::2], level[1::2]
        mutated = mutated or any(map(eq, left, right))
        if len(left) > len(right):
            right.append(left[-1])
        level = _parents(left, right)
    return (level[0] if level else bytes(32)), mutated


def _parents(left: list[bytes], right: list[bytes]) -> list[bytes]:
    return [
        sha256(sha256(one + other).digest()).digest()
        for one, other in zip(left, right, strict=True)
    ]


class Matches(NamedTuple):
    """What a partial tree proves to be in a block."""

    indices: tuple[int, ...]
    """Which transactions of the block, ascending, counted from 0."""
    txids: tuple[bytes, ...]
    """Their txids, wire order."""


class PartialMerkleTree(NamedTuple):
    """The part of a block's tree that leads from the root to some transactions (BIP 37).

    The tree is walked from the root, left before right.  Each node met has one bit:
    1 where a matched transaction is at or below it.  Under a 0 nothing is met; the
    hash of the node stands for it all.
    """

    transaction_count: int
    """Of the whole block."""
    hashes: Sequence[bytes]
    """Of the nodes at which the walk turns back, in the order of the walk."""
    flags: bytes
    """The bits in the order of the walk, eight to a byte from the lowest up."""

    @classmethod
    def build(cls, txids: Sequence[bytes], matches: Collection[int]) -> PartialMerkleTree:
        """Return the tree that proves the transactions at the indices *matches*.

        Args:
            txids: those of the whole block, wire order.

        Raises:
            Unencodable: there is no transaction, or no such one, or too many.
        """
        if not 0 < len(txids) <= MAX_BLOCK_TRANSACTIONS:
            raise Unencodable("merkle tree", f"a block cannot have {len(txids)} transactions")
        wanted = set(matches)
        if not wanted.issubset(range(len(txids))):
            raise Unencodable("merkle tree", "a match is not in the block")
        levels = [list(txids)]
        marks = [[index in wanted for index in range(len(txids))]]
        while len(levels[-1]) > 1:
            nodes, marked = levels[-1], marks[-1]
            odd = len(nodes) % 2
            levels.append(_parents(nodes[::2], nodes[1::2] + nodes[-1:] * odd))
            marks.append([any(marked[at : at + 2]) for at in range(0, len(nodes), 2)])
        hashes: list[bytes] = []
        bits: list[bool] = []

        def walk(height: int, at: int) -> None:
            bits.append(marks[height][at])
            if not height or not bits[-1]:
                hashes.append(levels[height][at])
                return
            walk(height - 1, 2 * at)
            if 2 * at + 1 < len(levels[height - 1]):
                walk(height - 1, 2 * at + 1)

        walk(len(levels) - 1, 0)
        number = sum(bit << at for at, bit in enumerate(bits))
        return cls(len(txids), tuple(hashes), number.to_bytes((len(bits) + 7) // 8, "little"))

    def extract(self) -> tuple[bytes, Matches]:
        """Return the root of the tree, and what it proves to lie under that root.

        Raises:
            LimitExceeded: more transactions are claimed than a block can have, or more
                hashes than transactions.
            InvalidValue: hashes or flags are too few, too many or contradictory.
        """
        total = self.transaction_count
        if total > MAX_BLOCK_TRANSACTIONS:
            raise LimitExceeded(total, MAX_BLOCK_TRANSACTIONS)
        if len(self.hashes) > total:
            raise LimitExceeded(len(self.hashes), total)
        if not total:
            raise InvalidValue("transaction count", total)
        number = int.from_bytes(self.flags, "little")
        bits = iter([number >> at & 1 for at in range(8 * len(self.flags))])
        hashes = iter(self.hashes)
        found: list[tuple[int, bytes]] = []

        def walk(height: int, at: int) -> bytes:
            matched = next(bits)
            if not height or not matched:
                value = next(hashes)
                if matched:
                    found.append((at, value))
                return value
            left = right = walk(height - 1, 2 * at)
            if 2 * at + 1 < -(-total >> height - 1):
                right = walk(height - 1, 2 * at + 1)
                if left == right:
                    raise InvalidValue("merkle tree", "two equal branches")
            return sha256(sha256(left + right).digest()).digest()

        try:
            root = walk((total - 1).bit_length(), 0)
        except StopIteration:
            raise InvalidValue("merkle tree", "too few hashes or flags") from None
        if next(hashes, None) is not None or len(list(bits)) >= 8:
            raise InvalidValue("merkle tree", "too many hashes or flags")
        return root, Matches(tuple(at for at, _ in found), tuple(value for _, value in found))
