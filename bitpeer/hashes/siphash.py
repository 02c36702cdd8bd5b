"""SipHash-2-4: the keyed hash behind short transaction ids and compact filters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from struct import Struct

_KEY = Struct("<QQ")
_WORD = Struct("<Q")
_MASK = 0xFFFF_FFFF_FFFF_FFFF


def pure_siphash(key: bytes, data: bytes) -> int:
    """Return the SipHash-2-4 of *data* as an unsigned 64-bit number, by Python alone.

    Raises:
        ValueError: *key* is not 16 bytes long.
    """
    if len(key) != _KEY.size:
        raise ValueError(f"a SipHash key has 16 bytes, not {len(key)}")
    k0, k1 = _KEY.unpack(key)
    v0, v1 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    v2, v3 = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    # The last byte of the last word is the length; zeros fill the gap before it.
    padded = b"".join((data, bytes(7 - len(data) % 8), bytes((len(data) & 0xFF,))))
    for (word,) in _WORD.iter_unpack(padded):
        v0, v1, v2, v3 = _rounds(2, v0, v1, v2, v3 ^ word)
        v0 ^= word
    v0, v1, v2, v3 = _rounds(4, v0, v1, v2 ^ 0xFF, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    """Stir the four words of the state *count* times."""
    mask = _MASK
    for _ in range(count):
        v0 = (v0 + v1) & mask
        v1 = ((v1 << 13 | v1 >> 51) & mask) ^ v0
        v2 = (v2 + v3) & mask
        v3 = ((v3 << 16 | v3 >> 48) & mask) ^ v2
        v0 = ((v0 << 32 | v0 >> 32) + v3) & mask
        v3 = ((v3 << 21 | v3 >> 43) & mask) ^ v0
        v2 = (v2 + v1) & mask
        v1 = ((v1 << 17 | v1 >> 47) & mask) ^ v2
        v2 = (v2 << 32 | v2 >> 32) & mask
    return v0, v1, v2, v3


siphash: Callable[[bytes, bytes], int] = pure_siphash
"""Return the SipHash-2-4, under a 16-byte key, of some data: an unsigned 64-bit number.

Compiled where the package ``siphashc`` is installed (the extra
``bitpeer[fast]``), otherwise `pure_siphash`: the same numbers, much later.
"""

BACKEND = "python"
"""What runs `siphash`: ``"siphashc"`` or ``"python"``."""

with suppress(ImportError):
    import siphashc

    siphash, BACKEND = siphashc.siphash, "siphashc"
