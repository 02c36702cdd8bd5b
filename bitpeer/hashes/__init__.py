"""The hash functions that networks use for identities and checksums."""

from __future__ import annotations

from hashlib import sha256


def sha256d(data: bytes) -> bytes:
    """Return SHA-256 of SHA-256 of *data*: 32 bytes, wire order."""
    return sha256(sha256(data).digest()).digest()


def hash_to_text(value: bytes) -> str:
    """Return a hash as people write it: 64 hexadecimal digits, the last byte first."""
    return value[::-1].hex()


def hash_from_text(text: str) -> bytes:
    """Return the 32 bytes, in wire order, of a hash as people write it.

    Raises:
        ValueError: *text* is not 64 hexadecimal digits.
    """
    value = bytes.fromhex(text)
    if len(text) != 64 or len(value) != 32:
        raise ValueError(f"a hash has 64 hexadecimal digits, {text!r:.80} has not")
    return value[::-1]
