"""Messages that stay the bytes they came as until somebody looks inside."""

from __future__ import annotations

from collections.abc import Callable

from bitpeer.wire.message import Message

Seal = tuple[Callable[[bytes], bytes], bytes]
"""A checksum function, and the four bytes it gives for the payload."""


class View(Message):
    """A message that is a view of its wire form.

    Its parts are decoded when they are asked for, and sending it on encodes
    nothing.  Two views are equal if their bytes are.
    """

    __slots__ = ("_data", "seal")

    _data: bytes

    seal: Seal | None
    """What the frame around it carries, once known: the framing keeps it here, so that sending
    the message on hashes nothing either."""

    def encode(self) -> bytes:
        """Return the payload: the very bytes that came, if it came from a peer."""
        return self._data

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, View):
            return self.command == other.command and self._data == other._data
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)
