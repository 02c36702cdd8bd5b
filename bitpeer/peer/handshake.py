"""Exchange of `version` and `verack`: the first words of every connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from typing import cast

from bitpeer.dialect import Greeting, VersionLike
from bitpeer.errors import (
    DisconnectReason,
    Redirected,
    Refused,
    SelfConnection,
    TimedOut,
    Unexpected,
    VersionTooOld,
)
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.control import Reject, VerAck
from bitpeer.peer.part import NEVER
from bitpeer.peer.terms import Terms
from bitpeer.wire.message import Malformed, Message, Unknown


@lru_cache(maxsize=64)
def _shared(number: int) -> int:
    """Return the same object for equal numbers: ten thousand peers need not keep one each."""
    return number


def _refusal(message: Reject) -> Refused:
    """Return what it means that the peer rejects us."""
    return Refused(f"the peer refused: {repr(message.reason)[2:-1]}")


class Phase(Enum):
    """How far the handshake has come."""

    AWAITING_VERSION = "before version"
    AWAITING_VERACK = "between version and verack"
    DONE = "after verack"


class Handshake:
    """Both sides introduce themselves; the side that dialled speaks first.

    Between `version` and `verack` anything may come and is passed over, so that
    a feature we have never heard of does not cost the connection (BIP 434,
    R-C3); but not without end.  Nothing of it is kept, so a bound on how many
    there are, and one on how long each is, bound what they cost.

    Args:
        terms: what the node lends.
        outbound: whether this side dialled.
        receiver: what may be said of the peer's address.
    """

    __slots__ = (
        "_deadline",
        "_greeting",
        "_outbound",
        "_receiver",
        "_strangers",
        "_terms",
        "common_version",
        "phase",
        "version",
    )

    def __init__(self, terms: Terms, *, outbound: bool, receiver: NetAddress) -> None:
        self._terms = terms
        self._outbound = outbound
        self._receiver = receiver
        self._deadline = NEVER
        self._strangers = 0
        self._greeting: Greeting | None = None
        self.phase = Phase.AWAITING_VERSION
        self.version: VersionLike | None = None
        """The peer's `version`, once it has been accepted."""
        self.common_version = 0
        """The lower of both sides' highest versions, once both are known."""

    @property
    def next_wake(self) -> float:
        return self._deadline

    def wake(self, now: float) -> tuple[()]:
        if now >= self._deadline:
            timeout = self._terms.handshake_timeout
            raise TimedOut(DisconnectReason.HANDSHAKE_TIMEOUT, "handshake", timeout)
        return ()

    def postpone(self, seconds: float) -> None:
        """Change nothing: a stranger has so long and no longer, whoever is to blame."""

    def start(self, now: float) -> Iterator[Message]:
        """Yield what to say before hearing anything."""
        self._deadline = now + self._terms.handshake_timeout
        if self._outbound:
            yield self._terms.dialect.greet(self._introduction(now))

    def review(self, message: Message | Unknown | Malformed, now: float) -> Iterator[Message]:
        """Judge the first message; yield what to answer even if it is refused.

        Raises:
            HandshakeError: it is no `version`, or one that cannot be accepted.
            Redirected: it says where else to go.
            DecodeError: it is not even a message.
        """
        if isinstance(message, Malformed):
            raise message.error
        if self._outbound and isinstance(message, Reject):
            # The last words of a peer that refuses us before it has introduced itself.
            raise _refusal(message)
        if message.command != "version" or not isinstance(message, Message):
            raise self._redirection(message) or Unexpected(message.command, self.phase.value)
        terms, version = self._terms, cast(VersionLike, message)
        if self._sent(version.nonce) and not terms.allow_self_connections:
            terms.own_nonces.discard(version.nonce)  # the other end of the connection sees that
            raise SelfConnection
        if version.version < terms.min_version:
            raise VersionTooOld(version.version, terms.min_version)
        greeting = self._introduction(now)
        yield from terms.dialect.review(version, greeting)
        self.common_version = _shared(min(greeting.version, version.version))
        self.version = version

    def accept(self, now: float) -> Iterator[Message]:
        """The peer's `version` is welcome: yield the introduction and the announcements."""
        dialect = self._terms.dialect
        self.phase = Phase.AWAITING_VERACK
        if not self._outbound:
            yield dialect.greet(self._introduction(now))
        for feature in dialect.announce(self.common_version):
            if dialect.speaks(type(feature), self.common_version):
                yield feature
        yield VerAck()

    def received(self, message: Message | Unknown | Malformed) -> bool:
        """Take one message between `version` and `verack`; return whether it ends the handshake.

        Raises:
            Refused: the peer rejects our `version`.
            HandshakeError: a second `version`, or one message too many that is no `verack`.
        """
        if isinstance(message, VerAck):
            self.phase, self._deadline = Phase.DONE, NEVER
            return True
        if message.command == "version":
            raise Unexpected("version", "came twice")
        if isinstance(message, Reject) and message.message == b"version":
            raise _refusal(message)
        if isinstance(message, Unknown) and self._terms.dialect.strict_commands:
            raise Unexpected(message.command, "is not a message of this network")
        self._strangers += 1
        limit = self._terms.dialect.early_messages(self.common_version)
        if self._strangers > (self._terms.max_handshake_messages if limit is None else limit):
            raise Unexpected(message.command, f"came after {self._strangers - 1} without verack")
        return False

    def close(self) -> None:
        """The handshake is over, one way or the other: our nonce is of no further use."""
        if self._greeting is not None:
            self._terms.own_nonces.discard(self._greeting.nonce)

    def _redirection(self, message: Message | Unknown) -> Redirected | None:
        """Return what it means if *message* sends us elsewhere: only who was dialled may do so."""
        address_in = self._terms.dialect.redirects.get(cast(type[Message], type(message)))
        if address_in is None or not self._outbound:
            return None
        address = address_in(message)
        return Redirected(address.host, address.port)

    @property
    def recognised(self) -> bool:
        """Whether the nonce that was sent here has come back elsewhere, before `close`."""
        return self._greeting is not None and self._greeting.nonce not in self._terms.own_nonces

    def _sent(self, nonce: int) -> bool:
        """Return whether this *nonce* is our own, of this connection or of another."""
        own = self._greeting is not None and self._greeting.nonce == nonce
        return own or nonce in self._terms.own_nonces

    def _introduction(self, now: float) -> Greeting:
        """Return what this side says of itself; not before it is needed, so that it is true."""
        if self._greeting is None:
            nonce = self._terms.draw_nonce()
            greeting = self._terms.greeting(now, nonce, self._receiver)
            self._greeting = replace(greeting, outbound=True) if self._outbound else greeting
            self._terms.own_nonces.add(nonce)
        return self._greeting
