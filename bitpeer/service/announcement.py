"""Tells peers where this node can be found: those, and only those, who may know."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import inf, log
from secrets import SystemRandom

from twisted.application.service import Service

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode
from bitpeer.net.onion import Published
from bitpeer.service.every import Every

PERIOD = 60.0
"""Seconds between two looks for peers that are to be told."""
AGAIN = 86_400.0
"""Seconds, on average, before the same peer is told again (Core's broadcast of its address)."""

_RANDOM = SystemRandom()
_ONION = re.compile(r"\b[a-z2-7]{56}\.onion(?![\w.-])", re.IGNORECASE)


class Announcement(Service, PeerListener):
    """Pushes the addresses of our onion services to peers: at first, and about once a day.

    Only to those who are talked to through onion services themselves, ours or theirs:
    anybody else would learn that the node at this IP address and the one behind that
    name are the same (Core does so, too).  Nor to those whose version has no words for
    such an address.

    Args:
        node: whose peers are told.
        own: returns the onion services that there are now.
        write: makes of host, port, services and time, in seconds since 1970, an address
            as the messages of this network have it, such as ``NodeAddress.of``.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        node: LocalNode,
        own: Callable[[], Sequence[Published]],
        write: Callable[[str, int, int, int], object],
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._node = node
        self._own = own
        self._write = write
        self._draw = draw
        self._due: dict[IPeer, float] = {}
        self._looks = Every(node.clock, PERIOD, self._look, node.journal)
        node.add_listener(self)

    def startService(self) -> None:
        Service.startService(self)
        self._looks.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._looks.stop()

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        """Tell a new peer."""
        if self.running:
            self._tell(peer)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Forget it."""
        self._due.pop(peer, None)

    def _look(self) -> None:
        for peer in self._node.established():
            self._tell(peer)

    def _tell(self, peer: IPeer) -> None:
        now = self._node.clock.seconds()
        if now < self._due.get(peer, -inf):
            return
        services = self._node.config.services
        addresses = [
            self._write(own.host, own.port, services, int(now))
            for own in self._own()
            if _may_know(peer, own)
        ]
        if peer.push_addresses(addresses):
            self._due[peer] = now - log(1 - self._draw()) * AGAIN


def _may_know(peer: IPeer, own: Published) -> bool:
    """Whether the peer is talked to through an onion service: the one in question, or its own."""
    if peer.inbound:
        host, port = own.local
        return bool(peer.local_address == f"{host}:{port}")
    return _ONION.search(peer.address) is not None
