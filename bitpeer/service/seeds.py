"""Where the first addresses come from: the network's DNS seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import SystemRandom
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.logger import LogLevel
from zope.interface import implementer

from bitpeer.dialect import DnsSeed, Network
from bitpeer.net.journal import Journal
from bitpeer.service.backoff import Backoff

WANTED_SERVICES = 0x9
"""Services asked for where a seed can choose: all blocks, with witnesses.  Every seed that
filters knows this mask; it is the only one that Core asks for."""
AT_ONCE = 3
"""Most seeds asked at a time."""
PER_SEED = 32
"""Most addresses taken from one seed, so that none decides alone whom to meet."""
PATIENCE = 30.0
"""Seconds that one look-up may take."""
AGAIN, AGAIN_AT_MOST = 30.0, 3_600.0
"""Seconds, at first and at most, before the seeds are asked again."""

_RANDOM = SystemRandom()


class Address(NamedTuple):
    """Where a node listens."""

    host: str
    """An IPv4 or IPv6 literal."""
    port: int


def query_name(seed: DnsSeed, services: int) -> str:
    """Return the name to look up, complete, so that no search domain is appended."""
    return f"x{services:x}.{seed.host}." if seed.filters and services else f"{seed.host}."


class Seeds:
    """Asks a network's seeds for addresses, and asks again, ever more seldom.

    Args:
        network: whose seeds.
        resolver: the reactor's, which does not block.
        clock: tells the time.
        journal: is told what was found, and once if nothing is.
        services: to ask for, where a seed can choose.
        shuffle: puts a list in random order.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        network: Network,
        resolver: IHostnameResolver,
        *,
        clock: IReactorTime,
        journal: Journal,
        services: int = WANTED_SERVICES,
        shuffle: Callable[[list[Any]], None] = _RANDOM.shuffle,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._network = network
        self._resolver = resolver
        self._clock = clock
        self._journal = journal
        self._services = services
        self._shuffle = shuffle
        self._backoff = Backoff(AGAIN, AGAIN_AT_MOST, draw)
        self._ask_at = float("-inf")
        self._asking = False
        self._silent = False

    def ask(self, found: Callable[[Sequence[Address]], object]) -> bool:
        """Look all seeds up and call *found* with what they say; never before it is due.

        Returns:
            Whether they are being asked now: not while they are already, nor too soon
            after the last time.
        """
        if self._asking or self._clock.seconds() < self._ask_at:
            return False
        self._asking = True
        seeds = list(self._network.seeds)
        self._shuffle(seeds)
        turns = DeferredSemaphore(AT_ONCE)
        answers = gatherResults([turns.run(self._look_up, seed) for seed in seeds])

        def done(lists: list[list[str]]) -> None:
            self._asking = False
            hosts = list(dict.fromkeys(host for each in lists for host in each))
            wait = self._backoff.failed()
            self._ask_at = self._clock.seconds() + wait
            self._report(sum(map(bool, lists)), len(hosts), wait)
            found([Address(host, self._network.port) for host in hosts])

        answers.addCallback(done)
        return True

    def satisfied(self) -> None:
        """Take note that the addresses are good: should more be needed, they can be had soon."""
        self._backoff.succeeded()

    def _look_up(self, seed: DnsSeed) -> Deferred[list[str]]:
        """Return a Deferred that fires with the addresses of one seed; none if it fails."""
        answers = _Answers()
        name = query_name(seed, self._services)
        try:
            self._resolver.resolveHostName(answers, name, self._network.port)
        except Exception as error:
            self._journal.failure("{name} could not be looked up", error, name=name)
            return answers.give_up()
        return answers.complete.addTimeout(PATIENCE, self._clock).addErrback(
            lambda _: answers.hosts
        )

    def _report(self, answered: int, found: int, wait: float) -> None:
        fields = {
            "network": self._network.title,
            "seeds": len(self._network.seeds),
            "answered": answered,
            "found": found,
            "seconds": round(wait),
        }
        if found:
            text = "{found} addresses from {answered} of {seeds} DNS seeds of {network}"
            self._journal.emit(LogLevel.info, text, **fields)
        elif not self._silent:
            text = (
                "no DNS answer from any of the {seeds} seeds of {network}: without internet or "
                "DNS no peers can be found; trying again in {seconds} s, then ever more seldom"
            )
            self._journal.emit(LogLevel.warn, text, **fields)
        self._silent = not found


@implementer(IResolutionReceiver)
class _Answers:
    """Collects the addresses that one name stands for."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.complete: Deferred[list[str]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        """Twisted has begun; it cannot be told to stop."""

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        """Take one more address."""
        host = getattr(address, "host", None)
        if host is not None and host not in self.hosts and len(self.hosts) < PER_SEED:
            self.hosts.append(host)

    def resolutionComplete(self) -> None:  # noqa: N802
        """That was all; too late if it comes after the time-out."""
        if not self.complete.called:
            self.complete.callback(self.hosts)

    def give_up(self) -> Deferred[list[str]]:
        """Be content with what there is."""
        self.resolutionComplete()
        return self.complete
