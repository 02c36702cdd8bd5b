"""BLAKE3, unkeyed, 32 bytes: the hash of Decred's proof of work (DCP 0011).

The Python form is meant for block headers and the like: it is correct for every
length, and takes about a tenth of a millisecond for each 64 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from struct import Struct

_CHUNK, _BLOCK = 1024, 64
_START, _END, _PARENT, _ROOT = 1, 2, 4, 8
_ROUNDS = 7
_MASK = 0xFFFF_FFFF
_WORDS = Struct("<16I").unpack
_EIGHT = Struct("<8I").pack
_INITIAL = Struct(">8I").unpack(
    bytes.fromhex("6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19")
)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MIXED = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
"""Which words of the state each step of a round mixes: columns, then diagonals."""

Chain = tuple[int, ...]


def _compress(chain: Chain, block: bytes, counter: int, flags: int) -> Chain:
    """Return the eight words that stand for *chain* and the *block* after it."""
    m = _WORDS(block.ljust(_BLOCK, b"\0"))
    v = [*chain, *_INITIAL[:4], counter & _MASK, counter >> 32, len(block), flags]
    for _ in range(_ROUNDS):
        for at, (i, j, k, n) in enumerate(_MIXED):
            a, b, c, d = v[i], v[j], v[k], v[n]
            a = a + b + m[2 * at] & _MASK
            d ^= a
            d = (d >> 16 | d << 16) & _MASK
            c = c + d & _MASK
            b ^= c
            b = (b >> 12 | b << 20) & _MASK
            a = a + b + m[2 * at + 1] & _MASK
            d ^= a
            d = (d >> 8 | d << 24) & _MASK
            c = c + d & _MASK
            b ^= c
            v[i], v[j], v[k], v[n] = a, (b >> 7 | b << 25) & _MASK, c, d
        m = tuple(m[at] for at in _PERMUTATION)
    return tuple(v[at] ^ v[at + 8] for at in range(8))


def _chunk(data: bytes, counter: int, last_flags: int) -> Chain:
    """Return what stands for one chunk: at most 1,024 bytes, hashed one block after the other."""
    chain, flags = _INITIAL, _START
    stop = max(0, len(data) - 1) // _BLOCK * _BLOCK
    for at in range(0, stop, _BLOCK):
        chain = _compress(chain, data[at : at + _BLOCK], counter, flags)
        flags = 0
    return _compress(chain, data[stop:], counter, flags | _END | last_flags)


def _subtree(data: bytes, counter: int, last_flags: int) -> Chain:
    """Return what stands for *data*; the left half is as large as a full tree can be."""
    if len(data) <= _CHUNK:
        return _chunk(data, counter, last_flags)
    chunks = 1 << ((len(data) - 1) // _CHUNK).bit_length() - 1
    left = _subtree(data[: chunks * _CHUNK], counter, 0)
    right = _subtree(data[chunks * _CHUNK :], counter + chunks, 0)
    return _compress(_INITIAL, _EIGHT(*left) + _EIGHT(*right), 0, _PARENT | last_flags)


def pure_blake3(data: bytes) -> bytes:
    """Return the BLAKE3 of *data*, 32 bytes in wire order, by Python alone."""
    return _EIGHT(*_subtree(bytes(data), 0, _ROOT))


blake3: Callable[[bytes], bytes] = pure_blake3
"""Return the BLAKE3 of some data: 32 bytes, wire order.

Compiled where the package ``blake3`` is installed (the extra ``bitpeer[fast]``),
otherwise `pure_blake3`: the same bytes, much later.
"""

BLAKE3_BACKEND = "python"
"""What runs `blake3`: ``"blake3"`` or ``"python"``."""

with suppress(ImportError):
    from blake3 import blake3 as _compiled

    def _blake3(data: bytes) -> bytes:
        return _compiled(data).digest()

    blake3, BLAKE3_BACKEND = _blake3, "blake3"
