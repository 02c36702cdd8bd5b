"""Row 9: ten thousand idle peers."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Any

from benchmarks.findings import Finding, ratio, span
from benchmarks.guests import Guests
from benchmarks.measuring import Effort
from benchmarks.processes import actor

RESERVED = 200
"""Descriptors that are not for guests."""


def measure(effort: Effort, **_: bool) -> Iterator[Finding]:
    """Measure the crowd, and as large a crowd of bare Twisted connections."""
    guests = min(effort.peers, _descriptors() - RESERVED)
    bare = _visit("bare crowd", guests)
    ours = _visit("crowd", guests, watch=effort.watch, ping_interval=effort.ping_interval)
    what = f"{guests:,} handshaken peers, "
    size = ours["bytes"]
    yield Finding(
        row=9,
        what=f"{what}memory of each",
        beside="the ruler",
        value=size / 1024,
        unit="KiB",
        at_most=2.5,
        detail=f"{size:,.0f} B, Twisted's own part included",
    )
    yield Finding(
        row=9,
        what=f"{what}memory",
        beside="bare Twisted connections",
        value=ratio(size, bare["bytes"]),
        at_most=1.45,
        detail=f"{size:,.0f} B : {bare['bytes']:,.0f} B",
        why="This was aimed for beside connections of 1,770 B: CPython gave each a dictionary.",
    )
    yield Finding(
        row=9,
        what=f"{what}each pinged once in {effort.watch:.0f} s, share of a processor",
        beside="the clock",
        value=100 * ours["share"],
        unit="%",
        at_most=1.5,
        detail=f"{ours['share'] * effort.watch:.2f} s",
    )
    yield Finding(
        row=9,
        what=f"{what}longest pause meanwhile, after gc.freeze()",
        beside="the clock",
        value=1000 * ours["pause"],
        unit="ms",
        at_most=20.0,
        detail=f"a full collection before gc.freeze() takes {span(ours['collection'])}",
    )
    yield Finding(
        row=9,
        what=f"{what}each accepted and greeted",
        beside="the clock",
        value=1e6 * ours["handshake"],
        unit="µs",
    )


def _descriptors() -> int:
    """Return how many files a process may have open, having asked for as many as there can be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def _visit(name: str, count: int, watch: float = 0.0, **settings: float) -> dict[str, Any]:
    """Let so many guests visit an actor; return what it reports."""
    with actor(name, guests=count, **settings) as host:
        guests = Guests(host.hear()["port"], count)
        report = guests.attend(host)
        if watch:
            host.tell(seconds=watch)
            report |= guests.attend(host)
        guests.leave()
    return report
