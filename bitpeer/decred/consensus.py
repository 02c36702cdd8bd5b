"""The rules for Decred's block headers, as far as headers alone tell whether they are kept.

Theory of operation.  Half of the proof is stake: which tickets exist, who was drawn, how
they voted is known to whoever has all blocks, and to nobody who has headers only.  So
votes, ticket prices and stake versions are taken as they come.  What remains is checked
in full: links, heights, times, and proof of work with its difficulty.

Proof of work has two ages.  At first the hash was BLAKE-256 and the difficulty an average
over twenty windows of time; since a vote (DCP 0011) the hash is BLAKE3, and the difficulty
follows an ideal schedule that begins with the last block of the old age.  Votes are
invisible here, but their outcome is not: only the first block of an interval of voting
can begin the new age, and if it does, its proof is BLAKE3 and not BLAKE-256.  Where blocks
are so easy that both may be true by chance, on a network for tests, either age is
accepted for every block, and its difficulty is not checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct
from typing import Any

from bitpeer.decred.header import HEADER_SIZE, MAX_HEADERS, BlockHeader, Headers
from bitpeer.errors import BadHeader
from bitpeer.hashes.blake3 import BLAKE3_BACKEND, blake3
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256
from bitpeer.messages.rules import Ancestors, Clockwork, Link, check_work
from bitpeer.messages.target import bits_of, target_of, work_of
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.vector import PackedVector

MAX_CHANGE = 4
"""How many times the old difficulty may grow or shrink in one adjustment."""
FEWEST_WINDOWS_OF_VOTING = 2
"""Intervals that pass between the first votes and the new age: one to vote, one to prepare."""
CAP_SHIFT = 6
"""The test network's blocks are never harder than the easiest by more than these bits."""
CAPPED_SPACING = 60
"""Seconds between two of the test network's blocks, if they are that hard."""

_FIELDS = Struct("<i32s80xI8xI4xI40x")
_PLENTY, _FEW = 1_000, 50
_COMPILED = BLAKE256_BACKEND == "c" and BLAKE3_BACKEND == "blake3"


class Age(Enum):
    """How one learns that the age of BLAKE3 has begun."""

    ALWAYS = "it began with the first block"
    SEEN = "the first block of an interval shows it"
    UNSEEN = "nothing shows it for sure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The rules of one network; see `HeaderRules`."""

    first: BlockHeader
    """The genesis block's header."""
    easiest: int
    """The easiest target."""
    spacing: float
    """Seconds that a block should take."""
    window: int = 144
    """Blocks between two adjustments of the old difficulty."""
    windows: int = 20
    """How many of them are averaged: each counts twice as much as the one before it."""
    start_bits: int
    """The target with which the age of BLAKE3 begins."""
    half_life: int
    """Seconds behind the schedule that make a block half as hard."""
    age: Age = Age.SEEN
    voting_from: int
    """From which height on there are votes."""
    voting_interval: int
    """Blocks of one interval of voting."""
    voting_version: int = 11
    """The lowest version of blocks that can vote on BLAKE3."""
    capped_from: int | None = None
    """From which height on the difficulty is bounded; before, late blocks may be easy."""
    minimum_work: int = 0
    """What the chain is known to have reached."""

    kind: type[Headers] = field(default=Headers, init=False)
    limit: int = field(default=MAX_HEADERS, init=False)
    per_turn: int = field(default=_PLENTY if _COMPILED else _FEW, init=False)

    @property
    def genesis(self) -> Link:
        """The first block."""
        return self.link(self.first.encode())

    def links(self, headers: Sequence[Any]) -> list[Link]:
        """See `HeaderRules.links`; the proof may be of either age."""
        if isinstance(headers, PackedVector):  # those of a message
            raw, step = bytes(headers.raw), headers.packing.size
        else:
            raw, step = b"".join(header.encode() for header in headers), HEADER_SIZE
        links = []
        for at in range(0, len(raw), step):
            link = self.link(raw[at : at + HEADER_SIZE])
            proof = link.hash if is_old(link) else blake3(link.data)
            check_work(link.hash, proof, link.bits, self.easiest)
            links.append(link)
        return links

    def link(self, data: bytes) -> Link:
        """See `HeaderRules.link`."""
        _, previous, bits, _, time = _FIELDS.unpack(data)
        return Link(blake256(data), previous, time, bits, work_of(bits), data)

    def message(self, kept: Sequence[bytes]) -> Headers:
        """See `HeaderRules.message`."""
        parts = [write_compact_size(len(kept))]
        for data in kept:
            parts += data, b"\0"
        message, _ = Headers.read(b"".join(parts))
        return message

    def judge(self, ancestors: Ancestors, height: int) -> DecredJudge:
        """See `HeaderRules.judge`."""
        return DecredJudge(self, ancestors, height)

    @property
    def hardest_bits(self) -> int:
        """The bits of the hardest target, where there is one."""
        return bits_of(self.easiest >> CAP_SHIFT)

    def scheduled(self, seconds: int, blocks: int) -> int:
        """Return the bits of the block after so many, so long after the new age began (DCP 0011).

        Quirk: two to the power of a fraction is taken from a polynomial, in whole numbers.

        Args:
            seconds: between the block that ended the old age and the last one.
            blocks: likewise.
        """
        behind = seconds - blocks * int(self.spacing)
        exponent = abs(behind << 16) // self.half_life
        exponent = exponent if behind >= 0 else -exponent  # towards zero, either way
        part = exponent & 0xFFFF
        curve = 195_766_423_245_049 * part + 971_821_376 * part**2 + 5_127 * part**3
        factor = (1 << 16) + (curve + (1 << 47) >> 48)
        target, shift = target_of(self.start_bits) * factor, (exponent >> 16) - 16
        target = target << min(shift, 256) if shift >= 0 else target >> -shift
        return bits_of(min(max(target, 1), self.easiest))


class DecredJudge:
    """Judges headers, each after the one before it; see `Judge`.

    Args:
        rules: the network's.
        ancestors: the chain so far.
        height: of its last block.
    """

    def __init__(self, rules: Consensus, ancestors: Ancestors, height: int) -> None:
        self._rules = rules
        self._height = height
        self._last = ancestors(height)
        self._clockwork = Clockwork(ancestors, height)
        window = rules.window
        ends = range((height + 1) // window * window - 1, 0, -window)[: rules.windows + 1]
        self._ends = [ancestors(end).time for end in reversed(ends)]
        """The times of the last blocks of windows, the newest last."""
        self._anchor = self._find_anchor(ancestors)
        """Height and time of the block that ended the old age; `None` before."""
        self._real_bits = self._last.bits
        """What is asked of a block of the early test network that is not late."""
        at = height
        while self._may_be_easy(at) and at % self._grid and self._real_bits == self._easy_bits:
            at -= 1
            self._real_bits = ancestors(at).bits

    @property
    def _easy_bits(self) -> int:
        return bits_of(self._rules.easiest)

    @property
    def _grid(self) -> int:
        return self._rules.window * self._rules.windows

    def follow(self, link: Link, now: float) -> Link:
        """See `Judge.follow`."""
        rules, last, height = self._rules, self._last, self._height + 1
        if link.previous != last.hash:
            raise BadHeader(link.hash, "it does not follow the one before it")
        version, _, _, claimed, _ = _FIELDS.unpack(link.data)
        if claimed != height:
            raise BadHeader(link.hash, f"its height is {claimed} instead of {height}")
        if self._begins_new_age(link, height, version):
            self._anchor = self._height, last.time
        if rules.age is not Age.UNSEEN:
            self._check_difficulty(link, height)
        capped = rules.capped_from is not None and height >= rules.capped_from
        if capped and link.bits <= rules.hardest_bits and link.time < last.time + CAPPED_SPACING:
            raise BadHeader(link.hash, "it comes too soon for a block that is as hard as can be")
        self._clockwork.follow(link, now)
        self._last, self._height = link, height
        if rules.age is Age.ALWAYS and height == 1:
            self._anchor = 1, link.time
        if (height + 1) % rules.window == 0:
            self._ends = [*self._ends, link.time][-rules.windows - 1 :]
        if height % self._grid == 0 or link.bits != self._easy_bits:
            self._real_bits = link.bits
        return link

    # The two ages

    def _find_anchor(self, ancestors: Ancestors) -> tuple[int, int] | None:
        """Return where the new age began on the way here."""
        rules, height = self._rules, self._height
        if rules.age is Age.ALWAYS:
            return (1, ancestors(1).time) if height else None
        if rules.age is Age.UNSEEN:
            return None
        start = height - (height - rules.voting_from) % rules.voting_interval
        anchor = None
        while start >= self._earliest and not is_old(ancestors(start)):
            anchor = start - 1, ancestors(start - 1).time
            start -= rules.voting_interval
        return anchor

    @property
    def _earliest(self) -> int:
        """The lowest height at which the new age may begin."""
        return self._rules.voting_from + FEWEST_WINDOWS_OF_VOTING * self._rules.voting_interval

    def _begins_new_age(self, link: Link, height: int, version: int) -> bool:
        rules = self._rules
        return (
            rules.age is Age.SEEN
            and self._anchor is None
            and height >= self._earliest
            and (height - rules.voting_from) % rules.voting_interval == 0
            and version >= rules.voting_version
            and not is_old(link)
        )

    def _check_difficulty(self, link: Link, height: int) -> None:
        """Check hash and target by the rules of the age."""
        rules = self._rules
        if self._anchor is not None or rules.age is Age.ALWAYS:
            if is_old(link):  # then nobody has looked at the other hash
                check_work(link.hash, blake3(link.data), link.bits, rules.easiest)
            expected = rules.start_bits
            if self._anchor is not None:
                anchor, time = self._anchor
                expected = rules.scheduled(self._last.time - time, self._height - anchor)
            if rules.capped_from is not None:
                expected = max(expected, rules.hardest_bits)
        elif not is_old(link):
            raise BadHeader(link.hash, "its proof of work is BLAKE3, too early")
        else:
            expected = self._averaged(link.time, height)
        if link.bits != expected:
            raise BadHeader(link.hash, f"its target is {link.bits:08x} instead of {expected:08x}")

    def _may_be_easy(self, height: int) -> bool:
        """Return whether the block at *height* may be easy if it is late."""
        capped_from = self._rules.capped_from
        return capped_from is not None and height < capped_from

    def _averaged(self, time: int, height: int) -> int:
        """Return the bits of the block at *height*, from that *time*, by the rules of old."""
        rules, last = self._rules, self._last
        if height % rules.window:
            if not self._may_be_easy(height):
                return last.bits
            late = time > last.time + 10 * 60
            return self._easy_bits if late else self._real_bits
        span = int(rules.window * rules.spacing)
        total = weights = 0
        for number in range(rules.windows):
            # What lies before the chain was on time.
            took = span
            if number + 1 < len(self._ends):
                took = self._ends[-number - 1] - self._ends[-number - 2]
            total += (took << 32) // span << rules.windows - number
            weights += 1 << rules.windows - number
        before = target_of(last.bits)
        target = total // weights * before >> 32
        if target:
            target = min(max(target, before // MAX_CHANGE), before * MAX_CHANGE, rules.easiest)
        else:
            target = rules.easiest
        if rules.capped_from is not None and height >= rules.capped_from:
            target = max(target, rules.easiest >> CAP_SHIFT)
        return bits_of(target)


def is_old(link: Link) -> bool:
    """Return whether the block's hash is also its proof of work, as it was in the old age."""
    return int.from_bytes(link.hash, "little") <= target_of(link.bits)
