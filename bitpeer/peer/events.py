"""What happens in a conversation, besides messages: those are their own events."""

from __future__ import annotations

from dataclasses import dataclass

from bitpeer.dialect import VersionLike
from bitpeer.peer.inquiries import Settled


@dataclass(frozen=True, slots=True)
class VersionReceived:
    """The peer introduced itself; refuse it now or let the handshake go on."""

    version: VersionLike


@dataclass(frozen=True, slots=True)
class Established:
    """The handshake is complete; the application may speak now."""

    version: VersionLike


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked for has come, or the peer says that it will not."""

    settled: tuple[Settled, ...]
    """Who waited for it, and what they get."""
