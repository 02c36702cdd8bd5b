"""Messages by which strangers mix their coins in one transaction (dcrd mixing)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct, error as struct_error
from typing import Annotated, Any, ClassVar, Self

from bitpeer.decred.constants import MIX_VERSION
from bitpeer.decred.text import Text32
from bitpeer.decred.transaction import OutPoint, Tx, TxOut
from bitpeer.errors import InvalidValue, Truncated, Unencodable
from bitpeer.hashes.blake256 import blake256
from bitpeer.wire.compactsize import (
    compact_size_length,
    read_bytes,
    read_count,
    write_compact_size,
)
from bitpeer.wire.compiler import Codec
from bitpeer.wire.fields import Fixed, Hash, Limit, Uint8, Uint16, Uint32, Uint64
from bitpeer.wire.message import Message, Record, message, record

MAX_PEERS = 512
"""Most peers in one mix."""
MAX_MESSAGES = 1_024
"""Most mixed messages in one mix."""
MAX_UTXOS = 512
"""Most outputs that one pair request offers."""
MAX_FIELD_VALUE = 32
"""Most bytes of a number of the field in which slots are reserved."""
MESSAGE_SIZE = 20
"""Bytes of a mixed message: the hash that an output pays to."""
CIPHERTEXT_SIZE = 1_047
"""Bytes of a ciphertext of sntrup4591761."""
P2PKH = b"P2PKH-secp256k1-v0"
"""The only class of scripts that is mixed."""

# Less than the fields of these three could make of them: the reference node forgot some bytes
# when it added them up, and refuses what is longer.
MAX_MIX_PAIR_REQ = 8_476_848
MAX_MIX_FACTORED_POLY = 49_291
MAX_MIX_CONFIRM = 1_016_520

Amount = Annotated[int, Fixed("Q", most=(1 << 63) - 1)]
"""Atoms; signed on the wire, and refused if negative."""
Signature = Annotated[bytes, Fixed("64s")]
"""EC-Schnorr-DCRv0 over everything that follows."""
Identity = Annotated[bytes, Fixed("33s")]
"""A key made for this mix, secp256k1, compressed."""
Seen = Annotated[Sequence[Hash], Limit(MAX_PEERS)]
"""Hashes of the messages of the step before that this peer has seen, wire order."""
FieldValue = Annotated[bytes, Limit(MAX_FIELD_VALUE)]

Rows = Sequence[Sequence[bytes]]

_ReadItem = Callable[[bytes, int], tuple[bytes, int]]
_WriteItem = Callable[[bytes], bytes]


def _read_value(data: bytes, pos: int) -> tuple[bytes, int]:
    return read_bytes(data, pos, MAX_FIELD_VALUE)


def _write_value(value: bytes) -> bytes:
    if len(value) > MAX_FIELD_VALUE:
        raise Unencodable("field value", f"it must have at most {MAX_FIELD_VALUE} bytes")
    return write_compact_size(len(value)) + value


def _read_mixed(data: bytes, pos: int) -> tuple[bytes, int]:
    end = pos + MESSAGE_SIZE
    if end > len(data):
        raise Truncated(MESSAGE_SIZE, len(data) - pos)
    return data[pos:end], end


def _write_mixed(value: bytes) -> bytes:
    if len(value) != MESSAGE_SIZE:
        raise Unencodable("mixed message", f"it must have {MESSAGE_SIZE} bytes")
    return value


def _read_size(data: bytes, pos: int) -> int:
    size, pos = read_count(data, pos, 0xFFFF_FFFF, 0)
    if size != MESSAGE_SIZE:
        raise InvalidValue("size of a mixed message", size)
    return pos


def _read_rows(data: bytes, pos: int, rows: int, columns: int, read: _ReadItem) -> tuple[Rows, int]:
    found = []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            value, pos = read(data, pos)
            row.append(value)
        found.append(tuple(row))
    return tuple(found), pos


def _write_rows(rows: Rows, most: int, write: _WriteItem, between: bytes = b"") -> bytes:
    columns = len(rows[0]) if rows else 0
    if not 0 < len(rows) <= MAX_MESSAGES or not 0 < columns <= most:
        raise Unencodable("matrix", f"it must be of 1 to {MAX_MESSAGES} times 1 to {most}")
    if any(len(row) != columns for row in rows):
        raise Unencodable("matrix", "its rows differ in length")
    counts = write_compact_size(len(rows)) + write_compact_size(columns)
    return counts + between + b"".join(write(value) for row in rows for value in row)


def _read_slots(data: bytes, pos: int) -> tuple[Rows, int]:
    rows, pos = read_count(data, pos, MAX_MESSAGES, 0)
    columns, pos = read_count(data, pos, MAX_PEERS, rows)
    if not rows or not columns:
        raise InvalidValue("size of a matrix", 0)
    return _read_rows(data, pos, rows, columns, _read_value)


def _write_slots(rows: Rows) -> bytes:
    return _write_rows(rows, MAX_PEERS, _write_value)


def _read_net(data: bytes, pos: int) -> tuple[Rows, int]:
    # dcrd reads a matrix without rows, and no number of columns after that, though it cannot
    # write one.
    rows, pos = read_count(data, pos, MAX_MESSAGES, 0)
    if not rows:
        return (), pos
    columns, pos = read_count(data, pos, MAX_MESSAGES, 0)
    pos = _read_size(data, pos)
    needed = rows * columns * MESSAGE_SIZE
    if needed > len(data) - pos:
        raise Truncated(needed, len(data) - pos)
    return _read_rows(data, pos, rows, columns, _read_mixed)


def _write_net(rows: Rows) -> bytes:
    if not rows:  # whatever can be read has a hash, for which it is written
        return b"\0"
    return _write_rows(rows, MAX_MESSAGES, _write_mixed, write_compact_size(MESSAGE_SIZE))


def _read_vector(data: bytes, pos: int) -> tuple[Sequence[bytes], int]:
    count, pos = read_count(data, pos, MAX_MESSAGES, MESSAGE_SIZE)
    if not count:
        return (), pos
    (row,), pos = _read_rows(data, _read_size(data, pos), 1, count, _read_mixed)
    return row, pos


def _write_vector(values: Sequence[bytes]) -> bytes:
    if len(values) > MAX_MESSAGES:
        raise Unencodable("mixed messages", f"more than {MAX_MESSAGES}")
    if not values:
        return b"\0"
    counts = write_compact_size(len(values)) + write_compact_size(MESSAGE_SIZE)
    return counts + b"".join(map(_write_mixed, values))


def _read_change(data: bytes, pos: int) -> tuple[TxOut | None, int]:
    if pos >= len(data):
        raise Truncated(1, 0)
    if data[pos] > 1:
        raise InvalidValue("mark of change", data[pos])
    if not data[pos]:
        return None, pos + 1
    change, end = _Change.read(data, pos + 1)
    return TxOut(change.value, change.script, change.script_version), end


def _write_change(change: TxOut | None) -> bytes:
    if change is None:
        return b"\0"
    return b"\1" + _Change(change.value, change.script_version, change.script).encode()


_MAX_SCRIPT = 16_384
_VALUE_MAX = 1 + MAX_FIELD_VALUE
_COUNT_MAX = compact_size_length(MAX_MESSAGES)

_MAX_SLOTS = 2 * _COUNT_MAX + MAX_MESSAGES * MAX_PEERS * _VALUE_MAX
_MAX_NET = 2 * _COUNT_MAX + 1 + MAX_MESSAGES**2 * MESSAGE_SIZE
_MAX_VECTOR = _COUNT_MAX + 1 + MAX_MESSAGES * MESSAGE_SIZE

_SLOTS = Codec(_read_slots, _write_slots, 3, _MAX_SLOTS, counted=True)
_NET = Codec(_read_net, _write_net, 1, _MAX_NET, counted=True)
_VECTOR = Codec(_read_vector, _write_vector, 1, _MAX_VECTOR, counted=True)


class MixMessage(Message):
    """What all mixing messages have in common."""

    __slots__ = ()

    @property
    def hash(self) -> bytes:
        """The name under which it is announced, 32 bytes in wire order; computed each time."""
        return blake256(self.encode())


@record
class _Change(Record):
    value: Annotated[int, Fixed("q")]
    script_version: Uint16
    script: Annotated[bytes, Limit(_MAX_SCRIPT)]


_CHANGE = Codec(_read_change, _write_change, 1, 1 + _Change.max_size)


@record
class MixUtxo(Record):
    """An output that a pair request offers, and proof that the sender owns it."""

    outpoint: OutPoint
    script: Annotated[bytes, Limit(_MAX_SCRIPT)]
    """The script whose hash is paid to; empty for outputs that pay to a key."""
    public_key: Annotated[bytes, Limit(33)]
    signature: Annotated[bytes, Limit(64)]
    opcode: Uint8
    """What opens the output's script if it is one of the stake tree; 0 otherwise."""


@message("mixpairreq", since=MIX_VERSION)
class MixPairReq(MixMessage):
    """Look for partners: the outputs to be mixed, and the conditions."""

    signature: Signature
    identity: Identity
    expiry: Uint32
    """The height at which the offer ends."""
    mix_amount: Amount
    """Of each mixed output."""
    script_class: Text32
    """Of each mixed output: `P2PKH`."""
    tx_version: Uint16
    lock_time: Uint32
    message_count: Uint32
    """How many mixed outputs the sender wants."""
    input_value: Amount
    """Of all the outputs offered together."""
    utxos: Annotated[Sequence[MixUtxo], Limit(MAX_UTXOS)]
    change: Annotated[TxOut | None, _CHANGE]
    """What the sender gets back, unmixed."""
    flags: Uint8
    """Bit 0: can solve for the roots of polynomials."""
    pairing_flags: Uint8

    def pairing(self) -> bytes:
        """Return the conditions as bytes: requests with equal ones can be mixed."""
        return b"".join(
            (
                _PAIRING_HEAD.pack(self.mix_amount),
                write_compact_size(len(self.script_class)),
                self.script_class,
                _PAIRING_TAIL.pack(self.tx_version, self.lock_time, self.pairing_flags),
            )
        )


_PAIRING_HEAD, _PAIRING_TAIL = Struct("<q"), Struct("<HIB")


@message("mixkeyxchg", since=MIX_VERSION)
class MixKeyExchange(MixMessage):
    """Give the others the keys for secrets shared with each."""

    signature: Signature
    identity: Identity
    session_id: Hash
    """See `session_id`; wire order."""
    epoch: Uint64
    """When the session began, in seconds since 1970."""
    run: Uint32
    """Counts the attempts of the session, from 0."""
    position: Uint32
    """Of the sender among all peers."""
    ecdh_key: Annotated[bytes, Fixed("33s")]
    """secp256k1, compressed."""
    post_quantum_key: Annotated[bytes, Fixed("1218s")]
    """Of sntrup4591761."""
    commitment: Hash
    """The hash of a later `mixsecrets`, without signature and hashes seen."""
    seen: Seen
    """Of `mixpairreq`."""


@dataclass(frozen=True, slots=True)
class MixCiphertexts(MixMessage):
    """Give each of the others a secret under its post-quantum key."""

    command: ClassVar[str] = "mixcphrtxt"
    since: ClassVar[int] = MIX_VERSION
    min_size: ClassVar[int] = 134
    max_size: ClassVar[int] = 136 + MAX_PEERS * (CIPHERTEXT_SIZE + 32)

    signature: bytes
    identity: bytes
    session_id: bytes
    run: int
    ciphertexts: Sequence[bytes]
    """One for each peer, 1,047 bytes each."""
    seen: Sequence[bytes]
    """Of `mixkeyxchg`; as many, for one count stands for both lists."""

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        start = pos + _MIX_HEAD.size
        if start > len(data):
            raise Truncated(_MIX_HEAD.size, len(data) - pos)
        signature, identity, session, run = _MIX_HEAD.unpack_from(data, pos)
        count, pos = read_count(data, start, MAX_PEERS, CIPHERTEXT_SIZE + 32)
        middle = pos + count * CIPHERTEXT_SIZE
        end = middle + count * 32
        ciphertexts = tuple(
            data[at : at + CIPHERTEXT_SIZE] for at in range(pos, middle, CIPHERTEXT_SIZE)
        )
        seen = tuple(data[at : at + 32] for at in range(middle, end, 32))
        return cls(signature, identity, session, run, ciphertexts, seen), end

    def encode(self) -> bytes:
        count = len(self.seen)
        if len(self.ciphertexts) != count or count > MAX_PEERS:
            raise Unencodable("MixCiphertexts", f"the lists must be as long, at most {MAX_PEERS}")
        fixed = (self.signature, 64), (self.identity, 33), (self.session_id, 32)
        parts = (*fixed, *((each, CIPHERTEXT_SIZE) for each in self.ciphertexts))
        if any(len(each) != size for each, size in (*parts, *((each, 32) for each in self.seen))):
            raise Unencodable("MixCiphertexts", "a field has not the bytes it must have")
        try:
            head = _MIX_HEAD.pack(self.signature, self.identity, self.session_id, self.run)
        except struct_error as error:
            raise Unencodable("MixCiphertexts", str(error)) from None
        return b"".join((head, write_compact_size(count), *self.ciphertexts, *self.seen))


_MIX_HEAD = Struct("<64s33s32sI")


@message("mixslotres", since=MIX_VERSION)
class MixSlotReserve(MixMessage):
    """Reserve slots, in a way that does not tell whose they are."""

    signature: Signature
    identity: Identity
    session_id: Hash
    run: Uint32
    slots: Annotated[Rows, _SLOTS]
    """One row for each mixed message, in it one number for each peer: big-endian."""
    seen: Seen
    """Of `mixcphrtxt`."""


@message("mixfactpoly", since=MIX_VERSION)
class MixFactoredPoly(MixMessage):
    """The roots of the polynomial of slots, for those who cannot solve for them."""

    signature: Signature
    identity: Identity
    session_id: Hash
    run: Uint32
    roots: Annotated[Sequence[FieldValue], Limit(MAX_MESSAGES)]
    """Big-endian."""
    seen: Seen
    """Of `mixslotres`."""


@message("mixdcnet", since=MIX_VERSION)
class MixDCNet(MixMessage):
    """Share the messages to be mixed, none of which can be told apart."""

    signature: Signature
    identity: Identity
    session_id: Hash
    run: Uint32
    messages: Annotated[Rows, _NET]
    """20 bytes in each place."""
    seen: Seen
    """Of `mixslotres`."""


@message("mixconfirm", since=MIX_VERSION)
class MixConfirm(MixMessage):
    """Sign one's inputs of the transaction that mixes all."""

    signature: Signature
    identity: Identity
    session_id: Hash
    run: Uint32
    transaction: Tx
    seen: Seen
    """Of `mixdcnet`."""


@message("mixsecrets", since=MIX_VERSION)
class MixSecrets(MixMessage):
    """Show what one did in a mix that failed, so that the culprit is found."""

    signature: Signature
    identity: Identity
    session_id: Hash
    run: Uint32
    seed: Hash
    """Of which all the sender's keys were made."""
    slots: Annotated[Sequence[FieldValue], Limit(MAX_MESSAGES)]
    """The numbers of the sender's slots, big-endian."""
    messages: Annotated[Sequence[bytes], _VECTOR]
    """What the sender wanted to be mixed, 20 bytes each."""
    seen: Seen
    """Of `mixsecrets`."""


def data_hash(mix: MixMessage) -> bytes:
    """Return the hash of what a mixing message says, without its signature: 32 bytes."""
    title = f"{mix.command}-sig".encode()
    return blake256(write_compact_size(len(title)) + title + mix.encode()[64:])


def signed_digest(mix: Any) -> bytes:
    """Return what the signature of a mixing message signs: 32 bytes."""
    session, run = getattr(mix, "session_id", bytes(32)), getattr(mix, "run", 0)
    text = f"decred-mix-signature,{mix.command},{session.hex()},{run},{data_hash(mix).hex()}"
    return blake256(text.encode())


def session_id(epoch: int, pair_requests: Sequence[bytes]) -> bytes:
    """Return the name of a session, wire order.

    Args:
        epoch: when it began, in seconds since 1970.
        pair_requests: the hashes of the requests that take part, wire order, in any order.
    """
    return blake256(
        b"decred-mix-session" + epoch.to_bytes(8, "big") + b"".join(sorted(pair_requests))
    )


def peer_order(session: bytes, pair_requests: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of pair requests in the order of the peers' positions."""
    name = int.from_bytes(session, "big")
    return sorted(pair_requests, key=lambda each: int.from_bytes(each, "big") ^ name)
