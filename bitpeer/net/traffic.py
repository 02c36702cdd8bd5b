"""Everything that is read and written, told to those who count it and, if wanted, logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import LogLevel
from zope.interface import implementer

from bitpeer.errors import BitpeerError
from bitpeer.net.interfaces import IPeer, ITrafficListener
from bitpeer.net.text import hexdump, printable

if TYPE_CHECKING:
    from bitpeer.errors import Disconnected, RemoteError
    from bitpeer.net.journal import Journal
    from bitpeer.net.protocol import PeerProtocol
    from bitpeer.wire.message import Message, Unknown

MAX_SHOWN = 2_000
"""Most bytes of one message that are dumped, and most characters of it that are shown."""


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
        for listener in peer.node.audience.traffic:
            peer.tell(listener.message_read, command, size, message, error)

    def message_queued(self, message: Message | Unknown, size: int) -> None:
        """Report the message as written once the network has taken it."""
        peer = self._peer

        def settled(error: Disconnected | None) -> None:
            for listener in peer.node.audience.traffic:
                peer.tell(listener.message_written, message.command, size, message, error)

        peer.mark(settled)


@implementer(ITrafficListener)
class MessageLog:
    """Logs all traffic at level debug.

    Args:
        journal: where to; it bounds how much.
        bytes_too: whether to add the decoded message and a hexdump of its bytes.
    """

    def __init__(self, journal: Journal, *, bytes_too: bool) -> None:
        self._journal = journal
        self.bytes_too = bytes_too

    def message_read(
        self,
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown | None,
        error: BitpeerError | None,
    ) -> None:
        payload = peer.payload if self.bytes_too else b""
        text = "{peer} received {command}, {size} bytes"
        self._emit(text, message, error, payload, peer=peer, command=command, size=size)

    def message_written(
        self,
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown,
        error: BitpeerError | None,
    ) -> None:
        payload = message.encode() if self.bytes_too else b""
        text = "{peer} sent {command}, {size} bytes"
        self._emit(text, message, error, payload, peer=peer, command=command, size=size)

    def _emit(
        self,
        text: str,
        message: Message | Unknown | None,
        error: BitpeerError | None,
        payload: bytes,
        *,
        peer: IPeer,
        command: str,
        size: int,
    ) -> None:
        fields: dict[str, object] = {
            "peer": str(peer),
            "command": printable(command),
            "size": size,
        }
        if error is not None:
            text += ": {error}"
            fields["error"] = printable(str(error))
        if self.bytes_too:
            text += "\n{shown}\n{dump}"
            fields["shown"] = _shown(message)
            fields["dump"] = hexdump(payload, MAX_SHOWN)
        self._journal.emit(LogLevel.debug, text, **fields)


def _shown(message: object) -> str:
    """Return *message* as people may see it; one that is decoded late may turn out to be wrong."""
    try:
        text = ascii(message)[:MAX_SHOWN]
        return text if text.isprintable() else printable(text, MAX_SHOWN)
    except BitpeerError as error:
        return f"{type(message).__name__}: {printable(str(error))}"
