"""The half of a machine that turns messages into bytes to send."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol as Shape

from bitpeer.errors import RemoteError
from bitpeer.messages.control import Ping, Pong
from bitpeer.wire.framing import PONG_SIZE, Framing
from bitpeer.wire.message import Message, Unknown


class Observer(Shape):
    """Watches the traffic of one machine.  Sizes are in bytes and include the header."""

    def message_read(
        self, command: str, size: int, message: Message | Unknown | None, error: RemoteError | None
    ) -> None:
        """A message came, or *error* says why what came is none."""

    def message_queued(self, message: Message | Unknown, size: int) -> None:
        """A message was put among the bytes to send."""


class Speaker:
    """Keeps what is to be sent until somebody fetches it, and counts it.

    A base, not a part: a part would cost every idle peer an object more.

    Args:
        framing: what makes frames of messages.
    """

    __slots__ = ("_framing", "_outgoing", "bytes_produced", "observer")

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._outgoing: list[bytes] | None = None
        self.observer: Observer | None = None
        """Is told of every message that is read or queued."""
        self.bytes_produced = 0
        """Bytes handed out by `data_to_send`, or about to be, since the beginning."""

    def data_to_send(self) -> list[bytes]:
        """Return, and forget, the bytes to write, in pieces."""
        data, self._outgoing = self._outgoing, None
        return data or []

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` has anything to return."""
        return self._outgoing is not None

    def answer_ping(self, ping: Ping, payload: bytes, checksum: bytes) -> bool:
        """Send the payload of a `ping` back as it came, checksum and all (BIP 31)."""
        chunk = self._framing.pong_head + checksum + payload
        outgoing = self._outgoing
        if outgoing is None:
            self._outgoing = [chunk]
        else:
            outgoing.append(chunk)
        self.bytes_produced += PONG_SIZE
        if self.observer is not None:
            self.observer.message_queued(Pong(ping.nonce), PONG_SIZE)
        return True

    def _write(self, messages: Iterable[Message | Unknown]) -> None:
        wrap = self._framing.wrap
        for message in messages:
            chunks = wrap(message)
            outgoing = self._outgoing
            if outgoing is None:
                outgoing = self._outgoing = []
            size = 0
            for chunk in chunks:  # one; of a large message two
                outgoing.append(chunk)
                size += len(chunk)
            self.bytes_produced += size
            if self.observer is not None:
                self.observer.message_queued(message, size)
