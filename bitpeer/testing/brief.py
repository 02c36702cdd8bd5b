"""What was said, in one line: hashes as people write them, and no more of a list than one reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import islice
from typing import NamedTuple

HASH = 32
"""Bytes of what is taken for a hash."""


class Detail(NamedTuple):
    """How much to tell."""

    items: int
    """Of a list."""
    digits: int
    """Hexadecimal, at either end of something long."""
    inner: bool
    """Whether to tell what is in a structure in a structure."""


DETAILS = (
    Detail(8, 64, inner=True),
    Detail(3, 8, inner=True),
    Detail(1, 8, inner=True),
    Detail(1, 8, inner=False),
)
"""From all that may be of interest to the least."""


def brief(said: object, room: int) -> str:
    """Return *said*, a message or bytes, as one line.

    Hashes are written as people do, the last byte first.  Where details do not fit, there are
    fewer of them: ``..`` stands for what is left out.

    Args:
        said: what to tell of.
        room: most characters.
    """
    told = ""
    for detail in DETAILS:
        told = _told(said, detail)
        if len(told) <= room:
            return told
    return f"{told[: room - 2]}.."


def _told(value: object, detail: Detail, *, within: bool = False) -> str:
    if isinstance(value, Enum):
        return value.name or repr(value.value)
    if isinstance(value, bytes):
        return _bytes(value, detail)
    if is_dataclass(value):
        inside = (
            f"{field.name}={_told(getattr(value, field.name), detail, within=True)}"
            for field in fields(value)
        )
        told = ", ".join(inside) if detail.inner or not within else ".."
        return f"{type(value).__name__}({told})"
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # what it is made of is well known
        return f"{type(value).__name__}({', '.join(_told(each, detail) for each in value)})"
    if isinstance(value, Collection) and not isinstance(value, str):
        items = [_told(each, detail) for each in islice(value, detail.items)]
        more = len(value) - len(items)
        return f"[{', '.join(items)}{f', .. {more} more' if more else ''}]"
    return repr(value)


def _bytes(value: bytes, detail: Detail) -> str:
    if len(value) == HASH:
        value = value[::-1]
    elif value.isascii() and value.decode().isprintable():
        return repr(value)
    told, digits = value.hex(), detail.digits
    if len(told) <= 4 * digits:
        return told
    return f"{told[:digits]}..{told[-digits:]}"
