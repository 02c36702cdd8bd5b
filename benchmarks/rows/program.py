"""Row 16: a whole service, with a page, a book and a chain, and a hundred idle peers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.findings import Finding
from benchmarks.guests import Guests
from benchmarks.measuring import Effort
from benchmarks.program import Program, program

MEBI = 1 << 20


def measure(effort: Effort, **_: bool) -> Iterator[Finding]:
    """Measure a node that nobody has visited yet, and the same with all its guests."""
    with program(effort.headers, effort.known) as node:
        empty = _watched(node, None, effort.idle)
        guests = Guests(node.port, effort.guests, patient=True)
        while _connections(node.status()) < effort.guests:
            guests.wait(0.1)
        full = _watched(node, guests, effort.idle)
        with node.looked_at():
            guests.wait(0.1)  # the page has been told how things stand
            seen = _watched(node, guests, effort.idle)
        known = _known(node.status())
        guests.leave()
    what = f"twistd bitpeer with a page, {effort.headers:,} headers and {known:,} addresses"
    peers = f"{effort.guests} idle peers"
    each = (full["memory"] - empty["memory"]) / effort.guests
    yield Finding(
        row=16,
        what=f"{what}: memory without peers",
        beside="the ruler",
        value=empty["memory"] / MEBI,
        unit="MiB",
    )
    yield Finding(
        row=16,
        what=f"the same with {peers}: memory",
        beside="the ruler",
        value=full["memory"] / MEBI,
        unit="MiB",
        at_most=128.0,
    )
    yield Finding(
        row=16,
        what=f"{peers}: memory of each",
        beside="the service without them",
        value=each / 1024,
        unit="KiB",
        detail="resident, whole pages",
    )
    for when, watched in (
        ("without peers", empty),
        (f"with {peers}", full),
        ("the same while somebody looks at the page", seen),
    ):
        yield Finding(
            row=16,
            what=f"{when}: share of a processor",
            beside="the clock",
            value=100 * watched["share"],
            unit="%",
            at_most=2.5 if watched is seen else 1.0,
            detail=f"{watched['cpu']:.2f} s in {watched['seconds']:.0f} s",
        )


def _watched(node: Program, guests: Guests | None, seconds: float) -> dict[str, float]:
    """Return how much memory and time a node takes while nothing happens."""
    before = node.status()
    if guests is None:
        Guests(node.port, 0).wait(seconds)
    else:
        guests.wait(seconds)
    after = node.status()
    cpu = after["process"]["cpu_seconds"] - before["process"]["cpu_seconds"]
    took = after["time"] - before["time"]
    memory = after["process"]["memory_bytes"]
    return {"memory": memory, "cpu": cpu, "seconds": took, "share": cpu / took}


def _connections(status: dict[str, Any]) -> int:
    count: int = status["networks"][0]["network"]["connections_in"]
    return count


def _known(status: dict[str, Any]) -> int:
    return sum(each["total"] for each in status["networks"][0]["addresses"].values())
