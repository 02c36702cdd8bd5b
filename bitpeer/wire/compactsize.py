"""The variable-length integer that prefixes every list and every byte string."""

from __future__ import annotations

from struct import Struct, error as struct_error

from bitpeer.errors import LimitExceeded, NonCanonical, Truncated, Unencodable

_LONG = {
    0xFD: (Struct("<H").unpack_from, 2, 0xFD),
    0xFE: (Struct("<I").unpack_from, 4, 0x1_0000),
    0xFF: (Struct("<Q").unpack_from, 8, 0x1_0000_0000),
}
"""First byte: what reads the bytes that follow, how many they are, and the smallest value that
needs them."""


def read_compact_size(data: bytes, pos: int) -> tuple[int, int]:
    """Read one compact size at *pos*.

    Returns:
        The value and the position after it.

    Raises:
        Truncated: *data* ends inside the integer.
        NonCanonical: a shorter encoding of the same value exists.
    """
    if pos >= len(data):
        raise Truncated(1, 0)
    first = data[pos]
    pos += 1
    if first < 0xFD:
        return first, pos
    unpack, width, smallest = _LONG[first]
    try:
        (value,) = unpack(data, pos)
    except struct_error:
        raise Truncated(width, len(data) - pos) from None
    if value < smallest:
        raise NonCanonical(value)
    return value, pos + width


def read_count(data: bytes, pos: int, limit: int, size: int) -> tuple[int, int]:
    """Read the count that opens a list, and refuse it before anything is allocated.

    Args:
        limit: the most items the protocol allows.
        size: the fewest bytes one item can have.

    Raises:
        LimitExceeded: more than *limit* items are claimed.
        Truncated: more items are claimed than the bytes that are left can hold.
    """
    count, pos = read_compact_size(data, pos)
    if count > limit:
        raise LimitExceeded(count, limit)
    if count * size > len(data) - pos:
        raise Truncated(count * size, len(data) - pos)
    return count, pos


def read_bytes(data: bytes, pos: int, limit: int) -> tuple[bytes, int]:
    """Read a length-prefixed byte string of at most *limit* bytes.

    Raises:
        LimitExceeded: more than *limit* bytes are claimed.
        Truncated: more bytes are claimed than are left.
    """
    length, pos = read_count(data, pos, limit, 1)
    end = pos + length
    return data[pos:end], end


def write_compact_size(value: int) -> bytes:
    """Return the shortest encoding of *value*, 0 <= value < 2**64.

    Raises:
        Unencodable: *value* is outside that range.
    """
    if value < 0xFD:
        if value < 0:
            raise Unencodable("compact size", "it must be 0 or more")
        return bytes((value,))
    if value <= 0xFFFF:
        return b"\xfd" + value.to_bytes(2, "little")
    if value <= 0xFFFF_FFFF:
        return b"\xfe" + value.to_bytes(4, "little")
    if value <= 0xFFFF_FFFF_FFFF_FFFF:
        return b"\xff" + value.to_bytes(8, "little")
    raise Unencodable("compact size", "it must be below 2**64")


def compact_size_length(value: int) -> int:
    """Return how many bytes the shortest encoding of *value* has."""
    if value < 0xFD:
        return 1
    if value <= 0xFFFF:
        return 3
    return 5 if value <= 0xFFFF_FFFF else 9
