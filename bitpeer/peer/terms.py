"""What all conversations of one node have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bitpeer.dialect import Dialect, Greeting
from bitpeer.messages.addresses import NetAddress
from bitpeer.peer.keepalive import Rhythm
from bitpeer.peer.reactions import Etiquette
from bitpeer.peer.trickle import Relay
from bitpeer.wire.framing import Envelope
from bitpeer.wire.message import Message


@dataclass(slots=True, kw_only=True)
class Terms:
    """The numbers, tables and functions that a node lends to each of its machines.

    Kept in one place, and borrowed, so that ten thousand peers cost ten thousand
    times what is their own and no more.  Times are in seconds, sizes in bytes.
    The settings among them are explained in `PeerConfig`.
    """

    dialect: Dialect
    envelope: Envelope
    etiquette: Etiquette
    """What machines do with each kind of message, at each version."""
    relay: Relay
    door: object = "door"
    """The same for all who come in together: they are told of news at the same moments."""
    rhythm: Rhythm
    draw_nonce: Callable[[], int]
    """Returns an unpredictable number, 0 < n < 2**64."""
    greeting: Callable[[float, int, NetAddress], Greeting]
    """Given the time, a nonce and what may be said of the peer's address, introduces us."""
    own_nonces: set[int]
    """Nonces of handshakes that are under way: who sends one back is ourselves."""
    preferences: tuple[Message, ...] | None
    min_version: int
    allow_self_connections: bool
    tolerate_malformed: bool
    handshake_timeout: float
    max_handshake_payload: int
    max_handshake_messages: int
    max_requests: int
    stall_timeout: float | None
    transfer_grace: float
    transfer_rate: float
