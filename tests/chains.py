"""Chains of block headers, mined on the spot or only pretended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bitpeer.bitcoin.consensus import Consensus
from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.dialect import Network
from bitpeer.hashes import sha256d
from bitpeer.messages.rules import Link
from bitpeer.messages.target import target_of, work_of

BEGIN = 1_700_000_000
"""When the mined chains begin: with the first block after the genesis block."""
EASY = 0x207F_FFFF
"""Every other hash will do."""


def mined(
    count: int,
    on: BlockHeader | None = None,
    *,
    tag: bytes = b"",
    time: int = BEGIN,
    step: int = 600,
    bits: int = EASY,
) -> list[BlockHeader]:
    """Mine *count* headers on top of another, or of regtest's genesis block.

    Args:
        tag: makes the blocks other than those of another chain.
        time: that of the first.
        step: seconds between two.
        bits: the target of all.
    """
    rules = REGTEST.rules
    assert isinstance(rules, Consensus)
    previous = (on or rules.first).hash
    root, target, headers = tag.ljust(32, b"\0"), target_of(bits), []
    for index in range(count):
        nonce = 0
        while True:
            header = BlockHeader(0x2000_0000, previous, root, time + index * step, bits, nonce)
            previous_hash = header.hash
            if int.from_bytes(previous_hash, "little") <= target:
                break
            nonce += 1
        headers.append(header)
        previous = previous_hash
    return headers


def pretended(times: Sequence[int], bits: Sequence[int], first: bytes = bytes(32)) -> list[Link]:
    """Return links that follow each other, which nobody has mined."""
    links, previous = [], first
    for time, each in zip(times, bits, strict=True):
        name = sha256d(previous + time.to_bytes(8, "little"))
        data = BlockHeader(4, previous, bytes(32), time, each, 0).encode()
        links.append(Link(name, previous, time, each, work_of(each), data))
        previous = name
    return links


def demanding(minimum_work: int) -> Network:
    """Return regtest, as if its chain were known to have so much work."""
    rules = REGTEST.rules
    assert isinstance(rules, Consensus)
    return replace(REGTEST, rules=replace(rules, minimum_work=minimum_work))
