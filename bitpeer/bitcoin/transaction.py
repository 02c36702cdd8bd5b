"""Transactions, with and without witnesses (BIP 144)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct, error as struct_error
from typing import NamedTuple, Self

from bitpeer.bitcoin.scan import long_size, scan_payload, scan_transactions
from bitpeer.errors import InvalidValue, Truncated, Unencodable
from bitpeer.hashes import hash_to_text, sha256d
from bitpeer.messages.view import View
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.fields import Hash, Uint32
from bitpeer.wire.vector import packed

MIN_TX_SIZE = 10
"""Fewest bytes of a transaction: one without inputs and outputs."""
MAX_TX_SIZE = 4_000_000
"""Most bytes of a transaction: the payload of one frame."""
WITNESS_SCALE = 4
"""How many times more a byte weighs that is not part of a witness (BIP 141)."""
FINAL_SEQUENCE = 0xFFFF_FFFF

_LONG = 0xFD
_UINT32 = Struct("<I")
_OUTPOINT = Struct("<32sI")
_VALUE = Struct("<q")
_MARK = b"\x00\x01"
_new = object.__new__
_make = tuple.__new__

# A script whose size is a single byte is read in one step together with its neighbours, by
# the reader for just that size.
_INPUTS = tuple(Struct(f"<32sIx{size}sI").unpack_from for size in range(_LONG))
_OUTPUTS = tuple(Struct(f"<qx{size}s").unpack_from for size in range(_LONG))

Witness = tuple[bytes, ...]
"""The stack of items that unlocks one input; empty for inputs without."""


@packed
class OutPoint(NamedTuple):
    """One output of one transaction."""

    hash: Hash
    """The transaction's txid, 32 bytes in wire order."""
    index: Uint32  # type: ignore[assignment]  # hides a method of tuple that nobody needs
    """Which of its outputs, counted from 0."""


NO_OUTPOINT = OutPoint(bytes(32), 0xFFFF_FFFF)
"""What the input of a coinbase spends."""


class TxIn(NamedTuple):
    """What one input spends, and how: ``TxIn(*outpoint, script)``."""

    previous_hash: bytes
    """Txid of the transaction whose output is spent, 32 bytes in wire order."""
    previous_index: int
    """Which of its outputs, counted from 0."""
    script: bytes = b""
    """Unlocks the output; empty where a witness does."""
    sequence: int = FINAL_SEQUENCE
    """Relative lock time, or the wish to be replaceable (BIP 68, 125)."""

    @property
    def outpoint(self) -> OutPoint:
        """The output that is spent."""
        return OutPoint(self.previous_hash, self.previous_index)


class TxOut(NamedTuple):
    """An amount, and what it takes to spend it."""

    value: int
    """Satoshis."""
    script: bytes
    """Locks the output."""


class Tx(View):
    """A transaction: a view over its bytes, which were checked when they came.

    Args:
        inputs: what it spends.
        outputs: what it pays.
        witnesses: one stack for each input, empty where there is none; or nothing at all.
        version: version 2 and later obey relative lock times (BIP 68).
        lock_time: the height, or the time from 500,000,000 on, at which it becomes valid.

    Raises:
        Unencodable: a value does not fit, or there are outputs without an input, which
            would read as the mark of a witness.
    """

    __slots__ = ("_body", "_inputs", "_outputs", "_txid", "_witnesses", "_wtxid")

    command = "tx"
    min_size = MIN_TX_SIZE
    max_size = MAX_TX_SIZE

    _body: int  # where the witnesses begin, or else the lock time; 0 while nobody knows
    _inputs: tuple[TxIn, ...] | None
    _outputs: tuple[TxOut, ...] | None
    _witnesses: tuple[Witness, ...] | None
    _txid: bytes | None
    _wtxid: bytes | None

    def __init__(
        self,
        inputs: Iterable[TxIn],
        outputs: Iterable[TxOut],
        witnesses: Iterable[Iterable[bytes]] = (),
        *,
        version: int = 2,
        lock_time: int = 0,
    ) -> None:
        try:
            self._data = _build(
                list(inputs), list(outputs), [tuple(each) for each in witnesses], version, lock_time
            )
        except (struct_error, TypeError) as error:
            raise Unencodable("transaction", str(error)) from None
        self._body = 0
        self._inputs = self._outputs = self._witnesses = None
        self._txid = self._wtxid = self.seal = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take *payload* for a transaction, once its structure is checked.

        Raises:
            DecodeError: it is not exactly one transaction.
        """
        body = scan_payload(payload)
        self = _new(cls)
        self._data = payload
        self._body = body
        self._inputs = self._outputs = self._witnesses = None
        self._txid = self._wtxid = self.seal = None
        return self

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Take the transaction at *pos*; it keeps its own bytes only."""
        _, end = scan_transactions(data, pos, 1)
        return cls.trusted(data[pos:end]), end

    @classmethod
    def unpack(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        """Read the transaction at *pos* and decode all of it, in one go instead of in two.

        For programs that look at every field of every transaction.

        Raises:
            DecodeError: as `decode`, but for `TrailingBytes`.
        """
        start, witnesses = pos, None
        try:
            marked = not data[pos + 4] and data[pos + 5]
            if marked:
                if marked != 1:
                    raise InvalidValue("flag", marked)
                inputs, outputs, body = _parts(data, pos + 6)
                witnesses, pos = _stacks(data, body, len(inputs))
                if not any(witnesses):
                    raise InvalidValue("witnesses", "announced and empty")
            else:
                inputs, outputs, body = _parts(data, pos + 4)
                pos = body
        except (IndexError, struct_error):
            raise Truncated(len(data) - start + 1, len(data) - start) from None
        end = pos + 4
        if end > len(data):
            raise Truncated(end - start, len(data) - start)
        self = _new(cls)
        self._data = data[start:end]
        self._body = body - start
        self._inputs, self._outputs, self._witnesses = inputs, outputs, witnesses
        self._txid = self._wtxid = self.seal = None
        return self, end

    @classmethod
    def trusted(cls, data: bytes) -> Self:
        """Take *data* for exactly one transaction without another look: a scan has found it."""
        self = _new(cls)
        self._data = data
        self._body = 0
        self._inputs = self._outputs = self._witnesses = None
        self._txid = self._wtxid = self.seal = None
        return self

    @property
    def version(self) -> int:
        """The version, unsigned."""
        return int.from_bytes(self._data[:4], "little")

    @property
    def lock_time(self) -> int:
        """The height, or the time from 500,000,000 on, at which it becomes valid."""
        return int.from_bytes(self._data[-4:], "little")

    @property
    def inputs(self) -> tuple[TxIn, ...]:
        """What it spends."""
        if self._inputs is None:
            self._inputs, self._outputs, self._body = self._open()
        return self._inputs

    @property
    def outputs(self) -> tuple[TxOut, ...]:
        """What it pays."""
        if self._outputs is None:
            self._inputs, self._outputs, self._body = self._open()
        return self._outputs

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """One stack for each input, empty where there is none."""
        if self._witnesses is None:
            count = len(self.inputs)
            if self.has_witness:
                self._witnesses, _ = _stacks(self._data, self._body_end, count)
            else:
                self._witnesses = ((),) * count
        return self._witnesses

    @property
    def has_witness(self) -> bool:
        """Whether any input has a witness."""
        return self._data[5] == 1 and not self._data[4]

    @property
    def is_coinbase(self) -> bool:
        """Whether it creates the coins of a block instead of spending others."""
        return len(self.inputs) == 1 and self.inputs[0].outpoint == NO_OUTPOINT

    @property
    def txid(self) -> bytes:
        """The hash of everything but the witnesses, 32 bytes in wire order."""
        if self._txid is None:
            self._txid = sha256d(self._stripped())
        return self._txid

    @property
    def wtxid(self) -> bytes:
        """The hash of everything, 32 bytes in wire order; the txid, if there is no witness."""
        if self._wtxid is None:
            self._wtxid = self.txid if self._data[4] else sha256d(self._data)
        return self._wtxid

    @property
    def stripped_size(self) -> int:
        """Bytes of the form without witnesses."""
        return self._body_end + 2 if self.has_witness else len(self._data)

    @property
    def weight(self) -> int:
        """What it takes of the 4,000,000 units of a block (BIP 141)."""
        return (WITNESS_SCALE - 1) * self.stripped_size + len(self._data)

    @property
    def vsize(self) -> int:
        """Virtual bytes, by which fees are reckoned: a quarter of the weight, rounded up."""
        return -(-self.weight // WITNESS_SCALE)

    def without_witness(self) -> Self:
        """Return the form for those who asked for a transaction without witnesses (BIP 144)."""
        return self.trusted(self._stripped()) if self.has_witness else self

    def __repr__(self) -> str:
        return f"<Tx {hash_to_text(self.txid)}, {self.size} bytes>"

    @property
    def _body_end(self) -> int:
        """Where the witnesses begin; where the lock time begins, if there are none."""
        if not self._body:
            self._body = scan_payload(self._data)
        return self._body

    def _stripped(self) -> bytes:
        """Return the bytes without mark and witnesses."""
        data = self._data
        if data[4] or not data[5]:
            return data
        return b"".join((data[:4], data[6 : self._body or self._body_end], data[-4:]))

    def _open(self) -> tuple[tuple[TxIn, ...], tuple[TxOut, ...], int]:
        """Return the inputs, the outputs, and the position after them."""
        data = self._data
        return _parts(data, 4 if data[4] or not data[5] else 6)


def _parts(data: bytes, pos: int) -> tuple[tuple[TxIn, ...], tuple[TxOut, ...], int]:
    """Return the inputs, whose count is at *pos*, the outputs, and the position after them."""
    left = data[pos]
    if left < _LONG:
        pos += 1
    else:
        left, pos = long_size(data, pos)
    inputs: list[TxIn] = []
    add_input = inputs.append
    while left:
        size = data[pos + 36]
        if size < _LONG:
            add_input(_make(TxIn, _INPUTS[size](data, pos)))
            pos += 41 + size
        else:
            size, start = long_size(data, pos + 36)
            end = start + size
            outpoint, sequence = _OUTPOINT.unpack_from(data, pos), _UINT32.unpack_from(data, end)
            add_input(_make(TxIn, (*outpoint, data[start:end], *sequence)))
            pos = end + 4
        left -= 1
    left = data[pos]
    if left < _LONG:
        pos += 1
    else:
        left, pos = long_size(data, pos)
    outputs: list[TxOut] = []
    add_output = outputs.append
    while left:
        size = data[pos + 8]
        if size < _LONG:
            add_output(_make(TxOut, _OUTPUTS[size](data, pos)))
            pos += 9 + size
        else:
            size, start = long_size(data, pos + 8)
            value = _VALUE.unpack_from(data, pos)
            pos = start + size
            add_output(_make(TxOut, (*value, data[start:pos])))
        left -= 1
    return tuple(inputs), tuple(outputs), pos


def _stacks(data: bytes, pos: int, count: int) -> tuple[tuple[Witness, ...], int]:
    """Return *count* witnesses, the first at *pos*, and the position after them."""
    stacks = []
    for _ in range(count):
        left = data[pos]
        if left < _LONG:
            pos += 1
        else:
            left, pos = long_size(data, pos)
        items = []
        while left:
            size = data[pos]
            if size < _LONG:
                pos += 1
            else:
                size, pos = long_size(data, pos)
            end = pos + size
            items.append(data[pos:end])
            pos = end
            left -= 1
        stacks.append(tuple(items))
    return tuple(stacks), pos


def _build(
    inputs: list[TxIn], outputs: list[TxOut], witnesses: list[Witness], version: int, lock_time: int
) -> bytes:
    """Return the wire form of a transaction."""
    if outputs and not inputs:
        raise Unencodable("transaction", "without an input its outputs would read as a mark")
    if witnesses and len(witnesses) != len(inputs):
        raise Unencodable("transaction", f"{len(witnesses)} witnesses, {len(inputs)} inputs")
    marked = any(witnesses)
    parts = [_UINT32.pack(version)]
    if marked:
        parts.append(_MARK)
    parts.append(write_compact_size(len(inputs)))
    for each in inputs:
        if len(each.previous_hash) != 32:
            raise Unencodable("input", "previous_hash is not 32 bytes long")
        parts += _OUTPOINT.pack(*each[:2]), _sized(each.script)
        parts.append(_UINT32.pack(each.sequence))
    parts.append(write_compact_size(len(outputs)))
    for output in outputs:
        parts += _VALUE.pack(output.value), _sized(output.script)
    if marked:
        for stack in witnesses:
            parts += write_compact_size(len(stack)), *map(_sized, stack)
    parts.append(_UINT32.pack(lock_time))
    data = b"".join(parts)
    if len(data) > MAX_TX_SIZE:
        raise Unencodable("transaction", f"{len(data)} bytes exceed the limit of {MAX_TX_SIZE}")
    return data


def _sized(data: bytes) -> bytes:
    return write_compact_size(len(data)) + data
