"""Bytes that are not a message, or not even a frame."""

from __future__ import annotations

from bitpeer.errors.base import DisconnectReason, RemoteError


class DecodeError(RemoteError):
    """Bytes from the peer are not a valid message."""

    reason = DisconnectReason.MALFORMED


class Truncated(DecodeError):
    """The payload ends in the middle of a field."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed, available)
        self.needed = needed
        self.available = available

    def __str__(self) -> str:
        return f"needed {self.needed} bytes, only {self.available} left"


class TrailingBytes(DecodeError):
    """The payload goes on after the last field."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count

    def __str__(self) -> str:
        return f"{self.count} bytes after the last field"


class NonCanonical(DecodeError):
    """A compact size uses more bytes than it needs."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return f"{self.value} is not written in its shortest form"


class LimitExceeded(DecodeError):
    """A count or a length is larger than the protocol allows."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(count, limit)
        self.count = count
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.count} exceeds the limit of {self.limit}"


class InvalidValue(DecodeError):
    """A field holds a value that its specification excludes."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(field, value)
        self.field = field
        self.value = value

    def __str__(self) -> str:
        return f"{self.field:.64} cannot be {self.value!r:.64}"


class BadCommand(DecodeError):
    """A frame's command is not printable ASCII followed by NUL bytes."""

    def __init__(self, command: bytes) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"not a command: {self.command[:16].hex()}"


class BadChecksum(DecodeError):
    """A frame's checksum does not match its payload."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"wrong checksum of {self.command!r:.32}"


class WrongNetwork(RemoteError):
    """A frame carries the magic of another network, or what comes is no frame at all."""

    reason = DisconnectReason.WRONG_NETWORK

    def __init__(self, magic: bytes) -> None:
        super().__init__(magic)
        self.magic = magic

    def __str__(self) -> str:
        return f"magic is {self.magic[:16].hex()}"


class Oversized(RemoteError):
    """A frame's header claims more bytes than a message of its kind can have."""

    reason = DisconnectReason.OVERSIZED

    def __init__(self, command: str, length: int, limit: int) -> None:
        super().__init__(command, length, limit)
        self.command = command
        self.length = length
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.command!r:.32} of {self.length} bytes, at most {self.limit} are allowed"
