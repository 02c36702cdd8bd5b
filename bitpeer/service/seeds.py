"""Where the first addresses come from: the network's seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import SystemRandom
from typing import Any, NamedTuple, Protocol as Shape, cast

from twisted.internet.defer import (
    Deferred,
    DeferredSemaphore,
    gatherResults,
    maybeDeferred,
    succeed,
)
from twisted.internet.interfaces import IReactorTime
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from bitpeer.dialect import DnsSeed, HttpsSeed, Network
from bitpeer.errors import BitpeerError
from bitpeer.net.journal import Journal
from bitpeer.service.backoff import Backoff

AT_ONCE = 3
"""Most seeds asked at a time."""
PER_SEED = 32
"""Most addresses taken from one seed, so that none decides alone whom to meet."""
AGAIN, AGAIN_AT_MOST = 30.0, 3_600.0
"""Seconds, at first and at most, before the seeds are asked again."""

_RANDOM = SystemRandom()


class Address(NamedTuple):
    """Where a node listens."""

    host: str
    """An IPv4 or IPv6 literal, or the name of an onion service."""
    port: int


class LookUp(Shape):
    """Asks one seed for addresses: a `DnsSeed`, or an `HttpsSeed`."""

    needs: str
    """What it cannot do without, in words."""

    def __call__(self, seed: Any) -> Deferred[list[Address]]:
        """Return a Deferred that fires with addresses, or fails."""
        ...


class Seeds:
    """Asks a network's seeds for addresses, and asks again, ever more seldom.

    Args:
        network: whose seeds.
        look_up: asks one of them, see `bitpeer.service.lookups`; may fail.
        clock: tells the time.
        journal: is told what was found, and once if nothing is.
        shuffle: puts a list in random order.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        network: Network,
        look_up: LookUp,
        *,
        clock: IReactorTime,
        journal: Journal,
        shuffle: Callable[[list[Any]], None] = _RANDOM.shuffle,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._network = network.title
        self._seeds: list[DnsSeed | HttpsSeed] = [*network.seeds, *network.https_seeds]
        self._look_up = look_up
        self._clock = clock
        self._journal = journal
        self._shuffle = shuffle
        self._backoff = Backoff(AGAIN, AGAIN_AT_MOST, draw)
        self._ask_at = float("-inf")
        self._asking = False
        self._stopped = False
        self._answers: set[Deferred[list[Address]]] = set()
        self._silent = False

    def ask(self, found: Callable[[Sequence[Address]], object]) -> bool:
        """Look all seeds up and call *found* with what they say; never before it is due.

        Returns:
            Whether they are being asked now: not while they are already, nor too soon
            after the last time, nor if there are none.
        """
        if not self._seeds or self._asking or self._clock.seconds() < self._ask_at:
            return False
        self._asking = True
        if not self._silent:  # it may take a while until there is more to say
            text = "asking the {seeds} seeds of {network} for addresses"
            self._journal.emit(LogLevel.info, text, seeds=len(self._seeds), network=self._network)
        seeds = self._seeds.copy()
        self._shuffle(seeds)
        turns = DeferredSemaphore(AT_ONCE)
        self._stopped = False
        answers = gatherResults([turns.run(self._ask_one, seed) for seed in seeds])

        def done(lists: list[list[Address]]) -> None:
            self._asking = False
            if self._stopped:
                return
            addresses = list(dict.fromkeys(address for each in lists for address in each))
            wait = self._backoff.failed()
            self._ask_at = self._clock.seconds() + wait
            self._report(sum(map(bool, lists)), len(addresses), wait)
            found(addresses)

        answers.addCallback(done)
        return True

    def satisfied(self) -> None:
        """Take note that the addresses are good: should more be needed, they can be had soon."""
        self._backoff.succeeded()

    def stop(self) -> None:
        """Give up what is being asked; those who are asked next time are asked again."""
        self._stopped = True
        for answer in list(self._answers):
            answer.cancel()

    def _ask_one(self, seed: DnsSeed | HttpsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with the addresses of one seed; none if it fails."""
        if self._stopped:
            return succeed([])
        answer = maybeDeferred(self._look_up, seed)
        self._answers.add(answer)

        def heard(result: list[Address] | Failure) -> list[Address]:
            self._answers.discard(answer)
            if not isinstance(result, Failure):
                return result[:PER_SEED]
            if self._stopped:  # so it failed because it was cancelled
                return []
            if result.check(BitpeerError):
                self._journal.emit(
                    LogLevel.debug, "{seed} tells nothing: {why}", seed=seed.host, why=result.value
                )
            else:
                text = "{seed} could not be looked up"
                self._journal.failure(text, cast(Exception, result.value), seed=seed.host)
            return []

        return answer.addBoth(heard)

    def _report(self, answered: int, found: int, wait: float) -> None:
        fields = {
            "network": self._network,
            "seeds": len(self._seeds),
            "answered": answered,
            "found": found,
            "seconds": round(wait),
            "needs": self._look_up.needs,
        }
        if found:
            text = "{found} addresses from {answered} of {seeds} seeds of {network}"
            self._journal.emit(LogLevel.info, text, **fields)
        elif not self._silent:
            text = (
                "no answer from any of the {seeds} seeds of {network}: without {needs} no "
                "peers can be found; trying again in {seconds} s, then ever more seldom"
            )
            self._journal.emit(LogLevel.warn, text, **fields)
        self._silent = not found
