"""Row 14: what Decred's messages cost beside the BLAKE-256 that each of them must have anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from benchmarks.data import inventory
from benchmarks.findings import Finding, ratio, span, spans
from benchmarks.measuring import Effort, race, repeated
from benchmarks.report import NATURE
from bitpeer.decred.block import Block
from bitpeer.decred.header import HEADER_SIZE, BlockHeader, Headers
from bitpeer.decred.transaction import Tx
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256, pure_blake256
from bitpeer.messages.inventory import Inv
from tests.decred.vectors import BLOCK_432100, HEADER_432100

MANY = 20
"""Short things that are timed together."""
HEADERS = 2_000
MEGABYTE = 1_000_000


def measure(
    effort: Effort,
    *,
    with_bcoin: bool = True,  # noqa: ARG001  # bcoin speaks no Decred
) -> Iterator[Finding]:
    """Measure hashes, then a block, headers and inventory."""
    yield from _hashing(effort)
    yield _beside("a block of mainnet decoded and made anew", BLOCK_432100, _block, effort)
    payload = b"\xfd\xd0\x07" + (HEADER_432100 + b"\0") * HEADERS
    yield _beside("2,000 headers decoded and made anew", payload, _headers, effort)
    yield _names(payload, effort)
    announced = inventory(Random(7), effort.inventory)  # noqa: S311  # the same in every run
    yield _beside("an inv of 50,000 decoded and made anew", announced, _inv, effort)


def _hashing(effort: Effort) -> Iterator[Finding]:
    large, small = bytes(MEGABYTE), bytes(MEGABYTE // 100)
    best = race(
        {"used": repeated(lambda: blake256(large), 1), "pure": lambda: _none(pure_blake256(small))},
        effort,
    )
    for name, target, took in (
        (f"as installed, {NATURE[BLAKE256_BACKEND]}", 250.0, best["used"]),
        ("by Python alone", 1.4, best["pure"] * 100),
    ):
        yield Finding(
            row=14,
            what=f"BLAKE-256 {name}",
            beside="the clock",
            value=1 / took,
            unit="MB/s",
            at_least=target,
            detail=span(took),
        )


def _beside(what: str, payload: bytes, work: Callable[[bytes], None], effort: Effort) -> Finding:
    best = race(
        {
            "bitpeer": repeated(lambda: work(payload), MANY),
            "hash": repeated(lambda: blake256(payload), MANY),
        },
        effort,
        units=MANY,
    )
    return Finding(
        row=14,
        what=what,
        beside="its own blake256",
        value=ratio(best["bitpeer"], best["hash"]),
        detail=spans(best["bitpeer"], best["hash"]),
    )


def _names(payload: bytes, effort: Effort) -> Finding:
    headers = Headers.decode(payload)
    best = race(
        {
            "bitpeer": lambda: _none(headers.hashes()),
            "hash": repeated(lambda: blake256(bytes(HEADER_SIZE)), HEADERS),
        },
        effort,
    )
    return Finding(
        row=14,
        what="the hashes of 2,000 headers",
        beside="2,000 times blake256",
        value=ratio(best["bitpeer"], best["hash"]),
        detail=spans(best["bitpeer"], best["hash"]),
    )


def _block(payload: bytes) -> None:
    block = Block.decode(payload)
    trees = ([_anew(tx) for tx in tree] for tree in (block.transactions, block.stake_transactions))
    Block(BlockHeader(*block.header), *trees).encode()


def _anew(tx: Tx) -> Tx:
    return Tx(
        tx.inputs,
        tx.outputs,
        tx.witnesses,
        version=tx.version,
        lock_time=tx.lock_time,
        expiry=tx.expiry,
    )


def _headers(payload: bytes) -> None:
    Headers(list(Headers.decode(payload).headers)).encode()


def _inv(payload: bytes) -> None:
    Inv(tuple(Inv.decode(payload).items)).encode()


def _none(_: object) -> None:
    return None
