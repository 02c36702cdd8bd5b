from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut
from bitpeer.errors import BadHeader, TooNew
from bitpeer.jaxnet.block import BlockBox, Headers, RootedHeader
from bitpeer.jaxnet.consensus import Consensus
from bitpeer.jaxnet.genesis import shard_genesis
from bitpeer.jaxnet.header import (
    EXPANSION_MADE,
    BeaconHeader,
    BtcAux,
    CoinbaseAux,
    Header,
    ShardHeader,
)
from bitpeer.jaxnet.networks import FASTNET, MAINNET, NETWORKS, SIMNET, TESTNET, chain
from bitpeer.jaxnet.trees import MountainRange, weight_of
from bitpeer.messages.rules import Link
from bitpeer.messages.target import bits_of, target_of
from tests.jaxnet.captured import BOX_1, BOX_2, BOX_3, BOX_4

LATER = 4_000_000_000.0
BEGIN = 1_900_000_000
EASY = 0x207F_FFFF
BOXES = [BlockBox.decode(payload) for payload in (BOX_1, BOX_2, BOX_3, BOX_4)]
ROOTED = [RootedHeader(box.mmr_root, box.header) for box in BOXES]
BEACON = replace(SIMNET.rules, period=10, timespan=6_000)
"""Simnet's rules, with short periods."""
SHARD = replace(
    chain(SIMNET, 3, expansion=BOXES[0]).rules, period=10, timespan=6_000, lenient=False
)
SHARD = replace(SHARD, first=replace(SHARD.first, bits=EASY))


def proof_of(exclusive: bytes, time: int, bits: int, nonce: int = 0, **changes: Any) -> BtcAux:
    """Mine a Bitcoin block that knows of the header with this hash."""
    script = b"\x01?\x06jaxnet\x20" + exclusive + b"\x06jaxnet"
    coinbase = Tx([TxIn(bytes(32), 0xFFFF_FFFF, script)], [TxOut(0, b"")])
    aux = CoinbaseAux(changes.get("coinbase", coinbase), changes.get("branch", ()))
    root = changes.get("root", aux.tx.txid)
    while True:
        header = BlockHeader(4, bytes(32), root, time, bits, nonce)
        if int.from_bytes(header.hash, "little") <= target_of(bits):
            return BtcAux(header, aux)
        nonce += 1


class Mine:
    """Digs a chain, header by header."""

    def __init__(self, rules: Consensus) -> None:
        self.rules = rules
        self.headers: list[Header] = [rules.first]
        self.range = MountainRange().appended(rules.first.hash, weight_of(rules.first.bits))
        self.kept: list[Link] = [rules.genesis]

    def next(self, time: int | None = None, bits: int = EASY, **changes: Any) -> Header:
        """Return what could be the next header, but for some changes."""
        last = self.headers[-1]
        time = BEGIN + 600 * len(self.headers) if time is None else time
        common = {
            "height": len(self.headers),
            "previous_mmr_root": self.range.root,
            "previous_hash": last.hash,
            "merkle_root": bytes(32),
            "bits": bits,
            "chain_weight": self.range.weight,
        }
        common |= {name: changes.pop(name) for name in list(changes) if name in common}
        if isinstance(last, BeaconHeader):
            return self._beacon(time, common, **changes)
        shard = ShardHeader(
            **common, beacon=BOXES[0].header, beacon_coinbase=BOXES[0].header.btc_aux.coinbase
        )
        coinbase = CoinbaseAux(Tx([TxIn(bytes(32), 5)], []), ())
        beacon = {"height": 9, "bits": bits, "merkle_root": coinbase.tx.txid}
        root = changes.pop("merge_mining_root", shard.exclusive_hash)
        coinbase = changes.pop("beacon_coinbase", coinbase)
        under = self._beacon(time, {**common, **beacon}, merge_mining_root=root, **changes)
        return replace(shard, beacon=under, beacon_coinbase=coinbase)

    def _beacon(self, time: int, common: dict[str, Any], **changes: Any) -> BeaconHeader:
        proof = {
            name: changes.pop(name) for name in ("coinbase", "branch", "root") if name in changes
        }
        fields = {
            "version": 16,
            "merge_mining_root": bytes(32),
            "shards": 0,
            "k": 1,
            "vote_k": 1,
            "merge_mining_number": 0,
            **common,
            **changes,
        }
        bare = BeaconHeader(**fields, btc_aux=BOXES[0].header.btc_aux)
        return replace(bare, btc_aux=proof_of(bare.exclusive_hash, time, fields["bits"], **proof))

    def rooted(self, header: Header) -> RootedHeader:
        return RootedHeader(self.range.appended(header.hash, weight_of(header.bits)).root, header)

    def dig(self, count: int, step: int = 600, bits: int = EASY) -> Mine:
        """Dig on, and let a judge look at it."""
        judge = self.judge()
        start = self.headers[-1].time if len(self.headers) > 1 else BEGIN
        for at in range(count):
            header = self.next(start + (at + 1) * step, bits)
            [link] = self.rules.links([self.rooted(header)])
            self.kept.append(judge.follow(link, LATER))
            self.headers.append(header)
            self.range = self.range.appended(header.hash, weight_of(header.bits))
        return self

    def judge(self, height: int | None = None):
        height = len(self.kept) - 1 if height is None else height
        return self.rules.judge(self.kept.__getitem__, height)

    def complaint(self, header: Header, root: bytes | None = None, now: float = LATER) -> str:
        rooted = self.rooted(header)
        if root is not None:
            rooted = replace(rooted, mmr_root=root)

        def offer() -> None:
            self.judge().follow(self.rules.links([rooted])[0], now)

        with pytest.raises(BadHeader) as raised:
            offer()
        return raised.value.why


@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
def test_every_network_begins_with_its_genesis_block(network):
    rules = network.rules
    assert rules.genesis.hash == network.genesis
    assert rules.link(rules.genesis.data) == rules.genesis
    assert rules.spacing == (15 if network is FASTNET else 600)


def test_what_a_running_node_made_is_right():
    rules = FASTNET.rules
    message = Headers(ROOTED)
    links = rules.links(message.headers)
    kept = [rules.genesis]
    judge = rules.judge(kept.__getitem__, 0)
    kept += [judge.follow(link, LATER) for link in links]
    assert [link.hash for link in kept[1:]] == [box.hash for box in BOXES]
    assert rules.message([link.data for link in kept[1:]]) == message
    assert [rules.link(link.data) for link in kept] == kept
    for height in range(4):
        again = rules.judge(kept.__getitem__, height)
        for link in links[height:]:
            again.follow(link, LATER)
    with pytest.raises(TooNew):
        rules.judge(kept.__getitem__, 0).follow(links[0], links[0].time - 7_201)


def test_shards_have_rules_of_their_own():
    expansion = BOXES[1]
    shard = chain(FASTNET, 1, expansion=expansion)
    first = shard_genesis("fastnet", 1, expansion)
    assert shard.rules.genesis.hash == shard.genesis == first.hash
    assert (shard.rules.period, shard.rules.spacing, shard.rules.chain_id) == (4_096, 37.5, 1)
    assert chain(FASTNET, 1).rules is None
    assert chain(MAINNET, 1, expansion=expansion).rules.easiest == (1 << 208) - 1
    assert chain(TESTNET, 1, expansion=expansion).rules.easiest == (1 << 245) - 1
    assert chain(FASTNET).rules is FASTNET.rules


@pytest.mark.parametrize("rules", [BEACON, SHARD], ids=["beacon", "shard"])
def test_a_judge_may_begin_anywhere(rules):
    mine = Mine(rules).dig(27, step=1_200)
    for height in range(27):
        judge = mine.judge(height)
        for link in mine.kept[height + 1 :]:
            assert judge.follow(link, LATER) == link


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"previous_hash": b"?" * 32}, "does not follow"),
        ({"previous_mmr_root": b"?" * 32}, "its root is not that"),
        ({"height": 7}, "height is 7 instead of 6"),
        ({"chain_weight": 7}, "its weight is not"),
        ({"bits": 0x207F_FFFE}, "instead of 207fffff"),
        ({"shards": 1}, "counts 1 shards after 0"),
        ({"shards": 2, "version": EXPANSION_MADE}, "counts 2 shards after 0"),
        ({"time": BEGIN}, "median"),
        ({"branch": (bytes(32),)}, "not that of the Bitcoin block"),
        ({"coinbase": Tx([], [])}, "the Bitcoin block does not know of it"),
        ({"coinbase": Tx([TxIn(bytes(32), 0)], [])}, "the Bitcoin block does not know of it"),
    ],
)
def test_a_beacon_must_keep_the_rules(changes, why):
    mine = Mine(BEACON).dig(5)
    assert why in mine.complaint(mine.next(**changes))


def test_a_shard_may_be_born():
    mine = Mine(BEACON).dig(5)
    header = mine.next(shards=1, version=EXPANSION_MADE)
    mine.judge().follow(mine.rules.links([mine.rooted(header)])[0], LATER)


def test_a_root_is_not_believed():
    mine = Mine(BEACON).dig(5)
    assert "root that came with it" in mine.complaint(mine.next(), b"?" * 32)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"merge_mining_root": b"?" * 32}, "its beacon does not know of it"),
        ({"beacon_coinbase": CoinbaseAux(Tx([], []), ())}, "not that of its beacon"),
        ({"coinbase": Tx([], [])}, "the Bitcoin block does not know of it"),
    ],
)
def test_a_shard_must_prove_whose_work_it_shows(changes, why):
    mine = Mine(SHARD).dig(2)
    assert why in mine.complaint(mine.next(**changes))


def test_a_shard_may_be_harder_than_it_must():
    mine = Mine(SHARD).dig(2)
    hard = mine.next(bits=0x207F_FFFE)
    mine.judge().follow(mine.rules.links([mine.rooted(hard)])[0], LATER)
    mine = Mine(replace(SHARD, first=replace(SHARD.first, bits=0x207F_0000)))
    mine.dig(2, bits=0x207F_0000)
    assert "instead of 207f0000" in mine.complaint(mine.next(bits=EASY))


def test_chains_are_not_mixed_up():
    beacon, shard = Mine(BEACON), Mine(SHARD)
    assert "other kind" in beacon.complaint(shard.next())
    assert "other kind" in shard.complaint(beacon.next())


def test_work_must_be_there_and_for_this_chain():
    mine = Mine(BEACON)
    header = mine.next()
    assert isinstance(header, BeaconHeader)
    bitcoin = header.btc_aux.header
    while int.from_bytes(bitcoin.hash, "little") >> 255 == 0:
        bitcoin = bitcoin._replace(nonce=bitcoin.nonce + 1)
    lazy = replace(header, btc_aux=BtcAux(bitcoin, header.btc_aux.coinbase))
    assert "work that it claims" in mine.complaint(lazy)
    sorted_ = Mine(replace(BEACON, slots=4))
    slots = {0: 0, 1: 0}
    for nonce in range(100, 140):
        number = int.from_bytes(sorted_.next(BEGIN + nonce).pow_hash, "little")
        if number % 4 == 0:
            slots[0] = nonce
        else:
            slots[1] = nonce
    sorted_.rules.links([sorted_.rooted(sorted_.next(BEGIN + slots[0]))])
    assert "for another chain" in sorted_.complaint(sorted_.next(BEGIN + slots[1]))


@pytest.mark.parametrize(
    ("step", "took"), [(600, 3_000), (900, 4_500), (100, 1_500), (9_000, 24_000)]
)
def test_difficulty_is_adjusted_by_medians(step, took):
    first = 0x1F00_FFFF
    rules = replace(BEACON, lenient=False, first=replace(BEACON.first, bits=first))
    kept = [rules.genesis]
    times = [BEGIN + step * at for at in range(10)]
    kept = [
        rules.genesis._replace(time=time, bits=first, hash=bytes([at]) * 32)
        for at, time in enumerate(times)
    ]
    judge = rules.judge(kept.__getitem__, 9)
    expected = bits_of(target_of(first) * took // 6_000)
    assert judge._expected(times[-1] + 1, 10) == expected


def test_difficulty_is_never_easier_than_the_network_allows():
    mine = Mine(BEACON).dig(9, step=2_400)
    assert "instead of 207fffff" in mine.complaint(mine.next(bits=0x207F_FFFE))
    mine.dig(1)


def test_late_blocks_of_a_lenient_network_may_be_easy():
    rules = replace(BEACON, first=replace(BEACON.first, bits=EASY))
    hard = 0x2000_FFFF
    kept = [
        rules.genesis._replace(time=BEGIN + at * 600, bits=bits, hash=bytes([at]) * 32)
        for at, bits in enumerate([EASY, hard, hard, EASY])
    ]
    judge = rules.judge(kept.__getitem__, 3)
    last = kept[-1].time
    assert judge._expected(last + 1_201, 4) == EASY
    assert judge._expected(last + 1_200, 4) == hard
    strict = replace(rules, lenient=False).judge(kept.__getitem__, 2)
    assert strict._expected(last + 9_999, 3) == hard
