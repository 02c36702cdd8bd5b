"""Block headers: one, and up to two thousand in a message."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import ClassVar, NamedTuple, Self

from bitpeer.errors import InvalidValue, Truncated
from bitpeer.hashes import hash_to_text
from bitpeer.hashes.blake3 import blake3
from bitpeer.hashes.blake256 import blake256
from bitpeer.messages.target import target_of
from bitpeer.wire.compactsize import read_count
from bitpeer.wire.fields import Fixed
from bitpeer.wire.message import Message
from bitpeer.wire.vector import Packing, vector_codec

HEADER_SIZE = 180
"""Bytes of a block header."""
MAX_HEADERS = 2_000
"""Most headers in one message."""

_FIELDS = {
    "version": Fixed("i"),
    "previous_hash": Fixed("32s"),
    "merkle_root": Fixed("32s"),
    "stake_root": Fixed("32s"),
    "vote_bits": Fixed("H"),
    "final_state": Fixed("6s"),
    "voters": Fixed("H"),
    "fresh_stake": Fixed("B"),
    "revocations": Fixed("B"),
    "pool_size": Fixed("I"),
    "bits": Fixed("I"),
    "stake_bits": Fixed("q"),
    "height": Fixed("I"),
    "size": Fixed("I"),
    "time": Fixed("I"),
    "nonce": Fixed("I"),
    "extra_data": Fixed("32s"),
    "stake_version": Fixed("I"),
}
_ENTRY_SIZE = HEADER_SIZE + 1
_unpack = Struct("<" + "".join(field.code for field in _FIELDS.values())).unpack_from
_make = tuple.__new__


class _Fields(NamedTuple):
    """What a block header holds."""

    version: int
    previous_hash: bytes = bytes(32)
    """The block before this one, 32 bytes in wire order."""
    merkle_root: bytes = bytes(32)
    """The root over the transactions, wire order: over both trees since DCP 0005, over the
    regular one before."""
    stake_root: bytes = bytes(32)
    """The root over the commitments since DCP 0005; over the stake tree before.  Wire order."""
    vote_bits: int = 0
    final_state: bytes = bytes(6)
    """Of the lottery that draws the tickets."""
    voters: int = 0
    """How many votes are in the block."""
    fresh_stake: int = 0
    """How many tickets are bought in it."""
    revocations: int = 0
    pool_size: int = 0
    """How many tickets wait to be drawn."""
    bits: int = 0
    """The target, in a compact form: see `target`."""
    stake_bits: int = 0
    """The price of a ticket, in atoms."""
    height: int = 0
    size: int = 0
    """Bytes of the whole block."""
    time: int = 0
    """Seconds since 1970, as the miner saw it."""
    nonce: int = 0
    """What the miner turned until the hash met the target."""
    extra_data: bytes = bytes(32)
    """The miner's, to turn as well."""
    stake_version: int = 0
    """What the voters vote on."""


class BlockHeader(_Fields):
    """The 180 bytes that a block's hash is made of."""

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
            Truncated: fewer than 180 bytes are left.
        """
        end = pos + HEADER_SIZE
        if end > len(data):
            raise Truncated(HEADER_SIZE, len(data) - pos)
        return _make(cls, _unpack(data, pos)), end

    def encode(self) -> bytes:
        """Return the 180 bytes.

        Raises:
            Unencodable: a field does not fit.
        """
        return self.__packing__.pack(self)

    @property
    def hash(self) -> bytes:
        """The block's hash, its name everywhere: 32 bytes in wire order; computed each time."""
        return blake256(self.encode())

    def pow_hash(self, *, blake3_active: bool = True) -> bytes:
        """Return the hash that proof of work is about: 32 bytes in wire order.

        Args:
            blake3_active: whether the block is from after the vote that made it BLAKE3
                (DCP 0011); before, it is `hash`.
        """
        return blake3(self.encode()) if blake3_active else self.hash

    @property
    def target(self) -> int:
        """The largest hash, as a number, that this header may have; 0 if `bits` make no sense."""
        return target_of(self.bits)

    def meets_target(self, limit: int = (1 << 256) - 1, *, blake3_active: bool = True) -> bool:
        """Whether the hash is as small as the header says it must be.

        Args:
            limit: the easiest target that the network allows.
            blake3_active: as for `pow_hash`.
        """
        target = self.target
        number = int.from_bytes(self.pow_hash(blake3_active=blake3_active), "little")
        return 0 < target <= limit and number <= target

    def __repr__(self) -> str:
        return f"<BlockHeader {hash_to_text(self.hash)}>"


# In a message each header is followed by one number of transactions, which must be 0.
_ENTRY: Packing[BlockHeader] = Packing(
    "BlockHeader",
    {**_FIELDS, "transaction_count": Fixed("B")},
    lambda values: _make(BlockHeader, values[:-1]),
    lambda header: (*header, 0),
)
_read_entries, _write_entries = vector_codec(_ENTRY, MAX_HEADERS, "Headers.headers")


class Headers(Message):
    """Block headers, asked for with `getheaders` or new.

    They stay bytes until somebody looks at them.

    Raises:
        Unencodable: a field of a header does not fit, or there are too many headers.
    """

    __slots__ = ("_data", "headers")

    command = "headers"
    min_size = 1
    max_size = 3 + MAX_HEADERS * _ENTRY_SIZE

    headers: Sequence[BlockHeader]
    """The headers, each made when it is asked for."""

    def __init__(self, headers: Sequence[BlockHeader]) -> None:
        self._data = _write_entries(headers)
        self.headers, _ = _read_entries(self._data, 0)

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read one value at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is no such value at *pos*, or a header claims transactions.
        """
        count, first = read_count(data, pos, MAX_HEADERS, _ENTRY_SIZE)
        end = first + count * _ENTRY_SIZE
        if data[first + HEADER_SIZE : end : _ENTRY_SIZE].count(0) != count:
            raise InvalidValue("number of transactions", "other than 0")
        self = object.__new__(cls)
        self._data = data[pos:end]
        self.headers, _ = _read_entries(self._data, 0)
        return self, end

    def encode(self) -> bytes:
        """Return the payload."""
        return self._data

    def hashes(self) -> list[bytes]:
        """Return the hashes of all the blocks, wire order, without making the headers."""
        data = self._data
        start = len(data) - len(self.headers) * _ENTRY_SIZE
        return [
            blake256(data[at : at + HEADER_SIZE]) for at in range(start, len(data), _ENTRY_SIZE)
        ]

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<Headers, {len(self.headers)} of them>"
