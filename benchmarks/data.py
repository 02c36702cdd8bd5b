"""Synthetic traffic, the same in every run, and shaped like the real thing.

Nothing here uses bitpeer's codec: what is measured does not make its own exam.  The blocks are
shaped like four real ones that libraries find easy or hard: A has thousands of mixed payments, B
has few transactions with very many witness items, C is from the time before witnesses, D has few
and large transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from random import Random
from struct import pack

MAGIC = bytes.fromhex("fabfb5da")
"""Of regtest."""

_SIGNATURE, _KEY = 71, 33


def compact_size(value: int) -> bytes:
    """Return *value* as the count that opens a list."""
    if value < 0xFD:
        return bytes((value,))
    return b"\xfd" + pack("<H", value) if value < 0x10000 else b"\xfe" + pack("<I", value)


def frame(command: str, payload: bytes) -> bytes:
    """Return *payload* as it travels."""
    checksum = sha256(sha256(payload).digest()).digest()[:4]
    head = MAGIC + command.encode().ljust(12, b"\0") + pack("<I", len(payload))
    return head + checksum + payload


def _sized(data: bytes) -> bytes:
    return compact_size(len(data)) + data


def _transaction(
    rng: Random,
    scripts: Iterable[int],
    outputs: Iterable[int],
    witnesses: Iterable[Iterable[int]] | None = None,
) -> bytes:
    """Return a transaction of random bytes in the right places.

    Args:
        rng: where the bytes come from.
        scripts: the size of each input's script.
        outputs: the size of each output's script.
        witnesses: for each input, the size of each item of its witness; or none at all.
    """
    inputs = [rng.randbytes(32) + pack("<I", rng.randrange(9)) + _sized(rng.randbytes(size))
              + b"\xfd\xff\xff\xff" for size in scripts]  # fmt: skip
    paid = [pack("<q", rng.randrange(1, 10**11)) + _sized(rng.randbytes(size)) for size in outputs]
    parts = [b"\2\0\0\0", b"" if witnesses is None else b"\0\1"]
    parts += [compact_size(len(inputs)), *inputs, compact_size(len(paid)), *paid]
    for stack in witnesses or ():
        items = [_sized(rng.randbytes(size)) for size in stack]
        parts += [compact_size(len(items)), *items]
    return b"".join([*parts, rng.randbytes(4)])


def payment(rng: Random) -> bytes:
    """Return the most ordinary transaction there is: one input and two outputs, 222 bytes or so."""
    return _transaction(rng, [0], [22, 22], [[_SIGNATURE, _KEY]])


def _mixed(rng: Random) -> bytes:
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 5))
    outputs = [rng.choice((22, 23, 25, 25)) for _ in range(rng.choice((1, 2, 2, 2, 2, 3)))]
    kind = rng.random()
    if kind < 0.5:  # before witnesses
        return _transaction(rng, [rng.choice((106, 107))] * count, outputs)
    nested = 23 if kind < 0.8 else 0
    return _transaction(rng, [nested] * count, outputs, [[_SIGNATURE, _KEY]] * count)


def _many_items(rng: Random) -> bytes:
    count = rng.randrange(20, 38)
    stack = [0, _SIGNATURE, _SIGNATURE + 1, 105]
    return _transaction(rng, [35] * count, [23, 25], [stack] * count)


def _before_witnesses(rng: Random) -> bytes:
    count = rng.choice((1, 1, 2, 2, 3, 3, 4, 9))
    return _transaction(rng, [rng.choice((106, 107, 139, 253))] * count, [25, 25])


def _large(rng: Random) -> bytes:
    count = rng.choice((1, 5, 12, 24, 40))
    outputs = [rng.choice((22, 34))] * rng.choice((1, 2, 20))
    return _transaction(rng, [0] * count, outputs, [[_SIGNATURE, _KEY]] * count)


BLOCKS: dict[str, tuple[int, Callable[[Random], bytes]]] = {
    "A": (3_315, _mixed),
    "B": (230, _many_items),
    "C": (1_557, _before_witnesses),
    "D": (676, _large),
}
"""For each shape of block, how many transactions it has, and how one is made."""


@cache
def block(shape: str, size: float = 1.0) -> bytes:
    """Return a block of one of the four *shapes*.

    Args:
        size: 1 for all its transactions, less for fewer.
    """
    count, make = BLOCKS[shape]
    count = max(2, round(count * size))
    rng = Random(f"block {shape}")  # noqa: S311  # the same in every run
    header = b"\0\0\0\x20" + rng.randbytes(64) + pack("<III", 1_700_000_000, 0x207FFFFF, 7)
    coinbase = (
        b"\1\0\0\0\0\1\1" + bytes(32) + b"\xff\xff\xff\xff" + _sized(rng.randbytes(40))
        + b"\xff\xff\xff\xff\2" + pack("<q", 625_000_000) + _sized(rng.randbytes(22))
        + pack("<q", 0) + _sized(rng.randbytes(38)) + b"\1" + _sized(bytes(32)) + bytes(4)
    )  # fmt: skip
    if shape == "C":
        coinbase = (
            b"\1\0\0\0\1" + bytes(32) + b"\xff\xff\xff\xff" + _sized(rng.randbytes(40))
            + b"\xff\xff\xff\xff\1" + pack("<q", 2_500_000_000) + _sized(rng.randbytes(25))
            + bytes(4)
        )  # fmt: skip
    return b"".join((header, compact_size(count), coinbase, *(make(rng) for _ in range(count - 1))))


def inventory(rng: Random, count: int) -> bytes:
    """Return the payload of an `inv`."""
    items = (pack("<I", rng.choice((1, 5))) + rng.randbytes(32) for _ in range(count))
    return compact_size(count) + b"".join(items)


def _ping(rng: Random) -> bytes:
    return frame("ping", rng.randbytes(8))


def _inv(rng: Random) -> bytes:
    return frame("inv", inventory(rng, 2))


def _tx(rng: Random) -> bytes:
    return frame("tx", payment(rng))


def _mix(rng: Random) -> bytes:
    """Return what a peer that relays sends: announcements, transactions, now and then a ping."""
    make = rng.choices((_ping, _inv, _tx), (1, 20, 10))[0]
    return make(rng)


SMALL = {"ping": _ping, "inv": _inv, "tx": _tx, "mix": _mix}
"""How to make one frame of each kind of small message."""


@cache
def stream(kind: str, count: int) -> tuple[bytes, ...]:
    """Return *count* frames of one *kind*, each different from the others."""
    rng = Random(f"stream {kind}")  # noqa: S311  # the same in every run
    return tuple(SMALL[kind](rng) for _ in range(count))


def payloads(frames: Iterable[bytes]) -> list[bytes]:
    """Return what is in *frames*."""
    return [each[24:] for each in frames]


def pieces(frames: Iterable[bytes], size: int = 65_536) -> list[bytes]:
    """Return *frames* cut as a transport cuts them."""
    data = b"".join(frames)
    return [data[at : at + size] for at in range(0, len(data), size)]
