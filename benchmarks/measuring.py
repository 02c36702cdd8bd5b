"""Taking times: several contenders in turn, again and again, and the best of each counts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import process_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure."""

    rounds: int = 25
    """Most turns each contender gets."""
    seconds: float = 2.5
    """For one contender in one race; nobody gets fewer than three turns."""
    messages: int = 2_000
    """In a stream of small messages held in memory."""
    flood: int = 60_000
    """Small messages sent over loopback in one go."""
    pings: int = 20_000
    """To be answered in one go."""
    block_size: float = 1.0
    """Of the synthetic blocks; 1 is life-size."""
    blocks: int = 24
    """Sent over loopback in one go, or held in memory."""
    inventory: int = 50_000
    """Items of the largest `inv`."""
    peers: int = 10_000
    """Idle peers in one process."""
    ping_interval: float = 120.0
    """Seconds between two pings to one of them."""
    watch: float = 133.0
    """Seconds for which they are watched: each is pinged once."""
    audience: int = 1_000
    """Peers that one announcement goes to."""
    relayed: int = 5_000
    """Transactions that a relay table remembers."""
    headers: int = 100_000
    """Of a chain that is followed, or known."""
    known: int = 10_000
    """Addresses in a book."""
    guests: int = 100
    """Idle peers of a whole service."""
    idle: float = 40.0
    """Seconds for which it is watched."""


FULL = Effort()
TINY = Effort(
    rounds=1,
    seconds=0.0,
    messages=20,
    flood=20,
    pings=20,
    block_size=0.02,
    blocks=2,
    inventory=50,
    peers=4,
    ping_interval=1.0,
    watch=0.3,
    audience=3,
    relayed=50,
    headers=50,
    known=50,
    guests=3,
    idle=0.3,
)
"""Enough to see that everything runs, and nothing to learn from."""

MIN_TURNS = 3


Contender = Callable[[], float | None]
"""Does some work; returns the seconds that it took if it knows better than its caller."""


def race(
    contenders: Mapping[str, Contender], effort: Effort, *, units: int = 1
) -> dict[str, float]:
    """Return the seconds that each contender takes for one unit of work, at its best.

    Seconds of the processor, of this process: what other programs do meanwhile
    costs little.  They run in turn, so that what disturbs the machine disturbs them all; whoever
    has used up its time drops out.

    Args:
        contenders: what to call, by name.
        effort: how often, and for how long.
        units: how many units of work one call does.
    """
    gc.collect()
    gc.freeze()  # what was imported or built before burdens nobody's collections
    best = dict.fromkeys(contenders, float("inf"))
    spent = dict.fromkeys(contenders, 0.0)
    for turn in range(effort.rounds):
        for name, run in contenders.items():
            if turn >= MIN_TURNS and spent[name] >= effort.seconds:
                continue
            began = process_time()
            told = run()
            took = process_time() - began if told is None else told
            spent[name] += took
            best[name] = min(best[name], took)
    return {name: took / units for name, took in best.items()}


def repeated(action: Callable[[], object], count: int) -> Contender:
    """Return a function that does *action* so many times: what is short cannot be timed alone."""

    def run() -> None:
        for _ in range(count):
            action()

    return run
