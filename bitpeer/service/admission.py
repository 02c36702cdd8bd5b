"""Who may come in, and who must leave for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from secrets import SystemRandom, token_bytes
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import LogLevel
from zope.interface import implementer

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, Refused
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer, IVersionListener
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.service.bans import Bans
from bitpeer.service.every import Every
from bitpeer.service.eviction import Guest, guest_to_evict
from bitpeer.service.merits import Merits
from bitpeer.service.origins import Origin, origin_of
from bitpeer.service.visits import Visits

MAX_INBOUND = 117
"""Most peers to accept, unless somebody says otherwise: what Core leaves of 125."""
MAX_PER_HOST = 5
"""Most of them from one host, unless somebody says otherwise (dcrd)."""
MAX_PER_PREFIX = 10
"""Most of them from one prefix, unless somebody says otherwise."""
MAX_STRANGERS = 32
"""Most at a time whose handshake is not complete; they take no places."""
MAX_STRANGERS_PER_HOST = 3
"""Most of them from one host."""
PATIENCE = 3.0
"""Seconds after which a stranger is the first to give way: honest ones need less than one."""
PERIOD = 60.0
"""Seconds between two lines about those who were turned away."""

_RANDOM = SystemRandom()


class Refusal(Enum):
    """Why somebody was turned away.  The value is what people are told."""

    FULL = "no place was left"
    HOST = "too many of one host"
    PREFIX = "too many of one prefix"
    STRANGERS = "too many strangers of one host"
    BANNED = "banned"
    DISCOURAGED = "discouraged, and no place was left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many may come in.  Infinity stands for no limit.

    Those who come from this machine are not counted by host and prefix: all who come
    through a proxy or an onion service seem to be here.
    """

    most: float = inf
    """Peers in all, not counting strangers, whose handshake is not complete."""
    per_host: float = inf
    """Connections from one host, which is an IPv4 address or 64 bits of an IPv6 one."""
    per_prefix: float = inf
    """Connections from one prefix, which is an IPv4 /24 or an IPv6 /48."""
    strangers: float = MAX_STRANGERS
    """Strangers at a time, in all."""
    strangers_per_host: float = MAX_STRANGERS_PER_HOST
    """Strangers at a time, from one host."""

    def within(self, room: float) -> Limits:
        """Return these limits, lowered so that there are at most *room* connections (R-J8)."""
        if room == inf:
            return self
        strangers = min(self.strangers, max(room // 4, 1))
        return replace(self, most=min(self.most, max(room - strangers, 0)), strangers=strangers)


class TurnedAway(Protocol):
    """Closes its connection at once, without a word."""

    def connectionMade(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()


@implementer(IVersionListener)
class Admission(Service, PeerListener):
    """Decides who comes in, and who leaves for it.

    A stranger becomes a guest, and takes a place, once the handshake is complete.  If no
    place is left then, somebody leaves, see `guest_to_evict`; the newcomer, if nobody
    else must.

    While it runs, it logs how many were turned away, in one line a minute however
    many they are.

    Args:
        node: whose peers.
        limits: how many may come in.
        bans: who may not.
        merits: who has been of use.
        forwarders: hosts other than this one through which strangers come.
        secret: 16 bytes that nobody else knows.
        choose: draws one of several.
        tell: is told of evictions, with a name and fields, as `Events.emit` is.
    """

    def __init__(
        self,
        node: LocalNode,
        limits: Limits,
        *,
        bans: Bans | None = None,
        merits: Merits | None = None,
        forwarders: Container[str] = (),
        secret: bytes | None = None,
        choose: Callable[[Sequence[IPeer]], IPeer] = _RANDOM.choice,
        tell: Callable[..., object] = lambda _, **__: None,
    ) -> None:
        self.limits = limits
        self.refusals: Counter[Refusal] = Counter()
        """How many were turned away, ever, and why."""
        self.evicted = 0
        """How many left for somebody else, ever."""
        self.crowded_out = 0
        """How many strangers were cut off, ever, as there were too many."""
        self._node = node
        self._bans = bans
        self._merits = merits or Merits(node.clock.seconds)
        self._forwarders = forwarders
        self._secret = secret or token_bytes(16)
        self._choose = choose
        self._tell = tell
        self._visits = Visits()
        self._logged: Counter[Refusal] = Counter()
        """How many of those turned away have been in a line."""
        self._cut = 0
        self._went = 0
        """How many of those evicted have."""
        self._lines = Every(node.clock, PERIOD, self.log_line, node.journal)
        node.add_listener(self)
        if bans is not None:
            bans.watchers.append(self.part_with_banned)

    @property
    def turned_away(self) -> int:
        """How many were turned away, ever."""
        return self.refusals.total()

    def startService(self) -> None:
        Service.startService(self)
        self._lines.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._lines.stop()

    def log_line(self) -> None:
        """Log how many were turned away since the last line, if any, and why; or had to go."""
        since, self._logged = self.refusals - self._logged, self.refusals.copy()
        if since:
            self._node.journal.emit(
                LogLevel.info,
                "{count} connections turned away: {why}",
                count=since.total(),
                why="; ".join(f"{why.value} ({count})" for why, count in since.most_common()),
            )
        cut, self._cut = self.crowded_out - self._cut, self.crowded_out
        if cut:
            text = (
                "{count} strangers were cut off, as others came before they had said who they are"
            )
            self._node.journal.emit(LogLevel.info, text, count=cut)
        went, self._went = self.evicted - self._went, self.evicted
        if went:
            text = "{count} peers had to go, as others came and the house is full"
            self._node.journal.emit(LogLevel.info, text, count=went)

    # At the door

    def origin(self, address: object) -> Origin:
        """Return the origin of whoever comes from a transport's *address*."""
        return origin_of(getattr(address, "host", ""), self._forwarders)

    def admits(self, origin: Origin) -> bool:
        """Return whether one more stranger may come in from *origin*; count it if not."""
        refusal = self._refusal(origin)
        if self._visits.strangers_of_host(origin) >= self.limits.strangers_per_host:
            refusal = refusal or Refusal.STRANGERS
        if refusal is not None:
            self.refusals[refusal] += 1
        return refusal is None

    def entered(self, peer: IPeer, origin: Origin) -> None:
        """Take note of a stranger who came in from *origin*; another may have to leave for it."""
        self._make_room()
        self._visits.begin(peer, origin, self._node.clock.seconds())

    def _refusal(self, origin: Origin) -> Refusal | None:
        """Return why nobody may come in from *origin* now."""
        if origin.local:
            return None
        if self._is_banned(origin):
            return Refusal.BANNED
        if self._visits.of_host(origin) >= self.limits.per_host:
            return Refusal.HOST
        if self._visits.of_prefix(origin) >= self.limits.per_prefix:
            return Refusal.PREFIX
        if len(self._visits.guests) >= self.limits.most and self._is_discouraged(origin):
            return Refusal.DISCOURAGED
        return None

    def _make_room(self) -> None:
        """If there are too many strangers, part with one.

        With the oldest, if it had time enough; otherwise with one drawn by lot from the
        network group that has the most.  Whoever opens connections faster than that makes
        others fail now and then, but keeps nobody out.
        """
        strangers = self._visits.strangers
        if len(strangers) < self.limits.strangers:
            return
        peer, oldest = next(iter(strangers.items()))
        if self._node.clock.seconds() < oldest.since + PATIENCE:
            sizes = Counter(visit.origin.group for visit in strangers.values())
            most = max(sizes.values())
            drawn = [each for each, visit in strangers.items() if sizes[visit.origin.group] == most]
            peer = self._choose(drawn)
        self.crowded_out += 1
        self._part_with(peer)

    def _is_banned(self, origin: Origin) -> bool:
        return self._bans is not None and self._bans.is_banned(origin.address)

    def _is_discouraged(self, origin: Origin) -> bool:
        return self._bans is not None and self._bans.is_discouraged(origin.address)

    # Inside

    def version_received(self, peer: IPeer, version: VersionLike) -> None:
        """*peer* introduced itself: make sure that it comes from where it seemed to.

        Behind a load balancer only the first bytes tell.

        Raises:
            Refused: nobody may come in from where it really comes from.
        """
        visit = self._visits.strangers.get(peer)
        transport = cast(PeerProtocol, peer).transport
        if visit is None or transport is None:
            return
        origin = self.origin(transport.getPeer())
        if origin != visit.origin:
            self._visits.end(peer)
            refusal = self._refusal(origin)
            self._visits.begin(peer, origin, visit.since)
            if refusal is not None:
                self.refusals[refusal] += 1
                raise Refused(refusal.value)

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        """Give *peer* a place."""
        visit = self._visits.introduce(peer)
        if visit is None or len(self._visits.guests) <= self.limits.most:
            return
        others = self._guests_beside(peer)
        leaves = None if self._is_discouraged(visit.origin) else self._whom_to_evict(others)
        if leaves is None:
            self.refusals[Refusal.FULL] += 1
            self._part_with(peer)
            return
        self.evicted += 1
        self._tell("peer.evicted", peer=leaves.id, addr=leaves.address, newcomer=peer.id)
        self._part_with(leaves)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        self._visits.end(peer)

    def part_with_banned(self) -> None:
        """Part with everybody who is banned now."""
        visits = {**self._visits.strangers, **self._visits.guests}
        for peer, visit in visits.items():
            if self._is_banned(visit.origin):
                self._part_with(peer)

    def _whom_to_evict(self, guests: dict[Guest, IPeer]) -> IPeer | None:
        guest = guest_to_evict(guests, self._secret)
        return None if guest is None else guests[guest]

    def _guests_beside(self, newcomer: IPeer) -> dict[Guest, IPeer]:
        guests = {}
        for peer, visit in self._visits.guests.items():
            if peer is not newcomer:
                guest = Guest(
                    id=visit.number,
                    group=visit.origin.group,
                    network=visit.origin.network,
                    latency=_latency(peer),
                    useful_at=self._merits.at(peer),
                    discouraged=self._is_discouraged(visit.origin),
                )
                guests[guest] = peer
        return guests

    def _part_with(self, peer: IPeer) -> None:
        """Cut the connection, without waiting for a peer that may not read."""
        self._visits.end(peer)
        peer.disconnect()
        transport = cast(PeerProtocol, peer).transport
        if transport is not None:
            cast(ITCPTransport, transport).abortConnection()


class GuardedFactory(Factory):
    """Makes peers of those who are admitted.

    Args:
        peers: makes them.
        admission: decides.
    """

    noisy = False

    def __init__(self, peers: PeerFactory, admission: Admission) -> None:
        self._peers = peers
        self._admission = admission

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        origin = self._admission.origin(addr)
        if not self._admission.admits(origin):
            # None would be enough for a bare port, but not for TLS around it.
            return TurnedAway()
        peer = self._peers.buildProtocol(addr)
        self._admission.entered(peer, origin)
        return peer


def _latency(peer: IPeer) -> float:
    keepalive = cast(PeerProtocol, peer).machine.keepalive
    return inf if keepalive is None or keepalive.min_latency is None else keepalive.min_latency
