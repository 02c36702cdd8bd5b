"""The rules for the headers of Jax.Network's chains, as far as headers alone tell.

Theory of operation.  A header proves its work by a Bitcoin header, so it must prove that
this one is its own: the coinbase in it names the beacon header, and a shard's header
hangs in a tree whose root the beacon header names.  Which shards were mined together, and
what a block is worth, takes more than headers; that is taken as it comes.

The chain hangs by roots: each header names the one over the chain before it, and
messages carry the one over the chain with it.  A judge computes them, so nobody is
believed.  For that it needs the peaks of a mountain range; block by block, the newest
peak is kept before the header, and the others are found among those of earlier blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bitpeer.errors import BadHeader
from bitpeer.jaxnet.block import MAX_HEADERS, Headers, RootedHeader
from bitpeer.jaxnet.constants import BEACON
from bitpeer.jaxnet.header import BeaconHeader, CoinbaseAux, Header, ShardHeader, read_header
from bitpeer.jaxnet.trees import MountainRange, Peak, branch_root, shard_root, weight_of
from bitpeer.messages.rules import Ancestors, Clockwork, Link, check_future, check_work
from bitpeer.messages.target import bits_of, target_of

MAX_CHANGE = 4
"""How many times the difficulty may grow or shrink in one adjustment."""
EDGE = 5
"""Blocks at each end of a period whose median tells when it began or ended."""
BEACON_MEDIAN, SHARD_MEDIAN = 11, 23
"""Blocks whose median a block must be later than."""
SHARD_PERIOD, SHARD_TIMESPAN = 4_096, 153_600
"""Blocks and seconds between two adjustments of a shard's difficulty."""

_TAG = b"\x06jaxnet"
_HASH, _WEIGHT = 32, 48
_HEAD = _HASH + _HASH + _WEIGHT
"""What is kept before a header: root, and hash and weight of the newest peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The rules of one chain; see `HeaderRules`."""

    first: Header
    """The genesis block's header."""
    easiest: int
    """The easiest target."""
    period: int = 2_016
    """Blocks between two adjustments of the difficulty."""
    timespan: int = 1_209_600
    """Seconds that they should take."""
    lenient: bool = False
    """Whether a block that comes 20 minutes after the one before may have the target of the
    first block."""
    slots: int = 1
    """Among how many slots the hashes are sorted; a chain's blocks must fall into its own."""
    orderly: bool = True
    """Whether a block must be later than the median of those before it."""
    chain_id: int = BEACON

    kind: type[Headers] = field(default=Headers, init=False)
    limit: int = field(default=MAX_HEADERS, init=False)
    per_turn: int = field(default=100, init=False)
    minimum_work: int = field(default=0, init=False)

    @property
    def spacing(self) -> float:
        """Seconds that a block should take."""
        return self.timespan / self.period

    @property
    def genesis(self) -> Link:
        """The first block."""
        first = self.first
        peaks = MountainRange().appended(first.hash, weight_of(first.bits))
        return self.link(_kept(peaks, first.encode()))

    def of_shard(self, shard: int, first: ShardHeader, easiest: int) -> Consensus:
        """Return the rules of a shard of the same network."""
        return replace(
            self,
            first=first,
            chain_id=shard,
            easiest=easiest,
            period=SHARD_PERIOD,
            timespan=SHARD_TIMESPAN,
        )

    def links(self, headers: Sequence[Any]) -> list[Link]:
        """See `HeaderRules.links`; what the peer says of roots is looked at by the judge."""
        return [self._checked(rooted) for rooted in headers]

    def link(self, data: bytes) -> Link:
        """See `HeaderRules.link`."""
        header, _ = read_header(data, _HEAD)
        return _link(header, data)

    def message(self, kept: Sequence[bytes]) -> Headers:
        """See `HeaderRules.message`."""
        return Headers([RootedHeader(data[:_HASH], read_header(data, _HEAD)[0]) for data in kept])

    def judge(self, ancestors: Ancestors, height: int) -> JaxnetJudge:
        """See `HeaderRules.judge`."""
        return JaxnetJudge(self, ancestors, height)

    def _checked(self, rooted: RootedHeader) -> Link:
        header = rooted.header
        link = _link(header, rooted.mmr_root + bytes(_HEAD - _HASH) + header.encode())
        if isinstance(header, BeaconHeader) != (self.chain_id == BEACON):
            raise BadHeader(link.hash, "it belongs to a chain of the other kind")
        check_work(link.hash, header.pow_hash, header.bits, self.easiest)
        if int.from_bytes(header.pow_hash, "little") % self.slots != self.chain_id % self.slots:
            raise BadHeader(link.hash, "its work was done for another chain")
        beacon = header
        if isinstance(header, ShardHeader):
            beacon = header.beacon
            leaf, position = header.exclusive_hash, self.chain_id - 1
            if shard_root(leaf, position, header.merkle_proof) != beacon.merge_mining_root:
                raise BadHeader(link.hash, "its beacon does not know of it")
            if not _is_of(header.beacon_coinbase, beacon.merkle_root):
                raise BadHeader(link.hash, "the coinbase is not that of its beacon")
        assert isinstance(beacon, BeaconHeader)
        aux = beacon.btc_aux
        script = aux.coinbase.tx.inputs[0].script if aux.coinbase.tx.inputs else b""
        if _TAG + b"\x20" + beacon.exclusive_hash + _TAG not in script:
            raise BadHeader(link.hash, "the Bitcoin block does not know of it")
        if not _is_of(aux.coinbase, aux.header.merkle_root):
            raise BadHeader(link.hash, "the coinbase is not that of the Bitcoin block")
        return link


class JaxnetJudge:
    """Judges headers, each after the one before it; see `Judge`.

    Args:
        rules: the chain's.
        ancestors: the chain so far.
        height: of its last block.
    """

    def __init__(self, rules: Consensus, ancestors: Ancestors, height: int) -> None:
        self._rules = rules
        self._height = height
        self._last = ancestors(height)
        self._header = read_header(self._last.data, _HEAD)[0]
        span = BEACON_MEDIAN if rules.chain_id == BEACON else SHARD_MEDIAN
        self._clockwork = Clockwork(ancestors, height, span)
        first = height - height % rules.period
        self._beginning = [ancestors(at).time for at in range(first, min(first + EDGE, height + 1))]
        """The times of the first blocks of this period."""
        newest = range(max(0, height - EDGE + 1), height + 1)
        self._ending = deque((ancestors(at).time for at in newest), EDGE)
        self._peaks = _peaks(ancestors, height)
        self._real_bits = self._last.bits
        """What a lenient network asks of a block that is not late."""
        at = height
        while rules.lenient and at % rules.period and self._real_bits == rules.first.bits:
            at -= 1
            self._real_bits = ancestors(at).bits

    def follow(self, link: Link, now: float) -> Link:
        """See `Judge.follow`; the link that is returned has the newest peak."""
        rules, height = self._rules, self._height + 1
        header = read_header(link.data, _HEAD)[0]
        peaks = self._peaks.appended(link.hash, link.work)
        self._check_place(header, link, height)
        self._check_target(header, link, height)
        if isinstance(header, BeaconHeader):
            self._check_shards(header, link)
        if link.data[:_HASH] != peaks.root:
            raise BadHeader(link.hash, "the root that came with it is wrong")
        if rules.orderly:
            self._clockwork.follow(link, now)
        else:
            check_future(link, now)
        if height % rules.period == 0:
            self._beginning.clear()
        if len(self._beginning) < EDGE:
            self._beginning.append(link.time)
        self._ending.append(link.time)
        if height % rules.period == 0 or link.bits != rules.first.bits:
            self._real_bits = link.bits
        kept = link._replace(data=_kept(peaks, link.data[_HEAD:]))
        self._last, self._header, self._height, self._peaks = kept, header, height, peaks
        return kept

    def _check_place(self, header: Header, link: Link, height: int) -> None:
        """Check that the header goes on where the chain is."""
        before = self._header
        if header.previous_hash != self._last.hash:
            raise BadHeader(link.hash, "it does not follow the one before it")
        if header.previous_mmr_root != self._peaks.root:
            raise BadHeader(link.hash, "its root is not that of the chain before it")
        if header.height != height:
            raise BadHeader(link.hash, f"its height is {header.height} instead of {height}")
        if header.chain_weight != before.chain_weight + weight_of(before.bits):
            raise BadHeader(link.hash, "its weight is not that of the chain before it")

    def _check_target(self, header: Header, link: Link, height: int) -> None:
        expected = self._expected(link.time, height)
        free = isinstance(header, ShardHeader)  # to be harder than it must
        if link.bits != expected and not (free and target_of(link.bits) < target_of(expected)):
            raise BadHeader(link.hash, f"its target is {link.bits:08x} instead of {expected:08x}")

    def _check_shards(self, header: BeaconHeader, link: Link) -> None:
        """Check that shards are born one by one, and with the mark of it."""
        before = self._header
        assert isinstance(before, BeaconHeader)  # of the same chain
        born = header.shards - before.shards
        if born not in (0, 1) or (born and not header.expansion_made):
            why = f"it counts {header.shards} shards after {before.shards}"
            raise BadHeader(link.hash, why)

    def _expected(self, time: int, height: int) -> int:
        """Return the bits of the block at *height*, if it is from that *time*."""
        rules, last = self._rules, self._last
        if height % rules.period:
            if not rules.lenient:
                return last.bits
            late = time > last.time + 2 * rules.spacing
            return rules.first.bits if late else self._real_bits
        took = sorted(self._ending)[EDGE // 2] - sorted(self._beginning)[EDGE // 2]
        took = min(max(took, rules.timespan // MAX_CHANGE), rules.timespan * MAX_CHANGE)
        return bits_of(min(target_of(last.bits) * took // rules.timespan, rules.easiest))


def _link(header: Header, data: bytes) -> Link:
    return Link(
        header.hash, header.previous_hash, header.time, header.bits, weight_of(header.bits), data
    )


def _kept(peaks: MountainRange, header: bytes) -> bytes:
    newest = peaks.peaks[-1]
    return b"".join((peaks.root, newest.hash, newest.weight.to_bytes(_WEIGHT, "big"), header))


def _peaks(ancestors: Ancestors, height: int) -> MountainRange:
    """Return the mountain range over the chain up to *height*.

    Its peaks end at the blocks that are counted by the first digits of the number of
    blocks, in binary: 13 blocks are 8 and 4 and 1.
    """
    peaks, count, blocks = [], 0, height + 1
    for digit in reversed(range(blocks.bit_length())):
        if blocks >> digit & 1:
            count += 1 << digit
            data = ancestors(count - 1).data
            weight = int.from_bytes(data[2 * _HASH : _HEAD], "big")
            peaks.append(Peak(1 << digit, data[_HASH : 2 * _HASH], weight))
    return MountainRange(tuple(peaks))


def _is_of(coinbase: CoinbaseAux, merkle_root: bytes) -> bool:
    """Return whether a coinbase is the first transaction under *merkle_root*."""
    return branch_root(coinbase.tx.txid, coinbase.branch) == merkle_root
