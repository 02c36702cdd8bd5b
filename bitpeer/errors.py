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


# The caller's fault


class LocalError(BitpeerError):
    """The calling program broke a rule; the connection is unharmed."""


class InvalidSetting(LocalError, ValueError):
    """A setting or an option has a value that makes no sense.

    Attributes:
        setting: the name of the setting, as the caller wrote it.
        value: the value given.
        expected: what would have been right, in words.
    """

    def __init__(self, setting: str, value: object, expected: str) -> None:
        super().__init__(setting, value, expected)
        self.setting = setting
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.setting:.64} is {self.value!r:.100}, expected {self.expected:.200}"


class StorageUnusable(LocalError):
    """A file or a directory cannot hold what is to be kept.

    Attributes:
        path: which one.
        why: what is wrong with it, and what can be done, in words.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path:.200} cannot be used: {self.why:.250}"


class Unencodable(LocalError, ValueError):
    """A message holds a value that its wire form cannot carry."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why

    def __str__(self) -> str:
        return f"{self.what:.100} cannot be encoded: {self.why:.300}"


class NotEstablished(LocalError):
    """The handshake with this peer is not complete, so nothing can be sent yet."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"cannot send {self.command:.32} before the handshake is complete"


class NotNegotiated(LocalError):
    """What was negotiated with this peer does not allow this message."""

    def __init__(self, command: str, needed: str) -> None:
        super().__init__(command, needed)
        self.command = command
        self.needed = needed

    def __str__(self) -> str:
        return f"cannot send {self.command:.32} to this peer: it needs {self.needed:.200}"


class MissingExtra(LocalError):
    """A package is not installed that only this feature needs.

    Attributes:
        feature: what cannot be done, in words.
        package: what is missing.
        extra: the extra of ours that brings it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(feature, package, extra)
        self.feature = feature
        self.package = package
        self.extra = extra

    @property
    def install(self) -> str:
        """What to type to have it."""
        return f"pip install 'bitpeer[{self.extra:.32}]'"

    def __str__(self) -> str:
        return f"{self.feature:.100} needs the package {self.package:.64}: {self.install}"


class TorUnavailable(LocalError):
    """There is no Tor to be used.

    Attributes:
        where: the control port, or whatever of Tor's was wanted.
        why: what is the matter with it, in words.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where = where
        self.why = why

    def __str__(self) -> str:
        return f"{self.where:.120}: {self.why:.340}"


class NoRoute(LocalError):
    """Nothing that may be used leads to this host; nobody was asked for it."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(host, why)
        self.host = host
        self.why = why

    def __str__(self) -> str:
        return f"there is no way to {self.host:.100}: {self.why:.200}"


# The peer's fault


class RemoteError(BitpeerError):
    """The peer broke a rule; the connection is closed because of it."""

    reason: ClassVar[DisconnectReason] = DisconnectReason.OUT_OF_ORDER
    """What to tell listeners and counters."""


class DecodeError(RemoteError):
    """Bytes from the peer are not a valid message."""

    reason = DisconnectReason.MALFORMED


class Truncated(DecodeError):
    """The payload ends in the middle of a field."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed, available)
        self.needed = needed
        self.available = available

    def __str__(self) -> str:
        return f"needed {self.needed} bytes, only {self.available} left"


class TrailingBytes(DecodeError):
    """The payload goes on after the last field."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count

    def __str__(self) -> str:
        return f"{self.count} bytes after the last field"


class NonCanonical(DecodeError):
    """A compact size uses more bytes than it needs."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return f"{self.value} is not written in its shortest form"


class LimitExceeded(DecodeError):
    """A count or a length is larger than the protocol allows."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(count, limit)
        self.count = count
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.count} exceeds the limit of {self.limit}"


class InvalidValue(DecodeError):
    """A field holds a value that its specification excludes."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(field, value)
        self.field = field
        self.value = value

    def __str__(self) -> str:
        return f"{self.field:.64} cannot be {self.value!r:.64}"


class BadCommand(DecodeError):
    """A frame's command is not printable ASCII followed by NUL bytes."""

    def __init__(self, command: bytes) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"not a command: {self.command[:16].hex()}"


class BadChecksum(DecodeError):
    """A frame's checksum does not match its payload."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"wrong checksum of {self.command!r:.32}"


class WrongNetwork(RemoteError):
    """A frame carries the magic of another network, or what comes is no frame at all."""

    reason = DisconnectReason.WRONG_NETWORK

    def __init__(self, magic: bytes) -> None:
        super().__init__(magic)
        self.magic = magic

    def __str__(self) -> str:
        return f"magic is {self.magic[:16].hex()}"


class Oversized(RemoteError):
    """A frame's header claims more bytes than a message of its kind can have."""

    reason = DisconnectReason.OVERSIZED

    def __init__(self, command: str, length: int, limit: int) -> None:
        super().__init__(command, length, limit)
        self.command = command
        self.length = length
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.command!r:.32} of {self.length} bytes, at most {self.limit} are allowed"


class HandshakeError(RemoteError):
    """The version handshake could not be completed."""


class Unexpected(HandshakeError):
    """A message came in a phase of the conversation in which it has no place."""

    def __init__(self, command: str, phase: str) -> None:
        super().__init__(command, phase)
        self.command = command
        self.phase = phase

    def __str__(self) -> str:
        return f"{self.command!r:.32} {self.phase:.200}"


class SelfConnection(HandshakeError):
    """The peer is this very program: it sent back a nonce we sent."""

    reason = DisconnectReason.SELF_CONNECTION

    def __str__(self) -> str:
        return "the peer sent our own nonce"


class VersionTooOld(HandshakeError):
    """The peer speaks a protocol version below the minimum."""

    reason = DisconnectReason.OBSOLETE

    def __init__(self, version: int, minimum: int) -> None:
        super().__init__(version, minimum)
        self.version = version
        self.minimum = minimum

    def __str__(self) -> str:
        return f"version {self.version} is below {self.minimum}"


class Refused(HandshakeError):
    """A listener did not want this peer."""

    reason = DisconnectReason.REFUSED

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.why:.300}" or "no reason given"


class WrongChain(HandshakeError):
    """The peer came for another chain of the same network."""

    reason = DisconnectReason.WRONG_NETWORK

    def __init__(self, wanted: int, ours: int) -> None:
        super().__init__(wanted, ours)
        self.wanted = wanted
        self.ours = ours

    def __str__(self) -> str:
        return f"the peer wants chain {self.wanted}, here is chain {self.ours}"


class Redirected(HandshakeError):
    """The peer says that what is wanted is to be had elsewhere.

    Args:
        host: an IPv4 or IPv6 literal; the peer may have invented it.
        port: the port there.
    """

    reason = DisconnectReason.REDIRECTED

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        host = f"[{self.host:.64}]" if ":" in self.host else f"{self.host:.64}"
        return f"the peer sends us to {host}:{self.port}"


class Unwanted(RemoteError):
    """The peer used a service that this side never offered."""

    reason = DisconnectReason.UNWANTED

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"{self.command:.32} needs a service that was not offered"


class TimedOut(RemoteError):
    """The peer did not do in time what it had to do.

    Args:
        reason: which of the deadlines passed.
        what: what was waited for, in words.
        seconds: for how long.
    """

    def __init__(self, reason: DisconnectReason, what: str, seconds: float) -> None:
        super().__init__(reason, what, seconds)
        self.reason = reason  # type: ignore[misc]  # one class serves several deadlines
        self.what = what
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no {self.what:.200} within {self.seconds:g} seconds"


class OverBudget(RemoteError):
    """Serving this peer would need more memory than it may have.

    Args:
        reason: whose budget is spent: the peer's own, or that of all peers together.
        used: bytes held.
        limit: bytes allowed.
    """

    def __init__(self, reason: DisconnectReason, used: int, limit: int) -> None:
        super().__init__(reason, used, limit)
        self.reason = reason  # type: ignore[misc]  # see TimedOut
        self.used = used
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.used} bytes are waiting, at most {self.limit} may"


class ProxyFailed(RemoteError):
    """The proxy in between is not there, or not what it should be; the peer was never asked."""

    reason = DisconnectReason.PROXY_FAILED

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the proxy {self.why:.300}"


class ProxyRefused(RemoteError):
    """The proxy says that it cannot connect us, and why.

    Attributes:
        code: its reply (RFC 1928; from 0xF0 on, Tor's own).
        why: the same in words.
    """

    reason = DisconnectReason.PROXY_FAILED

    def __init__(self, code: int, why: str) -> None:
        super().__init__(code, why)
        self.code = code
        self.why = why

    def __str__(self) -> str:
        return f"the proxy could not connect: {self.why:.300} (reply {self.code})"


class BadHeader(RemoteError):
    """A block header breaks the rules of the chain.

    Args:
        block: the hash of its block, wire order.
        why: which rule, in words.
    """

    reason = DisconnectReason.BAD_HEADER

    def __init__(self, block: bytes, why: str) -> None:
        super().__init__(block, why)
        self.block = block
        self.why = why

    def __str__(self) -> str:
        return f"header {self.block[31::-1].hex()}: {self.why:.300}"


class TooNew(BadHeader):
    """A block header is from the future: it may be right later, or this side's clock is wrong."""


# Nobody's fault


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


# Of what was asked for


class RequestFailed(BitpeerError):
    """What was asked for is not coming."""


class Absent(RequestFailed):
    """The peer says that it does not have what was asked for."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the peer does not have {self.what:.200}"


class Unanswered(RequestFailed):
    """No answer came in time; a late one will be thrown away.

    Attributes:
        what: what was asked for, in words.
        seconds: how long was waited.
    """

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what, seconds)
        self.what = what
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no answer to a request for {self.what:.200} within {self.seconds:g} seconds"


class AnswerTooLong(RequestFailed):
    """The peer went on answering beyond all measure.

    Attributes:
        what: what was asked for, in words.
        count: messages that had come when it was too much.
        size: bytes of them.
    """

    def __init__(self, what: str, count: int, size: int) -> None:
        super().__init__(what, count, size)
        self.what = what
        self.count = count
        self.size = size

    def __str__(self) -> str:
        so_far = f"{self.count} messages of {self.size} bytes"
        return f"the answer to a request for {self.what:.200} has no end: {so_far}"


class TooManyRequests(RequestFailed, LocalError):
    """This side has asked the peer for so much already that it does not ask for more."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(count, limit)
        self.count = count
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.count} requests would be on their way to one peer, at most {self.limit} may"


class PeerGone(RequestFailed, Disconnected):
    """The peer was lost before it answered, or before it was asked."""


class NobodyAnswered(RequestFailed):
    """None of several peers could, or would.

    Attributes:
        what: what was asked for, in words.
        attempts: how many peers were asked.
        cause: what went wrong last, if anybody was asked.
    """

    def __init__(self, what: str, attempts: int, cause: BaseException | None = None) -> None:
        super().__init__(what, attempts, cause)
        self.what = what
        self.attempts = attempts
        self.cause = cause

    def __str__(self) -> str:
        if not self.attempts:
            return f"nobody could be asked for {self.what:.200}"
        last = "" if self.cause is None else f": {self.cause!s:.200}"
        return f"{self.attempts} peers were asked for {self.what:.200} in vain{last}"
