"""Announcing transactions by comparing sets of them instead of one by one (BIP 330).

Only `SendTxRcncl` is in use; the other messages are a draft that no node speaks yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from bitpeer.hashes.siphash import siphash
from bitpeer.wire.fields import Limit, Uint8, Uint16, Uint32, Uint64
from bitpeer.wire.message import Message, message

RECONCILIATION_VERSION = 1
"""The only version there is; a higher one of the peer's is to be taken for it."""

Q_PRECISION = 0x7FFF
"""What the coefficient of `ReqRecon` is multiplied by, to travel as a whole number."""

MAX_SKETCH_CAPACITY = 16_384
"""Most elements of a sketch, its extension included (Bitcoin Core's draft)."""

_SKETCH_ELEMENT_SIZE = 4
_TAG = sha256(b"Tx Relay Salting").digest()


@message("sendtxrcncl", since=70016)
class SendTxRcncl(Message):
    """Offer to reconcile transactions; between `version` and `verack`, with `wtxidrelay`."""

    version: Uint32
    """At least 1: the highest version that the sender speaks."""
    salt: Uint64
    """This side's half of what keeps short ids unpredictable."""


@message("reqrecon", since=70016)
class ReqRecon(Message):
    """Begin a round: ask for a sketch of what the peer would announce."""

    set_size: Uint16
    """How many transactions the sender would announce."""
    q: Uint16
    """How different the sender expects the sets to be, times `Q_PRECISION`."""


@message("sketch", since=70016)
class Sketch(Message):
    """A summary of a set from which its difference to a similar one can be computed."""

    sketch: Annotated[bytes, Limit(MAX_SKETCH_CAPACITY * _SKETCH_ELEMENT_SIZE)]
    """Elements of GF(2**32), four bytes each, little-endian."""


@message("reqsketchext", since=70016)
class ReqSketchExt(Message):
    """Ask for more of the sketch: the sets differ by more than it can tell."""


@message("reconcildiff", since=70016)
class ReconcilDiff(Message):
    """End a round, and ask for the transactions that this side lacks."""

    success: Uint8
    """1 if the difference could be computed, otherwise 0."""
    wanted: Annotated[Sequence[Uint32], Limit(MAX_SKETCH_CAPACITY)]
    """Short ids of the transactions to be announced."""


def reconciliation_key(salt: int, other_salt: int) -> bytes:
    """Return the key of the short ids on one connection.

    Args:
        salt: that of the one side's `SendTxRcncl`.
        other_salt: that of the other side's; which is which makes no difference.
    """
    low, high = sorted((salt, other_salt))
    salts = low.to_bytes(8, "little") + high.to_bytes(8, "little")
    return sha256(_TAG + _TAG + salts).digest()[:16]


def short_id(key: bytes, wtxid: bytes) -> int:
    """Return what stands for a transaction in a sketch: 1 <= id < 2**32.

    Args:
        key: from `reconciliation_key`.
        wtxid: 32 bytes in wire order.
    """
    return 1 + siphash(key, wtxid) % 0xFFFF_FFFF
