"""What the rules of a chain must offer, so that its headers can be followed in any dialect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol as Shape

from bitpeer.errors import BadHeader, TooNew
from bitpeer.messages.target import target_of
from bitpeer.wire.message import Message


class Link(NamedTuple):
    """A block header of any dialect, as far as a chain is made of it."""

    hash: bytes
    """The block's hash, wire order."""
    previous: bytes
    """That of the block before it."""
    time: int
    """Seconds since 1970."""
    bits: int
    """The target, in its compact form."""
    work: int
    """What the block adds to the work of the chain."""
    data: bytes
    """All that is to be kept of it."""


Ancestors = Callable[[int], Link]
"""Returns the header at a height, 0 being the genesis block."""


class Judge(Shape):
    """Judges the headers of one chain, each after the one before it.

    It remembers what the rules need of the headers behind it, and no more.
    """

    def follow(self, link: Link, now: float) -> Link:
        """Let *link* be the next, if it may.

        Args:
            link: one of `HeaderRules.links`, so its proof of work is there.
            now: seconds since 1970.

        Returns:
            What is to be kept: *link*, and perhaps what the judge knows of it.

        Raises:
            TooNew: it may later.
            BadHeader: it breaks a rule; the judge is of no use any more.
        """


class HeaderRules(Shape):
    """The rules for the headers of one chain."""

    @property
    def genesis(self) -> Link: ...
    @property
    def kind(self) -> type[Message]:
        """The message that carries headers; its `headers` are what `links` wants."""

    @property
    def limit(self) -> int:
        """Most headers in one message."""

    @property
    def per_turn(self) -> int:
        """How many headers can be checked while everything else waits."""

    @property
    def spacing(self) -> float:
        """Seconds between two blocks, when all is well."""

    @property
    def minimum_work(self) -> int:
        """What the chain is known to have reached; 0 if nobody knows."""

    def links(self, headers: Sequence[Any]) -> list[Link]:
        """Return what chains are made of, having checked each header's proof of work.

        Raises:
            BadHeader: a header lacks it, or asks for less than the network does.
        """

    def link(self, data: bytes) -> Link:
        """Return what was kept as *data*, unchecked."""

    def message(self, kept: Sequence[bytes]) -> Message:
        """Return the message with these headers, each as it was kept."""

    def judge(self, ancestors: Ancestors, height: int) -> Judge:
        """Return a judge for what follows the block at *height*."""


MAX_AHEAD = 7_200
"""Seconds that a block may be ahead of this side's clock."""


class Clockwork:
    """The rules for the times of blocks, which all dialects have from Bitcoin.

    Args:
        ancestors: the chain so far.
        height: of its last block.
        span: how many blocks make the median.
    """

    def __init__(self, ancestors: Ancestors, height: int, span: int = 11) -> None:
        first = max(0, height - span + 1)
        self._times = deque((ancestors(at).time for at in range(first, height + 1)), span)

    @property
    def median(self) -> int:
        """The median of the last blocks' times: the next must be later."""
        times = sorted(self._times)
        return times[len(times) // 2]

    def follow(self, link: Link, now: float) -> None:
        """Let the time of *link* be the next.

        Raises:
            TooNew: it is more than two hours ahead of *now*.
            BadHeader: it is not later than the median.
        """
        if link.time <= self.median:
            raise BadHeader(link.hash, "its time is not after the median of those before it")
        check_future(link, now)
        self._times.append(link.time)


def check_future(link: Link, now: float) -> None:
    """Check that a block is not from the future.

    Raises:
        TooNew: its time is more than two hours ahead of *now*.
    """
    if link.time > now + MAX_AHEAD:
        raise TooNew(link.hash, "its time is more than two hours ahead")


def check_work(block: bytes, proof: bytes, bits: int, limit: int) -> None:
    """Check a proof of work.

    Args:
        block: the block's hash, wire order, for the error.
        proof: the hash that must meet the target, wire order.
        bits: the target, in its compact form.
        limit: the easiest target that the network allows.

    Raises:
        BadHeader: the target makes no sense or is too easy, or the hash is above it.
    """
    target = target_of(bits)
    if not 0 < target <= limit:
        raise BadHeader(block, f"its target {bits:08x} is none, or too easy for this network")
    if int.from_bytes(proof, "little") > target:
        raise BadHeader(block, "it does not have the work that it claims")
