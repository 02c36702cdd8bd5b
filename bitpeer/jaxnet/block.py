"""Blocks, headers in bulk, and proofs of what is in a block."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Annotated, Self

from bitpeer.bitcoin.block import BlockTransactions
from bitpeer.bitcoin.merkle import Matches, PartialMerkleTree, root_and_mutation
from bitpeer.bitcoin.scan import scan_transactions
from bitpeer.bitcoin.transaction import MIN_TX_SIZE, Tx
from bitpeer.errors import InvalidValue, TrailingBytes, Truncated, Unencodable
from bitpeer.hashes import hash_to_text
from bitpeer.jaxnet.constants import MAX_BLOCK_SIZE, MAX_BLOCK_TRANSACTIONS
from bitpeer.jaxnet.fields import HASH_SIZE
from bitpeer.jaxnet.header import AnyHeader, BeaconHeader, Header, read_header
from bitpeer.messages.view import View
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.fields import Fixed, Hash, Limit, Uint32
from bitpeer.wire.message import Message, Record, message, record

MAX_HEADERS = 1_000
"""Most headers in one message; half as many as Bitcoin allows."""
MAX_HEADERS_SIZE = 2_049_009
"""Most bytes of all of them: jaxnetd reckons with 2,048 for each, and does not accept more."""
MAX_FLAG_BYTES = 9_830
"""Most bytes of flags in a `merkleblock`."""
NO_ROOT = bytes(HASH_SIZE)
"""Where nobody says what the root is."""
_new = object.__new__


class Block(View):
    """A block: a view over its bytes, of which only the header is read when they come.

    The first look at the transactions checks the structure of them all: that
    look may raise `DecodeError`.  None of this proves that the transactions
    belong to the header: `check` does.

    jaxnetd understands a `block`, and answers with a `BlockBox`.

    Raises:
        Unencodable: a field of the header does not fit, or the block is too large.
    """

    __slots__ = ("_count", "_cuts", "_end", "_header", "_start")

    command = "block"
    min_size = BeaconHeader.min_size + 1
    max_size = MAX_BLOCK_SIZE

    _header: Header
    _count: int
    _start: int  # where the first transaction begins
    _end: int  # where the last one has to end
    _cuts: Sequence[int] | None  # where each transaction begins, and the last one ends

    def __init__(self, header: Header, transactions: Collection[Tx]) -> None:
        self._build(header, transactions, b"")

    def _build(self, header: Header, transactions: Collection[Tx], behind: bytes) -> None:
        opening = header.encode() + write_compact_size(len(transactions))
        body = b"".join((opening, *(each.encode() for each in transactions)))
        if len(body) > MAX_BLOCK_SIZE:
            raise Unencodable(self.command, f"{len(body)} bytes exceed {MAX_BLOCK_SIZE}")
        self._data = body + behind
        self._header, self._count = header, len(transactions)
        self._start, self._end = len(opening), len(body)
        self._cuts = self.seal = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take *payload* for a block, having seen no more than its header and its count.

        Raises:
            DecodeError: there is no such header, or not enough behind it.
        """
        end = len(payload) - cls._size_behind()
        header, pos = read_header(payload)
        count, start = read_count(payload, pos, MAX_BLOCK_TRANSACTIONS, MIN_TX_SIZE)
        if start > end:
            raise Truncated(start - end, 0)
        self = _new(cls)
        self._data = payload
        self._header = header
        self._count, self._start, self._end = count, start, end
        self._cuts = self.seal = None
        return self

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Take the block at *pos*; to find its end, its transactions are checked at once.

        Raises:
            DecodeError: there is no block at *pos*.
        """
        _, start = read_header(data, pos)
        count, start = read_count(data, start, MAX_BLOCK_TRANSACTIONS, MIN_TX_SIZE)
        end = scan_transactions(data, start, count)[-1] + cls._size_behind()
        if end > len(data):
            raise Truncated(end - pos, len(data) - pos)
        return cls.decode(data[pos:end]), end

    @classmethod
    def _size_behind(cls) -> int:
        """Return how many bytes come behind the transactions."""
        return 0

    @property
    def header(self) -> Header:
        """What comes before the transactions."""
        return self._header

    @property
    def hash(self) -> bytes:
        """The block's hash, 32 bytes in wire order; computed each time."""
        return self._header.hash

    @property
    def mmr_root(self) -> bytes:
        """The root over the chain up to and with this block, as far as the sender told.

        32 zero bytes if it did not.  Nothing proves it: see `MountainRange`.
        """
        return NO_ROOT

    @property
    def transaction_count(self) -> int:
        """How many transactions it claims to have; asks for no look at them."""
        return self._count

    @property
    def transactions(self) -> Sequence[Tx]:
        """Its transactions, each made when it is asked for.

        Raises:
            DecodeError: the bytes behind the header are not as many transactions.
        """
        if self._cuts is None:
            cuts = scan_transactions(self._data, self._start, self._count)
            if cuts[-1] > self._end:
                raise Truncated(cuts[-1], self._end)
            if cuts[-1] < self._end:
                raise TrailingBytes(self._end - cuts[-1])
            self._cuts = array("I", cuts)
        return BlockTransactions(self._data, self._cuts)

    def without_witness(self) -> Self:
        """Return the form for those who asked for a block without witnesses (BIP 144).

        Raises:
            DecodeError: as `transactions`.
        """
        body = [each.without_witness().encode() for each in self.transactions]
        data = b"".join((self._data[: self._start], *body, self._data[self._end :]))
        return self.decode(data)

    def txids(self) -> list[bytes]:
        """Return the txids of all transactions, wire order."""
        return [each.txid for each in self.transactions]

    def check(self) -> None:
        """Make sure that these are the transactions to which the header commits.

        Whether the witnesses are the right ones, and whether the work was done,
        are other matters.

        Raises:
            DecodeError: as `transactions`.
            InvalidValue: other transactions are meant.
        """
        transactions = list(self.transactions)
        root, mutated = root_and_mutation([each.txid for each in transactions])
        if root != self._header.merkle_root:
            raise InvalidValue("merkle root", hash_to_text(root))
        if mutated:
            raise InvalidValue("merkle tree", "two equal branches")
        if not transactions or not transactions[0].is_coinbase:
            raise InvalidValue("first transaction", "no coinbase")

    def __repr__(self) -> str:
        name = hash_to_text(self.hash)
        return f"<{type(self).__name__} {name}, {self._count} transactions, {self.size} bytes>"


class BlockBox(Block):
    """A block, and behind it the root over the chain up to and with it: what jaxnetd serves.

    Args:
        header: the header.
        transactions: all transactions of the block.
        mmr_root: see `Block.mmr_root`; 32 bytes in wire order.

    Raises:
        Unencodable: a field of the header or the root does not fit, or the block is too large.
    """

    __slots__ = ()

    command = "blockbox"
    min_size = Block.min_size + HASH_SIZE
    max_size = MAX_BLOCK_SIZE + HASH_SIZE

    def __init__(
        self, header: Header, transactions: Collection[Tx], mmr_root: bytes = NO_ROOT
    ) -> None:
        if len(mmr_root) != HASH_SIZE:
            raise Unencodable("blockbox", "mmr_root is not 32 bytes long")
        self._build(header, transactions, mmr_root)

    @classmethod
    def of(cls, block: Block, mmr_root: bytes) -> Self:
        """Return *block* as jaxnetd serves it.

        Raises:
            DecodeError: *block* came from a peer, and is none.
        """
        return cls(block.header, block.transactions, mmr_root)

    @classmethod
    def _size_behind(cls) -> int:
        return HASH_SIZE

    @property
    def mmr_root(self) -> bytes:
        """The root over the chain up to and with this block, 32 bytes in wire order."""
        return self._data[self._end :]


@record
class RootedHeader(Record):
    """A header, and before it the root over the chain up to and with its block."""

    mmr_root: Hash
    """As the sender says; nothing proves it."""
    header: AnyHeader
    transaction_count: Annotated[int, Fixed("B", most=0)] = 0
    """There are none."""


@message("headers", max_size=MAX_HEADERS_SIZE)
class Headers(Message):
    """Block headers: a new one, for a peer that sent `sendheaders`, or an answer.

    jaxnetd hangs up on headers that it did not ask for, and never asks: new blocks are
    announced to it by `inv`.
    """

    headers: Annotated[Sequence[RootedHeader], Limit(MAX_HEADERS)]


@message("merkleblock", max_size=MAX_BLOCK_SIZE)
class MerkleBlock(Message):
    """A block's header, and proof of which of its transactions match a filter (BIP 37)."""

    header: AnyHeader
    transaction_count: Uint32
    """Of the whole block."""
    hashes: Annotated[Sequence[Hash], Limit(MAX_BLOCK_TRANSACTIONS)]
    """As in `PartialMerkleTree`."""
    flags: Annotated[bytes, Limit(MAX_FLAG_BYTES)]
    """As in `PartialMerkleTree`."""

    @classmethod
    def of(cls, block: Block, matches: Collection[int]) -> Self:
        """Return the proof that the transactions at the indices *matches* are in *block*."""
        return cls(block.header, *PartialMerkleTree.build(block.txids(), matches))

    def matches(self) -> Matches:
        """Return what is proved, having checked the proof against the header.

        Raises:
            DecodeError: it proves nothing, see `PartialMerkleTree.extract`.
            InvalidValue: it proves something of another block.
        """
        tree = PartialMerkleTree(self.transaction_count, self.hashes, self.flags)
        root, matches = tree.extract()
        if root != self.header.merkle_root:
            raise InvalidValue("merkle root", hash_to_text(root))
        return matches
