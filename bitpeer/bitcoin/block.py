"""Blocks, whole or as the proof that some transactions are in them."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Self, overload

from bitpeer.bitcoin.header import HEADER_SIZE, BlockHeader
from bitpeer.bitcoin.merkle import (
    MAX_BLOCK_TRANSACTIONS,
    MAX_FLAG_BYTES,
    Matches,
    PartialMerkleTree,
    merkle_root,
    root_and_mutation,
)
from bitpeer.bitcoin.scan import scan_transactions
from bitpeer.bitcoin.transaction import MIN_TX_SIZE, Tx
from bitpeer.errors import InvalidValue, TrailingBytes, Unencodable
from bitpeer.hashes import hash_to_text, sha256d
from bitpeer.messages.view import View
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.fields import Hash, Limit, Uint32
from bitpeer.wire.message import Message, message

MAX_BLOCK_SIZE = 4_000_000
"""Most bytes of a block: no byte weighs less than 1 of its 4,000,000 units (BIP 141)."""
_MAX_COUNT = MAX_BLOCK_SIZE // MIN_TX_SIZE
_COMMITMENT = bytes.fromhex("6a24aa21a9ed")
"""What the output script opens with that commits to the witnesses (BIP 141)."""
_new = object.__new__


class BlockTransactions(Sequence[Tx]):
    """The transactions of one block: a read-only sequence that makes each when asked for it.

    Whoever asks twice gets two equal objects: keep ``list(block.transactions)``
    rather than ask each for its ids again and again.
    """

    __slots__ = ("_cuts", "_data")

    def __init__(self, data: bytes, cuts: Sequence[int]) -> None:
        self._data = data
        self._cuts = cuts

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def __iter__(self) -> Iterator[Tx]:
        data, trusted = self._data, Tx.trusted
        start = self._cuts[0]
        for end in self._cuts[1:]:
            yield trusted(data[start:end])
            start = end

    @overload
    def __getitem__(self, index: int) -> Tx: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tx]: ...
    def __getitem__(self, index: int | slice) -> Tx | Sequence[Tx]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return Tx.trusted(self._data[self._cuts[at] : self._cuts[at + 1]])

    def __repr__(self) -> str:
        return f"<{len(self)} transactions>"


class Block(View):
    """A block: a view over its bytes, of which next to nothing is read when they come.

    On arrival there is a header, and a count that the bytes could hold.  The first
    look at the transactions checks the structure of them all: that look may
    raise `DecodeError`.  None of this proves that the transactions belong to the
    header: `check` does.

    Raises:
        Unencodable: a field of the header does not fit, or the block is too large.
    """

    __slots__ = ("_count", "_cuts", "_hash", "_header", "_start")

    command = "block"
    min_size = HEADER_SIZE + 1
    max_size = MAX_BLOCK_SIZE

    _count: int
    _start: int  # where the first transaction begins
    _cuts: Sequence[int] | None  # where each transaction begins, and the last one ends
    _hash: bytes | None
    _header: BlockHeader | None

    def __init__(self, header: BlockHeader, transactions: Collection[Tx]) -> None:
        opening = header.encode() + write_compact_size(len(transactions))
        self._data = b"".join((opening, *(each.encode() for each in transactions)))
        if len(self._data) > MAX_BLOCK_SIZE:
            raise Unencodable(
                "block", f"{len(self._data)} bytes exceed the limit of {MAX_BLOCK_SIZE}"
            )
        self._count, self._start = len(transactions), len(opening)
        self._cuts = self._hash = self._header = self.seal = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take *payload* for a block, having seen no more than its header and its count.

        Raises:
            Truncated: it is too short for those, or for as many transactions.
            NonCanonical: the count is not written in its shortest form.
        """
        count, start = read_count(payload, HEADER_SIZE, _MAX_COUNT, MIN_TX_SIZE)
        self = _new(cls)
        self._data = payload
        self._count = count
        self._start = start
        self._cuts = self._hash = self._header = self.seal = None
        return self

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Take the block at *pos*; to find its end, its transactions are checked at once.

        Raises:
            DecodeError: there is no block at *pos*.
        """
        count, start = read_count(data, pos + HEADER_SIZE, _MAX_COUNT, MIN_TX_SIZE)
        end = scan_transactions(data, start, count)[-1]
        return cls.decode(data[pos:end]), end

    @property
    def header(self) -> BlockHeader:
        """The first 80 bytes."""
        if self._header is None:
            self._header, _ = BlockHeader.read(self._data)
        return self._header

    @property
    def hash(self) -> bytes:
        """The hash of the header, 32 bytes in wire order."""
        if self._hash is None:
            self._hash = sha256d(self._data[:HEADER_SIZE])
        return self._hash

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
            self._ends_at(cuts[-1])
            self._cuts = array("I", cuts)
        return BlockTransactions(self._data, self._cuts)

    def unpacked(self) -> list[Tx]:
        """Return the transactions with every field decoded.

        For programs that look at everything: a quarter faster than asking
        each of `transactions`, but all of it is held at once.

        Raises:
            DecodeError: as `transactions`.
        """
        data, pos, unpack = self._data, self._start, Tx.unpack
        found = []
        for _ in range(self._count):
            tx, pos = unpack(data, pos)
            found.append(tx)
        self._ends_at(pos)
        return found

    def txids(self) -> list[bytes]:
        """Return the txids of all transactions, wire order."""
        return [each.txid for each in self.transactions]

    def wtxids(self) -> list[bytes]:
        """Return the wtxids of all transactions, wire order."""
        return [each.wtxid for each in self.transactions]

    def merkle_root(self) -> bytes:
        """Return the root over the txids, computed anew: 32 bytes in wire order."""
        return merkle_root(self.txids())

    def check(self, *, witnesses: bool = True) -> None:
        """Make sure that these are the transactions to which the header commits.

        Who relays a block cannot forge its header, but could change what comes
        behind it.  Proof of work is another matter: see `BlockHeader.meets_target`.

        Args:
            witnesses: whether to check the witnesses too.  Not for a block that was asked
                for without them, nor for one from the time before them (BIP 141).

        Raises:
            DecodeError: as `transactions`.
            InvalidValue: other transactions are meant, or the same ones in another form.
        """
        transactions = list(self.transactions)
        root, mutated = root_and_mutation([each.txid for each in transactions])
        if root != self.header.merkle_root:
            raise InvalidValue("merkle root", hash_to_text(root))
        if mutated:
            raise InvalidValue("merkle tree", "two equal branches")
        # Inner nodes of the tree can pass for transactions of 64 bytes, but not for a coinbase.
        if not transactions or not transactions[0].is_coinbase:
            raise InvalidValue("first transaction", "no coinbase")
        if witnesses:
            _check_witnesses(transactions)

    def __repr__(self) -> str:
        name = hash_to_text(self.hash)
        return f"<Block {name}, {self._count} transactions, {self.size} bytes>"

    def _ends_at(self, pos: int) -> None:
        if pos != len(self._data):
            raise TrailingBytes(len(self._data) - pos)


def _check_witnesses(transactions: Sequence[Tx]) -> None:
    """Make sure that the coinbase commits to the witnesses of all the others (BIP 141).

    Raises:
        InvalidValue: it does not.
    """
    coinbase = transactions[0]
    commitments = [
        output.script[6:38]
        for output in coinbase.outputs
        if output.script.startswith(_COMMITMENT) and len(output.script) >= 38
    ]
    if not commitments:
        if any(each.has_witness for each in transactions):
            raise InvalidValue("witnesses", "committed to by nobody")
        return
    nonce = coinbase.witnesses[0]
    if [len(item) for item in nonce] != [32]:
        raise InvalidValue("witness of the coinbase", "not one item of 32 bytes")
    root = merkle_root([bytes(32), *(each.wtxid for each in transactions[1:])])
    if sha256d(root + nonce[0]) != commitments[-1]:
        raise InvalidValue("witness commitment", commitments[-1].hex())


@message("merkleblock")
class MerkleBlock(Message):
    """A block's header, and proof of which of its transactions match a filter (BIP 37)."""

    header: BlockHeader
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
