"""Chance that a seed decides: for whatever would ask the system for random numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

__all__ = ["Random", "seeded"]


@contextmanager
def seeded(source: Random) -> Iterator[None]:
    """Let everything in this process that draws from `SystemRandom` draw from *source*.

    `secrets` does, and so does everything in this package.  Meant for tests: what is
    drawn is predictable to whoever knows the seed.
    """
    before = random._urandom  # type: ignore[attr-defined]  # noqa: SLF001  # what it all goes through
    random._urandom = source.randbytes  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        yield
    finally:
        random._urandom = before  # type: ignore[attr-defined]  # noqa: SLF001
