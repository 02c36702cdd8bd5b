"""Rows 5, 6 and 8: blocks as views, blocks looked at in full, and the memory that a block takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence

from benchmarks.data import BLOCKS, block, frame, pieces
from benchmarks.findings import Finding, ratio, span, spans
from benchmarks.measuring import Effort, race, repeated
from benchmarks.rivals import bcoin
from benchmarks.rivals.libraries import openers
from benchmarks.stage import CountingListener, established_peer
from bitpeer.bitcoin.block import Block
from bitpeer.hashes import sha256d

MANY = 2_000
"""Constructions that are timed together."""


def measure(effort: Effort, *, with_bcoin: bool = True) -> Iterator[Finding]:
    """Measure each shape of block."""
    payloads = {shape: block(shape, effort.block_size) for shape in BLOCKS}
    yield _construction(payloads["A"], effort)
    for shape, payload in payloads.items():
        yield _offsets(shape, payload, effort)
    with bcoin.codec(wanted=with_bcoin) as codec:
        for shape, payload in payloads.items():
            yield from _everything(shape, payload, effort, codec)
    yield _memory(list(payloads.values()), effort)


def _construction(payload: bytes, effort: Effort) -> Finding:
    contenders = {"bitpeer": repeated(lambda: Block.decode(payload), MANY)}
    took = race(contenders, effort, units=MANY)["bitpeer"]
    return Finding(
        row=5,
        what="a block constructed as a view",
        beside="the clock",
        value=took * 1e6,
        unit="µs",
        at_most=1.0,
        detail=span(took),
    )


def _offsets(shape: str, payload: bytes, effort: Effort) -> Finding:
    contenders = {
        "bitpeer": lambda: _forget(Block.decode(payload).transactions),
        "sha256d": lambda: _forget(sha256d(payload)),
    }
    best = race(contenders, effort)
    return Finding(
        row=5,
        what=f"every transaction of a block found and checked, shape {shape}",
        beside="its own sha256d",
        value=ratio(best["bitpeer"], best["sha256d"]),
        at_most=3.0,
        detail=spans(best["bitpeer"], best["sha256d"]),
    )


def _everything(
    shape: str, payload: bytes, effort: Effort, codec: bcoin.Codec
) -> Iterator[Finding]:
    """Compare with the best of the libraries, and with bcoin."""
    contenders = {"bitpeer": lambda: _forget(Block.decode(payload).unpacked())}
    libraries = openers(witnesses=shape != "C")
    for name, unpack in libraries.items():
        contenders[name] = lambda unpack=unpack: _forget(unpack(payload))  # type: ignore[misc]
    best = race({**contenders, **codec.contender("block", payload)}, effort)
    fastest = min(libraries, key=lambda name: best[name], default="python-bitcoinlib")
    for name in (fastest, "bcoin"):
        yield Finding(
            row=6,
            what=f"every field of every transaction of a block, shape {shape}",
            beside=name if name == "bcoin" else f"{name}, the fastest library here",
            value=ratio(best.get(name), best["bitpeer"]),
            at_least=None if name == "bcoin" else 2.0,
            detail=spans(best["bitpeer"], best.get(name)),
            why="From 1.8 to 2 was measured: bitcoinX knows no witnesses, and need not look."
            if shape == "C"
            else "",
        )


def _memory(payloads: Sequence[bytes], effort: Effort) -> Finding:
    """Let a peer receive blocks, look for their transactions, and keep them."""
    listener = CountingListener()
    peer = established_peer(listener)
    frames = [frame("block", payload) for payload in payloads]
    kept: list[Block] = []
    tracemalloc.start()
    for number in range(effort.blocks):
        for piece in pieces([frames[number % len(frames)]]):
            peer.dataReceived(piece)
        received = listener.latest
        assert isinstance(received, Block)
        len(received.transactions)
        kept.append(received)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = sum(each.size for each in kept)
    return Finding(
        row=8,
        what="memory of a received block whose transactions were found",
        beside="its payload",
        value=held / size,
        at_most=1.5,
        detail=f"{held / 1e6:.1f} MB : {size / 1e6:.1f} MB",
    )


def _forget(_: object) -> None:
    """Drop a result: it is no time."""
