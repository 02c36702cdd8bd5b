"""Block headers: the rules of each chain, and the chain that is kept by them.

An input does one of three things: it is taken for the `headers` that a peer sends; it makes
headers behind some height of a chain and has them judged; or it mines a tree of blocks and
offers its branches to a `HeaderChain`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.networks import NETWORKS as BITCOIN, REGTEST
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.errors import BadHeader, RemoteError, TooNew
from bitpeer.jaxnet.networks import NETWORKS as JAXNET
from bitpeer.jaxnet.trees import MountainRange
from bitpeer.messages.rules import HeaderRules, Link
from bitpeer.messages.target import target_of
from bitpeer.service.headers import HeaderChain, Unconnected
from fuzz.script import Script
from fuzz.specimens import payloads
from fuzz.target import Target, expect

CHAINS = [*BITCOIN.values(), *DECRED.values(), *JAXNET.values()]
STEPS = (600, 0, 1, -1, 1_201, 601, 150, 7_200, 1 << 31, -7_200, 100_000)
"""Seconds between two blocks."""
PERIODS = (0, 143, 144, 2_015, 2_016, 2_879, 2_880, 4_031, 4_032, 5_000)
"""Heights at which something changes, or is near."""
NOW = 1_800_000_000.0
MAX_WALK = 30
EASY = 0x207F_FFFF


def try_one(data: bytes) -> Hashable:
    """Do one of the three."""
    script = Script(data)
    how = script.pick((take_message, judge, grow))
    return how.__name__, how(script)


# What a peer sends


def take_message(script: Script) -> Hashable:
    """Take what is left for a message with headers; only a `RemoteError` may come of it."""
    network = script.pick(CHAINS)
    rules = network.rules
    assert rules is not None
    payload = script.rest()
    try:
        message: Any = rules.kind.decode(payload)
        for header in message.headers:
            rules.links([header])
        links = rules.links(message.headers)
    except RemoteError as error:
        expect(len(str(error)) < 500, "a complaint has no end")
        return network.title, type(error).__name__, str(error)[-20:]
    for link in links:
        expect(rules.link(link.data)._replace(work=link.work) == link, "it is kept as another")
        verdict(rules, rules.genesis, link)
    again: Any = rules.message([link.data for link in links])
    expect(rules.links(again.headers) == links, "what is kept is told differently")
    return network.title, len(links)


def verdict(rules: HeaderRules, genesis: Link, link: Link) -> str:
    """Return what is said of a block behind the first one."""
    try:
        rules.judge(lambda height: [genesis][height], 0).follow(link, NOW)
    except BadHeader as error:
        return type(error).__name__
    return "fine"


# What is behind some height


class Ancestry:
    """A chain of which everything but the end is made up when somebody looks."""

    def __init__(self, rules: Any, height: int, start: int, bits: int) -> None:
        self.rules = rules
        self.known: dict[int, Link] = {0: rules.genesis}
        self.range = MountainRange()
        self.height = height
        self._start = start
        self._bits = bits

    def __call__(self, height: int) -> Link:
        """Return the link at a height."""
        expect(0 <= height <= self.height, f"somebody looks at height {height}")
        if height not in self.known:
            self.known[height] = self.make(
                height, self._start + height * 600, self._bits, bytes(32), 0
            )
        return self.known[height]

    def make(self, height: int, time: int, bits: int, previous: bytes, version: int) -> Link:
        """Return a header that nobody has worked for."""
        first = self.rules.first
        wanted = {
            "previous_hash": previous,
            "time": time % (1 << 32),
            "bits": bits,
            "height": height,
            "version": first.version + version if hasattr(first, "version") else 0,
        }
        if hasattr(first, "_replace"):
            fit = {name: value for name, value in wanted.items() if name in first._fields}
            header = first._replace(**fit)
            return self._link(header.encode())
        aux = dataclasses.replace(first.btc_aux, header=first.btc_aux.header)
        del wanted["time"]
        header = dataclasses.replace(
            first,
            **wanted,
            btc_aux=dataclasses.replace(aux, header=aux.header._replace(time=time % (1 << 32))),
            previous_mmr_root=self.range.root if self.range.peaks else bytes(32),
        )
        raw = header.encode()
        link = self.rules.link(bytes(112) + raw)
        grown = self.range.appended(link.hash, link.work)
        head = grown.root + grown.peaks[-1].hash + grown.peaks[-1].weight.to_bytes(48, "big")
        return self._link(head + raw)

    def _link(self, data: bytes) -> Link:
        link: Link = self.rules.link(data)
        return link

    def append(self, link: Link) -> None:
        """Let *link* be the newest."""
        self.height += 1
        self.known[self.height] = link
        self.range = self.range.appended(link.hash, link.work)


def judge(script: Script) -> Hashable:
    """Let headers be judged by one who saw all, and by one who has just come."""
    network = script.pick(CHAINS)
    rules: Any = network.rules
    height = script.pick((*PERIODS, script.number(1 << 20)))
    if network.dialect.name == "jaxnet":
        height = 0  # what is kept of others cannot be made up
    start = 1_500_000_000 - (script.number(1 << 16) << 8)
    bits = script.pick((rules.genesis.bits, 0x1C00_FFFF, EASY, 0x1B01_0000))
    ancestry = Ancestry(rules, height, start, bits)
    if height == 0:
        ancestry.range = ancestry.range.appended(rules.genesis.hash, rules.genesis.work)
    seasoned = rules.judge(ancestry, height)
    outcomes = []
    last = ancestry(height)
    for _ in range(MAX_WALK):
        if not script:
            break
        link = ancestry.make(
            ancestry.height + 1 + (script.number(16) == 15),
            last.time + script.pick(STEPS),
            script.pick((last.bits, rules.genesis.bits, bits, script.number(1 << 32))),
            last.hash if script.number(16) != 15 else bytes(32),
            script.number(5),
        )
        fresh = said_of(rules.judge(ancestry, ancestry.height), link)
        expect(said_of(seasoned, link) == fresh, "who saw all says something else")
        if isinstance(fresh, Link):
            outcomes.append("fine")
            ancestry.append(fresh)
            last = fresh
        else:
            outcomes.append(fresh[:12])
            seasoned = rules.judge(ancestry, ancestry.height)
    return network.title, height, tuple(outcomes[-3:])


def said_of(judging: Any, link: Link) -> Link | str:
    """Return what a judge makes of a link, or why nothing."""
    try:
        followed: Link = judging.follow(link, NOW)
    except TooNew:
        return "too new"
    except BadHeader as error:
        return str(error).rpartition(": ")[2]
    return followed


# What is kept


class Block(NamedTuple):
    """One of a tree that was mined here."""

    link: Link
    height: int
    work: int


def grow(script: Script) -> Hashable:
    """Offer a tree of blocks, branch by branch; the heaviest must win, of two equals the first."""
    rules: Any = REGTEST.rules
    chain = HeaderChain.open(REGTEST)
    try:
        genesis = rules.genesis
        tree = {genesis.hash: Block(genesis, 0, genesis.work)}
        best = tree[genesis.hash]
        offered = rejected = 0
        for number in range(MAX_WALK):
            if not script:
                break
            parent = script.pick(list(tree.values()))
            branch = mine(script, parent.link, number)
            try:
                chain.extend(branch, NOW)
            except Unconnected:
                expect(branch[0].previous not in tree, "it does not know what it knows")
            except BadHeader:
                rejected += 1
            else:
                offered += len(branch)
                for link in branch:
                    before = tree[link.previous]
                    tree[link.hash] = Block(link, before.height + 1, before.work + link.work)
                if tree[branch[-1].hash].work > best.work:
                    best = tree[branch[-1].hash]
            expect(chain.tip == (best.link.hash, best.height, best.work), "another one won")
        check(chain, tree, best)
        return offered, rejected, best.height
    finally:
        chain.close()


def mine(script: Script, parent: Link, tag: int) -> Sequence[Link]:
    """Return a few blocks behind another, most of them right."""
    rules: Any = REGTEST.rules
    links: list[Link] = []
    previous, time = parent.hash, parent.time
    if script.number(16) == 15:
        previous = bytes(32)
    for _ in range(script.number(4) + 1):
        time = min(max(time + script.pick(STEPS), 0), (1 << 32) - 1)
        bits = EASY if script.number(16) != 15 else 0x207F_FFFE
        root = tag.to_bytes(32, "little")
        nonce = 0
        while True:
            header = BlockHeader(4, previous, root, time, bits, nonce)
            link: Link = rules.link(header.encode())
            if int.from_bytes(link.hash, "little") <= target_of(bits):
                break
            nonce += 1
        links.append(link)
        previous = link.hash
    return links


def check(chain: HeaderChain, tree: dict[bytes, Block], best: Block) -> None:
    """Check that the chain is the way from the first block to the best."""
    block = best
    while True:
        expect(chain.hash_at(block.height) == block.link.hash, "there is another in the way")
        if block.height == 0:
            break
        block = tree[block.link.previous]
    for name, each in tree.items():
        found = chain.find(name)
        expect(found is not None and found.work == each.work, "a block is forgotten")
    locator = chain.locator()
    expect(locator[0] == best.link.hash, "the locator begins elsewhere")
    expect(chain.headers_after(locator) == [], "there is something behind the end")
    expect(len(chain.headers_after([chain.rules.genesis.hash])) == best.height, "some are missing")


def seeds() -> Iterator[bytes]:
    """Return messages with headers, and scripts."""
    for index, network in enumerate(CHAINS):
        for payload in payloads(network.dialect.name)["headers"]:
            yield bytes((0, index)) + payload
        assert network.rules is not None
        told = network.rules.message([network.rules.genesis.data])
        yield bytes((0, index)) + told.encode()
        for height in range(11):
            yield bytes((1, index, height, 0, 0, 0, 0, 0, 0)) + bytes(60)
            yield bytes((1, index, height, 0, 0, 0, 9, 9, 1)) + b"\x00\x04\x01\x00\x00\x00" * 12
    for seed in range(16):
        yield bytes((2, *(seed * at % 13 for at in range(90))))


HEADERS = Target(
    name="headers", says="block headers, and the chain of them", try_one=try_one, seeds=seeds
)
