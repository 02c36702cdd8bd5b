"""Keeps a number of peers whom nobody named: finds them, dials them, replaces them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf
from secrets import SystemRandom
from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.bitcoin.reach import is_routable, network_group
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.net.routes import Routes
from bitpeer.service.backoff import Backoff
from bitpeer.service.detour import detour
from bitpeer.service.every import Every
from bitpeer.service.reasons import reason_of
from bitpeer.service.seeds import Address, Seeds

PERIOD = 1.0
"""Seconds between two looks for peers that are missing."""
SOON, SOON_AT_MOST = 60.0, 14_400.0
"""Seconds, at first and at most, before an address that failed is dialled again."""
NOT_TODAY = 86_400.0
"""Seconds before an address is dialled again whose owner cannot be talked to."""
STEADY = 60.0
"""Seconds after which an established connection counts as a success."""
MAX_KNOWN = 1_000
"""Most addresses remembered."""
SUSPICIOUS = 24
"""Dials in a row without any connection after which the log says so, once."""

_RANDOM = SystemRandom()


class Candidate:
    """An address, and how it went with it."""

    __slots__ = ("address", "backoff", "dial_at", "group", "is_detour")

    def __init__(self, address: Address, group: bytes, draw: Callable[[], float]) -> None:
        self.address = address
        self.group = group
        """Equal for addresses that are probably in the same hands."""
        self.dial_at = -inf
        """When it may be dialled next."""
        self.backoff = Backoff(SOON, SOON_AT_MOST, draw)
        self.is_detour = False
        """Whether a peer sent us there: then nobody there may send us further."""


class Outbound(Service):
    """Keeps *count* connections to peers found through the seeds.

    Each in a network group of its own, chosen at random among the known
    addresses that are not resting after a failure.  A peer that is lost is
    replaced within a second, by another one.

    Args:
        node: what all peers of the network share.
        count: how many connections to keep.
        seeds: asked for addresses when there is none left to dial.
        routes: how to dial; addresses to which they do not lead are passed over.
        is_own: tells whether an address is this program's own.
        choose: picks one at random.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        node: LocalNode,
        count: int,
        seeds: Seeds,
        *,
        routes: Routes,
        is_own: Callable[[Address], bool] = lambda _: False,
        choose: Callable[[Sequence[Any]], Any] = _RANDOM.choice,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self.count = count
        self._node = node
        self._seeds = seeds
        self._routes = routes
        self._is_own = is_own
        self._choose = choose
        self._draw = draw
        self._factory = PeerFactory(node, outbound=True)
        self._known: dict[Address, Candidate] = {}
        self._busy: set[Candidate] = set()
        """Those that are being dialled or are connected."""
        self._dials: dict[Candidate, Deferred[Any]] = {}
        self._in_vain = 0
        self._looks = Every(node.clock, PERIOD, self._top_up, node.journal)

    @property
    def known(self) -> int:
        """How many addresses are known."""
        return len(self._known)

    def startService(self) -> None:
        Service.startService(self)
        self._looks.start()
        self._top_up()

    def stopService(self) -> None:
        """Dial no more; connections that are there stay."""
        Service.stopService(self)
        self._looks.stop()
        self._seeds.stop()
        for dial in list(self._dials.values()):
            dial.cancel()

    def learn(self, addresses: Iterable[Address]) -> int:
        """Remember *addresses* to dial; return how many of them are new.

        Addresses that lead nowhere, or not to the public network, or to one that cannot be
        reached from here, are passed over (R-E2).  When there is no room, the address that
        rests longest is forgotten.
        """
        learned = 0
        for address in addresses:
            candidate = self._candidate(address)
            if candidate is None or address in self._known:
                continue
            if not self._routes.reaches(address.host):
                continue
            if len(self._known) >= MAX_KNOWN:
                self._forget_worst()
            self._known[address] = candidate
            learned += 1
        return learned

    def _candidate(self, address: Address) -> Candidate | None:
        try:
            where = parse_host(address.host)
        except ValueError:
            return None
        return (
            Candidate(address, network_group(*where), self._draw) if is_routable(*where) else None
        )

    def _forget_worst(self) -> None:
        resting = (each for each in self._known.values() if each not in self._busy)
        worst = max(resting, key=lambda each: each.dial_at, default=None)
        if worst is not None:
            del self._known[worst.address]

    def _top_up(self) -> None:
        """Dial until there are enough."""
        while len(self._busy) < self.count:
            candidate = self._pick()
            if candidate is None:
                self._seeds.ask(self.learn)
                return
            self._dial(candidate)

    def _pick(self) -> Candidate | None:
        now = self._node.clock.seconds()
        taken = self._groups_taken()
        fit = [
            each
            for each in self._known.values()
            if each.dial_at <= now and each.group not in taken and not self._is_own(each.address)
        ]
        return cast(Candidate, self._choose(fit)) if fit else None

    def _groups_taken(self) -> set[bytes]:
        """Return the groups of those who are dialled, now or by the operator's wish (R-E1)."""
        taken = {each.group for each in self._busy}
        for peer in self._node.peers:
            host = getattr(peer.transport and peer.transport.getPeer(), "host", "")
            candidate = None if peer.inbound else self._candidate(Address(host, 0))
            if candidate is not None:
                taken.add(candidate.group)
        return taken

    def _dial(self, candidate: Candidate) -> None:
        self._busy.add(candidate)
        dial = self._routes.endpoint(*candidate.address).connect(self._factory)
        self._dials[candidate] = dial
        dial.addBoth(self._answered, candidate)

    def _answered(self, result: IProtocol | Failure, candidate: Candidate) -> None:
        self._dials.pop(candidate, None)
        if isinstance(result, Failure):
            self._unreachable(result, candidate)
            return
        self._in_vain = 0
        established_at: list[float] = []
        seconds = self._node.clock.seconds

        def established(_: IPeer) -> None:
            established_at.append(seconds())
            self._seeds.satisfied()

        def lost(reason: Disconnected) -> None:
            if established_at and seconds() - established_at[0] >= STEADY:
                candidate.backoff.succeeded()
            self._rest(candidate, reason.reason)
            if self._node.config.follow_redirects and not candidate.is_detour:
                self._sent_to(detour(peer))

        peer = cast(PeerProtocol, result)
        peer.when_established().addCallbacks(established, lambda _: None)
        peer.when_lost().addCallback(lost)

    def _sent_to(self, place: Address | None) -> None:
        """Remember where a peer sent us."""
        if place is not None and self.learn((place,)):
            self._known[place].is_detour = True

    def _unreachable(self, failure: Failure, candidate: Candidate) -> None:
        self._rest(candidate, DisconnectReason.DIAL_FAILED)
        self._in_vain += 1
        if self._in_vain == SUSPICIOUS and self.running:
            self._node.journal.emit(
                LogLevel.warn,
                "{count} addresses in a row could not be reached, the last because: {why}",
                count=SUSPICIOUS,
                why=reason_of(failure),
            )

    def _rest(self, candidate: Candidate, reason: DisconnectReason) -> None:
        """Leave *candidate* alone for as long as what happened suggests."""
        self._busy.discard(candidate)
        if reason is DisconnectReason.SELF_CONNECTION:
            wait = inf
        else:
            wait = candidate.backoff.failed() if reason.transient else NOT_TODAY
        candidate.dial_at = self._node.clock.seconds() + wait
