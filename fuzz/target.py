"""What can be fuzzed, and what is wrong when something is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that have found something: a folder for each target, a file for each input."""


class Wrong(AssertionError):
    """What is promised does not hold."""


def expect(promise: object, why: str) -> None:
    """Check a promise.

    Raises:
        Wrong: it does not hold.
    """
    if not promise:
        raise Wrong(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that reads bytes from outside."""

    name: str
    says: str
    """What is fuzzed, in a few words."""
    try_one: Callable[[bytes], Hashable]
    """Try one input.  Whatever it raises is a finding.  It returns what became of the input, in
    rough: an input is worth keeping if that is new."""
    seeds: Callable[[], Iterable[bytes]]
    """Returns inputs to begin with."""
    max_size: int = 4_096
    """Bytes of an input."""

    @property
    def corpus(self) -> Path:
        """Where inputs are kept that have found something."""
        return CORPUS / self.name

    def kept(self) -> list[Path]:
        """Return the files of the inputs that have found something."""
        return sorted(self.corpus.iterdir()) if self.corpus.is_dir() else []

    def first_inputs(self) -> list[bytes]:
        """Return all inputs to begin with: seeds, and what has found something before."""
        found = [path.read_bytes() for path in self.kept()]
        return list(dict.fromkeys([*self.seeds(), *found]))


def name_of_input(data: bytes) -> str:
    """Return what the file of an input is called unless somebody finds a better name."""
    return sha256(data).hexdigest()[:16]
