"""Merkle trees of BLAKE-256: the root over a list of hashes, and proofs that one lies under it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bitpeer.hashes.blake256 import blake256

MAX_PROOF = 32
"""Most hashes of a proof."""


def merkle_root(hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree over *hashes*, wire order; 32 zero bytes for none."""
    level = list(hashes)
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else bytes(32)


def combined_root(regular: bytes, stake: bytes) -> bytes:
    """Return the merkle root of a header since DCP 0005, given the roots of both trees."""
    return blake256(regular + stake)


def inclusion_proof(hashes: Iterable[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from the one at *index* up to the root.

    Raises:
        IndexError: there is none at *index*.
    """
    level, proof = list(hashes), []
    index = range(len(level))[index]
    while len(level) > 1:
        beside = index ^ 1
        proof.append(level[beside if beside < len(level) else index])
        level, index = _parents(level), index >> 1
    return proof


def is_included(root: bytes, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Whether *proof* leads from *leaf*, the one at *index*, up to *root*.

    Args:
        root: wire order, as all hashes here.
        index: counted from 0.
    """
    if len(proof) > MAX_PROOF or not 0 <= index < 1 << len(proof):
        return False
    for other in proof:
        leaf = blake256(other + leaf if index & 1 else leaf + other)
        index >>= 1
    return leaf == root


def _parents(level: list[bytes]) -> list[bytes]:
    """Return the level above; the last node of an odd level is its own partner."""
    return [
        blake256(level[at] + level[min(at + 1, len(level) - 1)]) for at in range(0, len(level), 2)
    ]
