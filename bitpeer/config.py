"""Everything a program may decide about its peers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting
from bitpeer.messages.addresses import NetAddress
from bitpeer.wire.message import Message

VERSION = "0.1.0"
"""Of this package."""

MAX_USER_AGENT = 256
_ILLEGAL_IN_USER_AGENT = re.compile(r"[/:()]|[^\x20-\x7e]")


class BlockPosition(NamedTuple):
    """A block's place in the chain."""

    hash: bytes
    """32 bytes, wire order."""
    height: int


def user_agent(
    name: str = "bitpeer", version: str = VERSION, comments: tuple[str, ...] = ()
) -> bytes:
    """Return a user agent as BIP 14 wants it, such as ``/bitpeer:0.1.0(a; b)/``.

    Raises:
        InvalidSetting: a part has one of ``/ : ( )`` or a character outside printable
            ASCII, or the whole is longer than 256 bytes.
    """
    for part in (name, version, *comments):
        if not part or _ILLEGAL_IN_USER_AGENT.search(part):
            raise InvalidSetting("user agent", part, "printable ASCII without / : ( )")
    comment = f"({'; '.join(comments)})" if comments else ""
    whole = f"/{name}:{version}{comment}/".encode("ascii")
    if len(whole) > MAX_USER_AGENT:
        raise InvalidSetting("user agent", whole, f"at most {MAX_USER_AGENT} bytes")
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """Settings shared by every connection of one node.  Times are in seconds, sizes in bytes.

    Raises:
        InvalidSetting: two settings contradict each other, or one makes no sense.
    """

    network: Network
    """The chain to speak for."""

    # What to say of oneself

    user_agent: bytes = user_agent()
    """See the function of the same name."""

    services: int = 0
    """Service bits to offer."""

    protocol_version: int | None = None
    """The highest version to speak; `None` for the highest of the dialect."""

    relay: bool = True
    """Whether peers should announce transactions.  Core answers no request for an unconfirmed
    transaction to those who say no."""

    newest_block: Callable[[], BlockPosition] | None = None
    """Tells the newest block this program knows; `None` reports height 0."""

    preferences: tuple[Message, ...] | None = None
    """Wishes to send once a handshake is complete; `None` for those of the dialect."""

    proxied: bool = False
    """Whether peers are reached through a proxy: then nobody is told where anybody is."""

    address_of: Callable[[str, int, int], NetAddress] | None = None
    """Turns host, port and services into the address `version` shows the peer of itself;
    `None` takes IP literals as they are and hides everything else."""

    # Whom to put up with

    min_version: int | None = None
    """The lowest protocol version a peer may speak; `None` for the lowest of the dialect."""

    allow_self_connections: bool = False
    """Whether this program may be its own peer; for tests."""

    tolerate_malformed: bool = False
    """Whether a message that cannot be decoded is handed to listeners as `Malformed`, as
    Core ignores it, instead of ending the connection."""

    handshake_timeout: float = 30.0
    """For the whole handshake, from the first byte to `verack`; no traffic extends it."""

    idle_timeout: float = 300.0
    """Without a byte from the peer."""

    ping_interval: float = 120.0
    """Between two pings; each varies by a tenth, so that peers do not march in step."""

    ping_timeout: float = 1200.0
    """For a pong to arrive."""

    stall_timeout: float | None = 30.0
    """For an answer that the peer owes; `None` never gives up."""

    transfer_grace: float = 20.0
    """For any one message to arrive or to leave, however small."""

    transfer_rate: float = 262_144.0
    """Bytes that must flow each second beyond the grace."""

    # How much to hold

    max_payload: int | None = None
    """Largest payload accepted; `None` for the dialect's own limit."""

    max_handshake_payload: int = 16_384
    """Largest payload accepted before the handshake is complete."""

    max_handshake_messages: int = 256
    """Most messages between `version` and `verack`."""

    pause_queue: int = 1_000_000
    """Bytes waiting to be sent to one peer above which no more is read from it."""

    max_queue: int = 40_000_000
    """Bytes waiting to be sent to one peer above which the connection is ended."""

    max_total: int = 400_000_000
    """Bytes held for all peers together, waiting to be sent or incomplete, above which
    those who need most are dropped."""

    # How to announce

    trickle_interval: float = 10.0
    """Between two batches of announcements, when it is fixed."""

    poisson: bool = False
    """Whether batches leave at random times, as Core's do, so that they tell less about where
    a transaction came from: on average every 2 s to peers that were dialled, and every 5 s to
    all others together."""

    max_announcements: int = 1_000
    """Most items in one `inv`."""

    max_pending_announcements: int = 5_000
    """Most items waiting for one peer's next batch; the oldest give way."""

    max_total_announcements: int = 1_000_000
    """Most items waiting for all peers together; above that, too, the oldest give way."""

    known_inventory: int = 1_000
    """Items remembered that a peer announced, so as not to announce them back."""

    relay_window: int = 50_000
    """Items of our own announcing remembered, for all peers together."""

    # What to log

    log_messages: bool = False
    """Whether every message is logged in a line, at level debug."""

    log_bytes: bool = False
    """Whether every message is logged in full, decoded and as a hexdump."""

    def __post_init__(self) -> None:
        if self.idle_timeout <= self.ping_interval * 1.1:
            raise InvalidSetting(
                "idle_timeout", self.idle_timeout, "clearly more than ping_interval"
            )
        if len(self.user_agent) > MAX_USER_AGENT:
            raise InvalidSetting("user_agent", self.user_agent, f"at most {MAX_USER_AGENT} bytes")
        for name in (
            "handshake_timeout",
            "ping_interval",
            "ping_timeout",
            "transfer_grace",
            "transfer_rate",
            "trickle_interval",
            "max_announcements",
            "max_queue",
            "max_total",
        ):
            value = getattr(self, name)
            if not value > 0:
                raise InvalidSetting(name, value, "more than 0")
        if self.pause_queue > self.max_queue:
            raise InvalidSetting("pause_queue", self.pause_queue, "at most max_queue")
        if not 0 <= self.services < 1 << 64:
            raise InvalidSetting("services", self.services, "64 bits")
