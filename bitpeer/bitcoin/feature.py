"""Announcing a feature that is too young for a message of its own (BIP 434)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from bitpeer.errors import InvalidValue, Unencodable
from bitpeer.wire.compactsize import read_bytes, write_compact_size
from bitpeer.wire.message import Message

MIN_FEATURE_ID = 4
"""Fewest bytes of a feature's name."""
MAX_FEATURE_ID = 80
"""Most bytes of a feature's name."""
MAX_FEATURE_DATA = 512
"""Most bytes that a feature may say of itself."""


@dataclass(frozen=True, slots=True)
class Feature(Message):
    """Say that the sender knows a feature; between `version` and `verack` (BIP 434)."""

    command: ClassVar[str] = "feature"
    since: ClassVar[int] = 70017
    min_size: ClassVar[int] = 1 + MIN_FEATURE_ID + 1
    max_size: ClassVar[int] = 1 + MAX_FEATURE_ID + 3 + MAX_FEATURE_DATA

    id: bytes
    """The feature's name, such as ``b"BIP434"``; text of the peer's: escape it to show it."""
    data: bytes = b""
    """What the feature's own specification wants said."""

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:
        name, pos = read_bytes(data, pos, MAX_FEATURE_ID)
        if len(name) < MIN_FEATURE_ID:
            raise InvalidValue("name of a feature", name)
        value, pos = read_bytes(data, pos, MAX_FEATURE_DATA)
        return cls(name, value), pos

    def encode(self) -> bytes:
        if not MIN_FEATURE_ID <= len(self.id) <= MAX_FEATURE_ID:
            limits = f"{MIN_FEATURE_ID} to {MAX_FEATURE_ID}"
            raise Unencodable("Feature", f"its name has {len(self.id)} bytes, not {limits}")
        if len(self.data) > MAX_FEATURE_DATA:
            count = len(self.data)
            raise Unencodable("Feature", f"{count} bytes exceed the limit of {MAX_FEATURE_DATA}")
        return b"".join(
            (
                write_compact_size(len(self.id)),
                self.id,
                write_compact_size(len(self.data)),
                self.data,
            )
        )
