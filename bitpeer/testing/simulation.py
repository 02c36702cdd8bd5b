"""A network that is not there: hosts, the ways between them, and one seed that decides it all."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Iterable
from contextlib import ExitStack
from ipaddress import ip_address
from secrets import randbits
from types import TracebackType
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from bitpeer.errors import InvalidSetting
from bitpeer.testing.chance import Random, seeded
from bitpeer.testing.host import Host
from bitpeer.testing.lane import Lane, Link
from bitpeer.testing.timeline import Timeline

T = TypeVar("T")

NOON = 1_700_000_000.0
"""When a simulation begins unless it is told otherwise: seconds since 1970."""


class Stuck(AssertionError):
    """What was waited for will not happen, or did not in time."""


class FailuresLogged(AssertionError):
    """Failures were logged that nobody had expected."""


class Simulation:
    """Any number of hosts, one clock, one seed.

    Use it in a ``with`` block: inside, everything that draws from the system's
    randomness, nonces and delays of this package included, draws from the seed
    instead, and the block fails if a failure is logged that `claim` does not take.
    Whatever exception leaves it tells the seed; with it everything happens again.

    Args:
        seed: decides everything that is left to chance; by default chance does.
        link: what ways between hosts are like, unless `set_link` says otherwise.
        now: the time at first, in seconds since 1970.
    """

    def __init__(
        self, seed: int | None = None, *, link: Link | None = None, now: float = NOON
    ) -> None:
        self.seed = randbits(32) if seed is None else seed
        self.default = Link() if link is None else link
        """What ways are like of which nothing else was said."""
        self.timeline = Timeline(now)
        self.hosts: dict[str, Host] = {}
        """By address."""
        self.random = Random(f"{self.seed} test")
        """Chance for the test itself."""
        self.failures: list[Failure] = []
        """Logged inside the ``with`` block and not claimed yet."""
        self.stalled: dict[Lane, None] = {}
        """Ways on which something waits for `heal`."""
        self._began = now
        self._links: dict[tuple[Host, Host], Link] = {}
        self._cuts: set[tuple[Host, Host]] = set()
        self._names: dict[str, tuple[str, ...]] = {}
        self._open = ExitStack()

    def __repr__(self) -> str:
        return f"<simulation with seed {self.seed}, after {self.elapsed:.3f} seconds>"

    def __enter__(self) -> Simulation:
        self._open.enter_context(seeded(Random(f"{self.seed} system")))
        observer = cast(ILogObserver, self._observe)
        globalLogPublisher.addObserver(observer)
        self._open.callback(globalLogPublisher.removeObserver, observer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
        if error is not None:
            self._annotate(error)
        elif self.failures:
            traces = "\n".join(failure.getTraceback() for failure in self.failures)
            failed = FailuresLogged(f"logged as failed:\n{traces}")
            self._annotate(failed)
            raise failed

    # Time

    @property
    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self.timeline.now

    @property
    def elapsed(self) -> float:
        """Seconds since the simulation began."""
        return self.timeline.now - self._began

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that happens meanwhile."""
        self.timeline.advance(seconds)

    def run(
        self,
        story: Coroutine[Deferred[Any], Any, T] | Generator[Deferred[Any], Any, T] | Deferred[T],
        timeout: float = 3_600.0,
    ) -> T:
        """Let time pass until *story* is told; return its result.

        Args:
            story: a coroutine or a Deferred.
            timeout: seconds of the simulation that it may take.

        Raises:
            Stuck: it took longer, or nothing is left that could happen.
        """
        deferred = story if isinstance(story, Deferred) else ensureDeferred(story)
        results: list[Any] = []
        deferred.addBoth(results.append)
        until = self.now + timeout
        while not results and self.timeline.step(until):
            pass
        try:
            if not results:
                deferred.addErrback(lambda _: None).cancel()
                raise Stuck(
                    f"not done within {timeout:g} seconds, or never: it is {self.elapsed:.3f}"
                )
            if isinstance(results[0], Failure):
                results[0].raiseException()
        except BaseException as error:
            self._annotate(error)
            raise
        result: T = results[0]
        return result

    # Places

    def host(self, address: str | None = None) -> Host:
        """Return a new host.

        Args:
            address: an IP literal; by default one of the public network, each in a
                group of its own, so that `peer_service` is content with them.

        Raises:
            InvalidSetting: there is one at *address* already, or it is no address.
        """
        address = self._free_address() if address is None else str(ip_address(address))
        if address in self.hosts:
            raise InvalidSetting("address", address, "an address of its own")
        host = self.hosts[address] = Host(self, address)
        return host

    def _free_address(self) -> str:
        number = len(self.hosts) + 1
        while (address := f"{20 + (number >> 8)}.{number & 255}.0.1") in self.hosts:
            number += 1
        return address

    def name(self, name: str, *addresses: str) -> None:
        """Let *name* stand for these *addresses* from now on; for none it cannot be found."""
        self._names[name.rstrip(".").lower()] = addresses

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Return what a name, or an IP literal, stands for."""
        try:
            return (str(ip_address(name)),)
        except ValueError:
            return self._names.get(name.rstrip(".").lower(), ())

    def look_up(self, name: str) -> str | None:
        """Return the first address that *name* stands for, if there is one."""
        return next(iter(self.addresses_of(name)), None)

    # Ways

    def link(self, source: Host, target: Host) -> Link:
        """Return what the way from one host to another is like."""
        return self._links.get((source, target), self.default)

    def set_link(self, one: Host, other: Host, link: Link, *, one_way: bool = False) -> None:
        """Let the ways between two hosts be like this from now on; or only the one there."""
        self._links[one, other] = link
        if not one_way:
            self._links[other, one] = link

    def cut(self, one: Host, other: Host, *, one_way: bool = False) -> None:
        """Let nothing get from one host to another, nor back unless the cut is one-way.

        Nobody is told.  What is sent waits for `heal`; who hears nothing of it for
        fifteen minutes gives up, and what resets a connection is lost for good.
        """
        self._cuts.add((one, other))
        if not one_way:
            self._cuts.add((other, one))

    def partition(self, *groups: Iterable[Host]) -> None:
        """Cut the hosts of each group off from those of the others."""
        parts = [list(group) for group in groups]
        for number, part in enumerate(parts):
            for host in part:
                for others in parts[number + 1 :]:
                    for other in others:
                        self.cut(host, other)

    def heal(self) -> None:
        """Undo every cut: what waited gets through."""
        self._cuts.clear()
        self.let_flow()

    def reaches(self, source: Host, target: Host) -> bool:
        """Whether what leaves one host arrives at another, now."""
        return target.running and (source, target) not in self._cuts

    def let_flow(self) -> None:
        """Let through whatever has nothing in its way any more."""
        for lane in [lane for lane in self.stalled if self.reaches(lane.source, lane.target)]:
            del self.stalled[lane]
            lane.flow()

    # Failures

    def claim(self, *kinds: type[BaseException]) -> list[Failure]:
        """Take the failures of these *kinds*, or of any, that were logged: they were expected."""
        wanted = kinds or (BaseException,)
        claimed = [failure for failure in self.failures if isinstance(failure.value, wanted)]
        self.failures = [failure for failure in self.failures if failure not in claimed]
        return claimed

    def _observe(self, event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            self.failures.append(failure)

    def _annotate(self, error: BaseException) -> None:
        note = f"simulated with seed {self.seed}: Simulation(seed={self.seed}) replays it"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
