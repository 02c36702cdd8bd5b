"""Every message of a dialect: what is read can be written, and is then the same.

An input is a command, a line's end, and a payload.  The payload is decoded and looked into; then
one field of the message gets another value, and the way is gone the other way round.
"""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Hashable, Iterator, Sequence
from typing import Any
from zlib import crc32

from bitpeer.dialect import Network
from bitpeer.errors import LocalError, RemoteError, Unencodable
from bitpeer.wire.message import Message
from fuzz.script import Script
from fuzz.specimens import NETWORKS, kind_called, payloads
from fuzz.target import Target, expect

SAMPLED = 16
"""One in so many inputs has its memory measured, which takes time."""
SPARE, PER_BYTE = 65_536, 300
"""Bytes of memory that decoding may take, of itself and for each byte of a payload."""
MAX_WORDS = 1_000
"""Characters of a complaint."""
REWRITTEN = {
    "addrv2",  # addresses of networks that nobody knows are left out
    "eadip",  # any number but 0 says yes, and so it does below
    "eaddresses",
    "headers",  # a number of transactions is read, but there are none
    "sendcmpct",
    "version",  # and what old peers leave off is added
}
"""Messages that need not be written as they were read."""
FIELDS = "__dataclass_fields__"
"""What declared messages have; those that are written by hand may have none."""
DEPTH, BREADTH = 5, 20
"""How far a message is looked into, and how many items of a list are."""


def target_for(network: Network) -> Target:
    """Return the target for the messages of a dialect."""

    def try_one(data: bytes) -> Hashable:
        name, _, payload = data.partition(b"\n")
        kind = kind_called(network, name)
        if crc32(data) % SAMPLED == 0:
            expect_little_memory(kind, payload)
        return kind.command, read(kind, payload)

    def seeds() -> Iterator[bytes]:
        for command, known in payloads(network.dialect.name).items():
            for payload in known:
                yield command.encode() + b"\n" + payload

    name = network.dialect.name
    return Target(
        name=f"messages-{name}",
        says=f"every message of {name.title()}",
        try_one=try_one,
        seeds=seeds,
    )


def read(kind: type[Message], payload: bytes) -> Hashable:
    """Decode a payload, and see if what comes of it keeps its promises."""
    try:
        message = kind.decode(payload)
        look_into(message, DEPTH)
    except RemoteError as error:
        expect(len(str(error)) <= MAX_WORDS, "a complaint has no end")
        return type(error).__name__
    expect(kind.min_size <= len(payload) <= kind.max_size, "its size is none that it can have")
    expect(hash(message) == hash(kind.decode(payload)), "what is equal has two hashes")
    written = message.encode()
    again = kind.decode(written)
    expect(again == message, "written and read again it is another message")
    expect(again.encode() == written, "written twice it is written differently")
    if kind.command not in REWRITTEN:
        expect(written == payload, "it is not written as it was read")
    return "fine", rebuilt(message, Script(payload))


def rebuilt(message: Message, script: Script) -> Hashable:
    """Give one field another value: it cannot be written, or is then read as it is."""
    declared: Any = message
    if not hasattr(message, FIELDS):
        return None
    fields = [each.name for each in dataclasses.fields(declared) if each.init]
    if not fields:
        return None
    name = script.pick(fields)
    value = another(getattr(message, name), script)
    try:
        changed: Message = dataclasses.replace(declared, **{name: value})
        written = changed.encode()
    except Unencodable:
        return name, "unencodable"
    try:
        again = type(message).decode(written)
        look_into(again, DEPTH)
    except RemoteError as error:
        raise AssertionError(f"{changed!r:.500} is written, but not read: {error!r}") from error
    expect(again == changed, f"{changed!r:.500} is read as {again!r:.500}")
    expect(again.encode() == written, f"{changed!r:.500} is written in two ways")
    return name, "fine"


def another(value: object, script: Script) -> object:
    """Return some value of the same type, fit or not."""
    if isinstance(value, bool):
        return script.flag()
    if isinstance(value, int):
        return type(value)(script.number(1 << 65) - (1 << script.number(65)))
    if isinstance(value, bytes):
        return script.pick((value + script.blob(40), value[: -1 - script.number(40)], b""))
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        names: tuple[str, ...] = type(value)._fields  # type: ignore[attr-defined]  # it has both
        name = script.pick(names)
        return value._replace(**{name: another(getattr(value, name), script)})
    if isinstance(value, Sequence):
        items: list[Any] = list(value)
        return tuple(script.pick((items + items[:1], items[1:], items * 3, items[::-1])))
    return value


def look_into(value: Any, depth: int) -> None:
    """Look at all there is to see: some of it is decoded only then.

    Raises:
        RemoteError: it turns out to be nothing.
    """
    if depth == 0 or value is None or isinstance(value, int | str | bytes | float):
        return
    if isinstance(value, Sequence):
        for item in value[:BREADTH]:
            look_into(item, depth - 1)
        expect(len(list(value)) == len(value), "a list has another length than it says")
        return
    if not type(value).__module__.startswith("bitpeer."):
        return
    expect(isinstance(repr(value), str), "it cannot be shown")
    for name in dir(type(value)):
        if name.startswith("_") or callable(getattr(type(value), name)):
            continue
        try:
            part = getattr(value, name)
        except LocalError:
            continue
        look_into(part, depth - 1)


def expect_little_memory(kind: type[Message], payload: bytes) -> None:
    """Check that decoding takes no more memory than the size of the payload explains."""
    tracemalloc.start()
    try:
        kind.decode(payload)
    except RemoteError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    most = SPARE + PER_BYTE * len(payload)
    expect(peak <= most, f"{peak} bytes of memory for a payload of {len(payload)}")


BITCOIN, DECRED, JAXNET = map(target_for, NETWORKS)
