"""The framing: however the bytes come, the frames are the same, and little is kept.

An input says how frames are put together, rightly or wrongly, and how they are cut.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache

from bitpeer.dialect import Network
from bitpeer.errors import DecodeError, RemoteError, WrongNetwork
from bitpeer.wire.framing import HEADER_SIZE, Envelope, Framing
from bitpeer.wire.message import Message, Unknown
from fuzz.script import Script
from fuzz.specimens import NETWORKS, payloads
from fuzz.target import Target, expect

LIMIT = 40_000
"""Bytes of the largest payload accepted: so few that limits are met."""
SIZES = (0, 1, 23, 24, 255, 4_095, 4_096, 4_097, 32_768, LIMIT, LIMIT + 1)
"""Sizes of payloads at which something changes."""
MAX_FRAMES = 8


def try_one(data: bytes) -> Hashable:
    """Let one stream come in pieces, and again at once."""
    script = Script(data)
    network = script.pick(NETWORKS)
    limit = script.pick((LIMIT, 100))
    pieces: list[bytes] = []
    for _ in range(MAX_FRAMES):
        if not script:
            break
        pieces += script.cut(piece(script, network))
    told = frames(network, limit, pieces, by_piece=True)
    whole = frames(network, limit, [b"".join(pieces)], by_piece=False)
    expect(told == whole, "in pieces it means something else")
    return tuple(what for what, *_ in told)


@cache
def envelope_of(title: str) -> Envelope:
    """Return what all frames of a network have in common."""
    network = next(each for each in NETWORKS if each.title == title)
    dialect = network.dialect
    return Envelope(network.magic, dialect.checksum, dialect.registry, LIMIT)


def piece(script: Script, network: Network) -> bytes:
    """Return a frame, or something that looks like one."""
    dialect = network.dialect
    envelope = envelope_of(network.title)
    kind = script.pick(list(dialect.registry))
    how = script.number(8)
    if how == 0:
        return script.blob(64)
    if how == 1:
        payload = script.pick(payloads(dialect.name)[kind.command])
    elif how == 2:
        payload = bytes(script.pick(SIZES))
    else:
        payload = script.blob(255)
    command = kind.command if how not in (2, 3) else script.take(5).hex() or "x"
    if len(payload) > LIMIT:
        return envelope.prefix(command) + len(payload).to_bytes(4, "little") + bytes(4) + payload
    frame = b"".join(envelope.wrap(Unknown(command, payload)))
    if how == 4:  # anything may be wrong with the header
        at = script.number(HEADER_SIZE)
        return frame[:at] + script.take(1) + frame[at + 1 :]
    return frame


def frames(
    network: Network, limit: int, pieces: list[bytes], *, by_piece: bool
) -> list[tuple[object, ...]]:
    """Return what comes of a stream, and how it ends."""
    envelope = envelope_of(network.title)
    framing = Framing(envelope, limit)
    found: list[tuple[object, ...]] = []
    fed = taken = 0
    try:
        for data in pieces:
            fed += len(data)
            for entry, payload, checksum in framing.feed(data):
                taken += HEADER_SIZE + len(payload)
                try:
                    message = entry.decode(payload)
                except DecodeError as error:
                    found.append((type(error).__name__, entry.command, payload))
                else:
                    found.append(("fine", entry.command, payload))
                    expect_same(envelope, message, payload, checksum)
            if by_piece:
                held = framing.held
                expect(fed - taken - HEADER_SIZE <= held <= fed - taken, "bytes are lost")
                expect(held <= HEADER_SIZE + limit, "it keeps more than it accepts")
                expect(framing.expected <= HEADER_SIZE + limit, "it waits for more")
                expect(framing.expected >= held, "it waits for less than it has")
    except RemoteError as error:
        wrong = isinstance(error, WrongNetwork)  # which may be seen by the first byte
        found.append((type(error).__name__, "" if wrong else str(error)))
    return found


def expect_same(envelope: Envelope, message: object, payload: bytes, checksum: bytes) -> None:
    """Check that a message leaves as it came, if it is written as it was read."""
    if isinstance(message, Message | Unknown) and message.encode() == payload:
        frame = b"".join(envelope.wrap(message))
        expect(frame[HEADER_SIZE:] == payload, "it is framed in other words")
        expect(frame[20:HEADER_SIZE] == checksum, "it leaves with another checksum")


def seeds() -> Iterator[bytes]:
    """Return scripts that go different ways."""
    for network in range(len(NETWORKS)):
        for how in range(8):
            frame = bytes((5, how, 3, 1, 2, 3))
            yield bytes((network, 0)) + frame * 4
            yield bytes((network, 1)) + (frame + b"\x03") * 4
        for size in range(len(SIZES)):
            for cut in range(2, 4):
                frame = bytes((5, 2, size, 1, 2, 3, 4, 5, cut))
                yield bytes((network, 0)) + frame + bytes((80, 120, 7, 3)) * 9


FRAMING = Target(name="framing", says="frames out of a stream", try_one=try_one, seeds=seeds)
