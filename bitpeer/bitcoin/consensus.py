"""The rules for block headers of Bitcoin's networks: proof of work, difficulty, times, versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from struct import Struct
from typing import Any

from bitpeer.bitcoin.header import HEADER_SIZE, MAX_HEADERS, BlockHeader, Headers
from bitpeer.errors import BadHeader
from bitpeer.hashes import hash_from_text, sha256d
from bitpeer.messages.rules import Ancestors, Clockwork, Link, check_work
from bitpeer.messages.target import bits_of, target_of, work_of
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.vector import PackedVector

PERIOD = 2_016
"""Blocks between two adjustments of the difficulty."""
SPACING = 600
"""Seconds that a block should take."""
TIMESPAN = PERIOD * SPACING
MAX_CHANGE = 4
"""How many times the difficulty may grow or shrink in one adjustment."""
MAX_TIME_WARP = 600
"""Seconds by which the first block of a period may be before the last one of that before it
(BIP 94)."""

_FIELDS = Struct("<i32s32xII4x")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The rules of one network; see `HeaderRules`."""

    first: BlockHeader
    """The genesis block's header."""
    limit_bits: int = 0x1D00_FFFF
    """The easiest target."""
    retargets: bool = True
    """Whether the difficulty is ever adjusted."""
    lenient: bool = False
    """Whether a block that comes 20 minutes after the one before may have the easiest target."""
    bip94: bool = False
    """Whether the first block of a period decides its difficulty, and may not be dated back."""
    versions: tuple[tuple[int, int], ...] = ()
    """From which height on there is no version below which (BIP 34, 66, 65)."""
    minimum_work: int = 0
    """What the chain is known to have reached."""

    kind: type[Headers] = field(default=Headers, init=False)
    limit: int = field(default=MAX_HEADERS, init=False)
    per_turn: int = field(default=1_000, init=False)
    spacing: float = field(default=SPACING, init=False)

    @property
    def genesis(self) -> Link:
        """The first block."""
        return self.link(self.first.encode())

    def links(self, headers: Sequence[Any]) -> list[Link]:
        """See `HeaderRules.links`."""
        if isinstance(headers, PackedVector):  # those of a message
            raw, step = bytes(headers.raw), headers.packing.size
        else:
            raw, step = b"".join(header.encode() for header in headers), HEADER_SIZE
        limit = target_of(self.limit_bits)
        links = []
        for at in range(0, len(raw), step):
            link = self.link(raw[at : at + HEADER_SIZE])
            check_work(link.hash, link.hash, link.bits, limit)
            links.append(link)
        return links

    def link(self, data: bytes) -> Link:
        """See `HeaderRules.link`."""
        _, previous, time, bits = _FIELDS.unpack(data)
        return Link(sha256d(data), previous, time, bits, work_of(bits), data)

    def message(self, kept: Sequence[bytes]) -> Headers:
        """See `HeaderRules.message`."""
        parts = [write_compact_size(len(kept))]
        for data in kept:
            parts += data, b"\0"
        message, _ = Headers.read(b"".join(parts))
        return message

    def judge(self, ancestors: Ancestors, height: int) -> BitcoinJudge:
        """See `HeaderRules.judge`."""
        return BitcoinJudge(self, ancestors, height)


class BitcoinJudge:
    """Judges headers, each after the one before it; see `Judge`.

    Of all that lies behind, the difficulty needs four numbers.

    Args:
        rules: the network's.
        ancestors: the chain so far.
        height: of its last block.
    """

    def __init__(self, rules: Consensus, ancestors: Ancestors, height: int) -> None:
        self._rules = rules
        self._limit = target_of(rules.limit_bits)
        self._height = height
        self._last = ancestors(height)
        self._first = ancestors(height - height % PERIOD)
        """The first block of the period that the last block is in."""
        self._clockwork = Clockwork(ancestors, height)
        self._real_bits = self._last.bits
        """What a lenient network asks of a block that is not late."""
        if rules.lenient:
            at = height
            while at % PERIOD and self._real_bits == rules.limit_bits:
                at -= 1
                self._real_bits = ancestors(at).bits

    def follow(self, link: Link, now: float) -> Link:
        """See `Judge.follow`."""
        last, height = self._last, self._height + 1
        if link.previous != last.hash:
            raise BadHeader(link.hash, "it does not follow the one before it")
        expected = self._expected(link.time, height)
        if link.bits != expected:
            raise BadHeader(link.hash, f"its target is {link.bits:08x} instead of {expected:08x}")
        starts = height % PERIOD == 0
        if starts and self._rules.bip94 and link.time < last.time - MAX_TIME_WARP:
            raise BadHeader(link.hash, "a new period begins before the end of the last (BIP 94)")
        if self._rules.versions:
            self._check_version(link, height)
        self._clockwork.follow(link, now)
        self._last, self._height = link, height
        if starts:
            self._first = link
        if starts or link.bits != self._rules.limit_bits:
            self._real_bits = link.bits
        return link

    def _expected(self, time: int, height: int) -> int:
        """Return the bits of the block at *height*, if it is from that *time*."""
        rules = self._rules
        if not rules.retargets:
            return rules.limit_bits
        if height % PERIOD == 0:
            return self._adjusted()
        if not rules.lenient:
            return self._last.bits
        return rules.limit_bits if time > self._last.time + 2 * SPACING else self._real_bits

    def _adjusted(self) -> int:
        """Return the bits of the first block of a period.

        Quirk: the time is that of 2,015 blocks, not of 2,016, since the first block's own
        is not looked at.
        """
        took = self._last.time - self._first.time
        took = min(max(took, TIMESPAN // MAX_CHANGE), TIMESPAN * MAX_CHANGE)
        before = self._first.bits if self._rules.bip94 else self._last.bits
        return bits_of(min(target_of(before) * took // TIMESPAN, self._limit))

    def _check_version(self, link: Link, height: int) -> None:
        version = _FIELDS.unpack(link.data)[0]
        for since, lowest in self._rules.versions:
            if height >= since and version < lowest:
                raise BadHeader(link.hash, f"its version {version} is below {lowest}")


def _genesis(
    time: int,
    bits: int,
    nonce: int,
    root: str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
) -> BlockHeader:
    return BlockHeader(1, bytes(32), hash_from_text(root), time, bits, nonce)


_MODERN = ((1, 4),)

MAINNET = Consensus(
    first=_genesis(1_231_006_505, 0x1D00_FFFF, 2_083_236_893),
    versions=((227_931, 2), (363_725, 3), (388_381, 4)),
    # At height 824,000, in January 2024; the same number as Core 27's.
    minimum_work=0x63C4_EBD2_98DB_40AF_5754_1800,
)
TESTNET3 = Consensus(
    first=_genesis(1_296_688_602, 0x1D00_FFFF, 414_098_458),
    lenient=True,
    versions=((21_111, 2), (330_776, 3), (581_885, 4)),
    minimum_work=0xC59_B14E_264B_A6C1_5DB9,  # at height 2,550,000
)
TESTNET4 = Consensus(
    first=_genesis(
        1_714_777_860,
        0x1D00_FFFF,
        393_743_547,
        "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e",
    ),
    lenient=True,
    bip94=True,
    versions=_MODERN,
)
PRIVATE_SIGNET = Consensus(
    first=_genesis(1_598_918_400, 0x1E03_77AE, 52_613_770),
    limit_bits=0x1E03_77AE,
    versions=_MODERN,
)
"""Whatever its challenge: no header tells whether a block satisfies it (BIP 325)."""
SIGNET = replace(PRIVATE_SIGNET, minimum_work=0x206_E86F_08E8)  # at height 180,000
REGTEST = Consensus(
    first=_genesis(1_296_688_602, 0x207F_FFFF, 2), limit_bits=0x207F_FFFF, retargets=False
)
SIMNET = Consensus(
    first=_genesis(1_401_292_357, 0x207F_FFFF, 2), limit_bits=0x207F_FFFF, lenient=True
)
