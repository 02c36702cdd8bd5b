"""Text that must be printable ASCII, or the message is malformed."""

from __future__ import annotations

from typing import Annotated

from bitpeer.errors import InvalidValue, Unencodable
from bitpeer.wire.compactsize import compact_size_length, read_bytes, write_compact_size
from bitpeer.wire.compiler import Codec


def strict_text(limit: int) -> Codec:
    """Return how a length-prefixed text of at most *limit* bytes lies on the wire.

    Peers refuse every byte outside of 0x20 to 0x7e (dcrd wire.ReadAsciiVarString).
    """

    def read(data: bytes, pos: int) -> tuple[bytes, int]:
        text, pos = read_bytes(data, pos, limit)
        if not _is_printable(text):
            raise InvalidValue("text", text)
        return text, pos

    def write(text: bytes) -> bytes:
        if len(text) > limit:
            raise Unencodable("text", f"{len(text)} bytes exceed the limit of {limit}")
        if not _is_printable(text):
            raise Unencodable("text", f"{text!r:.64} is not printable ASCII")
        return write_compact_size(len(text)) + text

    return Codec(read, write, 1, compact_size_length(limit) + limit)


def _is_printable(text: bytes) -> bool:
    return text.isascii() and (not text or (min(text) >= 0x20 and max(text) < 0x7F))


Text32 = Annotated[bytes, strict_text(32)]
Text256 = Annotated[bytes, strict_text(256)]
