"""The difficulty of proof of work, as block headers carry it."""

from __future__ import annotations


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
