"""Keeps peers whom nobody named: finds them, dials them, replaces them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import inf
from secrets import SystemRandom
from typing import Protocol as Shape, cast

from twisted.application.service import Service
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IProtocol
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, DisconnectReason, ProxyFailed, Refused, TorUnavailable
from bitpeer.net.connect import why_not
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer, IVersionListener
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.net.routes import Routes, is_direct
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.anchors import Anchors
from bitpeer.service.bans import Bans
from bitpeer.service.detour import detour
from bitpeer.service.every import Every
from bitpeer.service.knownaddress import KnownAddress
from bitpeer.service.merits import Merits
from bitpeer.service.reasons import reason_of
from bitpeer.service.rests import Rests
from bitpeer.service.seeds import Address
from bitpeer.service.selection import Selection
from bitpeer.service.slots import CONNECTION_TYPE, Kind, Slot, counted
from bitpeer.service.staleness import Staleness, least_useful

FULL, BLOCK_ONLY = 8, 2
"""Peers to keep for everything, and for blocks only, unless somebody says otherwise (Core)."""
PERIOD = 1.0
"""Seconds between two looks for peers that are missing."""
IDLE = 10.0
"""Seconds between two looks when there was nothing to dial, unless something happens."""
STEADY = 60.0
"""Seconds after which an established connection counts as a success."""
TRIAL = 60.0
"""Seconds that an additional peer has to show that it knows of newer blocks."""
NEXT_TRIAL = 600.0
"""Seconds after such a trial before there is another (Core)."""
SUSPICIOUS = 24
"""Dials in a row without any connection after which the log says so, once."""

_RANDOM = SystemRandom()


class Source(Shape):
    """Something that finds addresses when there is none left to dial; `Seeds`, say."""

    def ask(self, found: Callable[[Sequence[Address]], object]) -> bool:
        """Look for addresses, unless it is too soon, and call *found* with them."""
        ...

    def satisfied(self) -> None:
        """Take note that they were good."""

    def stop(self) -> None:
        """Give up looking."""


@implementer(IVersionListener)
class Outbound(Service, PeerListener):
    """Keeps connections to peers that are picked from an address book.

    Each in a network group of its own, those of peers whom the operator named included
    (R-E1).  A peer that is lost is replaced within a second, by another one; the address
    rests, ever longer.  Peers for blocks only take part in nothing else, and are the
    first to be dialled after a restart.  If there has been no new block for long, one
    more peer is tried for a while, and then the least useful one must go.

    Args:
        node: what all peers of the network share.
        book: the addresses; tells, too, which may be dialled at all (R-E2).
        routes: how to dial; addresses to which they do not lead are passed over.
        seeds: asked for addresses when there is none to dial.
        full: how many peers to keep for everything.
        block_only: how many more to keep for blocks only.
        wanted: services that each of these must offer; what others say of it is but a
            hint (R-E3).
        bans: who is not dialled.
        merits: who has been of use.
        anchors: keeps the peers for blocks over a restart.
        stale_after: seconds without a new block after which one more peer is tried.
        group_of: what must be different for all of them.
        is_own: tells whether an address is this program's own.
        draw: returns a random number, 0 <= x < 1.
        tell: is told of peers that are let go, with a name and fields, as `Events.emit` is.
    """

    def __init__(
        self,
        node: LocalNode,
        book: AddressBook,
        routes: Routes,
        seeds: Source,
        *,
        full: int = FULL,
        block_only: int = BLOCK_ONLY,
        wanted: int = 0,
        bans: Bans | None = None,
        merits: Merits | None = None,
        anchors: Anchors | None = None,
        stale_after: float = inf,
        group_of: Callable[[KnownAddress], Hashable] = lambda known: known.group,
        is_own: Callable[[Address], bool] = lambda _: False,
        draw: Callable[[], float] = _RANDOM.random,
        tell: Callable[..., object] = lambda _, **__: None,
    ) -> None:
        self.full = full
        self.block_only = block_only
        self._node = node
        self._book = book
        self._routes = routes
        self._seeds = seeds
        self._wanted = wanted
        self._bans = bans
        self._merits = merits or Merits(node.clock.seconds)
        self._anchors = anchors
        self._tell = tell
        self._rests = Rests(draw)
        self._selection = Selection(
            node,
            book,
            routes,
            self._rests,
            wanted=wanted,
            bans=bans,
            group_of=group_of,
            is_own=is_own,
        )
        self._slots: set[Slot] = set()
        """Those that are being dialled or are connected."""
        self._of_peer: dict[IPeer, Slot] = {}
        self._first: list[Slot] = []
        """What to dial before anything is picked."""
        self._staleness = Staleness(node.newest_block, stale_after, node.clock.seconds())
        self._next_trial = -inf
        self._idle = (0, -inf)
        """How many addresses the book had when there was none to dial, and until when to wait."""
        self._in_vain = 0
        self._looks = Every(node.clock, PERIOD, self._look, node.journal)
        node.add_listener(self)
        if bans is not None:
            bans.watchers.append(self._part_with_banned)

    @property
    def known(self) -> int:
        """How many addresses are known."""
        return len(self._book)

    def startService(self) -> None:
        Service.startService(self)
        for address in () if self._anchors is None else self._anchors.take():
            self._dial_soon(Kind.BLOCK_ONLY, address)
        self._looks.start()
        self._look()

    def stopService(self) -> None:
        """Dial no more; connections that are there stay."""
        Service.stopService(self)
        self._looks.stop()
        self._seeds.stop()
        self._first.clear()
        if self._anchors is not None:
            self._anchors.keep(
                slot.known.address
                for slot in self._of_peer.values()
                if slot.kind is Kind.BLOCK_ONLY and slot.established_at is not None
            )
        for slot in list(self._slots):
            if slot.dial is not None:
                slot.dial.cancel()

    def learn(self, addresses: Iterable[Address]) -> int:
        """Put *addresses* that the seeds told into the book; return how many are new."""
        return self._book.learn(addresses, "seeds", self._now())

    def feel(self) -> bool:
        """See whether somebody answers at an address of which nobody knows.

        Returns:
            Whether there is one, and nothing of the kind is under way.
        """
        if counted(self._slots, Kind.FEELER):
            return False
        slot = self._selection.pick_to_test(self._slots, self._now())
        if slot is None:
            return False
        self._dial(slot)
        return True

    # Whom to dial

    def _look(self) -> None:
        """Dial until there are enough; part with who is too many."""
        now = self._now()
        self._end_trial(now)
        if self._in_vain >= SUSPICIOUS:
            self._seeds.ask(self.learn)
        known, until = self._idle
        if len(self._book) == known and now < until:
            return
        for kind in self._missing(now):
            slot = self._selection.pick(self._slots, self._first, kind, now)
            if slot is None:
                self._idle = len(self._book), now + IDLE
                self._seeds.ask(self.learn)
                return
            self._dial(slot)

    def _missing(self, now: float) -> Iterator[Kind]:
        """Yield what should be dialled for, as long as something should."""
        on_trial = int(now >= self._next_trial and self._staleness.is_stale(now))
        wanted = {Kind.FULL: self.full + on_trial, Kind.BLOCK_ONLY: self.block_only}
        urgent = {slot.kind for slot in self._first}
        for kind in sorted(wanted, key=lambda kind: kind not in urgent):
            for _ in range(wanted[kind] - counted(self._slots, kind)):
                yield kind

    def _dial_soon(self, kind: Kind, address: Address, *, is_detour: bool = False) -> None:
        """Dial *address* before anything else, if it may be dialled at all (R-E2)."""
        known = self._book.look_up(address) or KnownAddress.of(*address, self._book.fit)
        if known is not None:
            self._first.append(Slot(kind, known, is_detour))

    # How it goes

    def _dial(self, slot: Slot) -> None:
        host, port = slot.known.address
        name = _named(slot.known.address)
        quiet = slot.kind is not Kind.FULL
        factory = PeerFactory(self._node, outbound=True, dialled=name, quiet=quiet)
        self._slots.add(slot)
        self._node.dialling(name)
        self._book.attempted(slot.known.address, self._now())
        # Whatever the routes object to, such as a port that no proxy takes, is a failed dial.
        slot.dial = maybeDeferred(lambda: self._routes.endpoint(host, port).connect(factory))
        slot.dial.addBoth(self._answered, slot)

    def _answered(self, result: IProtocol | Failure, slot: Slot) -> None:
        slot.dial = None
        if isinstance(result, Failure):
            self._unreachable(result, slot)
            return
        self._in_vain = 0
        self._rests.answered(self._now())
        peer = cast(PeerProtocol, result)
        self._of_peer[peer] = slot
        peer.facts[CONNECTION_TYPE] = slot.kind.value

    def version_received(self, peer: IPeer, version: VersionLike) -> None:
        """Look whether *peer* offers what is wanted, whatever was said of it (R-E3).

        Raises:
            Refused: it does not.
        """
        slot = self._of_peer.get(peer)
        missing = self._wanted & ~version.services
        if slot is not None and slot.kind is not Kind.FEELER and missing:
            self._book.connected(slot.known.address, self._now(), version.services)
            raise Refused(f"it does not offer {self._names(missing)}")

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        """Take note of a success; it is all that was wanted of a feeler."""
        slot = self._of_peer.get(peer)
        if slot is None:
            return
        slot.established_at = self._now()
        self._book.connected(slot.known.address, self._now(), version.services)
        self._seeds.satisfied()
        if slot.kind is Kind.FEELER:
            peer.disconnect()

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Let the address rest; its place is free."""
        slot = self._of_peer.pop(peer, None)
        if slot is None:
            return
        self._over(slot, reason.reason)
        if self._node.config.follow_redirects and not slot.is_detour:
            place = detour(cast(PeerProtocol, peer))
            if place is not None and not self._leads_out(slot.known.address, place):
                self._book.learn((place,), slot.known.address.host, self._now())
                self._dial_soon(slot.kind, place, is_detour=True)

    def _leads_out(self, first: Address, second: Address) -> bool:
        """Whether following from *first* leads nowhere, or out of its proxy (R-F5)."""
        if not self._routes.reaches(second.host):
            return True
        proxied = not is_direct(self._routes.endpoint(*first))
        return proxied and is_direct(self._routes.endpoint(*second))

    def _unreachable(self, failure: Failure, slot: Slot) -> None:
        asked, reason = not failure.check(ProxyFailed, TorUnavailable), why_not(failure.value)
        self._over(slot, reason, asked=asked)
        if self.running:  # or it was this side that wanted it no more
            self._node.unreachable(_named(slot.known.address), reason)
        self._in_vain += 1
        if self._in_vain == SUSPICIOUS and self.running:
            self._node.journal.emit(
                LogLevel.warn,
                "{count} addresses in a row could not be reached, the last because: {why}",
                count=SUSPICIOUS,
                why=reason_of(failure),
            )

    def _over(self, slot: Slot, reason: DisconnectReason, *, asked: bool = True) -> None:
        """Take note that a connection ended, or never was; that is a failure if it was *asked*."""
        self._slots.discard(slot)
        self._idle = (0, -inf)
        address, now = slot.known.address, self._now()
        if slot.established_at is None:
            if self.running and asked:
                self._book.failed(address, now)
        elif slot.kind is Kind.FEELER or now - slot.established_at >= STEADY:
            self._rests.forgive(address)
        if slot.kind is not Kind.FEELER or slot.established_at is None:
            self._rests.begin(address, reason, now)

    # With whom to part

    def _end_trial(self, now: float) -> None:
        """If there is one peer more than wanted, and all had time to prove themselves, part."""
        since = {
            peer: slot.established_at
            for peer, slot in self._of_peer.items()
            if slot.kind is Kind.FULL and slot.established_at is not None and peer.established
        }
        if len(since) <= self.full or now - max(since.values()) < TRIAL:
            return
        worst = least_useful(since, self._merits.at)
        self._next_trial = now + NEXT_TRIAL
        text = "{peer} has to go: of {count}, it told us of new blocks least"
        self._node.journal.emit(LogLevel.info, text, peer=str(worst), count=len(since))
        self._tell("peer.replaced", peer=worst.id, addr=worst.address)
        worst.disconnect()

    def _part_with_banned(self) -> None:
        for peer, slot in list(self._of_peer.items()):
            if self._bans is not None and self._bans.is_banned(slot.known.address.host):
                peer.disconnect()

    def _names(self, services: int) -> str:
        """Return what people call some services."""
        names = self._node.config.network.dialect.service_bits
        bits = (1 << bit for bit in range(64) if services >> bit & 1)
        return ", ".join(names.get(bit, f"service {bit:#x}") for bit in bits)

    def _now(self) -> float:
        return self._node.clock.seconds()


def _named(address: Address) -> str:
    """Return an address as people write it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
