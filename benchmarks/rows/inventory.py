"""Rows 7 and 10: the largest `inv` there is, and who knows of what."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from random import Random

from benchmarks.data import inventory
from benchmarks.findings import Finding, ratio, span, spans
from benchmarks.measuring import Effort, race, repeated
from benchmarks.rivals import bcoin
from benchmarks.rivals.libraries import listers
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.peer.relay import RelayTable
from bitpeer.wire.vector import PackedVector

MANY = 2_000
"""Short things that are timed together."""
CROWDS = (1_000, 10_000)
"""Numbers of peers for which the relay table is measured."""


def measure(effort: Effort, *, with_bcoin: bool = True) -> Iterator[Finding]:
    """Measure the message, then the table."""
    with bcoin.codec(wanted=with_bcoin) as codec:
        yield from _largest(effort, codec)
        filter_size = codec.filter_size(50_000)
        for peers in CROWDS:
            yield from _known(effort, peers, None if filter_size is None else filter_size / 50_000)


def _hashes(payload: bytes) -> list[object]:
    items = Inv.decode(payload).items
    assert isinstance(items, PackedVector)
    return list(items.column("hash"))


def _largest(effort: Effort, codec: bcoin.Codec) -> Iterator[Finding]:
    payload = inventory(Random(7), effort.inventory)  # noqa: S311  # the same in every run
    accept = {"bitpeer": repeated(lambda: Inv.decode(payload), MANY)}
    took = race(accept, effort, units=MANY)["bitpeer"]
    yield Finding(
        row=7,
        what="an inv of 50,000 accepted",
        beside="the clock",
        value=took * 1e6,
        unit="µs",
        at_most=1.0,
        detail=span(took),
    )
    contenders = {
        "hashes": lambda: _forget(_hashes(payload)),
        "items": lambda: _forget(list(Inv.decode(payload).items)),
    }
    for name, unpack in listers().items():
        contenders[name] = lambda unpack=unpack: _forget(unpack(payload))  # type: ignore[misc]
    best = race({**contenders, **codec.contender("inv", payload)}, effort)
    for name in ("bcoin", *listers()):
        yield Finding(
            row=7,
            what="every hash of an inv of 50,000",
            beside=name,
            value=ratio(best.get(name), best["hashes"]),
            at_least=5.0,
            detail=spans(best["hashes"], best.get(name)),
            why="Making so many bytes objects is nearly all of it."
            "  This was aimed for beside a bcoin that was three times as slow.",
        )
    yield Finding(
        row=7,
        what="every item of it as an object",
        beside="every hash of it",
        value=ratio(best["items"], best["hashes"]),
        detail=spans(best["items"], best["hashes"]),
    )
    yield _encoding(effort)


def _encoding(effort: Effort) -> Finding:
    """Ten times as many items should take ten times as long."""
    rng = Random(8)  # noqa: S311  # the same in every run
    items = tuple(InvVect(1, rng.randbytes(32)) for _ in range(effort.inventory))
    few = items[: len(items) // 10]
    contenders = {
        "many": lambda: _forget(Inv(items).encode()),
        "few": lambda: _forget(Inv(few).encode()),
    }
    best = race(contenders, effort)
    return Finding(
        row=7,
        what="encoding an inv of 50,000",
        beside="encoding ten of 5,000",
        value=best["many"] / best["few"] / 10,
        at_most=1.5,
        detail=spans(best["many"], best["few"] * 10),
    )


def _known(effort: Effort, peers: int, rival: float | None) -> Iterator[Finding]:
    """Fill a table: every transaction is known to half of the peers.

    The hashes themselves are not counted: they are those of the transactions.
    """
    rng = Random(9)  # noqa: S311  # the same in every run
    everybody = (1 << peers) - 1
    items = [rng.randbytes(32) for _ in range(effort.relayed)]
    tracemalloc.start()
    table = RelayTable(effort.relayed + 1)
    for _ in range(peers):
        table.join()
    for item in items:
        table.mark(item, rng.getrandbits(peers))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    each = size / (peers * effort.relayed)
    yield Finding(
        row=10,
        what=f"known inventory of {peers:,} peers, per peer and transaction",
        beside="the ruler",
        value=each,
        unit="B",
        at_most=0.25,
        detail=f"{size / 1e6:.3g} MB for {effort.relayed:,} transactions, their hashes apart",
    )
    yield Finding(
        row=10,
        what=f"known inventory of {peers:,} peers",
        beside="a filter per peer, as bcoin (and Core) have it",
        value=ratio(rival, each),
        at_least=40.0,
        detail=f"{each:.3g} B" + ("" if rival is None else f" : {rival:.3g} B"),
    )
    missing = {"bitpeer": repeated(lambda: everybody & ~table.known_to(items[0]), MANY)}
    took = race(missing, effort, units=MANY)["bitpeer"]
    yield Finding(
        row=10,
        what=f"which of {peers:,} peers lack a transaction",
        beside="the clock",
        value=took * 1e6,
        unit="µs",
        at_most=1.0,
        detail=span(took),
    )


def _forget(_: object) -> None:
    """Drop a result: it is no time."""
