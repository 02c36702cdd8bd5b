"""Memory for large messages that come one after the other."""

from __future__ import annotations

from functools import cache

EXPECTED = 8 << 20
"""Bytes that the C library is to think nothing of: those of the largest block, twice."""


@cache
def keep_room() -> None:
    """Have the C library keep memory for the next block instead of giving it back to the system.

    The GNU library gives back what is free at the end of its heap when that is more than
    twice the largest piece that was ever given back.  A block and the pieces that it is put
    together from are about as much, so each block might need memory mapped anew, page by
    page, which takes longer than to hash it.  Once something larger has been given back,
    twice of that may lie idle.  Other libraries pay no heed.
    """
    bytes(EXPECTED)  # zeros that nobody looks at take no memory
