"""Names of onion services of version 3, and the public keys that they stand for."""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha3_256

ONION = ".onion"
_VERSION = b"\x03"


def onion_name(key: bytes) -> str:
    """Return the name of the service whose public key, 32 bytes, is *key*."""
    return to_base32(key + _checksum(key) + _VERSION) + ONION


def onion_key(name: str) -> bytes:
    """Return the public key, 32 bytes, of the service that is called *name*, in lower case.

    Raises:
        ValueError: *name* is no such name.
    """
    raw = parse_base32(name, ONION, 35)
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    if version != _VERSION or checksum != _checksum(key):
        raise ValueError(f"{name!r} is no onion name: its checksum is wrong")
    return key


def to_base32(data: bytes) -> str:
    """Return *data* in base32, in lower case and without padding."""
    return b32encode(data).decode("ascii").rstrip("=").lower()


def parse_base32(name: str, suffix: str, size: int) -> bytes:
    """Return the *size* bytes that stand before *suffix*; only their one proper spelling counts.

    Raises:
        ValueError: there are no such bytes.
    """
    digits = name.removesuffix(suffix)
    padding = "=" * (-len(digits) % 8)
    try:
        data = b32decode((digits + padding).upper())
    except ValueError:
        data = b""
    if len(data) != size or to_base32(data) != digits:
        raise ValueError(f"{name!r} is no {suffix} name")
    return data


def _checksum(key: bytes) -> bytes:
    return sha3_256(b".onion checksum" + key + _VERSION).digest()[:2]
