"""The trees over hashes that are Jax.Network's own: of coinbases, of chains, of shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from bitpeer.hashes import sha256d

WEIGHT_UNIT = 1024
"""The work of a block is counted in this part of a hash."""
NO_HASH = bytes(32)


def coinbase_branch(txids: Sequence[bytes]) -> list[bytes]:
    """Return the hashes that lead from the first of *txids* to the merkle root, bottom up.

    Where a level of the tree is odd, its last node is its own partner.
    """
    branch, level = [], list(txids)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        branch.append(level[1])
        level = [sha256d(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return branch


def branch_root(txid: bytes, branch: Iterable[bytes]) -> bytes:
    """Return the merkle root to which *branch* leads from the first transaction, *txid*."""
    for sibling in branch:
        txid = sha256d(txid + sibling)
    return txid


def shard_root(leaf: bytes, position: int, proof: Iterable[bytes]) -> bytes:
    """Return the merge-mining root to which *proof* leads from one shard's leaf.

    Each node is SHA-256, once, of its two children; a shard that was not mined is 32 zero bytes.

    Args:
        leaf: the shard header's exclusive hash, wire order.
        position: the shard's id, less 1.
        proof: as in `ShardHeader.merkle_proof`.
    """
    for sibling in proof:
        pair = sibling + leaf if position % 2 else leaf + sibling
        leaf, position = sha256(pair).digest(), position // 2
    return leaf


def weight_of(bits: int) -> int:
    """Return the work that the target *bits* stands for; 0 if it makes no sense."""
    exponent, mantissa = bits >> 24, bits & 0x7F_FFFF
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    if bits & 0x80_0000 or not target:
        return 0
    return (1 << 256) // (target + 1) * WEIGHT_UNIT


class Peak(NamedTuple):
    """One perfect tree over some neighbouring blocks."""

    blocks: int
    """How many: a power of two."""
    hash: bytes
    weight: int
    """Of all of them together."""


class MountainRange(NamedTuple):
    """The tree over all blocks of a chain: a Merkle mountain range with weights.

    An immutable value, so whoever keeps the one before a block has it back when
    the block is withdrawn.  (jaxnetd has no proofs that a block lies under a root, and
    on the wire there is no room for one.)
    """

    peaks: tuple[Peak, ...] = ()
    """The perfect trees, the largest first: no two are equally large."""

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return sum(peak.blocks for peak in self.peaks)

    @property
    def weight(self) -> int:
        """The work of all blocks."""
        return sum(peak.weight for peak in self.peaks)

    def appended(self, block: bytes, weight: int) -> MountainRange:
        """Return the range with one block more.

        Args:
            block: its hash, wire order.
            weight: its work, see `weight_of`.
        """
        peaks, new = list(self.peaks), Peak(1, block, weight)
        while peaks and peaks[-1].blocks == new.blocks:
            new = _combined(peaks.pop(), new)
        return MountainRange((*peaks, new))

    @property
    def root(self) -> bytes:
        """The root, 32 bytes in wire order; zeros if there is no block."""
        if not self.peaks:
            return NO_HASH
        *others, top = self.peaks
        for peak in reversed(others):
            top = _combined(peak, top)
        return top.hash


def _combined(left: Peak, right: Peak) -> Peak:
    """Return the parent of two neighbours.

    Quirk: the right one is copied to where it would end, not to where the left
    one ends.  They differ when the weights have not equally many bytes; then a part of
    one is lost, or zeros remain, and the chain's roots are made of that.
    """
    first, second = _weighted(left), _weighted(right)
    room = len(first) + len(second)
    data = bytearray(first.ljust(room, b"\0"))
    data[len(second) : 2 * len(second)] = second
    digest = sha256(data[:room].ljust(room, b"\0")).digest()
    return Peak(left.blocks + right.blocks, digest, left.weight + right.weight)


def _weighted(peak: Peak) -> bytes:
    return peak.hash + peak.weight.to_bytes((peak.weight.bit_length() + 7) // 8, "big")
