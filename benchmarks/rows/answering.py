"""Row 1: pings answered in a second, over loopback, by whole peers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.client import Client
from benchmarks.findings import Finding, ratio
from benchmarks.measuring import Contender, Effort, race
from benchmarks.processes import actor
from benchmarks.rivals import bcoin
from benchmarks.rivals.libraries import speakers

LEAST = {"bcoin, full node": 5.0}
"""How many times as many bitpeer should answer."""


def measure(effort: Effort, *, with_bcoin: bool = True) -> Iterator[Finding]:
    """Let one client after the other send its pings at once, and wait for the last pong."""
    with ExitStack() as stack:
        ports = {
            "bitpeer": stack.enter_context(actor("bitpeer")).hear()["port"],
            "p2pool's loop": stack.enter_context(actor("generator loop")).hear()["port"],
        }
        for name in speakers():
            ports[name] = stack.enter_context(actor(name)).hear()["port"]
        node = stack.enter_context(bcoin.program("node.js", wanted=with_bcoin))
        if node is not None:
            ports["bcoin, full node"] = node.hear()["port"]
        clients = {name: Client(port) for name, port in ports.items()}

        def contender(client: Client) -> Contender:
            return lambda: client.pings_answered(effort.pings)

        contenders = {name: contender(client) for name, client in clients.items()}
        best = race(contenders, effort, units=effort.pings)
        for client in clients.values():
            client.close()
    for name in ("bcoin, full node", "p2pool's loop", *speakers()):
        yield Finding(
            row=1,
            what="pings answered per second",
            beside=name,
            value=ratio(best.get(name), best["bitpeer"]),
            at_least=LEAST.get(name),
            detail=_rates(best["bitpeer"], best.get(name)),
        )


def _rates(ours: float, other: float | None) -> str:
    shown = [1 / ours] if other is None else [1 / ours, 1 / other]
    return " : ".join(f"{rate / 1000:,.0f} k/s" for rate in shown)
