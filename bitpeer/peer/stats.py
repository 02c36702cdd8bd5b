"""Everything that can be told about a peer, at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from bitpeer.errors import DisconnectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSnapshot:
    """The state and the counters of one peer.  Moments are in seconds since 1970."""

    id: int
    """Counts the connections of a node, from 1."""
    address: str
    """Where the peer is, as the transport tells it, or as it was dialled."""
    local_address: str
    network: str
    inbound: bool
    connected: bool
    established: bool
    transport: str
    """The framing: ``v1``."""

    services: int
    """Service bits the peer offers."""
    version: int
    """The highest protocol version that the peer speaks; 0 until it is known."""
    negotiated_version: int
    """The lower of both sides' highest versions."""
    user_agent: bytes
    """As the peer wrote it: escape it before showing it."""
    relay: bool
    """Whether the peer wants to hear of transactions."""
    starting_height: int
    """Of the peer's newest block, as its `version` said."""
    last_block: int
    """Of the peer's newest block, as far as is known."""
    last_announced_block: bytes | None
    """Hash of the block that the peer announced last, wire order."""
    time_offset: int
    """Seconds by which the peer's clock was ahead of ours at the handshake."""

    connected_at: float
    last_send: float | None
    last_receive: float | None
    bytes_sent: int
    """Bytes the kernel has accepted."""
    bytes_received: int
    messages_received: int
    malformed: int
    """Messages that could not be decoded and were tolerated."""
    queued_bytes: int
    """Bytes waiting to be sent."""
    announcements_dropped: int
    listener_failures: int
    """Exceptions that listeners raised over this peer."""

    last_ping_nonce: int
    """Of the ping that waits for its pong; 0 if none does."""
    last_ping_at: float | None
    latency: float | None
    """Seconds between the latest answered ping and its pong."""
    min_latency: float | None

    disconnect_reason: DisconnectReason | None
    """Why the connection ended; `None` while it lives."""
