"""The vocabulary of message declarations: what a field's annotation may say.

A field is an ordinary typed attribute.  Its type says *what* it is; at most one
marker says how it lies on the wire:

* ``Fixed``: a constant number of bytes, described by one `struct` code;
* ``Limit``: a length-prefixed `bytes` or `Sequence`, and its largest length;
* `Codec`, of the compiler: functions written by hand, for what is rarer than all this;
* ``Remainder``: whatever is left of the payload, kept as it is;
* another record, or any class with its ``read`` and ``encode``, ``min_size`` and ``max_size``;
* ``Codec``, of `bitpeer.wire.compiler`: functions of one's own that read and write the field.

Beside it may stand ``TAIL``: older peers leave the field off the end, and its
default stands for it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Annotated

_CODE = re.compile(r"[?bBhHiIqQ]|[1-9][0-9]*s")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A field of constant size.

    Raises:
        TypeError: this describes no single number and no byte string.
    """

    code: str
    """What `struct` calls it."""

    order: str = "<"
    """Byte order: ``<`` for little-endian, ``>`` for the few that are not."""

    most: int | None = None
    """The largest value, if it is less than the bytes can hold."""

    def __post_init__(self) -> None:
        known = _CODE.fullmatch(self.code) and self.order in ("<", ">")
        if not known or (self.most is not None and not self.fits(self.most)):
            raise TypeError(f"{self.order}{self.code} describes no field")

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return struct.calcsize("<" + self.code)

    @property
    def holds_bytes(self) -> bool:
        """Whether it holds bytes rather than a number; `struct` pads and cuts those silently."""
        return self.code[-1] == "s"

    @property
    def ordered(self) -> bool:
        """Whether the byte order makes a difference."""
        return not self.holds_bytes and self.size > 1

    @property
    def expected(self) -> str:
        """What values it can hold, in words."""
        if self.holds_bytes:
            return f"{self.size} bytes"
        bits = 8 * self.size
        low, end = (-1 << bits - 1, 1 << bits - 1) if self.code.islower() else (0, 1 << bits)
        return f"an integer from {low} to {end - 1 if self.most is None else self.most}"

    def fits(self, value: object) -> bool:
        """Whether it can hold *value*."""
        try:
            struct.pack(self.code, value)
        except (struct.error, TypeError):
            return False
        if isinstance(value, bytes | bytearray):
            return len(value) == self.size
        return self.most is None or value <= self.most  # type: ignore[operator]  # it is a number


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest length of a length-prefixed field: in bytes, or in items of a sequence."""

    count: int


@dataclass(frozen=True, slots=True)
class Remainder:
    """All bytes that are left of the payload, at most *count*; only as the last field."""

    count: int


@dataclass(frozen=True, slots=True)
class Tail:
    """Marks a field that older peers leave off the end."""


TAIL = Tail()

Uint8 = Annotated[int, Fixed("B")]
Uint16 = Annotated[int, Fixed("H")]
Uint16BE = Annotated[int, Fixed("H", ">")]
Uint32 = Annotated[int, Fixed("I")]
Uint64 = Annotated[int, Fixed("Q")]
Int32 = Annotated[int, Fixed("i")]
Int64 = Annotated[int, Fixed("q")]
Bool = Annotated[bool, Fixed("?")]
Bytes4 = Annotated[bytes, Fixed("4s")]
Bytes16 = Annotated[bytes, Fixed("16s")]
Hash = Annotated[bytes, Fixed("32s")]
"""32 bytes in wire order; text shows them reversed."""
Rest = Annotated[bytes, Remainder(1024)]
"""What follows the fields that are known: kept, and sent on, as it is."""
