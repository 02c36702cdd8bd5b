"""What Jax.Network has on the wire that Bitcoin has not: big integers, lists of bare hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.wire.compactsize import (
    read_compact_size,
    read_count,
    write_compact_size,
)
from bitpeer.wire.compiler import Codec

MAX_BIG_INT = 64
"""Most bytes of a big integer; the work of 2**32 blocks, each as hard as can be, has 38."""
MAX_HASHES = 24_576
"""Most hashes of a proof in a header: a block has no room for more.  jaxnetd sets no limit."""
HASH_SIZE = 32


def read_big_int(data: bytes, pos: int) -> tuple[int, int]:
    """Read a number, 0 <= n < 2**512, that says its length twice and has its high byte first.

    jaxnetd believes the second length and reads numbers that begin with zeros,
    but writes neither: both are refused here, so that what was read is
    written as it came.

    Raises:
        DecodeError: there is no such number at *pos*.
    """
    length, pos = read_compact_size(data, pos)
    start = pos + 4
    if start > len(data):
        raise Truncated(4, len(data) - pos)
    if int.from_bytes(data[pos:start], "little") != length:
        raise InvalidValue("big integer", "of two lengths")
    if length > MAX_BIG_INT:
        raise LimitExceeded(length, MAX_BIG_INT)
    end = start + length
    if end > len(data):
        raise Truncated(length, len(data) - start)
    if length and not data[start]:
        raise InvalidValue("big integer", "one that begins with zeros")
    return int.from_bytes(data[start:end], "big"), end


def write_big_int(value: int) -> bytes:
    """Return the wire form of *value*.

    Raises:
        Unencodable: it is negative, or has more than 64 bytes.
    """
    length = (value.bit_length() + 7) // 8
    if value < 0 or length > MAX_BIG_INT:
        raise Unencodable("big integer", f"it must be from 0 to {MAX_BIG_INT} bytes long")
    prefix = write_compact_size(length) + length.to_bytes(4, "little")
    return prefix + value.to_bytes(length, "big")


BigInt = Annotated[int, Codec(read_big_int, write_big_int, 5, 5 + MAX_BIG_INT)]
"""An unsigned number without a fixed size."""

CompactSize = Annotated[int, Codec(read_compact_size, write_compact_size, 1, 9)]
"""A number that is written as sizes are."""


def read_hashes(data: bytes, pos: int) -> tuple[tuple[bytes, ...], int]:
    """Read a counted list of hashes.

    Raises:
        DecodeError: there is no such list at *pos*.
    """
    count, pos = read_count(data, pos, MAX_HASHES, HASH_SIZE)
    end = pos + count * HASH_SIZE
    return tuple(data[at : at + HASH_SIZE] for at in range(pos, end, HASH_SIZE)), end


def write_hashes(hashes: Sequence[bytes]) -> bytes:
    """Return the wire form of a list of hashes.

    Raises:
        Unencodable: they are too many, or one has not 32 bytes.
    """
    if len(hashes) > MAX_HASHES:
        raise Unencodable("hashes", f"{len(hashes)} items exceed the limit of {MAX_HASHES}")
    if any(len(each) != HASH_SIZE for each in hashes):
        raise Unencodable("hashes", "one is not 32 bytes long")
    return write_compact_size(len(hashes)) + b"".join(hashes)


Hashes = Annotated[
    Sequence[bytes], Codec(read_hashes, write_hashes, 1, 3 + MAX_HASHES * HASH_SIZE, counted=True)
]
"""Hashes in wire order; what their number should be, only the chain knows."""
