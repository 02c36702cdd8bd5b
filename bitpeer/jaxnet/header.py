"""Block headers: those of the beacon, with Bitcoin inside, and those of shards, with both inside.

Theory of operation.  Jax.Network's blocks are mined together with Bitcoin's: a
beacon header carries a Bitcoin header and the coinbase that commits to it (`BtcAux`),
and a shard header carries a whole beacon header and the beacon block's
coinbase.  One byte in front says which of the two a header is; it is on
the wire wherever a header is, and in no hash.

A hash is made of some fields only.  The *exclusive hash* is what the chain
above commits to; the *block hash* names the block; the *proof-of-work hash*
is that of the Bitcoin header, whichever of the two the header is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error as struct_error
from typing import Annotated, Any, ClassVar, Self

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.transaction import MIN_TX_SIZE, Tx
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes import hash_to_text, sha256d
from bitpeer.jaxnet.constants import MAX_BLOCK_SIZE
from bitpeer.jaxnet.fields import (
    HASH_SIZE,
    Hashes,
    read_big_int,
    read_hashes,
    write_big_int,
    write_hashes,
)
from bitpeer.wire.compiler import Codec
from bitpeer.wire.message import Record, record

BEACON_MARK = 0x6D
"""The byte before a beacon header: ``m``."""
SHARD_MARK = 0x73
"""The byte before a shard header: ``s``."""
EXPANSION_APPROVED = 0x2
"""In the version of a beacon header: a shard may be added."""
EXPANSION_MADE = 0x4
"""In the version of a beacon header: this block brings a new shard, whose id is `shards`."""
MAX_TREE_ENCODING = 65_536
"""Most bytes of a tree's encoding.  jaxnetd sets no limit of its own."""

_MARK_SIZE = 1
_BEACON = Struct("<ii32s32s32s32sIIIII")
_SHARD = Struct("<i32s32s32sI")
_UINT32 = Struct("<I")


def read_base_tx(data: bytes, pos: int) -> tuple[Tx, int]:
    """Read a transaction that must have no witness.

    Raises:
        DecodeError: there is no such transaction at *pos*.
    """
    tx, end = Tx.read(data, pos)
    if tx.has_witness:
        raise InvalidValue("coinbase in a header", "one with a witness")
    return tx, end


BaseTx = Annotated[
    Tx,
    Codec(read_base_tx, lambda tx: tx.without_witness().encode(), MIN_TX_SIZE, MAX_BLOCK_SIZE),
]
"""A transaction that is always written without its witness, whatever is around it."""


@record
class CoinbaseAux(Record):
    """A coinbase, and the proof that it is the first transaction of its block."""

    tx: BaseTx
    branch: Hashes
    """Hashes of the siblings on the way from the coinbase to the merkle root, bottom up."""


@record
class BtcAux(Record):
    """The Bitcoin block that proves the work, as far as the proof needs it."""

    header: BlockHeader
    coinbase: CoinbaseAux


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconHeader(Record):
    """The header of a block of the beacon chain."""

    version: int
    """Signed; four flags, as `EXPANSION_MADE`, and above them the number: see `version_number`."""
    height: int
    previous_mmr_root: bytes
    """The root over the chain before this block, wire order: what really links the blocks."""
    previous_hash: bytes
    """The block before this one, wire order."""
    merkle_root: bytes
    """The root over the txids of the block, wire order."""
    merge_mining_root: bytes
    """The root over the exclusive hashes of the shards mined together with this block."""
    bits: int
    """The target, in Bitcoin's compact form."""
    shards: int
    """How many shards there are."""
    k: int
    """A reward coefficient: a floating-point number of the chain's own."""
    vote_k: int
    """The coefficient that the miner votes for."""
    merge_mining_number: int
    """How many shards were mined together with this block."""
    tree_encoding: bytes = b""
    """Which shards those were."""
    tree_coding_length: int = 0
    """Bits of `tree_encoding` that count."""
    chain_weight: int = 0
    """The work of the chain before this block; in no hash."""
    merge_mining_proof: Sequence[bytes] = ()
    """Hashes that complete the tree under `merge_mining_root`; in no hash."""
    btc_aux: BtcAux

    mark: ClassVar[int] = BEACON_MARK
    min_size: ClassVar[int] = _MARK_SIZE + _BEACON.size + 4 + 4 + 5 + 1 + BtcAux.min_size

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read the header at *pos*, mark included; return it and the position after it.

        Raises:
            DecodeError: there is no such header.
        """
        numbers, pos = _unpack(_BEACON, data, _marked(data, pos, cls.mark))
        (length,), pos = _unpack(_UINT32, data, pos)
        assert isinstance(length, int)  # so says its struct
        if length > MAX_TREE_ENCODING:
            raise LimitExceeded(length, MAX_TREE_ENCODING)
        end = pos + length
        tree_encoding = data[pos:end]
        (tree_coding_length,), pos = _unpack(_UINT32, data, end)
        chain_weight, pos = read_big_int(data, pos)
        proof, pos = read_hashes(data, pos)
        aux, pos = BtcAux.read(data, pos)
        fields = dict(zip(_BEACON_FIELDS, numbers, strict=True))
        header = cls(
            **fields,
            tree_encoding=tree_encoding,
            tree_coding_length=tree_coding_length,
            chain_weight=chain_weight,
            merge_mining_proof=proof,
            btc_aux=aux,
        )
        return header, pos

    def encode(self) -> bytes:
        """Return the wire form, mark included.

        Raises:
            Unencodable: a field does not fit.
        """
        if len(self.tree_encoding) > MAX_TREE_ENCODING:
            raise Unencodable("BeaconHeader.tree_encoding", "it is too long")
        return b"".join(
            (
                bytes((self.mark,)),
                self._pack(_BEACON, _BEACON_FIELDS),
                self._tree(),
                write_big_int(self.chain_weight),
                write_hashes(self.merge_mining_proof),
                self.btc_aux.encode(),
            )
        )

    @property
    def hash(self) -> bytes:
        """The block's hash, 32 bytes in wire order; computed each time.

        Quirk: `previous_hash` is not part of it.  Two headers that differ in
        nothing else have the same hash, so the chain hangs by `previous_mmr_root`.
        """
        return sha256d(
            self._pack(_BEACON_BEFORE, _BEACON_FIELDS[:3])
            + self._pack(_BEACON_BEHIND, _BEACON_FIELDS[4:])
            + self._tree()
            + self.pow_hash
        )

    @property
    def exclusive_hash(self) -> bytes:
        """The hash of everything but the proofs: what the Bitcoin coinbase commits to."""
        return sha256d(self._pack(_BEACON, _BEACON_FIELDS) + self._tree())

    @property
    def pow_hash(self) -> bytes:
        """The hash, in wire order, that must meet the target: that of the Bitcoin header."""
        return self.btc_aux.header.hash

    @property
    def version_number(self) -> int:
        """The version without its flags."""
        return self.version >> 4

    @property
    def expansion_made(self) -> bool:
        """Whether a new shard, with the id `shards`, begins with this block."""
        return bool(self.version & EXPANSION_MADE)

    @property
    def time(self) -> int:
        """Seconds since 1970: that of the Bitcoin header, for there is no other."""
        return self.btc_aux.header.time

    def __repr__(self) -> str:
        return f"<BeaconHeader {hash_to_text(self.hash)}>"

    def _tree(self) -> bytes:
        try:
            return (
                _UINT32.pack(len(self.tree_encoding))
                + self.tree_encoding
                + _UINT32.pack(self.tree_coding_length)
            )
        except struct_error as error:
            raise Unencodable("BeaconHeader.tree_coding_length", str(error)) from None

    def _pack(self, layout: Struct, names: Sequence[str]) -> bytes:
        return _pack(self, layout, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardHeader(Record):
    """The header of a block of a shard."""

    height: int
    previous_mmr_root: bytes
    """The root over the chain before this block, wire order."""
    previous_hash: bytes
    """The block before this one, wire order."""
    merkle_root: bytes
    """The root over the txids of the block, wire order."""
    bits: int
    """The target, in Bitcoin's compact form."""
    chain_weight: int = 0
    """The work of the chain before this block; in no hash."""
    merkle_proof: Sequence[bytes] = ()
    """Leads from the exclusive hash to the beacon's `merge_mining_root`, bottom up; in no hash."""
    beacon: BeaconHeader
    """The header of the beacon block that was mined together with this one."""
    beacon_coinbase: CoinbaseAux
    """The coinbase of that beacon block; in no hash."""

    mark: ClassVar[int] = SHARD_MARK
    min_size: ClassVar[int] = (
        _MARK_SIZE + _SHARD.size + 5 + 1 + BeaconHeader.min_size + CoinbaseAux.min_size
    )

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read the header at *pos*, mark included; return it and the position after it.

        Raises:
            DecodeError: there is no such header.
        """
        numbers, pos = _unpack(_SHARD, data, _marked(data, pos, cls.mark))
        chain_weight, pos = read_big_int(data, pos)
        proof, pos = read_hashes(data, pos)
        beacon, pos = BeaconHeader.read(data, pos)
        coinbase, pos = CoinbaseAux.read(data, pos)
        fields = dict(zip(_SHARD_FIELDS, numbers, strict=True))
        header = cls(
            **fields,
            chain_weight=chain_weight,
            merkle_proof=proof,
            beacon=beacon,
            beacon_coinbase=coinbase,
        )
        return header, pos

    def encode(self) -> bytes:
        """Return the wire form, mark included.

        Raises:
            Unencodable: a field does not fit.
        """
        return b"".join(
            (
                bytes((self.mark,)),
                _pack(self, _SHARD, _SHARD_FIELDS),
                write_big_int(self.chain_weight),
                write_hashes(self.merkle_proof),
                self.beacon.encode(),
                self.beacon_coinbase.encode(),
            )
        )

    @property
    def hash(self) -> bytes:
        """The block's hash, 32 bytes in wire order; computed each time."""
        return sha256d(_pack(self, _SHARD, _SHARD_FIELDS) + self.beacon.hash)

    @property
    def exclusive_hash(self) -> bytes:
        """The hash of everything but the proofs: what the beacon header commits to."""
        return sha256d(_pack(self, _SHARD, _SHARD_FIELDS))

    @property
    def pow_hash(self) -> bytes:
        """The hash, in wire order, that must meet the target: that of the Bitcoin header."""
        return self.beacon.pow_hash

    @property
    def time(self) -> int:
        """Seconds since 1970: that of the Bitcoin header, for there is no other."""
        return self.beacon.time

    def __repr__(self) -> str:
        return f"<ShardHeader {hash_to_text(self.hash)}>"


Header = BeaconHeader | ShardHeader


def read_header(data: bytes, pos: int = 0) -> tuple[Header, int]:
    """Read the header at *pos*, of whichever kind it is; return it and the position after it.

    Raises:
        DecodeError: there is no header at *pos*.
    """
    if data[pos : pos + _MARK_SIZE] == b"s":
        return ShardHeader.read(data, pos)
    return BeaconHeader.read(data, pos)


AnyHeader = Annotated[
    Header,
    Codec(read_header, lambda header: header.encode(), BeaconHeader.min_size, MAX_BLOCK_SIZE),
]
"""A header of either kind, mark included."""

_BEACON_FIELDS = (
    "version", "height", "previous_mmr_root", "previous_hash", "merkle_root", "merge_mining_root",
    "bits", "shards", "k", "vote_k", "merge_mining_number",
)  # fmt: skip
_BEACON_BEFORE = Struct("<ii32s")
_BEACON_BEHIND = Struct("<32s32sIIIII")
_SHARD_FIELDS = ("height", "previous_mmr_root", "previous_hash", "merkle_root", "bits")
_HASH_FIELDS = {"previous_mmr_root", "previous_hash", "merkle_root", "merge_mining_root"}


def _marked(data: bytes, pos: int, mark: int) -> int:
    """Return the position after the mark."""
    if pos >= len(data):
        raise Truncated(_MARK_SIZE, 0)
    if data[pos] != mark:
        raise InvalidValue("kind of header", data[pos])
    return pos + _MARK_SIZE


def _unpack(layout: Struct, data: bytes, pos: int) -> tuple[tuple[Any, ...], int]:
    try:
        return layout.unpack_from(data, pos), pos + layout.size
    except struct_error:
        raise Truncated(layout.size, len(data) - pos) from None


def _pack(header: Header, layout: Struct, names: Sequence[str]) -> bytes:
    values = [getattr(header, name) for name in names]
    title = type(header).__name__
    for name, value in zip(names, values, strict=True):
        if name in _HASH_FIELDS and len(value) != HASH_SIZE:
            raise Unencodable(f"{title}.{name}", "it is not 32 bytes long")
    try:
        return layout.pack(*values)
    except (struct_error, TypeError) as error:
        raise Unencodable(title, str(error)) from None
