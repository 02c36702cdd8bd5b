"""Compact blocks: a block told in few bytes to those who know its transactions (BIP 152)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from typing import Annotated, Self

from bitpeer.bitcoin.block import MAX_BLOCK_SIZE, Block
from bitpeer.bitcoin.header import HEADER_SIZE, BlockHeader
from bitpeer.bitcoin.transaction import MIN_TX_SIZE, Tx
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes.siphash import siphash
from bitpeer.wire.compactsize import read_compact_size, read_count, write_compact_size
from bitpeer.wire.fields import Fixed, Hash, Limit, Uint64
from bitpeer.wire.message import Message, message
from bitpeer.wire.vector import Packing, vector_codec

COMPACT_VERSION = 2
"""The only version in use: short ids are made of wtxids."""
MAX_COMPACT_COUNT = 0xFFFF
"""Most transactions of a compact block: their indices fit 16 bits."""
SHORT_ID_SIZE = 6
"""Bytes of a short id."""
_NONCE_SIZE = 8

_SHORT_ID: Packing[bytes] = Packing(
    "short id",
    {"short id": Fixed(f"{SHORT_ID_SIZE}s")},
    itemgetter(0),
    lambda value: (value,),
)
_read_ids, _write_ids = vector_codec(_SHORT_ID, MAX_COMPACT_COUNT, "CmpctBlock.short_ids")


@message("sendcmpct")
class SendCmpct(Message):
    """Say that this side understands compact blocks, and whether to send them unasked."""

    announce: Annotated[int, Fixed("B", most=1)]
    """1 to announce new blocks by `cmpctblock`, 0 to announce them as ever."""
    version: Uint64 = COMPACT_VERSION


def short_id_key(header: BlockHeader, nonce: int) -> bytes:
    """Return the 16-byte key of the short ids of one compact block."""
    return sha256(header.encode() + nonce.to_bytes(_NONCE_SIZE, "little")).digest()[:16]


def short_id(key: bytes, wtxid: bytes) -> bytes:
    """Return the short id of a transaction: 6 bytes as they lie on the wire.

    Args:
        key: that of the compact block.
        wtxid: 32 bytes in wire order.
    """
    return siphash(key, wtxid).to_bytes(8, "little")[:SHORT_ID_SIZE]


@dataclass(frozen=True, slots=True)
class CmpctBlock(Message):
    """A block as short ids of its transactions, and those the receiver may not know."""

    command = "cmpctblock"
    min_size = HEADER_SIZE + _NONCE_SIZE + 2
    max_size = MAX_BLOCK_SIZE

    header: BlockHeader
    nonce: int
    """Makes short ids differ from peer to peer; 64 bits, unsigned."""
    short_ids: Sequence[bytes]
    """In the order of the block, 6 bytes each as they lie on the wire."""
    prefilled: Sequence[tuple[int, Tx]]
    """Whole transactions and their indices in the block, ascending."""

    def __post_init__(self) -> None:
        """Keep what was given as it is now."""
        if isinstance(self.short_ids, list):
            object.__setattr__(self, "short_ids", tuple(self.short_ids))
        object.__setattr__(self, "prefilled", tuple(self.prefilled))

    @classmethod
    def of(cls, block: Block, nonce: int, prefill: Collection[int] = (0,)) -> Self:
        """Return *block* in compact form.

        Args:
            nonce: drawn at random for each peer, 64 bits.
            prefill: indices of the transactions to send whole; the coinbase is new to all.
        """
        key = short_id_key(block.header, nonce)
        short_ids, prefilled = [], []
        for index, tx in enumerate(block.transactions):
            if index in prefill:
                prefilled.append((index, tx))
            else:
                short_ids.append(short_id(key, tx.wtxid))
        return cls(block.header, nonce, tuple(short_ids), tuple(prefilled))

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read one value at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is no such value at *pos*.
        """
        header, pos = BlockHeader.read(data, pos)
        end = pos + _NONCE_SIZE
        if end > len(data):
            raise Truncated(_NONCE_SIZE, len(data) - pos)
        nonce = int.from_bytes(data[pos:end], "little")
        short_ids, pos = _read_ids(data, end)
        left = MAX_COMPACT_COUNT - len(short_ids)
        count, pos = read_count(data, pos, left, 1 + MIN_TX_SIZE)
        prefilled = []
        index = -1
        for _ in range(count):
            index, pos = _read_index(data, pos, index)
            tx, pos = Tx.read(data, pos)
            prefilled.append((index, tx))
        return cls(header, nonce, short_ids, tuple(prefilled)), pos

    def encode(self) -> bytes:
        """Return the payload.

        Raises:
            Unencodable: a field does not fit, or indices do not ascend.
        """
        if not 0 <= self.nonce < 1 << 64:
            raise Unencodable("CmpctBlock.nonce", "it must be an integer of 64 bits")
        if len(self.short_ids) + len(self.prefilled) > MAX_COMPACT_COUNT:
            raise Unencodable("CmpctBlock", f"it has more than {MAX_COMPACT_COUNT} transactions")
        steps = _steps(index for index, _ in self.prefilled)
        parts = [
            self.header.encode(),
            self.nonce.to_bytes(_NONCE_SIZE, "little"),
            _write_ids(self.short_ids),
            write_compact_size(len(self.prefilled)),
        ]
        for step, (_, tx) in zip(steps, self.prefilled, strict=True):
            parts += step, tx.encode()
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class GetBlockTxn(Message):
    """Ask for those transactions of a compact block that are not at hand."""

    command = "getblocktxn"
    min_size = 32 + 1
    max_size = 32 + 3 + 3 * MAX_COMPACT_COUNT

    block_hash: bytes
    """32 bytes in wire order."""
    indices: Sequence[int]
    """Which transactions of the block, ascending, counted from 0."""

    def __post_init__(self) -> None:
        """Keep what was given as it is now."""
        object.__setattr__(self, "indices", tuple(self.indices))

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read one value at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is no such value at *pos*.
        """
        block_hash = data[pos : pos + 32]
        count, pos = read_count(data, pos + 32, MAX_COMPACT_COUNT, 1)
        indices = []
        index = -1
        for _ in range(count):
            index, pos = _read_index(data, pos, index)
            indices.append(index)
        return cls(block_hash, tuple(indices)), pos

    def encode(self) -> bytes:
        """Return the payload.

        Raises:
            Unencodable: a field does not fit, or indices do not ascend.
        """
        if len(self.block_hash) != 32:
            raise Unencodable("GetBlockTxn.block_hash", "it must be 32 bytes")
        count = write_compact_size(len(self.indices))
        return b"".join((self.block_hash, count, *_steps(self.indices)))


@message("blocktxn")
class BlockTxn(Message):
    """The transactions that a `getblocktxn` asked for."""

    block_hash: Hash
    """32 bytes in wire order."""
    transactions: Annotated[Sequence[Tx], Limit(MAX_COMPACT_COUNT)]
    """In the order of the block."""


def _read_index(data: bytes, pos: int, last: int) -> tuple[int, int]:
    """Return the index that follows *last*, told as how many indices it skips."""
    skipped, pos = read_compact_size(data, pos)
    index = last + 1 + skipped
    if index >= MAX_COMPACT_COUNT:
        raise LimitExceeded(index, MAX_COMPACT_COUNT - 1)
    return index, pos


def _steps(indices: Iterable[int]) -> Iterator[bytes]:
    """Yield the wire form of each index: how many it skips."""
    last = -1
    for index in indices:
        if not last < index < MAX_COMPACT_COUNT:
            raise Unencodable("index", f"{index} cannot come after {last}")
        yield write_compact_size(index - last - 1)
        last = index


class PartialBlock:
    """A block being put together from its compact form.

    Offer it the transactions at hand, `request` those that are `missing`, and
    `complete` it with the answer.

    Raises:
        InvalidValue: the compact block has no transactions, an empty one, or one where
            there is no place for it; nobody sends those by mistake.
    """

    def __init__(self, compact: CmpctBlock) -> None:
        count = len(compact.short_ids) + len(compact.prefilled)
        if not count:
            raise InvalidValue("transaction count", 0)
        self.header = compact.header
        self._key = short_id_key(compact.header, compact.nonce)
        self._found: dict[int, Tx] = {}
        for index, tx in compact.prefilled:
            if index >= count:
                raise InvalidValue("index", index)
            if not tx.inputs:
                raise InvalidValue("transaction", "empty")
            self._found[index] = tx
        # Ids that are not unique stand for no transaction: those are asked for by index.
        self._places: dict[bytes, int | None] = {}
        places = (index for index in range(count) if index not in self._found)
        for name, index in zip(compact.short_ids, places, strict=True):
            self._places[name] = None if name in self._places else index
        self._count = count

    @property
    def missing(self) -> tuple[int, ...]:
        """The indices of the transactions that nobody has offered yet, ascending."""
        return tuple(index for index in range(self._count) if index not in self._found)

    def offer(self, transactions: Iterable[Tx]) -> None:
        """Take those of *transactions* that belong to the block, as far as short ids can tell."""
        for tx in transactions:
            if len(self._found) == self._count:
                return
            name = short_id(self._key, tx.wtxid)
            index = self._places.get(name)
            if index is None:
                continue
            if self._found.setdefault(index, tx) != tx:
                self._places[name] = None
                del self._found[index]

    def request(self) -> GetBlockTxn:
        """Return the message that asks for what is missing."""
        return GetBlockTxn(self.header.hash, self.missing)

    def complete(self, transactions: Collection[Tx] = ()) -> Block | None:
        """Return the block, once the *transactions* that were missing have come.

        Returns:
            The block, known to be what its header commits to; or `None` if some
            short id stood for another transaction: then ask for the whole block.

        Raises:
            InvalidValue: these are not as many transactions as were missing.
        """
        missing = self.missing
        if len(transactions) != len(missing):
            raise InvalidValue("transaction count", len(transactions))
        found = {**self._found, **dict(zip(missing, transactions, strict=True))}
        try:
            block = Block(self.header, [found[index] for index in range(self._count)])
            block.check()
        except (InvalidValue, Unencodable):  # it is not this block, or none at all: too large
            return None
        return block
