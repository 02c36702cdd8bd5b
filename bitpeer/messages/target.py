"""The difficulty of proof of work, as block headers carry it."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(4_096)
def target_of(bits: int) -> int:
    """Return the largest hash, as a number, that *bits* allow; 0 if they make no sense.

    They are a floating-point number: one byte of exponent to the base of 256, one
    bit of sign, 23 bits of mantissa.  It makes no sense below 0 or beyond 256 bits.
    """
    exponent, mantissa = bits >> 24, bits & 0x7F_FFFF
    if bits & 0x80_0000:
        return 0
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    return target if target < 1 << 256 else 0


def bits_of(target: int) -> int:
    """Return the *bits* that come nearest to *target*, 0 or more, from below."""
    exponent = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (exponent - 3) if exponent > 3 else target << 8 * (3 - exponent)
    if mantissa & 0x80_0000:  # that bit is the sign
        mantissa, exponent = mantissa >> 8, exponent + 1
    return exponent << 24 | mantissa if target else 0


@lru_cache(4_096)
def work_of(bits: int) -> int:
    """Return how many hashes a block with these *bits* takes on average; 0 if they make no sense.

    Of two chains the one with more work in all counts.
    """
    target = target_of(bits)
    return (1 << 256) // (target + 1) if target else 0
