"""Frames put together and taken apart by hand, so that they can lie.

Nothing of the package's own framing is used here: a mistake there must not make
up for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from bitpeer.dialect import Network
from bitpeer.errors import BadChecksum, DecodeError
from bitpeer.wire.compactsize import read_compact_size, write_compact_size
from bitpeer.wire.message import Malformed, Message, Unknown

HEADER = Struct("<4s12sI4s")
"""Magic, command, length of the payload, checksum."""

Said = Message | Unknown
Heard = Message | Unknown | Malformed


class NotAFrame(AssertionError):
    """What came does not begin with the magic of the network."""


def frame(
    network: Network,
    message: Said,
    *,
    magic: bytes | None = None,
    command: bytes | None = None,
    length: int | None = None,
    checksum: bytes | None = None,
    count: int | None = None,
    count_at: int = 0,
    payload: bytes | None = None,
) -> bytes:
    """Return *message* as it travels, with lies in it wherever something else is given.

    Args:
        network: whose magic and checksum are right.
        message: what to send.
        magic: four bytes instead of the network's.
        command: up to twelve bytes instead of the message's.
        length: the number of bytes that the header claims.
        checksum: four bytes instead of the right ones.
        count: a number that claims to be that of the items in a list; the items stay as they
            are, and the checksum is right for it all.
        count_at: where in the payload the right number is, in bytes: lists begin with it,
            `getheaders` and `getblocks` have it at 4.
        payload: bytes instead of the message's.
    """
    content = message.encode() if payload is None else payload
    if count is not None:
        _, end = read_compact_size(content, count_at)
        content = content[:count_at] + write_compact_size(count) + content[end:]
    head = HEADER.pack(
        network.magic if magic is None else magic,
        message.command.encode() if command is None else command,
        len(content) if length is None else length,
        network.dialect.checksum(content)[:4] if checksum is None else checksum,
    )
    return head + content


class Frames:
    """Takes a stream of bytes apart.

    Args:
        network: says what frames look like, and what is in them.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._data = b""
        self._at = 0  # where the next frame begins: what is behind it is not copied for each

    @property
    def rest(self) -> bytes:
        """What has come of a frame that is not complete."""
        return self._data[self._at :]

    def feed(self, data: bytes) -> Iterator[Heard]:
        """Yield what *data*, the next bytes of the stream, completes.

        Raises:
            NotAFrame: the magic is wrong.
        """
        self._data = self.rest + data
        self._at = 0
        while len(self._data) >= (begin := self._at + HEADER.size):
            magic, command, length, checksum = HEADER.unpack_from(self._data, self._at)
            if magic != self._network.magic:
                raise NotAFrame(f"the magic is {magic.hex()}, not {self._network.magic.hex()}")
            end = begin + length
            if len(self._data) < end:
                return
            self._at = end
            payload = self._data[begin:end]
            yield self._read(command.rstrip(b"\0").decode("latin-1"), payload, checksum)

    def _read(self, command: str, payload: bytes, checksum: bytes) -> Heard:
        dialect = self._network.dialect
        if dialect.checksum(payload)[:4] != checksum:
            return Malformed(command, payload, BadChecksum(command))
        try:
            return dialect.registry.decode(command, payload)
        except DecodeError as error:
            return Malformed(command, payload, error)
