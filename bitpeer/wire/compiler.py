"""Turn a record's annotations into straight-line functions.

The idea is that of `dataclasses` itself: read the annotations once, write the
source that a careful person would have written by hand, and compile it.
Adjacent fixed-size fields become one `struct` call, and the slots of the new
object are filled directly, past the ``__setattr__`` that keeps it frozen.  The
source stays on the class as ``__wire_source__`` for debuggers and readers.

This is the only module that calls `exec`.  Its input is annotations, never data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from bitpeer.errors import DecodeError, LimitExceeded, TrailingBytes, Truncated, Unencodable
from bitpeer.wire.compactsize import (
    compact_size_length,
    read_bytes,
    read_count,
    write_compact_size,
)
from bitpeer.wire.fields import TAIL, Fixed, Limit, Remainder
from bitpeer.wire.vector import packing_of, vector_codec

Read = Callable[[bytes, int], tuple[Any, int]]
Write = Callable[[Any], bytes]

_TRAILING = "if pos != len(data): raise TrailingBytes(len(data) - pos)"


@dataclass(frozen=True, slots=True)
class Codec:
    """How one field lies on the wire, when one `struct` code cannot say it.

    As a marker, ``Annotated[int, Codec(...)]``, it stands for what no other marker says.
    """

    read: Read
    write: Write
    min_size: int
    """Fewest bytes the field can have."""
    max_size: int
    """Most bytes the field can have."""
    counted: bool = False
    """Whether the field is a list of things."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler makes of one record."""

    functions: dict[str, Callable[..., Any]]
    """``__init__``, ``read``, ``decode`` and ``encode``."""
    source: str
    min_size: int
    max_size: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Fields that are read and written in one step."""

    names: list[str]
    codec: Codec | list[Fixed]
    tail: bool
    last: bool = False


class _Step(NamedTuple):
    """The code for one run."""

    read: list[str]
    """Turns ``data`` from ``pos`` on into one local variable per field."""
    check: list[str]
    """Refuses values that `struct` would take in silence."""
    write: str
    """The expression that makes the run's bytes."""
    whole: list[str]
    """Like ``read``, for ``data`` that are this run and nothing else, if that is faster."""


def compile_record(cls: type[Any]) -> Compiled:
    """Return reader, writer, decoder and constructor for the fields of dataclass *cls*.

    Raises:
        TypeError: an annotation says nothing about the wire, or nothing that makes sense.
    """
    runs = _runs(cls)
    env: dict[str, Any] = {
        "cls": cls,
        "new": object.__new__,
        "struct_error": struct.error,
        "LimitExceeded": LimitExceeded,
        "TrailingBytes": TrailingBytes,
        "Truncated": Truncated,
        "frozen": _frozen,
        "misfit": _misfit,
        "unencodable": _blame(cls.__name__, runs),
    }
    names = [name for run in runs for name in run.names]
    for name in names:
        env[f"set_{name}"] = getattr(cls, name).__set__
    steps = [_step(number, run, env) for number, run in enumerate(runs)]
    fills = [f"set_{name}(self, {_kept(name, run.codec)})" for run in runs for name in run.names]
    source = _source(names, _parameters(cls, env), fills, steps)
    exec(compile(source, f"<wire format of {cls.__name__}>", "exec"), env)
    functions = {name: env[name] for name in ("__init__", "read", "decode", "encode")}
    sizes = [_sizes(run) for run in runs]
    return Compiled(
        functions,
        source,
        sum(least for least, _ in sizes),
        sum(most for _, most in sizes),
    )


def _step(number: int, run: _Run, env: dict[str, Any]) -> _Step:
    """Return the code for a run; what it calls is put into *env*.

    Local variables end in an underscore: a field may have any name, ``data`` and ``len`` too.
    """
    values = ", ".join(f"self.{name}" for name in run.names)
    whole: list[str] = []
    if isinstance(run.codec, Codec):
        env[f"read{number}"], env[f"write{number}"] = run.codec.read, run.codec.write
        read, check = [f"{run.names[0]}_, pos = read{number}(data, pos)"], []
        write = f"write{number}({values})"
    else:
        packer = _struct(run.codec)
        env[f"unpack{number}"], env[f"pack{number}"] = packer.unpack_from, packer.pack
        env[f"unpack_all{number}"] = packer.unpack
        targets = "".join(f"{name}_, " for name in run.names)
        read = [
            f"try: {targets}= unpack{number}(data, pos)",
            f"except struct_error: raise Truncated({packer.size}, len(data) - pos) from None",
            f"pos += {packer.size}",
            *(
                f"if {name}_ > {field.most}: raise LimitExceeded({name}_, {field.most})"
                for name, field in zip(run.names, run.codec, strict=True)
                if field.most is not None
            ),
        ]
        if all(field.most is None for field in run.codec):
            whole = [
                f"try: {targets}= unpack_all{number}(data)",
                f"except struct_error: raise misfit({packer.size}, len(data)) from None",
            ]
        check = [
            f"if len(self.{name}) != {field.size}: raise struct_error"
            if field.holds_bytes
            else f"if self.{name} > {field.most}: raise struct_error"
            for name, field in zip(run.names, run.codec, strict=True)
            if field.holds_bytes or field.most is not None
        ]
        write = f"pack{number}({values})"
    if run.tail:
        absent = "; ".join(f"{name}_ = default_{name}" for name in run.names)
        read = [f"if pos == len(data): {absent}", "else:", *(f"    {line}" for line in read)]
        whole = []
    return _Step(read, check, write, whole)


def _source(names: list[str], parameters: list[str], fills: list[str], steps: list[_Step]) -> str:
    """Return the source of all functions."""
    body = [line for step in steps for line in step.read]
    build = ["self = new(cls)", *(f"set_{name}(self, {name}_)" for name in names)]
    checks = [line for step in steps for line in step.check]
    whole = steps[0].whole if len(steps) == 1 else []
    return "\n".join(
        [
            f"def __init__({', '.join(['self', *parameters])}):",
            *(f"    {line}" for line in fills or ["pass"]),
            "",
            "def read(data, pos=0):",
            *(f"    {line}" for line in body + build),
            "    return self, pos",
            "",
            "def decode(data):",
            *(f"    {line}" for line in whole or ["pos = 0", *body, _TRAILING]),
            *(f"    {line}" for line in build),
            "    return self",
            "",
            "def encode(self):",
            "    try:",
            *(f"        {line}" for line in checks),
            f"        return {' + '.join(step.write for step in steps) or repr(b'')}",
            "    except (struct_error, TypeError, AttributeError) as error:",
            "        raise unencodable(self, error) from None",
            "",
        ]
    )


def _kept(name: str, codec: Codec | list[Fixed]) -> str:
    """Return the expression for what a new record keeps of an argument."""
    return f"frozen({name})" if isinstance(codec, Codec) and codec.counted else name


def _frozen(items: Sequence[Any]) -> Sequence[Any]:
    """Return *items* as something that its giver cannot change later."""
    return tuple(items) if isinstance(items, list) else items


def _misfit(size: int, given: int) -> DecodeError:
    """Return what is wrong with so many bytes where *size* were expected."""
    return Truncated(size, given) if given < size else TrailingBytes(given - size)


def _blame(title: str, runs: list[_Run]) -> Callable[[object, Exception], Unencodable]:
    """Return the function that finds out which field of a record made `encode` fail."""
    fixed = {
        name: field
        for run in runs
        if not isinstance(run.codec, Codec)
        for name, field in zip(run.names, run.codec, strict=True)
    }

    def unencodable(value: object, error: Exception) -> Unencodable:
        for name, field in fixed.items():
            if not field.fits(getattr(value, name)):
                return Unencodable(f"{title}.{name}", f"it must be {field.expected}")
        return Unencodable(title, str(error))

    return unencodable


def _parameters(cls: type[Any], env: dict[str, Any]) -> list[str]:
    """Return the constructor's parameters, defaults included."""
    parameters = []
    for field in fields(cls):
        if field.default is MISSING:
            parameters.append(field.name)
        else:
            env[f"default_{field.name}"] = field.default
            parameters.append(f"{field.name}=default_{field.name}")
    return parameters


def _runs(cls: type[Any]) -> list[_Run]:
    """Group the fields of *cls*: fixed ones of one byte order stay together."""
    runs: list[_Run] = []
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        title, markers = f"{cls.__name__}.{field.name}", get_args(hints[field.name])
        tail = TAIL in markers
        last = any(isinstance(marker, Remainder) for marker in markers)
        if field.default_factory is not MISSING:
            raise TypeError(f"{title} must have its default itself, not a factory")
        if tail and field.default is MISSING:
            raise TypeError(f"{title} may be left off, so it must have a default")
        if runs and (runs[-1].last or runs[-1].tail > (tail or last)):
            raise TypeError(f"{title} cannot come after {runs[-1].names[-1]}")
        codec = _codec(title, hints[field.name])
        if isinstance(codec, Codec):
            runs.append(_Run([field.name], codec, tail, last))
        elif not tail and runs and _joins(runs[-1], codec):
            runs[-1].names.append(field.name)
            runs[-1].codec.append(codec)  # type: ignore[union-attr]  # _joins made sure
        else:
            runs.append(_Run([field.name], [codec], tail))
    return runs


def _joins(run: _Run, field: Fixed) -> bool:
    """Whether *field* has a place in *run*; that nothing but a tail follows a tail is checked."""
    return (
        isinstance(run.codec, list)
        and len({each.order for each in [*run.codec, field] if each.ordered}) <= 1
    )


def _struct(run: Sequence[Fixed]) -> struct.Struct:
    orders = {field.order for field in run if field.ordered}
    return struct.Struct((orders.pop() if orders else "<") + "".join(each.code for each in run))


def _sizes(run: _Run) -> tuple[int, int]:
    if isinstance(run.codec, Codec):
        return 0 if run.tail else run.codec.min_size, run.codec.max_size
    size = _struct(run.codec).size
    return 0 if run.tail else size, size


def _codec(field: str, hint: Any) -> Fixed | Codec:
    """Return what one annotation means on the wire."""
    if get_origin(hint) is Annotated:
        kind, *markers = get_args(hint)
        for marker in markers:
            if isinstance(marker, Fixed | Codec):
                return marker
            if isinstance(marker, Remainder):
                return _remainder(field, marker.count)
            if isinstance(marker, Limit):
                build = _bytes if kind is bytes else _sequence
                return build(field, kind, marker.count)
        hint = kind
    try:
        return Codec(hint.read, hint.encode, hint.min_size, hint.max_size)
    except AttributeError:
        raise TypeError(f"{field}: {hint} does not say how it lies on the wire") from None


def _bytes(field: str, _: Any, limit: int) -> Codec:
    """Return the codec of a length-prefixed byte string."""

    def write(value: bytes) -> bytes:
        if len(value) > limit:
            raise Unencodable(field, f"{len(value)} bytes exceed the limit of {limit}")
        return write_compact_size(len(value)) + value

    return Codec(
        lambda data, pos: read_bytes(data, pos, limit),
        write,
        1,
        compact_size_length(limit) + limit,
    )


def _remainder(field: str, limit: int) -> Codec:
    """Return the codec of a last field that takes whatever is left."""

    def read(data: bytes, pos: int) -> tuple[bytes, int]:
        if len(data) - pos > limit:
            raise LimitExceeded(len(data) - pos, limit)
        return data[pos:], len(data)

    def write(value: bytes) -> bytes:
        if len(value) > limit:
            raise Unencodable(field, f"{len(value)} bytes exceed the limit of {limit}")
        return value

    return Codec(read, write, 0, limit)


def _sequence(field: str, kind: Any, limit: int) -> Codec:
    """Return the codec of a counted list."""
    if get_origin(kind) not in (Sequence, tuple):
        raise TypeError(f"{field}: a list is a Sequence[...] or a tuple[..., ...], not {kind}")
    item = get_args(kind)[0]
    most = compact_size_length(limit)
    packing = packing_of(item)
    if packing is not None:
        read_vector, write_vector = vector_codec(packing, limit, field)
        return Codec(read_vector, write_vector, 1, most + limit * packing.size, counted=True)
    codec = _codec(field, item)
    assert isinstance(codec, Codec)  # a `Fixed` would have had a packing
    read_item, write_item, least = codec.read, codec.write, codec.min_size

    def read(data: bytes, pos: int) -> tuple[tuple[Any, ...], int]:
        count, pos = read_count(data, pos, limit, least)
        items = []
        for _ in range(count):
            value, pos = read_item(data, pos)
            items.append(value)
        return tuple(items), pos

    def write(items: Sequence[Any]) -> bytes:
        if len(items) > limit:
            raise Unencodable(field, f"{len(items)} items exceed the limit of {limit}")
        return write_compact_size(len(items)) + b"".join(map(write_item, items))

    return Codec(read, write, 1, most + limit * codec.max_size, counted=True)
