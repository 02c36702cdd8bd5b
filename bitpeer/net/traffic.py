"""Tell traffic listeners what one peer's machine reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bitpeer.errors import Disconnected, RemoteError
    from bitpeer.net.protocol import PeerProtocol
    from bitpeer.wire.message import Message, Unknown


class TrafficReport:
    """The `Observer` of one machine; made only if somebody listens.

    Args:
        peer: whose machine it is.
    """

    def __init__(self, peer: PeerProtocol) -> None:
        self._peer = peer

    def message_read(
        self, command: str, size: int, message: Message | Unknown | None, error: RemoteError | None
    ) -> None:
        peer = self._peer
        for listener in peer.node.traffic:
            peer.tell(listener.message_read, command, size, message, error)

    def message_queued(self, message: Message | Unknown, size: int) -> None:
        """Report the message as written once the network has taken it."""
        peer = self._peer

        def settled(error: Disconnected | None) -> None:
            for listener in peer.node.traffic:
                peer.tell(listener.message_written, message.command, size, message, error)

        peer.mark(settled)
