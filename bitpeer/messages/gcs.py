"""Golomb-coded sets: byte strings in a few bits each, which answer "perhaps" or "no" (BIP 158).

Theory of operation: every element is hashed to a number below count x 784,931,
so a number that was not put in is found there by accident once in 784,931
tries.  The numbers are sorted and only their differences are kept, each as a
quotient in unary (ones, then a zero) and a remainder of 19 bits.  In Python the
fast way through such a stream is text: the whole of it becomes one string of
ones and zeros, in which `str.index` finds the end of every quotient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from bitpeer.errors import TrailingBytes, Truncated, Unencodable
from bitpeer.hashes.siphash import siphash
from bitpeer.messages.filters import MAX_FILTER_BYTES
from bitpeer.wire.compactsize import read_count, write_compact_size

INVERSE_RATE = 784_931
"""One query in so many finds what was never put in; M in BIP 158."""
REMAINDER_BITS = 19
"""P in BIP 158."""
KEY_SIZE = 16

_MIN_BITS = REMAINDER_BITS + 1
MAX_ELEMENTS = MAX_FILTER_BYTES * 8 // _MIN_BITS
"""More than this many elements fit into no filter that can be sent."""

_ONES = (1 << REMAINDER_BITS) - 1


class CodedSet:
    """A set of byte strings of which only membership can be asked, and only roughly.

    Args:
        key: 16 bytes of something that names the block; more are ignored.
        encoding: the filter as messages carry it.

    Raises:
        DecodeError: *encoding* claims more elements than it has room for.
    """

    __slots__ = ("_key", "_start", "count", "encoding")

    def __init__(self, key: bytes, encoding: bytes) -> None:
        self._key = key[:KEY_SIZE]
        self.encoding = encoding
        """The filter as messages carry it."""
        self.count, self._start = read_count(encoding, 0, MAX_ELEMENTS, 0)
        needed, available = self.count * _MIN_BITS, (len(encoding) - self._start) * 8
        if needed > available:
            raise Truncated((needed + 7) // 8, available // 8)

    @classmethod
    def of(cls, key: bytes, elements: Iterable[bytes]) -> Self:
        """Return the filter that holds *elements*; what occurs twice counts once.

        Args:
            key: 16 bytes of something that names the block; more are ignored.

        Raises:
            Unencodable: there are more elements than a message can carry.
        """
        distinct = set(elements)
        if len(distinct) > MAX_ELEMENTS:
            raise Unencodable("filter", f"{len(distinct)} elements exceed {MAX_ELEMENTS}")
        numbers = sorted(_numbers(key[:KEY_SIZE], distinct, len(distinct)))
        return cls(key, write_compact_size(len(distinct)) + pack_numbers(numbers))

    def matches(self, element: bytes) -> bool:
        """Whether *element* is in the set: "no" is certain, "yes" is not.

        Raises:
            DecodeError: the filter is malformed.
        """
        return self.matches_any((element,))

    def matches_any(self, elements: Iterable[bytes]) -> bool:
        """Whether any of *elements* is in the set: "no" is certain, "yes" is not.

        Asking for all of a wallet's scripts at once costs little more than asking for one.

        Raises:
            DecodeError: the filter is malformed, which is noticed on the way to a "no" only.
        """
        wanted = set(_numbers(self._key, elements, self.count))
        if not wanted:
            return False
        return not wanted.isdisjoint(self.numbers())

    def numbers(self) -> Iterator[int]:
        """Yield the hashes of all elements, in ascending order.

        Raises:
            DecodeError: the filter is malformed.
        """
        return unpack_numbers(self.encoding[self._start :], self.count)


def pack_numbers(numbers: Iterable[int]) -> bytes:
    """Return the Golomb-Rice code of *numbers*, which must ascend."""
    bits, last = [], 0
    for number in numbers:
        step = number - last
        last = number
        quotient = step >> REMAINDER_BITS
        bits.append(f"{((1 << quotient) - 1) << _MIN_BITS | step & _ONES:0{_MIN_BITS}b}")
    text = "".join(bits)
    size = (len(text) + 7) // 8
    return int(text.ljust(size * 8, "0") or "0", 2).to_bytes(size, "big")


def unpack_numbers(data: bytes, count: int) -> Iterator[int]:
    """Yield the *count* numbers whose Golomb-Rice code is *data*.

    Raises:
        Truncated: *data* ends inside a number.
        TrailingBytes: a byte or more of *data* is left over.
    """
    text = f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}" if data else ""
    index, number, pos = text.index, 0, 0
    for _ in range(count):
        try:
            zero = index("0", pos)
        except ValueError:
            raise Truncated(len(data) + 1, len(data)) from None
        quotient = zero - pos
        pos = zero + _MIN_BITS
        if pos > len(text):
            raise Truncated((pos + 7) // 8, len(data))
        number += (quotient << REMAINDER_BITS) + int(text[zero + 1 : pos], 2)
        yield number
    if len(text) - pos >= 8:
        raise TrailingBytes((len(text) - pos) // 8)


def _numbers(key: bytes, elements: Iterable[bytes], count: int) -> Iterator[int]:
    """Yield the number of each of *elements* in a filter of *count* elements."""
    top = count * INVERSE_RATE
    return (siphash(key, element) * top >> 64 for element in elements)
