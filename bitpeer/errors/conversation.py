"""Peers, and proxies on the way to them, that break a rule of the conversation."""

from __future__ import annotations

from bitpeer.errors.base import DisconnectReason, RemoteError


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
