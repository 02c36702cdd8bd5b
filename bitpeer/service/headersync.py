"""Following the chain: asks peers for headers, one at a time until it is current, then all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise
from secrets import SystemRandom
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from zope.interface import implementer

from bitpeer.config import BlockPosition
from bitpeer.dialect import VersionLike
from bitpeer.errors import (
    BadHeader,
    Disconnected,
    DisconnectReason,
    LocalError,
    RemoteError,
    TimedOut,
    TooNew,
)
from bitpeer.messages.inventory import Inv
from bitpeer.messages.locator import NO_STOP
from bitpeer.messages.rules import Link
from bitpeer.net.interfaces import INewestBlock, IPeer
from bitpeer.net.listeners import PeerListener, Receiver
from bitpeer.net.local import LocalNode
from bitpeer.service.every import Every
from bitpeer.service.headerpartner import Partner
from bitpeer.service.headerprogress import Emit, Progress, Reports
from bitpeer.service.headers import Extension, HeaderChain, Unconnected
from bitpeer.service.presync import NotWorthIt
from bitpeer.service.turns import Turns

PERIOD = 5.0
"""Seconds between two looks at who is late."""
ANSWER_TIMEOUT = 90.0
"""Seconds within which an answer to `getheaders` is worth waiting for (btcd, dcrd)."""
TURN_BASE, TURN_PER_HEADER = 900.0, 0.004
"""Seconds that one peer may lead: so many, and for each header that is missing.  Twice what
it takes at 80 kB a second to send each of them twice."""
CURRENT = 86_400.0
"""A chain whose tip is no older than so many seconds is current: all peers are asked (Core)."""
AGAIN, AGAIN_WHEN_CURRENT = 60.0, 600.0
"""Seconds without a new header after which everybody is asked again."""
ASK_INTERVAL = 1.0
"""Seconds between two requests that the announcements of one peer cause."""
MAX_LOOK = 500
"""Items of an `inv` that are looked at for blocks: they come first, or alone."""
_RANDOM = SystemRandom()


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


@implementer(INewestBlock)
class HeaderSync(PeerListener, Service):
    """Keeps a chain of headers up to date by asking the peers of a node.

    Until the chain is current one peer at a time leads: it is asked for two thousand
    headers after the other, and when it has no more, all others are asked whether they do.
    A leader that is silent or slow gives way to the next.  From then on announcements are
    followed, whoever makes them.

    Args:
        node: whose peers; make the sync one of its listeners.
        chain: what to extend.
        discourage: told of each peer that sent what breaks the rules, and of the reason,
            before the connection is ended.
        useful: told of each peer that made the chain longer.
        changed: told of what peers should hear of, see `HeaderNews.changed`.
        emit: told of how far the chain is, as `Events.emit`; see `Reports`.
        choose: draws one of several.
    """

    def __init__(
        self,
        node: LocalNode,
        chain: HeaderChain,
        *,
        discourage: Callable[[IPeer, RemoteError], object] = _nothing,
        useful: Callable[[IPeer], object] = _nothing,
        changed: Callable[..., object] = _nothing,
        emit: Emit = _nothing,
        choose: Callable[[Sequence[Any]], Any] = _RANDOM.choice,
    ) -> None:
        self.chain = chain
        self._node = node
        self._discourage = discourage
        self._useful = useful
        self._changed = changed
        self._reports = Reports(node, emit, chain.height)
        self._choose = choose
        self._partners: dict[IPeer, Partner] = {}
        self._leader: Partner | None = None
        self._lead_until = 0.0
        self._again_at = node.clock.seconds() + AGAIN
        self._kinds: dict[type, Receiver] = {chain.rules.kind: self._headers, Inv: self._inventory}
        self._looks = Every(node.clock, PERIOD, self._look, node.journal)
        self._turns = Turns(node.clock)

    def startService(self) -> None:
        Service.startService(self)
        self._looks.start()

    def stopService(self) -> None:
        """Ask nobody any more, and leave what is half done."""
        Service.stopService(self)
        self._looks.stop()
        self._turns.stop()

    # To look at

    def newest_block(self) -> BlockPosition:
        """See `INewestBlock`."""
        return self.chain.tip

    @property
    def current(self) -> bool:
        """Whether the newest block is no older than a day, and the chain's work is credible."""
        age = self._node.clock.seconds() - self.chain.tip_time
        return age < CURRENT and self.chain.credible

    @property
    def leader(self) -> IPeer | None:
        """The peer that is asked for one message of headers after the other, if there is one."""
        return None if self._leader is None else self._leader.peer

    def progress(self) -> Progress:
        """Return how far the chain is."""
        height = self.chain.height
        claims = (partner.peer.known_height for partner in self._partners.values())
        presync = None if self._leader is None else self._leader.presync
        return Progress(
            height=height,
            best_known=max([height, *claims]),
            tip_time=self.chain.tip_time,
            rate=self._reports.rate,
            weighed=None if presync is None or presync.weighed else presync.height,
            current=self.current,
        )

    # What peers do

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        """Ask the new peer, if that makes sense now."""
        self._partners[peer] = Partner(peer, self._node.clock.seconds())
        self._go_on()

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Ask somebody else, if this one was asked."""
        partner = self._partners.pop(peer, None)
        if partner is not None and partner is self._leader:
            self._leader = None
            self._go_on()

    def receiver(self, kind: type) -> Receiver | None:
        """See `PeerListener.receiver`."""
        return self._kinds.get(kind)

    def _inventory(self, peer: IPeer, message: Inv) -> None:
        """Ask for the headers of blocks that are new; those who lead will get there anyway."""
        partner = self._partners.get(peer)
        blocks = self._node.config.network.dialect.urgent
        first = message.items[:MAX_LOOK]
        announced = [item.hash for item in first if item.kind in blocks]
        if partner is None or not announced:
            return
        peer.update_last_announced_block(announced[-1])
        if self.chain.find(announced[-1]) is None:
            self._prompt(partner)

    async def _headers(self, peer: IPeer, message: Any) -> None:
        partner = self._partners.get(peer)
        if partner is None:
            return
        try:
            await self._take(partner, message.headers)
        except (NotWorthIt, Unconnected, TooNew) as why:
            self._exhaust(partner)
            self._node.journal.emit(
                LogLevel.debug, "{peer} has no chain worth keeping: {why}", peer=str(peer), why=why
            )
        except BadHeader as error:
            self._blame(partner, error)
        except sqlite3.Error as error:  # a full disk, most likely: later it may do
            self._exhaust(partner)
            text = "headers of {network} cannot be kept: {why}"
            title = self._node.config.network.title
            self._node.journal.emit(LogLevel.warn, text, network=title, why=error)
        except CancelledError:  # it has been stopped meanwhile
            return
        self._go_on()

    # What comes

    async def _take(self, partner: Partner, headers: Sequence[Any]) -> None:
        """Make use of one message, in slices that keep nobody else waiting for long.

        Raises:
            BadHeader: it breaks the rules.
            TooNew: it ends in the future; what comes before has been kept.
            NotWorthIt: there is too little work behind it.
            Unconnected: what it goes on with has been forgotten meanwhile.
        """
        if not partner.waiting:
            wait = partner.spend(len(headers), self._node.clock.seconds())
            if wait:
                await self._turns.pause(wait)
        if not headers:
            self._exhaust(partner)
            return
        links = await self._read(headers)
        if not self._goes_on(partner, links):
            self._interject(partner, links[-1])
            return
        partner.asked_at, partner.strangers = None, 0
        full = len(links) >= self.chain.rules.limit
        if partner.presync is not None:
            links = partner.presync.take(links, self._node.clock.seconds())
            self._reports.weighing(self.progress())
        await self._extend(partner, links)
        self._continue(partner, links, full)

    def _goes_on(self, partner: Partner, links: Sequence[Link]) -> bool:
        """Return whether *links* go on where this peer left off, or with what is known.

        A new block that is announced meanwhile does not.  A chain that is too low for
        what is known begins to be weighed here.

        Raises:
            NotWorthIt: it is too low, and at its end.
        """
        if partner.presync is not None:
            return links[0].previous == partner.presync.next_after
        base = self.chain.find(links[0].previous)
        if base is None:
            return False
        work = base.work + sum(link.work for link in links)
        if work < self.chain.threshold and self.chain.find(links[-1].hash) is None:
            if len(links) < self.chain.rules.limit:
                raise NotWorthIt("it ends too early")
            partner.weigh(self.chain, base, self._node.clock.seconds())
        return True

    async def _read(self, headers: Sequence[Any]) -> list[Link]:
        """Return the headers of a message, which have their work and follow each other.

        Raises:
            BadHeader: they do not.
        """
        links: list[Link] = []
        async for part in self._turns.slices(headers, self.chain.rules.per_turn):
            links += self.chain.rules.links(part)
        for before, link in pairwise(links):
            if link.previous != before.hash:
                raise BadHeader(link.hash, "it does not follow the one before it")
        return links

    def _continue(self, partner: Partner, links: Sequence[Link], full: bool) -> None:
        """Ask for what comes next, if there is more and this peer is to tell."""
        presync = partner.presync
        if presync is not None:
            if presync.done:
                partner.presync = None
            elif not full and not presync.weighed:
                raise NotWorthIt("it ends too early")
            self._ask(partner, [presync.next_after, *self.chain.locator()])
        elif not full:
            self._exhaust(partner)
        elif self._leader in (None, partner) or self.current:
            self._ask(partner, [links[-1].hash, *self.chain.locator()])

    async def _extend(self, partner: Partner, links: Sequence[Link]) -> None:
        """Let the chain have *links*, and say what came of it."""
        async for part in self._turns.slices(links, self.chain.rules.per_turn):
            now = self._node.clock.seconds()
            try:
                self._learned(partner, self.chain.extend(part, now))
            except TooNew as error:
                names = [link.hash for link in part]
                good = part[: names.index(error.block)]
                if good:
                    self._learned(partner, self.chain.extend(good, now))
                raise

    def _learned(self, partner: Partner, extension: Extension) -> None:
        added, withdrawn, end = extension
        partner.peer.update_last_block(end.height)
        if not added:
            return
        self._useful(partner.peer)
        self._postpone()
        if withdrawn:
            self._reports.reorganised(extension)
        self._reports.progressed(self.progress())
        self._changed(partner.peer, withdrawn, current=self.current)

    def _interject(self, partner: Partner, link: Link) -> None:
        """See what to do about headers that follow nothing that is known."""
        partner.peer.update_last_announced_block(link.hash)
        if not partner.waiting:
            self._prompt(partner)
        elif partner.interjected():
            raise BadHeader(link.hash, "it follows nothing, and neither did those before")
        else:  # the answer will come, and may not tell of this block
            partner.has_more = True

    def _blame(self, partner: Partner, error: BadHeader) -> None:
        """End the connection to a peer that broke the rules."""
        self._exhaust(partner)
        self._discourage(partner.peer, error)
        partner.peer.fail(error)

    # Whom to ask

    def _go_on(self) -> None:
        """Find somebody to ask."""
        for partner in self._unasked() if self.current else ():
            self._ask(partner)
        while self._leader is None and (candidates := self._unasked()):
            now, height = self._node.clock.seconds(), self.chain.height
            best = max(each.rank(height) for each in candidates)
            leader = self._choose([each for each in candidates if each.rank(height) == best])
            missing = max(0.0, now - self.chain.tip_time) / self.chain.rules.spacing
            self._lead_until = now + TURN_BASE + TURN_PER_HEADER * missing
            self._leader = leader
            self._ask(leader)

    def _unasked(self) -> list[Partner]:
        partners = self._partners.values()
        return [each for each in partners if not each.exhausted and not each.waiting]

    def _prompt(self, partner: Partner) -> None:
        """Ask because something new was announced, but not too often, nor aside of a leader."""
        now = self._node.clock.seconds()
        if self._leader not in (None, partner) and not self.current:
            return
        if not partner.waiting and now >= partner.prompted_at + ASK_INTERVAL:
            partner.prompted_at = now
            self._ask(partner)
        else:
            partner.has_more = True

    def _ask(self, partner: Partner, locator: Sequence[bytes] | None = None) -> None:
        """Ask for headers: behind the last but one, so that the answer is never empty (Core)."""
        node = self._node
        locator = self.chain.locator(self.chain.height - 1) if locator is None else locator
        build = node.config.network.dialect.get_headers
        partner.exhausted, partner.asked_at = False, node.clock.seconds()
        try:
            partner.peer.send(build(node.protocol_version, tuple(locator), NO_STOP))
        except LocalError:  # of a kind that cannot be asked
            self._exhaust(partner)

    def _exhaust(self, partner: Partner) -> None:
        """Ask this peer no more for now."""
        partner.exhausted, partner.presync, partner.asked_at = True, None, None
        if partner is self._leader:
            self._leader = None

    # What time brings

    def _look(self) -> None:
        now = self._node.clock.seconds()
        for partner in list(self._partners.values()):
            if partner.asked_at is not None and now >= partner.asked_at + ANSWER_TIMEOUT:
                self._late(partner)
            if partner.has_more:
                partner.exhausted = partner.has_more = False
        leader = self._leader
        if leader is not None:
            if now >= self._lead_until and self._unasked():
                self._exhaust(leader)  # slow, or endless
        elif now >= self._again_at and not self._unasked():
            self._postpone()
            for partner in self._partners.values():
                partner.exhausted = False
        self._go_on()

    def _postpone(self) -> None:
        """Do not ask everybody again too soon."""
        wait = AGAIN_WHEN_CURRENT if self.current else AGAIN
        self._again_at = self._node.clock.seconds() + wait

    def _late(self, partner: Partner) -> None:
        """Give up waiting; a leader for whom somebody else can stand in has to go.

        Not if it dialled us: it may be one that has no headers to give, and knows it.
        """
        leads = partner is self._leader and not partner.peer.inbound
        self._exhaust(partner)
        if leads and self._unasked():
            partner.peer.fail(TimedOut(DisconnectReason.STALLED, "headers", ANSWER_TIMEOUT))
