"""Notices what changes without anybody telling."""

from __future__ import annotations

from twisted.application.service import Service

from bitpeer.config import BlockPosition
from bitpeer.service.events import Events
from bitpeer.service.every import Every
from bitpeer.service.overview import Overview

PERIOD = 1.0
"""Seconds between two looks."""
SELDOM = 60
"""Looks from one to the next at what changes all the time."""


class Watch(Service):
    """Looks at an overview every second, and turns what is different into events.

    So that no part has to know who wants to hear of it, and nobody hears more than one event a
    second of a tip that moves two thousand blocks at a time.

    Args:
        overview: what to look at.
        events: are told.
    """

    def __init__(self, overview: Overview, events: Events) -> None:
        node = overview.node
        self._overview = overview
        self._events = events
        self._looks = Every(node.clock, PERIOD, self.look, node.journal)
        self._tip: BlockPosition
        self._doors: frozenset[str] = frozenset()
        self._known: dict[str, dict[str, int]] = {}
        self._banned: int
        self._tor: object = None
        self._count = 0

    def startService(self) -> None:
        Service.startService(self)
        self._tip = self._overview.tip
        self._banned = self._overview.bans()["banned"]
        self._looks.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._looks.stop()

    def look(self) -> None:
        """Look now."""
        self._look_at_tip()
        self._look_at_doors()
        self._look_at_bans()
        self._look_at_tor()
        if self._count % SELDOM == 0:
            self._look_at_addresses()
        self._count += 1

    def _look_at_tip(self) -> None:
        before, self._tip = self._tip, self._overview.tip
        if self._tip == before:
            return
        # A chain that gave up its tip has a lower one, or another one of the same height, on the
        # way to a longer one more often than not; the header chain itself knows better.
        self._events.emit(
            "chain.tip",
            chain=self._overview.title,
            height=self._tip.height,
            hash=self._tip.hash[::-1].hex(),
            before=before.height,
        )

    def _look_at_doors(self) -> None:
        before, self._doors = self._doors, frozenset(self._overview.listening())
        for place in sorted(self._doors - before):
            self._events.emit("listening.opened", chain=self._overview.title, addr=place)
        for place in sorted(before - self._doors):
            self._events.emit("listening.closed", chain=self._overview.title, addr=place)

    def _look_at_bans(self) -> None:
        bans = self._overview.bans()
        before, self._banned = self._banned, bans["banned"]
        if self._banned != before:
            self._events.emit("bans.known", chain=self._overview.title, **bans)

    def _look_at_tor(self) -> None:
        tor = self._overview.tor()
        before, self._tor = self._tor, tor and (tor["state"], tor["onions"])
        if tor is not None and self._tor != before:
            self._events.emit("tor.state", chain=self._overview.title, **tor)

    def _look_at_addresses(self) -> None:
        before, self._known = self._known, self._overview.addresses()
        if self._known != before:
            self._events.emit("addresses.known", chain=self._overview.title, networks=self._known)
