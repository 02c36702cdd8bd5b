"""The hash functions that networks use for identities and checksums."""

from __future__ import annotations

from hashlib import sha256


def sha256d(data: bytes) -> bytes:
    """Return SHA-256 of SHA-256 of *data*: 32 bytes, wire order."""
    return sha256(sha256(data).digest()).digest()
