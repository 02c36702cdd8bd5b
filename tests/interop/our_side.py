"""What these tests have for listeners: one that remembers, and one that serves blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from twisted.internet.defer import Deferred, succeed

from bitpeer import IPeer, PeerListener, on
from bitpeer.bitcoin import (
    Block,
    BlockTxn,
    CmpctBlock,
    GetBlocks,
    GetBlockTxn,
    GetData,
    GetHeaders,
    Headers,
    Inv,
    InvType,
    InvVect,
    NotFound,
    Tx,
)
from bitpeer.errors import Disconnected

T = TypeVar("T")


class Met(NamedTuple):
    """A peer was established."""

    peer: IPeer


class Lost(NamedTuple):
    """A peer was lost."""

    peer: IPeer
    reason: Disconnected


class Ears(PeerListener):
    """Remembers all that happens, and lets a test wait for what it wants to see."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        """Messages, `Met` and `Lost`, of all peers, in the order in which they came."""
        self._waiting: list[tuple[Callable[[Any], bool], Deferred[Any]]] = []

    def heard(self, kind: type[T]) -> list[T]:
        """Return the events of this kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def next(self, kind: type[T], fits: Callable[[T], bool] = lambda _: True) -> Deferred[T]:
        """Wait for the next event of this kind that fits.  Ask before doing what brings it."""
        waiter: Deferred[T] = Deferred(lambda _: self._waiting.remove(entry))
        entry = (lambda event: isinstance(event, kind) and fits(event), waiter)
        self._waiting.append(entry)
        return waiter

    def first(self, kind: type[T], fits: Callable[[T], bool] = lambda _: True) -> Deferred[T]:
        """Wait for an event of this kind that fits, if there has been none yet."""
        for event in self.heard(kind):
            if fits(event):
                return succeed(event)
        return self.next(kind, fits)

    def message_received(self, peer, message):
        self._happened(message)

    def peer_established(self, peer, version):
        self._happened(Met(peer))

    def peer_lost(self, peer, reason):
        self._happened(Lost(peer, reason))

    def _happened(self, event: Any) -> None:
        self.events.append(event)
        for entry in [entry for entry in self._waiting if entry[0](event)]:
            self._waiting.remove(entry)
            entry[1].callback(event)


class Shelf(PeerListener):
    """Serves blocks and transactions as a node would.

    Args:
        blocks: those of one chain, from height 1 on.
        compact: whether the newest block is served as `cmpctblock` to those who ask for that.
    """

    def __init__(self, blocks: Iterable[Block] = (), *, compact: bool = False) -> None:
        self._compact = compact
        self._blocks: dict[bytes, Block] = {}
        self._transactions: dict[bytes, Tx] = {}
        for block in blocks:
            self.add_block(block)

    def add_block(self, block: Block) -> None:
        """Put the next block of the chain on the shelf."""
        self._blocks[block.hash] = block

    def add_transaction(self, transaction: Tx) -> None:
        """Put a transaction on the shelf."""
        self._transactions[transaction.txid] = transaction

    @on(GetBlocks)
    def blocks_wanted(self, peer: IPeer, request: GetBlocks) -> None:
        items = [InvVect(InvType.BLOCK, block.hash) for block in self._wanted(request)]
        if items:
            peer.send(Inv(items))

    @on(GetHeaders)
    def headers_wanted(self, peer: IPeer, request: GetHeaders) -> None:
        peer.send(Headers([block.header for block in self._wanted(request)]))

    @on(GetData)
    def items_wanted(self, peer: IPeer, request: GetData) -> None:
        missing = []
        for item in request.items:
            if item.hash in self._transactions:
                peer.send(self._transactions[item.hash])
            elif item.hash in self._blocks:
                peer.send(self._as_asked(item))
            else:
                missing.append(item)
        if missing:
            peer.send(NotFound(missing))

    @on(GetBlockTxn)
    def transactions_wanted(self, peer: IPeer, request: GetBlockTxn) -> None:
        transactions = self._blocks[request.block_hash].transactions
        wanted = [transactions[index] for index in request.indices]
        peer.send(BlockTxn(request.block_hash, wanted))

    def _as_asked(self, item: InvVect) -> Block | CmpctBlock:
        block = self._blocks[item.hash]
        newest = next(reversed(self._blocks))
        if self._compact and item.kind == InvType.CMPCT_BLOCK and item.hash == newest:
            return CmpctBlock.of(block, nonce=1)
        return block

    def _wanted(self, request: GetBlocks | GetHeaders) -> list[Block]:
        """Return what follows the first block of the locator that is known, up to the stop."""
        hashes = list(self._blocks)
        known = next((hash_ for hash_ in request.locator if hash_ in self._blocks), None)
        start = 0 if known is None else hashes.index(known) + 1
        stop = hashes.index(request.stop) + 1 if request.stop in self._blocks else len(hashes)
        return [self._blocks[hash_] for hash_ in hashes[start:stop]]
