"""Blocks: a header, and two lists of transactions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Self

from bitpeer.decred.header import HEADER_SIZE, BlockHeader
from bitpeer.decred.merkle import combined_root, merkle_root
from bitpeer.decred.transaction import MIN_TX_SIZE, Tx
from bitpeer.errors import InvalidValue, TrailingBytes, Unencodable
from bitpeer.hashes import hash_to_text
from bitpeer.hashes.blake256 import blake256
from bitpeer.messages.view import View
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.fields import Hash, Limit, Uint32
from bitpeer.wire.message import Message, message

MAX_BLOCK_SIZE = 1_310_720
"""Most bytes of a block that peers pass on; consensus may allow fewer."""
MAX_TREE_TRANSACTIONS = 43_691
"""Most transactions of either tree: a bound on sense, not a rule of consensus."""
MAX_FLAG_BYTES = 5_462
"""Most bytes of the flags of a `merkleblock`."""
_new = object.__new__

_Trees = tuple[tuple[Tx, ...], tuple[Tx, ...]]


class Block(View):
    """A block: a view over its bytes, of which next to nothing is read when they come.

    On arrival there is a header, and a count that the bytes could hold.  The first
    look at the transactions checks the structure of them all: that look may
    raise `DecodeError`.  None of this proves that the transactions belong to the
    header: `check` does.

    Args:
        header: as it is to be.
        transactions: of the regular tree.
        stake_transactions: of the stake tree.

    Raises:
        Unencodable: a field of the header does not fit, or the block is too large.
    """

    __slots__ = ("_hash", "_header", "_trees")

    command = "block"
    min_size = HEADER_SIZE + 2
    max_size = MAX_BLOCK_SIZE

    _hash: bytes | None
    _header: BlockHeader | None
    _trees: _Trees | None

    def __init__(
        self,
        header: BlockHeader,
        transactions: Collection[Tx],
        stake_transactions: Collection[Tx] = (),
    ) -> None:
        parts = [header.encode()]
        for tree in (transactions, stake_transactions):
            parts += write_compact_size(len(tree)), *(each.encode() for each in tree)
        self._data = b"".join(parts)
        if len(self._data) > MAX_BLOCK_SIZE:
            raise Unencodable(
                "block", f"{len(self._data)} bytes exceed the limit of {MAX_BLOCK_SIZE}"
            )
        self._hash = self._header = self._trees = self.seal = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take *payload* for a block, having seen no more than its header and its first count.

        Raises:
            Truncated: it is too short for those, or for as many transactions.
            LimitExceeded: the count is absurd.
            NonCanonical: the count is not written in its shortest form.
        """
        read_count(payload, HEADER_SIZE, MAX_TREE_TRANSACTIONS, MIN_TX_SIZE)
        self = _new(cls)
        self._data = payload
        self._hash = self._header = self._trees = self.seal = None
        return self

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Take the block at *pos*; to find its end, its transactions are checked at once.

        Raises:
            DecodeError: there is no block at *pos*.
        """
        trees, end = _read_trees(data, pos + HEADER_SIZE)
        self = cls.decode(data[pos:end])
        self._trees = trees
        return self, end

    @property
    def header(self) -> BlockHeader:
        """The first 180 bytes."""
        if self._header is None:
            self._header, _ = BlockHeader.read(self._data)
        return self._header

    @property
    def hash(self) -> bytes:
        """The hash of the header, 32 bytes in wire order."""
        if self._hash is None:
            self._hash = blake256(self._data[:HEADER_SIZE])
        return self._hash

    @property
    def transactions(self) -> tuple[Tx, ...]:
        """Those of the regular tree.

        Raises:
            DecodeError: the bytes behind the header are not two lists of transactions.
        """
        return self._both()[0]

    @property
    def stake_transactions(self) -> tuple[Tx, ...]:
        """Those of the stake tree.

        Raises:
            DecodeError: as `transactions`.
        """
        return self._both()[1]

    def regular_root(self) -> bytes:
        """Return the root over the regular tree, computed anew: 32 bytes in wire order."""
        return merkle_root(each.full_hash for each in self.transactions)

    def stake_root(self) -> bytes:
        """Return the root over the stake tree, computed anew: 32 bytes in wire order."""
        return merkle_root(each.full_hash for each in self.stake_transactions)

    def check(self, *, commitments: bool = True) -> None:
        """Make sure that these are the transactions to which the header commits.

        Proof of work is another matter: see `BlockHeader.meets_target`.

        Args:
            commitments: whether the block is from after the vote of DCP 0005 (mainnet height
                431,488, testnet3 height 323,328): one root for both trees.  Before, each tree
                had one.

        Raises:
            DecodeError: as `transactions`.
            InvalidValue: other transactions are meant.
        """
        regular, stake = self.regular_root(), self.stake_root()
        if commitments:
            regular = combined_root(regular, stake)
        if regular != self.header.merkle_root:
            raise InvalidValue("merkle root", hash_to_text(regular))
        if not commitments and stake != self.header.stake_root:
            raise InvalidValue("stake root", hash_to_text(stake))

    def __repr__(self) -> str:
        return f"<Block {hash_to_text(self.hash)}, {self.size} bytes>"

    def _both(self) -> _Trees:
        if self._trees is None:
            trees, end = _read_trees(self._data, HEADER_SIZE)
            if end != len(self._data):
                raise TrailingBytes(len(self._data) - end)
            self._trees = trees
        return self._trees


def _read_trees(data: bytes, pos: int) -> tuple[_Trees, int]:
    """Return the transactions of both trees, and the position after them."""
    regular, pos = _read_tree(data, pos)
    stake, pos = _read_tree(data, pos)
    return (regular, stake), pos


def _read_tree(data: bytes, pos: int) -> tuple[tuple[Tx, ...], int]:
    count, pos = read_count(data, pos, MAX_TREE_TRANSACTIONS, MIN_TX_SIZE)
    transactions = []
    for _ in range(count):
        tx, pos = Tx.read(data, pos)
        transactions.append(tx)
    return tuple(transactions), pos


_Hashes = Annotated[Sequence[Hash], Limit(MAX_TREE_TRANSACTIONS)]


@message("merkleblock", until=6)
class MerkleBlock(Message):
    """A block's header, and proof of which transactions match a bloom filter; gone since 2018."""

    header: BlockHeader
    transaction_count: Uint32
    """Of the regular tree."""
    hashes: _Hashes
    """Of nodes of the regular tree, wire order."""
    stake_transaction_count: Uint32
    """Of the stake tree."""
    stake_hashes: _Hashes
    """Of nodes of the stake tree, wire order."""
    flags: Annotated[bytes, Limit(MAX_FLAG_BYTES)]
