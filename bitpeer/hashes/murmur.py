"""MurmurHash3: the quick hash that picks the bits of a bloom filter (BIP 37)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from struct import Struct

_BLOCK = Struct("<I")
_MASK = 0xFFFF_FFFF


def pure_murmur3(seed: int, data: bytes) -> int:
    """Return the MurmurHash3 (x86, 32 bits) of *data* as an unsigned number, by Python alone.

    Args:
        seed: an unsigned 32-bit number.

    Raises:
        ValueError: *seed* is out of range.
    """
    if not 0 <= seed <= _MASK:
        raise ValueError(f"the seed {seed} is not an unsigned 32-bit number")
    state = seed
    whole = len(data) & ~3
    for (block,) in _BLOCK.iter_unpack(data[:whole]):
        state ^= _scattered(block)
        state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & _MASK
    state ^= _scattered(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def _scattered(block: int) -> int:
    """Return four bytes, spread over all 32 bits; nothing stays nothing."""
    block = block * 0xCC9E2D51 & _MASK
    return (block << 15 | block >> 17) * 0x1B873593 & _MASK


murmur3: Callable[[int, bytes], int] = pure_murmur3
"""Return the MurmurHash3 (x86, 32 bits), under an unsigned 32-bit seed, of some data.

Compiled where the package ``mmh3`` is installed (the extra ``bitpeer[fast]``),
otherwise `pure_murmur3`: the same numbers, later.
"""

BACKEND = "python"
"""What runs `murmur3`: ``"mmh3"`` or ``"python"``."""

with suppress(ImportError):
    from mmh3 import mmh3_32_uintdigest

    def _compiled(seed: int, data: bytes) -> int:
        return mmh3_32_uintdigest(data, seed)

    murmur3, BACKEND = _compiled, "mmh3"
