"""The vocabulary of message declarations: what a field's annotation may say.

A field is an ordinary typed attribute.  Its type says *what* it is; at most one
marker says how it lies on the wire:

* ``Fixed``: a constant number of bytes, described by one `struct` code;
* ``Limit``: a length-prefixed `bytes` or `Sequence`, and its largest length;
* ``Remainder``: whatever is left of the payload, kept as it is;
* ``TAIL``: older peers leave it off the end; its default stands for it;
* another record, or any class with the same ``read``/``encode`` pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class Fixed:
    """A field of constant size."""

    code: str
    """What `struct` calls it."""

    order: str = "<"
    """Byte order: ``<`` for little-endian, ``>`` for the few that are not."""


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
