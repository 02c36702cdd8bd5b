"""A second codec for everything that is declared: slow, and obviously right.

It reads the same annotations as the compiler and shares no code with it: no `struct`, no
`compactsize`, no generated source.  Where both agree, both are right or the annotations are wrong.
"""

from dataclasses import fields
from io import BytesIO
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from bitpeer.wire.fields import TAIL, Fixed, Limit, Remainder
from bitpeer.wire.message import Record

SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8}
ORDERS = {"<": "little", ">": "big"}


class Refused(Exception):
    """There is no such value, or no such bytes."""


# What is declared


def hints(kind: type) -> dict[str, Any]:
    """Return the annotation of each field of *kind*, in wire order."""
    found = get_type_hints(kind, include_extras=True)
    return {
        name: hint
        for name, hint in found.items()
        if hint is not ClassVar and get_origin(hint) is not ClassVar
    }


def marker_of(hint: Any, kind: type) -> Any:
    """Return the marker of one *kind* that *hint* carries; `None` without one."""
    return next((each for each in get_args(hint) if isinstance(each, kind)), None)


def plain(hint: Any) -> Any:
    """Return what is annotated."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def is_declared(kind: Any) -> bool:
    """Whether *kind* is a record or a packed tuple whose wire form was compiled."""
    return isinstance(kind, type) and ("__wire_source__" in vars(kind) or hasattr(kind, "_fields"))


def is_understood(hint: Any) -> bool:
    """Whether everything in *hint* is declared, and nothing written by hand."""
    if marker_of(hint, Fixed) or marker_of(hint, Remainder):
        return True
    kind = plain(hint)
    if marker_of(hint, Limit):
        return kind is bytes or is_understood(get_args(kind)[0])
    return is_declared(kind) and all(map(is_understood, hints(kind).values()))


# Reading


def decode(kind: type[Record], payload: bytes) -> Record:
    """Return the value that is exactly *payload*."""
    stream = BytesIO(payload)
    value = read_composite(kind, stream)
    if left(stream):
        raise Refused
    return value


def left(stream: BytesIO) -> int:
    return len(stream.getvalue()) - stream.tell()


def take(stream: BytesIO, size: int) -> bytes:
    if size > left(stream):
        raise Refused
    return stream.read(size)


def read_composite(kind: Any, stream: BytesIO) -> Any:
    values = {}
    defaults = (
        {} if hasattr(kind, "_fields") else {each.name: each.default for each in fields(kind)}
    )
    for name, hint in hints(kind).items():
        absent = TAIL in get_args(hint) and not left(stream)
        values[name] = defaults[name] if absent else read(hint, stream)
    return kind(**values)


def read(hint: Any, stream: BytesIO) -> Any:
    kind = plain(hint)
    if fixed := marker_of(hint, Fixed):
        return read_fixed(fixed, stream)
    if remainder := marker_of(hint, Remainder):
        if left(stream) > remainder.count:
            raise Refused
        return take(stream, left(stream))
    if limit := marker_of(hint, Limit):
        count = read_count(stream)
        if count > limit.count:
            raise Refused
        if kind is bytes:
            return take(stream, count)
        return tuple(read(get_args(kind)[0], stream) for _ in range(count))
    return read_composite(kind, stream)


def read_fixed(fixed: Fixed, stream: BytesIO) -> bytes | bool | int:
    if fixed.code.endswith("s"):
        return take(stream, int(fixed.code[:-1]))
    raw = take(stream, SIZES[fixed.code])
    if fixed.code == "?":
        return any(raw)
    value = int.from_bytes(raw, ORDERS[fixed.order], signed=fixed.code in "bhiq")
    if fixed.most is not None and value > fixed.most:
        raise Refused
    return value


def read_count(stream: BytesIO) -> int:
    (first,) = take(stream, 1)
    if first < 253:
        return first
    value = int.from_bytes(take(stream, {253: 2, 254: 4, 255: 8}[first]), "little")
    if value < {253: 253, 254: 2**16, 255: 2**32}[first]:
        raise Refused
    return value


# Writing


def encode(value: Any) -> bytes:
    """Return the bytes of a record or a packed tuple."""
    return b"".join(write(hint, getattr(value, name)) for name, hint in hints(type(value)).items())


def write(hint: Any, value: Any) -> bytes:
    kind = plain(hint)
    if fixed := marker_of(hint, Fixed):
        return write_fixed(fixed, value)
    if remainder := marker_of(hint, Remainder):
        if len(value) > remainder.count:
            raise Refused
        return value
    if limit := marker_of(hint, Limit):
        if len(value) > limit.count:
            raise Refused
        items = value if kind is bytes else b"".join(write(get_args(kind)[0], one) for one in value)
        return write_count(len(value)) + items
    return encode(value)


def write_fixed(fixed: Fixed, value: Any) -> bytes:
    if fixed.code.endswith("s"):
        if len(value) != int(fixed.code[:-1]):
            raise Refused
        return value
    if fixed.code == "?":
        return b"\1" if value else b"\0"
    if fixed.most is not None and value > fixed.most:
        raise Refused
    try:
        return value.to_bytes(SIZES[fixed.code], ORDERS[fixed.order], signed=fixed.code in "bhiq")
    except OverflowError:
        raise Refused from None


def write_count(value: int) -> bytes:
    for first, size in ((b"", 1), (b"\xfd", 2), (b"\xfe", 4), (b"\xff", 8)):
        if value < (253 if size == 1 else 256**size):
            return first + value.to_bytes(size, "little")
    raise Refused
