"""What misbehaviour is, and what becomes of those who misbehave."""

from __future__ import annotations

from collections.abc import Callable

from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.service.bans import Bans
from bitpeer.service.origins import host_of
from bitpeer.service.slots import CONNECTION_TYPE

COUNTS: dict[DisconnectReason, bool] = {
    # What no program does that means well and works.
    DisconnectReason.OVERSIZED: True,
    DisconnectReason.MALFORMED: True,
    DisconnectReason.OUT_OF_ORDER: True,
    DisconnectReason.BAD_HEADER: True,
    # What a busy machine, a slow line or a lost packet does.
    DisconnectReason.CLOSED_BY_PEER: False,
    DisconnectReason.CONNECTION_BROKEN: False,
    DisconnectReason.DIAL_FAILED: False,
    DisconnectReason.DIAL_REFUSED: False,
    DisconnectReason.DIAL_TIMED_OUT: False,
    DisconnectReason.NAME_UNKNOWN: False,
    DisconnectReason.PROXY_FAILED: False,
    DisconnectReason.HANDSHAKE_TIMEOUT: False,
    DisconnectReason.IDLE: False,
    DisconnectReason.PING_TIMEOUT: False,
    DisconnectReason.STALLED: False,
    DisconnectReason.FRAME_TIMEOUT: False,
    DisconnectReason.SEND_TIMEOUT: False,
    DisconnectReason.SEND_QUEUE_FULL: False,
    # What those do who came to the wrong place, or are of another time or mind.
    DisconnectReason.WRONG_NETWORK: False,
    DisconnectReason.OBSOLETE: False,
    DisconnectReason.REFUSED: False,
    DisconnectReason.REDIRECTED: False,
    DisconnectReason.UNWANTED: False,
    # What is this side's doing.
    DisconnectReason.CLOSED_HERE: False,
    DisconnectReason.SELF_CONNECTION: False,
    DisconnectReason.MEMORY_BUDGET: False,
    DisconnectReason.INTERNAL: False,
}
"""For every reason why a connection ends, whether it is held against the peer's address."""


class Conduct(PeerListener):
    """Discourages the hosts of those who break the rules; a listener of a node.

    Once is enough, as in Bitcoin Core: what counts is never an accident.

    Args:
        bans: keeps the hosts in mind.
        tell: is told of each, with a name and fields, as `Events.emit` is.
    """

    def __init__(self, bans: Bans, *, tell: Callable[..., object] = lambda _, **__: None) -> None:
        self._bans = bans
        self._tell = tell

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Discourage the host of *peer* if it deserves it, and the operator did not choose it."""
        host = host_of(peer)
        ours = not peer.inbound and CONNECTION_TYPE not in peer.facts
        if COUNTS[reason.reason] and host and not ours:
            self._bans.discourage(host)
            self._tell("host.discouraged", peer=peer.id, addr=peer.address, why=str(reason))
