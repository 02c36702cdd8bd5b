"""Transactions: a prefix that says what is moved, and a witness that says why it may be."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct, error as struct_error
from typing import Annotated, NamedTuple, Self

from bitpeer.decred.constants import Tree
from bitpeer.errors import InvalidValue, TrailingBytes, Truncated, Unencodable
from bitpeer.hashes import hash_to_text
from bitpeer.hashes.blake256 import blake256
from bitpeer.messages.view import View
from bitpeer.wire.compactsize import read_bytes, read_compact_size, read_count, write_compact_size
from bitpeer.wire.fields import Fixed, Hash, Uint32
from bitpeer.wire.message import Record, record

MIN_TX_SIZE = 5
"""Fewest bytes of a transaction: the witness alone of one without inputs."""
MAX_TX_SIZE = 1_310_720
"""Most bytes of a transaction, as of a block."""
MAX_INPUTS = 780_336
"""Most inputs of a transaction."""
MAX_OUTPUTS = 3_728_271
"""Most outputs of a transaction."""
MAX_SCRIPT_SIZE = 33_554_432
"""Most bytes of a script that is looked at at all."""
FINAL_SEQUENCE = 0xFFFF_FFFF

Int8 = Annotated[int, Fixed("b")]

_UINT16 = Struct("<H")
_INPUT = Struct("<32sIbI")
_OUTPUT = Struct("<qH")
_WITNESS = Struct("<qII")
_VALUE = Struct("<q")
_TIMES = Struct("<II")
_new = object.__new__


class Serialization(IntEnum):
    """How much of a transaction is there."""

    FULL = 0
    """Prefix and witness: what peers send each other."""
    NO_WITNESS = 1
    """The prefix, of which the id is made."""
    ONLY_WITNESS = 2
    """The witness, of which the witness hash is made."""
    SIGNING = 3
    """The scripts of the witness: once a step towards a signature, gone since 2018."""
    VALUE_SIGNING = 4
    """The scripts and values of the witness: gone since 2018."""


_HAS_PREFIX = (Serialization.FULL, Serialization.NO_WITNESS)
_FIXED_WITNESS = {
    Serialization.FULL: _WITNESS.size,
    Serialization.ONLY_WITNESS: _WITNESS.size,
    Serialization.SIGNING: 0,
    Serialization.VALUE_SIGNING: _VALUE.size,
}
"""Bytes of each input's witness before its script."""


@record
class OutPoint(Record):
    """One output of one transaction."""

    hash: Hash
    """The transaction's id, 32 bytes in wire order."""
    index: Uint32
    """Which of its outputs, counted from 0."""
    tree: Int8 = Tree.REGULAR
    """The `Tree` in which the transaction stands; signed."""


class TxIn(NamedTuple):
    """What one input spends."""

    previous_hash: bytes
    """Id of the transaction whose output is spent, 32 bytes in wire order."""
    previous_index: int
    """Which of its outputs, counted from 0."""
    tree: int = Tree.REGULAR
    """The `Tree` in which that transaction stands."""
    sequence: int = FINAL_SEQUENCE
    """Relative lock time."""

    @property
    def outpoint(self) -> OutPoint:
        """The output that is spent."""
        return OutPoint(self.previous_hash, self.previous_index, self.tree)


class TxOut(NamedTuple):
    """An amount, and what it takes to spend it."""

    value: int
    """Atoms."""
    script: bytes
    """Locks the output."""
    script_version: int = 0
    """Of the script language; nodes let everybody spend what they do not know."""


class TxWitness(NamedTuple):
    """What unlocks one input, and proof of what it is worth."""

    script: bytes = b""
    """Unlocks the output."""
    value: int = -1
    """Atoms of the output; -1 while it is not known."""
    block_height: int = 0
    """Of the block with the output."""
    block_index: int = 0xFFFF_FFFF
    """Which of that block's transactions it is."""


class Tx(View):
    """A transaction: a view over its bytes, whose structure was checked when they came.

    Args:
        inputs: what it spends.
        outputs: what it pays.
        witnesses: one for each input; by default they are empty.
        version: 1, 2 for relative lock times, 3 for the treasury.
        lock_time: the height, or the time from 500,000,000 on, at which it becomes valid.
        expiry: the height from which on it is no longer valid; 0 for never.
        serialization: how much of it to write; what that leaves out is forgotten.

    Raises:
        Unencodable: a value does not fit, or there are not as many witnesses as inputs.
    """

    __slots__ = (
        "_full_hash", "_inputs", "_middle", "_outputs", "_txid", "_witness_hash", "_witnesses",
    )  # fmt: skip

    command = "tx"
    min_size = MIN_TX_SIZE
    max_size = MAX_TX_SIZE

    _middle: int  # where the witness begins
    _inputs: tuple[TxIn, ...] | None
    _outputs: tuple[TxOut, ...] | None
    _witnesses: tuple[TxWitness, ...] | None
    _txid: bytes | None
    _witness_hash: bytes | None
    _full_hash: bytes | None

    def __init__(
        self,
        inputs: Iterable[TxIn] = (),
        outputs: Iterable[TxOut] = (),
        witnesses: Iterable[TxWitness] | None = None,
        *,
        version: int = 1,
        lock_time: int = 0,
        expiry: int = 0,
        serialization: Serialization = Serialization.FULL,
    ) -> None:
        inputs = list(inputs)
        witnesses = [TxWitness()] * len(inputs) if witnesses is None else list(witnesses)
        if serialization == Serialization.FULL and len(witnesses) != len(inputs):
            raise Unencodable("transaction", f"{len(witnesses)} witnesses, {len(inputs)} inputs")
        try:
            data = _UINT16.pack(version) + _UINT16.pack(serialization)
            if serialization in _HAS_PREFIX:
                data += _prefix(inputs, list(outputs)) + _TIMES.pack(lock_time, expiry)
            if serialization in _FIXED_WITNESS:
                data += _witness(witnesses, serialization)
        except (struct_error, TypeError) as error:
            raise Unencodable("transaction", str(error)) from None
        if len(data) > MAX_TX_SIZE:
            raise Unencodable("transaction", f"{len(data)} bytes exceed the limit of {MAX_TX_SIZE}")
        self._take(data, _scan(data, 0)[0])

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take *payload* for a transaction, once its structure is checked.

        Raises:
            DecodeError: it is not exactly one transaction.
        """
        middle, end = _scan(payload, 0)
        if end != len(payload):
            raise TrailingBytes(len(payload) - end)
        self = _new(cls)
        self._take(payload, middle)
        return self

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Take the transaction at *pos*; it keeps its own bytes only.

        Raises:
            DecodeError: there is none at *pos*.
        """
        middle, end = _scan(data, pos)
        self = _new(cls)
        self._take(data[pos:end], middle - pos)
        return self, end

    @property
    def version(self) -> int:
        """The version, without the kind of serialization."""
        return int.from_bytes(self._data[:2], "little")

    @property
    def serialization(self) -> Serialization:
        """How much of the transaction is there."""
        return Serialization(self._data[2])

    @property
    def inputs(self) -> tuple[TxIn, ...]:
        """What it spends; empty if only the witness is there."""
        if self._inputs is None:
            self._inputs = self._read_inputs()
        return self._inputs

    @property
    def outputs(self) -> tuple[TxOut, ...]:
        """What it pays; empty if only the witness is there."""
        if self._outputs is None:
            self._outputs = self._read_outputs()
        return self._outputs

    @property
    def witnesses(self) -> tuple[TxWitness, ...]:
        """One for each input; empty if only the prefix is there."""
        if self._witnesses is None:
            self._witnesses = self._read_witnesses()
        return self._witnesses

    @property
    def lock_time(self) -> int:
        """The height, or the time from 500,000,000 on, at which it becomes valid."""
        return self._times()[0]

    @property
    def expiry(self) -> int:
        """The height from which on it is no longer valid; 0 for never."""
        return self._times()[1]

    @property
    def txid(self) -> bytes:
        """The hash of the prefix, 32 bytes in wire order: its name in `inv` and outpoints.

        Raises:
            InvalidValue: the prefix is not there.
        """
        if self._txid is None:
            self._txid = blake256(self._only(Serialization.NO_WITNESS))
        return self._txid

    @property
    def witness_hash(self) -> bytes:
        """The hash of the witness, 32 bytes in wire order.

        Raises:
            InvalidValue: the witness is not there.
        """
        if self._witness_hash is None:
            self._witness_hash = blake256(self._only(Serialization.ONLY_WITNESS))
        return self._witness_hash

    @property
    def full_hash(self) -> bytes:
        """The hash of both hashes, 32 bytes in wire order: its leaf in a merkle tree.

        Raises:
            InvalidValue: it is not there in full.
        """
        if self._full_hash is None:
            self._full_hash = blake256(self.txid + self.witness_hash)
        return self._full_hash

    def only(self, part: Serialization) -> Self:
        """Return the prefix or the witness alone.

        Raises:
            InvalidValue: it is not there.
        """
        return self.decode(self._only(part))

    @property
    def is_coinbase(self) -> bool:
        """Whether it creates the coins of a block instead of spending others."""
        return len(self.inputs) == 1 and self.inputs[0][:2] == (bytes(32), 0xFFFF_FFFF)

    def __repr__(self) -> str:
        kind = self.serialization
        name = hash_to_text(self.txid) if kind in _HAS_PREFIX else kind.name.lower()
        return f"<Tx {name}, {self.size} bytes>"

    def _take(self, data: bytes, middle: int) -> None:
        self._data = data
        self._middle = middle
        self._inputs = self._outputs = self._witnesses = None
        self._txid = self._witness_hash = self._full_hash = self.seal = None

    def _only(self, part: Serialization) -> bytes:
        """Return the bytes of the transaction with no more than *part* of it."""
        data, kind = self._data, self.serialization
        if kind == part:
            return data
        if kind != Serialization.FULL or part not in (1, 2):
            raise InvalidValue("part of a transaction", part.name)
        head = data[:2] + _UINT16.pack(part)
        rest = data[self._middle :] if part == 2 else data[4 : self._middle]
        return head + rest

    def _times(self) -> tuple[int, int]:
        if self.serialization not in _HAS_PREFIX:
            return 0, 0
        lock_time, expiry = _TIMES.unpack_from(self._data, self._middle - _TIMES.size)
        return lock_time, expiry

    def _read_inputs(self) -> tuple[TxIn, ...]:
        if self.serialization not in _HAS_PREFIX:
            return ()
        count, pos = read_compact_size(self._data, 4)
        raw = self._data[pos : pos + count * _INPUT.size]
        return tuple(map(TxIn._make, _INPUT.iter_unpack(raw)))

    def _read_outputs(self) -> tuple[TxOut, ...]:
        data, outputs = self._data, []
        if self.serialization in _HAS_PREFIX:
            count, pos = read_compact_size(data, 4)
            count, pos = read_compact_size(data, pos + count * _INPUT.size)
            for _ in range(count):
                value, script_version = _OUTPUT.unpack_from(data, pos)
                script, pos = read_bytes(data, pos + _OUTPUT.size, len(data))
                outputs.append(TxOut(value, script, script_version))
        return tuple(outputs)

    def _read_witnesses(self) -> tuple[TxWitness, ...]:
        data, kind, witnesses = self._data, self.serialization, []
        if kind in _FIXED_WITNESS:
            count, pos = read_compact_size(data, self._middle)
            for _ in range(count):
                start = pos + _FIXED_WITNESS[kind]
                script, end = read_bytes(data, start, len(data))
                if start - pos == _WITNESS.size:
                    witness = TxWitness(script, *_WITNESS.unpack_from(data, pos))
                elif start > pos:
                    witness = TxWitness(script, *_VALUE.unpack_from(data, pos))
                else:
                    witness = TxWitness(script)
                witnesses.append(witness)
                pos = end
        return tuple(witnesses)


def _scan(data: bytes, pos: int) -> tuple[int, int]:
    """Check the structure of the transaction at *pos*; return where its witness begins and ends.

    Raises:
        DecodeError: there is no transaction at *pos*.
    """
    start = pos
    if len(data) - pos < 4:
        raise Truncated(4, len(data) - pos)
    (kind,) = _UINT16.unpack_from(data, pos + 2)
    if kind > Serialization.VALUE_SIGNING:
        raise InvalidValue("serialization of a transaction", kind)
    pos += 4
    inputs = None
    try:
        if kind in _HAS_PREFIX:
            inputs, pos = read_count(data, pos, MAX_INPUTS, _INPUT.size)
            pos += inputs * _INPUT.size
            outputs, pos = read_count(data, pos, MAX_OUTPUTS, _OUTPUT.size + 1)
            pos = _skip(data, pos, outputs, _OUTPUT.size) + _TIMES.size
        middle = pos
        if kind in _FIXED_WITNESS:
            fixed = _FIXED_WITNESS[Serialization(kind)]
            count, pos = read_count(data, pos, MAX_INPUTS, fixed + 1)
            if count != inputs is not None:
                raise InvalidValue("number of witnesses", count)
            pos = _skip(data, pos, count, fixed)
    except IndexError:
        raise Truncated(len(data) - start + 1, len(data) - start) from None
    if pos > len(data):
        raise Truncated(pos - start, len(data) - start)
    return middle, pos


def _skip(data: bytes, pos: int, count: int, fixed: int) -> int:
    """Return the position after *count* scripts, each of them with *fixed* bytes before it."""
    for _ in range(count):
        pos += fixed
        size = data[pos]
        if size < 0xFD:
            pos += size + 1
        else:
            size, pos = read_count(data, pos, MAX_SCRIPT_SIZE, 1)
            pos += size
    return pos


def _prefix(inputs: list[TxIn], outputs: list[TxOut]) -> bytes:
    """Return inputs and outputs as they lie on the wire."""
    parts = [write_compact_size(len(inputs))]
    for each in inputs:
        if len(each.previous_hash) != 32:
            raise Unencodable("input", "previous_hash is not 32 bytes long")
        parts.append(_INPUT.pack(*each))
    parts.append(write_compact_size(len(outputs)))
    for output in outputs:
        parts += _OUTPUT.pack(output.value, output.script_version), _sized(output.script)
    return b"".join(parts)


def _witness(witnesses: list[TxWitness], kind: Serialization) -> bytes:
    """Return witnesses as they lie on the wire."""
    parts = [write_compact_size(len(witnesses))]
    for script, *numbers in witnesses:
        if kind == Serialization.VALUE_SIGNING:
            parts.append(_VALUE.pack(numbers[0]))
        elif kind != Serialization.SIGNING:
            parts.append(_WITNESS.pack(*numbers))
        parts.append(_sized(script))
    return b"".join(parts)


def _sized(data: bytes) -> bytes:
    return write_compact_size(len(data)) + data
