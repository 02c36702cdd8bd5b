"""The reasons for which connections end, and the roots of the tree of exceptions."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class DisconnectReason(Enum):
    """Every way in which a connection can end.  The value is the sentence shown to people."""

    CLOSED_HERE = "closed by this side"
    CLOSED_BY_PEER = "closed by the peer"
    CONNECTION_BROKEN = "the network connection broke"
    DIAL_FAILED = "no connection could be made"
    NAME_UNKNOWN = "the name could not be looked up"
    DIAL_REFUSED = "nobody listens there"
    DIAL_TIMED_OUT = "nobody answered the dial"
    PROXY_FAILED = "the proxy made no connection"
    WRONG_NETWORK = "the peer speaks for another network"
    OVERSIZED = "a frame claims more than its kind may carry"
    MALFORMED = "a message could not be decoded"
    HANDSHAKE_TIMEOUT = "the handshake took too long"
    OUT_OF_ORDER = "a message came when it was not allowed"
    SELF_CONNECTION = "the peer is this very program"
    OBSOLETE = "the peer's protocol version is too old"
    REFUSED = "one side refused the other"
    REDIRECTED = "the peer named another address to dial"
    UNWANTED = "the peer asked for a service that is not offered"
    IDLE = "the peer fell silent"
    PING_TIMEOUT = "a ping was never answered"
    STALLED = "a request was never answered"
    FRAME_TIMEOUT = "a message arrived too slowly"
    SEND_TIMEOUT = "the peer reads too slowly"
    SEND_QUEUE_FULL = "too much is waiting to be sent to the peer"
    MEMORY_BUDGET = "all peers together hold too much"
    BAD_HEADER = "a block header breaks the rules of the chain"
    INTERNAL = "a mistake in this program"

    @property
    def transient(self) -> bool:
        """Whether dialling the same address again later may go better."""
        return self in _TRANSIENT


_TRANSIENT = frozenset(
    {
        DisconnectReason.CLOSED_HERE,
        DisconnectReason.CLOSED_BY_PEER,
        DisconnectReason.CONNECTION_BROKEN,
        DisconnectReason.DIAL_FAILED,
        DisconnectReason.NAME_UNKNOWN,
        DisconnectReason.DIAL_REFUSED,
        DisconnectReason.DIAL_TIMED_OUT,
        DisconnectReason.PROXY_FAILED,
        DisconnectReason.HANDSHAKE_TIMEOUT,
        DisconnectReason.IDLE,
        DisconnectReason.PING_TIMEOUT,
        DisconnectReason.STALLED,
        DisconnectReason.FRAME_TIMEOUT,
        DisconnectReason.SEND_TIMEOUT,
        DisconnectReason.SEND_QUEUE_FULL,
        DisconnectReason.MEMORY_BUDGET,
        DisconnectReason.INTERNAL,
    }
)


class BitpeerError(Exception):
    """Base of every exception defined by this package.

    Neither `str` nor `repr` of one is longer than 500 characters, whatever a
    peer made it of.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class LocalError(BitpeerError):
    """The calling program broke a rule; the connection is unharmed."""


class RemoteError(BitpeerError):
    """The peer broke a rule; the connection is closed because of it."""

    reason: ClassVar[DisconnectReason] = DisconnectReason.OUT_OF_ORDER
    """What to tell listeners and counters."""


class Disconnected(BitpeerError):
    """The connection is gone.

    What listeners are told when a peer is lost, and what every Deferred that
    still waited for the peer fails with.

    Attributes:
        reason: the kind of ending.
        cause: the exception behind it, if there is one.
    """

    def __init__(self, reason: DisconnectReason, cause: BaseException | None = None) -> None:
        super().__init__(reason, cause)
        self.reason = reason
        self.cause = cause

    def __str__(self) -> str:
        if self.cause is None:
            return self.reason.value
        return f"{self.reason.value}: {str(self.cause) or type(self.cause).__name__:.300}"
