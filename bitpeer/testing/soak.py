"""A thousand peers for a day: does memory grow, does anything fail?

``python -m bitpeer.testing.soak`` lets a node live through that, in simulated time.  Its peers
ping it, hear announcements, come and go; rascals come too, who talk rubbish, stall or fall
silent.  At the end of every hour the memory is looked at.  The exit status is 1 if a failure
was logged, or if memory grows.
"""

from __future__ import annotations

import gc
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import linear_regression
from time import perf_counter
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from bitpeer.bitcoin.networks import NETWORKS
from bitpeer.config import PeerConfig
from bitpeer.messages.control import Ping
from bitpeer.messages.inventory import InvVect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.service.every import Every
from bitpeer.testing.lane import Link
from bitpeer.testing.meeting import dial
from bitpeer.testing.script import ScriptedPeer
from bitpeer.testing.simulation import Simulation
from bitpeer.testing.transcript import Missing

HOUR = 3_600.0
WARM_UP = 12
"""Hours at first that do not count: what is remembered of peers fills until as many leave with
full memories as come with empty ones."""
TOLERATED = 65_536.0
"""Bytes per hour by which memory may seem to grow."""
CHANGE_EVERY = 10.0
"""Seconds between two peers who leave, and between two rascals who come: of a thousand, each
stays three hours on average."""
NEWS_EVERY = 600.0
"""Seconds between two announcements to everybody."""
PORT = 8333
NETWORK = NETWORKS["regtest"]


class Sample(NamedTuple):
    """How things are at the end of an hour."""

    peers: int
    """Established with the node."""
    ended: int
    """Connections that the node has lost so far."""
    resident: int
    """Bytes of this process that are in memory; 0 where that cannot be told."""
    blocks: int
    """Pieces of memory that Python has, after a collection."""


class Town:
    """A node, and those who visit it.

    Args:
        simulation: where.
        size: how many good visitors to keep.
    """

    def __init__(self, simulation: Simulation, size: int) -> None:
        self._simulation = simulation
        self._size = size
        self._here, self._there = simulation.host(), simulation.host()
        config = PeerConfig(network=NETWORK)
        self.node = LocalNode(config, clock=self._here)
        self.crowd = LocalNode(config, clock=self._there)
        self._visitors = PeerFactory(self.crowd, outbound=True)
        self._door = self._there.client(self._here.address, PORT)
        self._news = 0

    def open(self) -> None:
        """Let everybody in, and life begin."""
        self._here.server(PORT).listen(PeerFactory(self.node, outbound=False))
        for seconds, act in ((CHANGE_EVERY, self._change), (NEWS_EVERY, self._announce)):
            Every(self._there, seconds, act, self.crowd.journal).start()
        self._fill()

    def hours(self, count: int) -> Iterator[Sample]:
        """Let so many hours pass; yield how things are after each."""
        for _ in range(count):
            self._simulation.advance(HOUR)
            gc.collect()
            yield Sample(
                len(self.node.established()),
                self.node.lost.total(),
                resident_bytes(),
                sys.getallocatedblocks(),
            )

    def _fill(self) -> None:
        for _ in range(self._size - len(self.crowd.peers)):
            self._door.connect(self._visitors)

    def _change(self) -> None:
        """One visitor leaves, others come, and with them a rascal."""
        chance = self._simulation.random
        visitors = sorted(self.crowd.peers, key=lambda peer: peer.id)
        if visitors:
            chance.choice(visitors).disconnect()
        self._fill()
        Deferred.fromCoroutine(self._rascal(chance.choice(RASCALS)))

    async def _rascal(self, misbehave: Callable[[ScriptedPeer], Any]) -> None:
        rascal = await dial(self._there, self._door, NETWORK)
        try:
            await misbehave(rascal)
            await rascal.expect_lost(timeout=HOUR)
        except Missing:  # it was thrown out too early for that
            return

    def _announce(self) -> None:
        self._news += 1
        item = InvVect(1, self._news.to_bytes(32, "little"))
        for peer in self.node.established():
            peer.announce(item)


async def _fall_silent(peer: ScriptedPeer) -> None:
    await peer.shake_hands()


async def _say_nothing(_: ScriptedPeer) -> None:
    """It has not even come to talk."""


async def _withhold_verack(peer: ScriptedPeer) -> None:
    await peer.shake_hands(verack=False)


async def _talk_rubbish(peer: ScriptedPeer) -> None:
    await peer.shake_hands()
    peer.send_bytes(b"rubbish" * 10)


async def _stall(peer: ScriptedPeer) -> None:
    await peer.shake_hands()
    peer.begin(Ping(1), 30)


async def _leave_without_a_word(peer: ScriptedPeer) -> None:
    await peer.shake_hands()
    peer.abort()


RASCALS = (
    _fall_silent,
    _say_nothing,
    _withhold_verack,
    _talk_rubbish,
    _stall,
    _leave_without_a_word,
)


def resident_bytes(statm: Path = Path("/proc/self/statm")) -> int:
    """Return how many bytes of this process are in memory; 0 where Linux cannot be asked."""
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * 4_096


def slope(values: Sequence[int]) -> float:
    """Return by how much *values*, one for each hour, grow in an hour after the first few."""
    late = values[WARM_UP:]
    return linear_regression(range(len(late)), late).slope if len(late) > 1 else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it as the command line says; return the exit status."""
    parser = ArgumentParser(prog="python -m bitpeer.testing.soak", description=__doc__)
    parser.add_argument("--peers", type=int, default=1_000, help="how many, 1000 unless given")
    parser.add_argument("--hours", type=int, default=24, help="of simulated time, 24 unless given")
    parser.add_argument("--seed", type=int, help="to replay what happened")
    given = parser.parse_args(arguments)
    simulation = Simulation(given.seed, link=Link(latency=0.05, jitter=0.05))
    samples: list[Sample] = []
    began = perf_counter()
    say = sys.stdout.write
    say(f"{given.peers} peers for {given.hours} hours, seed {simulation.seed}\n")
    with simulation:
        town = Town(simulation, given.peers)
        town.open()
        say("hour  peers   ended  resident, MB  blocks\n")
        for sample in town.hours(given.hours):
            samples.append(sample)
            peers, ended, resident, blocks = sample
            say(f"{len(samples):4} {peers:6} {ended:7} {resident / 1e6:13.1f} {blocks:7}\n")
        failed = simulation.claim()
    for failure in failed:
        say(failure.getTraceback())
    growth = slope([sample.resident for sample in samples])
    more = slope([sample.blocks for sample in samples])
    say(
        f"memory grows by {growth:.0f} bytes and {more:.1f} blocks an hour, {len(failed)} failures "
        f"were logged; {simulation.timeline.events} events in {perf_counter() - began:.0f} s\n"
    )
    return 1 if failed or growth > TOLERATED else 0


if __name__ == "__main__":
    sys.exit(main())
