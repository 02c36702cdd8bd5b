"""The shape that every part of the machine shares."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Protocol as Shape

from bitpeer.wire.message import Message

NEVER = inf
"""The wake-up time of a part that is waiting for nothing."""


class Part(Shape):
    """Something that may have to act when a certain time comes."""

    @property
    def next_wake(self) -> float:
        """When `wake` next has something to do."""
        ...

    def wake(self, now: float) -> Iterable[Message]:
        """Return the messages that are due.

        Raises:
            RemoteError: the peer let a deadline pass.
        """
        ...

    def postpone(self, seconds: float) -> None:
        """Move what the peer is expected to do: reading was paused for so long."""
        ...
