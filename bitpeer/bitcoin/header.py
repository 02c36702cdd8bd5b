"""Block headers: one, and up to two thousand in a message."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import ClassVar, NamedTuple, Self

from bitpeer.errors import Truncated
from bitpeer.hashes import hash_to_text, sha256d
from bitpeer.messages.target import target_of
from bitpeer.wire.compactsize import read_compact_size, read_count, write_compact_size
from bitpeer.wire.fields import Fixed
from bitpeer.wire.message import Message
from bitpeer.wire.vector import Packing, vector_codec

HEADER_SIZE = 80
"""Bytes of a block header."""
MAX_HEADERS = 2_000
"""Most headers in one message."""

_FIELDS = {
    "version": Fixed("i"),
    "previous_hash": Fixed("32s"),
    "merkle_root": Fixed("32s"),
    "time": Fixed("I"),
    "bits": Fixed("I"),
    "nonce": Fixed("I"),
}
_ENTRY_SIZE = HEADER_SIZE + 1
_unpack = Struct("<i32s32sIII").unpack_from
_make = tuple.__new__


class _Fields(NamedTuple):
    """What a block header holds."""

    version: int
    """Signed; its bits are votes (BIP 9)."""
    previous_hash: bytes
    """The block before this one, 32 bytes in wire order."""
    merkle_root: bytes
    """The root over the txids of the block, 32 bytes in wire order."""
    time: int
    """Seconds since 1970, as the miner saw it."""
    bits: int
    """The target, in a compact form: see `target`."""
    nonce: int
    """What the miner turned until the hash met the target."""


class BlockHeader(_Fields):
    """The 80 bytes that a block's hash is made of."""

    __slots__ = ()

    __packing__: ClassVar[Packing[BlockHeader]] = Packing(
        "BlockHeader", _FIELDS, lambda values: _make(BlockHeader, values), tuple
    )
    min_size: ClassVar[int] = HEADER_SIZE
    max_size: ClassVar[int] = HEADER_SIZE

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read the header at *pos*; return it and the position after it.

        Raises:
            Truncated: fewer than 80 bytes are left.
        """
        end = pos + HEADER_SIZE
        if end > len(data):
            raise Truncated(HEADER_SIZE, len(data) - pos)
        return _make(cls, _unpack(data, pos)), end

    def encode(self) -> bytes:
        """Return the 80 bytes.

        Raises:
            Unencodable: a field does not fit.
        """
        return self.__packing__.pack(self)

    @property
    def hash(self) -> bytes:
        """The block's hash, 32 bytes in wire order; computed each time."""
        return sha256d(self.encode())

    @property
    def target(self) -> int:
        """The largest hash, as a number, that this header may have; 0 if `bits` make no sense."""
        return target_of(self.bits)

    def meets_target(self, limit: int = (1 << 256) - 1) -> bool:
        """Whether the hash is as small as the header says it must be.

        Args:
            limit: the easiest target that the network allows.
        """
        target = self.target
        return 0 < target <= limit and int.from_bytes(self.hash, "little") <= target

    def __repr__(self) -> str:
        return f"<BlockHeader {hash_to_text(self.hash)}>"


# In a message each header is followed by the number of its transactions: a size that is
# always 0, for there are none.
_ENTRY: Packing[BlockHeader] = Packing(
    "BlockHeader",
    {**_FIELDS, "transaction_count": Fixed("B")},
    lambda values: _make(BlockHeader, values[:-1]),
    lambda header: (*header, 0),
)
_read_entries, _write_entries = vector_codec(_ENTRY, MAX_HEADERS, "Headers.headers")


class Headers(Message):
    """Block headers, asked for with `getheaders` or new (BIP 130).

    They stay bytes until somebody looks at them.  As in the reference node,
    transaction counts other than 0 are tolerated, and forgotten.

    Raises:
        Unencodable: a field of a header does not fit, or there are too many headers.
    """

    __slots__ = ("_data", "headers")

    command = "headers"
    min_size = 1
    max_size = 3 + MAX_HEADERS * (HEADER_SIZE + 9)

    headers: Sequence[BlockHeader]
    """The headers, each made when it is asked for."""

    def __init__(self, headers: Sequence[BlockHeader]) -> None:
        self._data = _write_entries(headers)
        self.headers, _ = _read_entries(self._data, 0)

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read one value at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is no such value at *pos*.
        """
        start = pos
        count, pos = read_count(data, pos, MAX_HEADERS, _ENTRY_SIZE)
        end = pos + count * _ENTRY_SIZE
        if data[pos + HEADER_SIZE : end : _ENTRY_SIZE].count(0) == count:
            data = data[start:end]
        else:
            data, end = _without_counts(data, pos, count)
        self = object.__new__(cls)
        self._data = data
        self.headers, _ = _read_entries(data, 0)
        return self, end

    def encode(self) -> bytes:
        """Return the payload, with transaction counts of 0."""
        return self._data

    def hashes(self) -> list[bytes]:
        """Return the hashes of all the blocks, wire order, without making the headers."""
        data = self._data
        start = len(data) - len(self.headers) * _ENTRY_SIZE
        return [sha256d(data[at : at + HEADER_SIZE]) for at in range(start, len(data), _ENTRY_SIZE)]

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<Headers, {len(self.headers)} of them>"


def _without_counts(data: bytes, pos: int, count: int) -> tuple[bytes, int]:
    """Return *count* headers as they should have been sent, and the position after them."""
    pieces = [write_compact_size(count)]
    for _ in range(count):
        end = pos + HEADER_SIZE
        pieces += data[pos:end], b"\0"
        _, pos = read_compact_size(data, end)
    return b"".join(pieces), pos
