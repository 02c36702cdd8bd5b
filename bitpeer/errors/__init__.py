"""Every exception `bitpeer` raises, in one tree, and every reason for which a connection ends.

The tree answers one question first: whose fault is it?

* `BitpeerError`

  * `LocalError`: the calling program asked for something that cannot be done; nothing changed.

    * `InvalidSetting`: a setting or an option has a value that makes no sense.
    * `StorageUnusable`: a file or a directory cannot hold what is to be kept.
    * `Unencodable`: a message holds a value that its wire form cannot carry.
    * `NotEstablished`: the handshake with this peer is not complete.
    * `NotNegotiated`: the negotiated version, or a missing service, forbids this message.
    * `NoRoute`: nothing that may be used leads to this host.
    * `MissingExtra`: a package is not installed that only this feature needs.
    * `TorUnavailable`: there is no Tor to be used, now or ever.

  * `RemoteError`: the peer broke a rule; the connection ends with this as its cause.

    * `DecodeError`: bytes are not a message: `Truncated`, `TrailingBytes`, `NonCanonical`,
      `LimitExceeded`, `InvalidValue`, `BadCommand`, `BadChecksum`.
    * `WrongNetwork`, `Oversized`: bytes are not even a frame of this network.
    * `HandshakeError`: `SelfConnection`, `VersionTooOld`, `Unexpected`, `Refused`, `WrongChain`,
      `Redirected`.
    * `Unwanted`: a message for a service this side does not offer.
    * `TimedOut`: silence where an answer was due.
    * `OverBudget`: the connection needs more memory than it may have.
    * `BadHeader`: a block header breaks the rules of the chain; `TooNew` if only its time does.
    * `ProxyFailed`: the proxy in between is not there, or not what it should be.
    * `ProxyRefused`: the proxy says that it cannot connect us, and why.

  * `Disconnected`: the connection is gone; carries the reason and what caused it.

  * `RequestFailed`: something that was asked for is not coming; the connection may be fine.

    * `Absent`: the peer says that it does not have it.
    * `Unanswered`: no answer came in time.
    * `AnswerTooLong`: the answer never ends.
    * `TooManyRequests`: refused by this side, as a `LocalError`: too much is on its way already.
    * `PeerGone`: the peer was lost first; a `Disconnected`, too.
    * `NobodyAnswered`: none of several peers could or would.
"""

from __future__ import annotations

from bitpeer.errors.base import (
    BitpeerError,
    Disconnected,
    DisconnectReason,
    LocalError,
    RemoteError,
)
from bitpeer.errors.conversation import (
    BadHeader,
    HandshakeError,
    OverBudget,
    ProxyFailed,
    ProxyRefused,
    Redirected,
    Refused,
    SelfConnection,
    TimedOut,
    TooNew,
    Unexpected,
    Unwanted,
    VersionTooOld,
    WrongChain,
)
from bitpeer.errors.decoding import (
    BadChecksum,
    BadCommand,
    DecodeError,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    Oversized,
    TrailingBytes,
    Truncated,
    WrongNetwork,
)
from bitpeer.errors.local import (
    InvalidSetting,
    MissingExtra,
    NoRoute,
    NotEstablished,
    NotNegotiated,
    StorageUnusable,
    TorUnavailable,
    Unencodable,
)
from bitpeer.errors.requests import (
    Absent,
    AnswerTooLong,
    NobodyAnswered,
    PeerGone,
    RequestFailed,
    TooManyRequests,
    Unanswered,
)

__all__ = [
    "Absent",
    "AnswerTooLong",
    "BadChecksum",
    "BadCommand",
    "BadHeader",
    "BitpeerError",
    "DecodeError",
    "DisconnectReason",
    "Disconnected",
    "HandshakeError",
    "InvalidSetting",
    "InvalidValue",
    "LimitExceeded",
    "LocalError",
    "MissingExtra",
    "NoRoute",
    "NobodyAnswered",
    "NonCanonical",
    "NotEstablished",
    "NotNegotiated",
    "OverBudget",
    "Oversized",
    "PeerGone",
    "ProxyFailed",
    "ProxyRefused",
    "Redirected",
    "Refused",
    "RemoteError",
    "RequestFailed",
    "SelfConnection",
    "StorageUnusable",
    "TimedOut",
    "TooManyRequests",
    "TooNew",
    "TorUnavailable",
    "TrailingBytes",
    "Truncated",
    "Unanswered",
    "Unencodable",
    "Unexpected",
    "Unwanted",
    "VersionTooOld",
    "WrongChain",
    "WrongNetwork",
]
