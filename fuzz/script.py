"""Choices out of bytes: how an input says what is to happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Script:
    """Bytes that are read as choices, from the first to the last.

    Where they end, every further choice is the first one, so that any bytes are a
    script, and the beginning of a script does what the whole does, as far as it goes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._pos < len(self._data)

    def take(self, count: int) -> bytes:
        """Return the next bytes, or as many as are left."""
        taken = self._data[self._pos : self._pos + count]
        self._pos += len(taken)
        return taken

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(len(self._data))

    def number(self, below: int) -> int:
        """Return a number, 0 <= n < *below*."""
        size = ((below - 1).bit_length() + 7) // 8
        return int.from_bytes(self.take(size), "little") % below

    def flag(self) -> bool:
        """Return yes or no; no where nothing is left."""
        return self.number(2) == 1

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of *choices*."""
        return choices[self.number(len(choices))]

    def blob(self, most: int) -> bytes:
        """Return bytes, which say themselves how many they are."""
        return self.take(self.number(most + 1))

    def cut(self, data: bytes) -> list[bytes]:
        """Return *data* in pieces: in one, in many small ones, or as the script likes."""
        how = self.number(4)
        if how < 2 or not data:
            return [data]
        if how == 2:
            size = len(data) // 64 + 1
            return [data[at : at + size] for at in range(0, len(data), size)]
        pieces: list[bytes] = []
        while data:
            if not self:
                return [*pieces, data]
            size = self.number(min(len(data), 255)) * (len(data) // 4_096 + 1) + 1
            pieces.append(data[:size])
            data = data[size:]
        return pieces
