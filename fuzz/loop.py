"""Fuzzing without a fuzzer: mutations of what has led somewhere new, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from random import Random
from typing import NamedTuple

EDGES = (0, 1, 0x7F, 0x80, 0xFC, 0xFD, 0xFE, 0xFF)
"""Bytes at which something changes, most often."""
MAX_POOL = 4_096
"""Most inputs that are kept to go on from."""


class Mutator:
    """Makes new inputs of old ones.

    Args:
        random: decides everything.
        max_size: bytes of an input.
    """

    def __init__(self, random: Random, max_size: int) -> None:
        self._random = random
        self._max_size = max_size
        self._ways: tuple[Callable[[bytearray, bytes], None], ...] = (
            self._flip, self._edge, self._write, self._insert, self._remove, self._repeat,
            self._count, self._splice, self._cut,
        )  # fmt: skip

    def mutate(self, data: bytes, other: bytes) -> bytes:
        """Return an input that is *data* with a few changes, perhaps with parts of *other*."""
        changed = bytearray(data)
        for _ in range(1 + self._random.getrandbits(2) * self._random.getrandbits(1)):
            self._random.choice(self._ways)(changed, other)
        return bytes(changed[: self._max_size])

    def _at(self, data: bytearray) -> int:
        return self._random.randrange(len(data) + 1)

    def _flip(self, data: bytearray, _: bytes) -> None:
        if data:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _edge(self, data: bytearray, _: bytes) -> None:
        at = self._at(data)
        data[at : at + 1] = bytes((self._random.choice(EDGES),))

    def _write(self, data: bytearray, _: bytes) -> None:
        at, size = self._at(data), self._random.choice((1, 2, 4, 8))
        data[at : at + size] = self._random.randbytes(size)

    def _insert(self, data: bytearray, _: bytes) -> None:
        at = self._at(data)
        data[at:at] = self._random.randbytes(1 + self._random.randrange(16))

    def _remove(self, data: bytearray, _: bytes) -> None:
        at = self._at(data)
        del data[at : at + 1 + self._random.randrange(16)]

    def _repeat(self, data: bytearray, _: bytes) -> None:
        at, size = self._at(data), 1 + self._random.randrange(64)
        data[at:at] = data[at : at + size] * (1 + self._random.randrange(4))

    def _count(self, data: bytearray, _: bytes) -> None:
        """Let a number, or a length, be one more or less."""
        if data:
            at = self._random.randrange(len(data))
            data[at] = (data[at] + self._random.choice((-1, 1))) % 256

    def _splice(self, data: bytearray, other: bytes) -> None:
        at, start = self._at(data), self._random.randrange(len(other) + 1)
        data[at:at] = other[start : start + 1 + self._random.randrange(128)]

    def _cut(self, data: bytearray, _: bytes) -> None:
        del data[self._at(data) :]


class Run(NamedTuple):
    """What a loop has done."""

    inputs: int
    """How many were tried."""
    kept: int
    """How many of them have led somewhere new."""


def run_loop(
    try_one: Callable[[bytes], Hashable],
    first: Sequence[bytes],
    *,
    seed: int,
    max_size: int,
    goes_on: Callable[[int], bool],
) -> Run:
    """Try inputs until it is enough.

    What is tried as the how-manieth depends on the seed, and on nothing else.

    Args:
        try_one: see `Target.try_one`; whatever it raises ends the loop.
        first: inputs to begin with.
        seed: of the mutations.
        max_size: bytes of an input.
        goes_on: asked with the number of inputs so far.
    """
    random = Random(seed)  # noqa: S311  # to be the same again is the point
    mutator = Mutator(random, max_size)
    seen: set[Hashable] = set()
    pool: list[bytes] = []
    count = 0
    waiting = [b"", *first][::-1]
    while goes_on(count):
        if waiting:
            data = waiting.pop()
        else:
            newest = random.getrandbits(1)  # every second one of the latest finds
            base = random.choice(pool[-64:] if newest else pool)
            data = mutator.mutate(base, random.choice(pool))
        count += 1
        outcome = try_one(data)
        if outcome not in seen:
            seen.add(outcome)
            if len(pool) < MAX_POOL:
                pool.append(data)
            else:
                pool[random.randrange(MAX_POOL)] = data
    return Run(count, len(seen))
