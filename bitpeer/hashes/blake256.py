"""BLAKE-256, the SHA-3 finalist, with its final 14 rounds and no salt: compiled, or in Python.

Theory of operation of the Python form: the state of four rows of four 32-bit
words is kept as four integers, each word in a lane of 64 bits.  One operation on
such integers does four columns at once, and the spare half of each lane takes the
carries.  The diagonal steps turn the rows by whole lanes before and after.  The
words of a message, in the order of all ten permutations and already mixed with
the constants, are laid out as bytes once for each block; every half step then
takes its four as one integer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from struct import Struct
from typing import Protocol as Shape

BLOCK_SIZE = 64
"""Bytes hashed in one step."""

_INITIAL = bytes.fromhex("6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19")
_PI = bytes.fromhex(
    "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89"
    "452821e638d01377be5466cf34e90c6cc0ac29b7c97c50dd3f84d5b5b5470917"
)
_PERMUTATIONS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_ROUNDS = 14

_WORDS = Struct(">16I").unpack_from
_EIGHT = Struct(">8I")
_LANES = Struct("<160Q").pack
_ROW = 32  # bytes
_number = int.from_bytes
_MASK = 0xFFFF_FFFF * (1 | 1 << 64 | 1 << 128 | 1 << 192)


def _lanes(words: tuple[int, ...]) -> int:
    return sum(word << 64 * lane for lane, word in enumerate(words))


def _words(row: int) -> tuple[int, ...]:
    return tuple(row >> 64 * lane & 0xFFFF_FFFF for lane in range(4))


# Each round has four half steps; for each the words that its four columns take.
_HALVES = ((0, 2, 4, 6), (1, 3, 5, 7), (8, 10, 12, 14), (9, 11, 13, 15))
_ORDER = itemgetter(*(order[at] for order in _PERMUTATIONS for half in _HALVES for at in half))
# A word is mixed with the constant that its partner in the pair would choose.
_PARTNERS = itemgetter(
    *(order[at ^ 1] for order in _PERMUTATIONS for half in _HALVES for at in half)
)
_CONSTANTS = int.from_bytes(_LANES(*_PARTNERS(_WORDS(_PI))), "little")
_ROW_2 = _lanes(_WORDS(_PI)[:4])
_ROW_3 = _lanes(_WORDS(_PI)[4:8])
_TOP_1 = _MASK ^ _MASK >> 64  # the highest lane
_TOP_2 = _MASK ^ _MASK >> 128
_TOP_3 = _MASK ^ _MASK >> 192
_COUNTER_LOW, _COUNTER_HIGH = 1 | 1 << 64, 1 << 128 | 1 << 192


def _compress(a: int, b: int, data: bytes, pos: int, bits: int) -> tuple[int, int]:
    """Hash the block at *pos* of *data*; return what becomes of *a* and *b*.

    Args:
        a: the first four words of the chain value, one in each lane.
        b: the other four.
        bits: of the message, up to the end of this block; 0 if none is in it.
    """
    mask, top_1, top_2, top_3 = _MASK, _TOP_1, _TOP_2, _TOP_3
    words = (_number(_LANES(*_ORDER(_WORDS(data, pos))), "little") ^ _CONSTANTS).to_bytes(
        1280, "little"
    )
    rows = [_number(words[at : at + _ROW], "little") for at in range(0, 1280, _ROW)]
    rounds = [*zip(*[iter(rows)] * 4, strict=True)]
    c = _ROW_2
    d = _ROW_3 ^ ((bits & 0xFFFF_FFFF) * _COUNTER_LOW | (bits >> 32) * _COUNTER_HIGH)
    first_a, first_b = a, b
    for one, two, three, four in rounds + rounds[: _ROUNDS - 10]:
        # Columns.
        a = a + b + one & mask
        d ^= a
        d = (d >> 16 | d << 16) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 12 | b << 20) & mask
        a = a + b + two & mask
        d ^= a
        d = (d >> 8 | d << 24) & mask
        c = c + d & mask
        b ^= c
        # Diagonals: the turn of b by a lane is one with its turn by bits.
        b |= b << 256
        b = (b >> 71 | b >> 39) & mask
        c = c >> 128 | c << 128 & top_2
        d = d >> 192 | d << 64 & top_3
        a = a + b + three & mask
        d ^= a
        d = (d >> 16 | d << 16) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 12 | b << 20) & mask
        a = a + b + four & mask
        d ^= a
        d = (d >> 8 | d << 24) & mask
        c = c + d & mask
        b ^= c
        b |= b << 256
        b = (b >> 199 | b >> 167) & mask
        c = c >> 128 | c << 128 & top_2
        d = d >> 64 | d << 192 & top_1
    return first_a ^ a ^ c, first_b ^ b ^ d


class PureBlake256:
    """A BLAKE-256 that takes its input piece by piece, by Python alone.

    Args:
        data: the first piece.
    """

    __slots__ = ("_a", "_b", "_bits", "_tail")

    def __init__(self, data: bytes = b"") -> None:
        words = _EIGHT.unpack(_INITIAL)
        self._a, self._b = _lanes(words[:4]), _lanes(words[4:])
        self._bits = 0
        self._tail = b""
        self.update(data)

    def update(self, data: bytes) -> None:
        """Go on with *data*."""
        data = b"".join((self._tail, data))
        whole = len(data) - len(data) % BLOCK_SIZE
        a, b, bits = self._a, self._b, self._bits
        for pos in range(0, whole, BLOCK_SIZE):
            bits += 8 * BLOCK_SIZE
            a, b = _compress(a, b, data, pos, bits)
        self._a, self._b, self._bits, self._tail = a, b, bits, data[whole:]

    def digest(self) -> bytes:
        """Return the hash of what came so far, 32 bytes."""
        a, b, tail = self._a, self._b, self._tail
        bits = self._bits + 8 * len(tail)
        # A one, zeros, a one, and the length of the message in bits.
        gap = 54 - len(tail) if len(tail) <= 55 else 118 - len(tail)
        end = b"\x80" + bytes(gap) + b"\x01" if gap >= 0 else b"\x81"
        last = b"".join((tail, end, bits.to_bytes(8, "big")))
        for pos in range(0, len(last), BLOCK_SIZE):
            a, b = _compress(a, b, last, pos, bits if pos < len(tail) else 0)
        return _EIGHT.pack(*_words(a), *_words(b))

    def copy(self) -> PureBlake256:
        """Return a second hasher that has seen the same."""
        other = PureBlake256()
        other._a, other._b, other._bits, other._tail = self._a, self._b, self._bits, self._tail
        return other


def pure_blake256(data: bytes) -> bytes:
    """Return the BLAKE-256 of *data*, 32 bytes in wire order, by Python alone."""
    return PureBlake256(data).digest()


class Blake256Like(Shape):
    """What every BLAKE-256 that takes its input piece by piece has."""

    def update(self, data: bytes, /) -> None:
        """Go on with *data*."""

    def digest(self) -> bytes:
        """Return the hash of what came so far, 32 bytes."""

    def copy(self) -> Blake256Like:
        """Return a second hasher that has seen the same."""


blake256: Callable[[bytes], bytes] = pure_blake256
"""Return the BLAKE-256 of some data: 32 bytes, wire order.

Compiled, and without the GIL for large inputs, where a C compiler was at hand when
this package was installed; otherwise `pure_blake256`: the same bytes, 200 times later.
"""

Blake256: Callable[..., Blake256Like] = PureBlake256
"""Makes a BLAKE-256 that takes its input piece by piece: the same, compiled if possible."""

BLAKE256_BACKEND = "python"
"""What runs `blake256`: ``"c"`` or ``"python"``."""

with suppress(ImportError):
    from bitpeer.hashes import _blake256

    blake256, Blake256, BLAKE256_BACKEND = _blake256.blake256, _blake256.Blake256, "c"
