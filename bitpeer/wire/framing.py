"""The 24-byte envelope around every message: magic, command, length, checksum.

An `Envelope` is what all connections of one network share; a `Framing` is the
state of one connection.  The encrypted transport (BIP 324) will be another
framing with the same two verbs: `feed` and `wrap`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from struct import Struct
from typing import Protocol as Shape

from bitpeer.errors import BadChecksum, Oversized, Unencodable, WrongNetwork
from bitpeer.wire.message import Entry, Malformed, Registry, pad_command, unknown_entry

HEADER_SIZE = 24
NONCE_SIZE = 8
"""Bytes of the payload of a `ping`, and of its `pong` (BIP 31)."""
PONG_SIZE = HEADER_SIZE + NONCE_SIZE
SMALL_FRAME = 4096
"""An incomplete frame up to this size is kept whole and looked at again; a larger one is
collected piece by piece."""
AHEAD = 8192
"""Complete frames are cut, and their checksums compared, for so many bytes at a time."""
LARGE_PAYLOAD = 32_768
"""A payload from this size on is written beside its header, not copied behind it."""

FOUR = slice(4)
"""The part of a hash that a frame carries."""

_HEADER = Struct("<16sI4s")
_TAIL = Struct("<I4s")


class Sendable(Shape):
    """What can be put into a frame: every `Message`, and `Unknown`."""

    @property
    def command(self) -> str: ...
    def encode(self) -> bytes: ...


Frame = tuple[Entry, bytes, bytes]
"""What the command stands for, the payload, and the checksum that protected it."""


class Envelope:
    """What every frame of one network has in common.

    Args:
        magic: the four bytes that open every frame.
        checksum: the hash whose first four bytes protect the payload.
        registry: the messages to expect.
        limit: the largest payload accepted, in bytes.
    """

    def __init__(
        self,
        magic: bytes,
        checksum: Callable[[bytes], bytes],
        registry: Registry,
        limit: int,
    ) -> None:
        self.magic = magic
        self.checksum = checksum
        self.limit = limit
        self.table = {
            magic + command: Entry(
                entry.command, entry.kind, entry.decode, min(entry.max_size, limit)
            )
            for command, entry in registry.entries.items()
        }
        """Every known entry, by the sixteen bytes that open its frames."""
        self._prefixes: dict[str, bytes] = {}
        self.pong_head = self.prefix("pong") + NONCE_SIZE.to_bytes(4, "little")
        """The twenty bytes that open every `pong`, the length of its payload included."""
        self._last: Sendable | None = None
        self._last_frame = b""

    def wrap(self, message: Sendable, checksum: bytes | None = None) -> tuple[bytes, ...]:
        """Return *message* as a frame, in one piece or, to spare a copy, in two.

        The same message wrapped again, as when it is sent to many peers, costs
        nothing.

        Args:
            checksum: that of the payload, if it is known already.

        Raises:
            Unencodable: a field does not fit, or the whole is longer than peers accept.
        """
        if message is self._last:
            return (self._last_frame,)
        payload = message.encode()
        if len(payload) > self.limit:
            why = f"{len(payload)} bytes exceed the limit of {self.limit}"
            raise Unencodable(message.command, why)
        fleeting = payload.__class__ is not bytes
        if fleeting:  # it may change while it waits to be sent, or before it is sent again
            payload = bytes(payload)
        if checksum is None:
            checksum = self._sealed(message, payload)
        header = self.prefix(message.command) + _TAIL.pack(len(payload), checksum)
        if len(payload) >= LARGE_PAYLOAD:
            return header, payload
        frame = header + payload
        if not fleeting:
            self._last, self._last_frame = message, frame
        return (frame,)

    def prefix(self, command: str) -> bytes:
        """Return the sixteen bytes that open every frame with *command*."""
        prefix = self._prefixes.get(command)
        if prefix is None:
            prefix = self.magic + pad_command(command)
            if len(self._prefixes) < 1000:
                self._prefixes[command] = prefix
        return prefix

    def entry(self, key: bytes) -> Entry:
        """Return the entry for the first sixteen bytes of a frame.

        Raises:
            WrongNetwork: they do not begin with this network's magic.
        """
        entry = self.table.get(key)
        if entry is None:
            if key[:4] != self.magic:
                raise WrongNetwork(key[:4])
            entry = unknown_entry(key[4:])
            entry.max_size = self.limit
        return entry

    def _sealed(self, message: Sendable, payload: bytes) -> bytes:
        """Return the checksum; messages that are views of their bytes remember theirs."""
        seal = getattr(message, "seal", None)
        if seal is not None and seal[0] is self.checksum:
            known: bytes = seal[1]
            return known
        checksum = self.checksum(payload)[FOUR]
        if hasattr(message, "seal"):
            message.seal = (self.checksum, checksum)
        return checksum


class _Large:
    """A frame that is collected piece by piece: what its header says, and what has come of it."""

    __slots__ = ("checksum", "chunks", "entry", "left", "size")

    def __init__(self, entry: Entry, size: int, checksum: bytes, data: bytes) -> None:
        self.entry = entry
        self.size = size
        self.checksum = checksum
        self.chunks = [data]
        self.left = size - len(data)


class Framing:
    """Cut the bytes of one connection into frames.

    Args:
        envelope: what the frames look like.
        limit: the largest payload accepted for now, in bytes.
    """

    __slots__ = ("_envelope", "_large", "_tail", "limit", "pong_head")

    def __init__(self, envelope: Envelope, limit: int) -> None:
        self._envelope = envelope
        self.limit = limit
        """The largest payload accepted for now: small before the handshake is complete."""
        self.pong_head = envelope.pong_head
        """What opens every `pong`; the checksum and the payload of its ping follow as they came."""
        self._tail = b""
        self._large: _Large | None = None

    @property
    def wrap(self) -> Callable[..., tuple[bytes, ...]]:
        """Put a message into a frame: see `Envelope.wrap`."""
        return self._envelope.wrap

    @property
    def held(self) -> int:
        """Bytes kept of a frame that is not complete."""
        large = self._large
        return len(self._tail) if large is None else large.size - large.left

    @property
    def expected(self) -> int:
        """Bytes that will be kept when the frame in progress is complete, as far as is known."""
        if self._large is not None:
            return self._large.size
        if not self._tail:
            return 0
        if len(self._tail) < HEADER_SIZE:
            return HEADER_SIZE
        (_, length, _) = _HEADER.unpack_from(self._tail)
        return HEADER_SIZE + int(length)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Return an iterator of every frame that *data*, the next bytes of the stream, completes.

        Next to nothing is looked at before it is asked for: stop iterating and the
        rest waits.  Use up one iterator before asking for the next.

        A frame whose checksum or command is wrong is yielded too, with an entry
        whose ``decode`` raises: the stream goes on behind it.

        Raises:
            WrongNetwork: the frame begins with another magic.
            Oversized: the header claims more than such a message may have.
        """
        return chain.from_iterable(self.batches(data))

    def batches(self, data: bytes) -> Iterator[list[Frame]]:
        """Yield the same frames as `feed`, as many at a time as are cut together.

        Raises:
            WrongNetwork, Oversized: as `feed` does.
        """
        pos = 0
        if self._large is not None:
            pos = self._large.left
            if len(data) < pos:
                self._collect(self._large, data)
                return
            yield [self._collected(self._large, data)]
        elif self._tail:
            data = self._tail + data
            self._tail = b""
        frames, pos = self._cut(data, pos)
        while frames:
            yield frames
            if pos == len(data):  # as when messages come one by one
                return
            frames, pos = self._cut(data, pos)
        if pos < len(data):
            key = data[pos : pos + 4]
            if not self._envelope.magic.startswith(key):
                raise WrongNetwork(key)
            self._tail = data[pos:]

    def _cut(self, data: bytes, pos: int) -> tuple[list[Frame], int]:
        """Return the next few frames of *data* from *pos* on, and the position after them.

        A few at a time, because payloads are hashed a tenth faster in a row than
        each between other work; no more, because they take more room than their bytes.
        What ends the stream is raised when nothing is left before it.
        """
        envelope, limit = self._envelope, self.limit
        known, unpack, end = envelope.table.get, _HEADER.unpack_from, len(data)
        last = min(end - HEADER_SIZE, pos + AHEAD)
        frames: list[Frame] = []
        while pos <= last:
            key, length, checksum = unpack(data, pos)
            entry = known(key)
            start = pos + HEADER_SIZE
            stop = start + length
            if entry is None or length > entry.max_size or length > limit or stop > end:
                if frames:
                    break
                entry = entry or envelope.entry(key)
                if length > entry.max_size or length > limit:
                    raise Oversized(entry.command, length, min(entry.max_size, limit))
                if stop > end:
                    self._incomplete(data, start, stop, entry, checksum)
                    return [], end
            frames.append((entry, data[start:stop], checksum))
            pos = stop
        digest, four = envelope.checksum, FOUR
        for frame in frames:
            if digest(frame[1])[four] != frame[2]:
                frames[frames.index(frame)] = (_corrupt(frame[0]), *frame[1:])
        return frames, pos

    def _incomplete(
        self, data: bytes, start: int, stop: int, entry: Entry, checksum: bytes
    ) -> None:
        """Keep what has come of a frame that goes on beyond *data*."""
        if stop - start <= SMALL_FRAME:
            self._tail = data[start - HEADER_SIZE :]
            return
        self._large = _Large(entry, stop - start, checksum, data[start:])

    def _collect(self, large: _Large, data: bytes) -> None:
        """Keep *data* of a large frame, in pieces that are worth the object around them."""
        chunks = large.chunks
        if len(chunks[-1]) < SMALL_FRAME:
            chunks[-1] += data
        else:
            chunks.append(data)
        large.left -= len(data)

    def _collected(self, large: _Large, data: bytes) -> Frame:
        """Return the frame whose last bytes open *data*."""
        large.chunks.append(data if len(data) == large.left else data[: large.left])
        payload = b"".join(large.chunks)
        self._large, entry = None, large.entry
        if self._envelope.checksum(payload)[FOUR] != large.checksum:
            entry = _corrupt(entry)
        return entry, payload, large.checksum


def _corrupt(entry: Entry) -> Entry:
    """Return an entry that stands for a frame with a wrong checksum."""

    def refuse(payload: bytes) -> object:  # noqa: ARG001
        raise BadChecksum(entry.command)

    return Entry(entry.command, Malformed, refuse, entry.max_size)
