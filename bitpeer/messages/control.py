"""Messages that keep a connection alive and say what each side wants."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from bitpeer.wire.fields import Int64, Limit, Rest, Uint8, Uint64
from bitpeer.wire.message import COMMAND_SIZE, Message, message

MAX_REJECT_REASON = 4_000
MAX_ALERT = 4_000
MAX_ALERT_SIGNATURE = 1_000


@message("verack")
class VerAck(Message):
    """Accept the peer's `version`: the handshake is over on this side."""


@message("ping")
class Ping(Message):
    """Ask the peer for a `pong` with the same nonce (BIP 31)."""

    nonce: Uint64


@message("pong")
class Pong(Message):
    """Answer a `ping` (BIP 31)."""

    nonce: Uint64


@message("getaddr")
class GetAddr(Message):
    """Ask for addresses of other nodes; answered once, and only to peers that dialled."""


@message("mempool")
class MemPool(Message):
    """Ask for an `inv` of all unconfirmed transactions (BIP 35)."""


@message("sendheaders")
class SendHeaders(Message):
    """Ask for new blocks to be announced by `headers` rather than by `inv` (BIP 130)."""


@message("feefilter")
class FeeFilter(Message):
    """Ask not to hear of transactions that pay less (BIP 133)."""

    fee_rate: Int64
    """Smallest units of currency per 1,000 virtual bytes."""


@message("alert")
class Alert(Message):
    """A signed warning to all users; retired everywhere, still on the wire here and there."""

    payload: Annotated[bytes, Limit(MAX_ALERT)]
    signature: Annotated[bytes, Limit(MAX_ALERT_SIGNATURE)]


class RejectCode(IntEnum):
    """Why something was rejected (BIP 61)."""

    MALFORMED = 0x01
    INVALID = 0x10
    OBSOLETE = 0x11
    DUPLICATE = 0x12
    NONSTANDARD = 0x40
    DUST = 0x41
    INSUFFICIENT_FEE = 0x42
    CHECKPOINT = 0x43


@message("reject")
class Reject(Message):
    """Say that a message was not accepted, and why (BIP 61)."""

    message: Annotated[bytes, Limit(COMMAND_SIZE)]
    """The command of the rejected message."""

    code: Uint8
    """A `RejectCode`, or a number that nobody has defined yet."""

    reason: Annotated[bytes, Limit(MAX_REJECT_REASON)]
    """For people; text of the peer's, so escape it before showing it."""

    extra: Rest = b""
    """For a rejected `tx` or `block` its hash, 32 bytes in wire order; otherwise empty."""
