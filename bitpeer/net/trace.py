"""Every message in the log: a line each, or everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import LogLevel
from zope.interface import implementer

from bitpeer.net.interfaces import IPeer, ITrafficListener
from bitpeer.net.text import hexdump, printable

if TYPE_CHECKING:
    from bitpeer.errors import BitpeerError
    from bitpeer.net.journal import Journal
    from bitpeer.wire.message import Message, Unknown

MAX_SHOWN = 2_000
"""Characters of a decoded message, and bytes of its hexdump, that are logged."""


@implementer(ITrafficListener)
class MessageLog:
    """Logs all traffic at level debug.

    Args:
        journal: where to; it bounds how much.
        bytes_too: whether to add the decoded message and a hexdump of its bytes.
    """

    def __init__(self, journal: Journal, *, bytes_too: bool) -> None:
        self._journal = journal
        self._bytes_too = bytes_too

    def message_read(
        self,
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown | None,
        error: BitpeerError | None,
    ) -> None:
        payload: bytes = peer.payload
        self._emit("received", peer, command, size, message, error, payload)

    def message_written(
        self,
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown,
        error: BitpeerError | None,
    ) -> None:
        payload = message.encode() if self._bytes_too else b""
        self._emit("sent", peer, command, size, message, error, payload)

    def _emit(
        self,
        verb: str,
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown | None,
        error: BitpeerError | None,
        payload: bytes,
    ) -> None:
        text = f"{{peer}} {verb} {{command}}, {{size}} bytes"
        fields: dict[str, object] = {
            "peer": peer,
            "command": printable(command),
            "size": size,
        }
        if error is not None:
            text += ": {error}"
            fields["error"] = printable(str(error))
        if self._bytes_too:
            text += "\n{shown}\n{dump}"
            fields["shown"] = printable(repr(message), MAX_SHOWN)
            fields["dump"] = hexdump(payload, MAX_SHOWN)
        self._journal.emit(LogLevel.debug, text, **fields)
