"""Rows 11 and 13: one announcement to a thousand peers, and one block served again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.client import Client
from benchmarks.findings import Finding, ratio, spans
from benchmarks.guests import Guests
from benchmarks.measuring import Contender, Effort, race
from benchmarks.processes import actor


def measure(effort: Effort, **_: bool) -> Iterator[Finding]:
    """Measure announcing, then serving."""
    yield from _announcing(effort)
    yield from _serving(effort)


def _announcing(effort: Effort) -> Iterator[Finding]:
    rounds = 3 * effort.rounds  # they are short
    with actor("announcer", audience=effort.audience, rounds=rounds) as announcer:
        guests = Guests(announcer.hear()["port"], effort.audience)
        took = guests.attend(announcer)
        guests.leave()
    ways = {
        "broadcast": "one inv broadcast",
        "send": "one inv sent, one by one,",
        "announce": "one block announced, one by one,",
    }
    for name, what in ways.items():
        best = name == "broadcast"  # whoever tells everybody the same would do that
        yield Finding(
            row=11,
            what=f"{what} to {effort.audience:,} peers",
            beside="a loop of raw socket.send",
            value=ratio(took[name], took["raw"]),
            at_most=1.2 if best else None,
            detail=spans(took[name], took["raw"]),
            why="It hovers about 1.2: what is left is to fetch each peer's state from memory.",
        )
        yield Finding(
            row=11,
            what=f"{what} to {effort.audience:,} peers",
            beside="a loop of transport.write",
            value=ratio(took["write"], took[name]),
            at_least=2.0 if best else None,
            detail=spans(took[name], took["write"]),
        )


def _serving(effort: Effort) -> Iterator[Finding]:
    count = effort.blocks
    with ExitStack() as stack:
        server = stack.enter_context(actor("server", size=effort.block_size))
        ports = server.hear()
        size = ports["size"]

        def contender(way: str) -> Contender:
            client = Client(ports[way], greet=way == "bitpeer")
            stack.callback(client.close)

            def run() -> float:
                server.tell(way=way, count=count)
                client.drain(count * size)
                return float(server.hear()["seconds"])

            return run

        contenders = {way: contender(way) for way in ("bitpeer", "raw", "write")}
        best = race(contenders, effort, units=count)
    yield Finding(
        row=13,
        what="a cached 1 MB block served",
        beside="raw socket.sendall",
        value=ratio(best["bitpeer"], best["raw"]),
        at_most=1.3,
        detail=spans(best["bitpeer"], best["raw"]),
    )
    yield Finding(
        row=13,
        what="a cached 1 MB block served",
        beside="transport.write",
        value=ratio(best["write"], best["bitpeer"]),
        detail=spans(best["bitpeer"], best["write"]),
    )
