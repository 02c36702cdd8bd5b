"""Records, messages, and the registry that finds a message by its command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple, Self, TypeVar, dataclass_transform

from bitpeer.errors import BadCommand, DecodeError, LocalError, TrailingBytes, Unencodable
from bitpeer.wire.compiler import compile_record

T = TypeVar("T")
M = TypeVar("M", bound="Message")

COMMAND_SIZE = 12
"""Bytes of a command in a frame's header, padded with NUL."""

ANY_SIZE = 0xFFFF_FFFF
"""The largest payload of messages whose own fields set no limit: the frame's limit stands."""


class Record:
    """A composite value with a wire form.

    Declared ones (``@record``, ``@message``) have every method written by the
    compiler; irregular ones write `read` and `encode` by hand.
    """

    __slots__ = ()

    min_size: ClassVar[int] = 0
    """Fewest bytes a value of this kind can have."""

    max_size: ClassVar[int] = ANY_SIZE
    """Most bytes a value of this kind can have."""

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple[Self, int]:  # noqa: ARG003
        """Read one value at *pos*; return it and the position after it.

        Raises:
            DecodeError: there is no such value at *pos*.
        """
        raise LocalError(f"{cls.__name__} has no reader")

    def encode(self) -> bytes:
        """Return the wire form of this value.

        Raises:
            Unencodable: a field does not fit.
        """
        raise LocalError(f"{type(self).__name__} has no writer")


class Message(Record):
    """A value that travels in a frame of its own."""

    __slots__ = ()

    command: ClassVar[str]
    """The name in the frame's header: at most twelve ASCII characters."""

    since: ClassVar[int] = 0
    """The lowest protocol version at which it may be sent."""

    until: ClassVar[int | None] = None
    """The first protocol version at which it may no longer be sent."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read a whole payload.

        Raises:
            DecodeError: the payload is not exactly one message.
        """
        value, end = cls.read(payload)
        if end != len(payload):
            raise TrailingBytes(len(payload) - end)
        return value


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make *cls* an immutable value with a compiled wire form.

    Raises:
        TypeError: an annotation makes no sense, or *cls* writes by hand what would be compiled.
    """
    for name in ("__init__", "__post_init__", "read", "decode", "encode"):
        if name in cls.__dict__:
            raise TypeError(f"{cls.__name__} is declared, so it cannot have its own {name}")
    cls = dataclass(frozen=True, slots=True)(cls)
    compiled = compile_record(cls)
    for name, function in compiled.functions.items():
        setattr(cls, name, function if name in ("__init__", "encode") else staticmethod(function))
    cls.__wire_source__ = compiled.source  # type: ignore[attr-defined]
    cls.min_size = compiled.min_size  # type: ignore[attr-defined]
    cls.max_size = compiled.max_size  # type: ignore[attr-defined]
    return cls


@dataclass_transform(frozen_default=True)
def message(
    command: str, *, since: int = 0, until: int | None = None, max_size: int = ANY_SIZE
) -> Callable[[type[M]], type[M]]:
    """Make the decorated class the message that *command* announces.

    Args:
        since: the lowest protocol version at which it may be sent.
        until: the first protocol version at which it may no longer be sent.
        max_size: the most bytes of its payload, where its fields together could have more.

    Raises:
        Unencodable: *command* is not one to twelve printable ASCII characters.
        TypeError: see `record`.
    """
    pad_command(command)

    def declare(cls: type[M]) -> type[M]:
        cls = record(cls)
        cls.command, cls.since, cls.until = command, since, until
        if max_size < cls.max_size:
            _confine(cls, max_size)
        return cls

    return declare


def _confine(cls: type[M], limit: int) -> None:
    """Let no message of *cls* have more than *limit* bytes."""
    encode = cls.encode

    def encode_within_limit(self: M) -> bytes:
        data = encode(self)
        if len(data) > limit:
            raise Unencodable(cls.command, f"{len(data)} bytes exceed the limit of {limit}")
        return data

    cls.max_size = limit
    setattr(cls, "encode", encode_within_limit)  # noqa: B010  # as `record` does


class Unknown(NamedTuple):
    """A message whose command is not in the registry: kept as it came, and sent as it is."""

    command: str
    payload: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return self.payload


class Malformed(NamedTuple):
    """A message that could not be decoded, for programs that want to see those."""

    command: str
    payload: bytes
    error: DecodeError


class Entry:
    """What a frame's command stands for: how to decode it, and how long it may be."""

    __slots__ = ("command", "decode", "kind", "max_size")

    def __init__(
        self, command: str, kind: type, decode: Callable[[bytes], object], max_size: int
    ) -> None:
        self.command = command
        self.kind = kind
        self.decode = decode
        self.max_size = max_size


class Registry:
    """The messages of one dialect, found by command.

    Args:
        messages: the classes; of two with one command, the later one counts.
        limits: the longest payload, in bytes, of those that this dialect allows less than
            their fields could hold.
    """

    def __init__(
        self,
        messages: Iterable[type[Message]],
        limits: Mapping[type[Message], int] = MappingProxyType({}),
    ) -> None:
        self._kinds = {kind.command: kind for kind in messages}
        self.limits = limits
        """What messages may have at most, where that is less than their fields could hold."""
        self._entries = {
            pad_command(kind.command): Entry(
                kind.command, kind, kind.decode, min(kind.max_size, limits.get(kind, ANY_SIZE))
            )
            for kind in self._kinds.values()
        }

    def __iter__(self) -> Iterator[type[Message]]:
        return iter(self._kinds.values())

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds.values()

    @property
    def entries(self) -> Mapping[bytes, Entry]:
        """The entry of every known command, by the twelve bytes of its header field."""
        return self._entries

    def extended(self, *messages: type[Message]) -> Registry:
        """Return a registry that has *messages* as well; they replace any of the same command."""
        return Registry((*self._kinds.values(), *messages), self.limits)

    def decode(self, command: str, payload: bytes) -> Message | Unknown:
        """Return the message that *command* and *payload* stand for.

        Raises:
            DecodeError: the payload is not such a message.
        """
        kind = self._kinds.get(command)
        return Unknown(command, payload) if kind is None else kind.decode(payload)


def pad_command(command: str) -> bytes:
    """Return *command* as the twelve bytes of a frame's header.

    Raises:
        Unencodable: *command* is not one to twelve printable ASCII characters.
    """
    if len(command) > COMMAND_SIZE or not _is_command(command):
        why = f"it must be 1 to {COMMAND_SIZE} printable ASCII characters"
        raise Unencodable(f"command {command!r:.40}", why)
    return command.encode("ascii").ljust(COMMAND_SIZE, b"\0")


def _is_command(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def unknown_entry(padded: bytes) -> Entry:
    """Return the entry of a command that is in no registry.

    A command that is not printable ASCII followed by NUL bytes gets an entry
    whose ``decode`` raises `BadCommand`: the frame is bad, the stream is not.
    """
    command = padded.rstrip(b"\0").decode("latin-1")
    if not _is_command(command):

        def refuse(payload: bytes) -> object:  # noqa: ARG001
            raise BadCommand(padded)

        return Entry(padded.hex(), Malformed, refuse, ANY_SIZE)
    return Entry(command, Unknown, lambda payload: Unknown(command, payload), ANY_SIZE)
