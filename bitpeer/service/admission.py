"""Who may come in: so many peers at a time, and so many of them from one host."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address
from math import inf
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import LogLevel

from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.service.every import Every

MAX_INBOUND = 117
"""Most peers to accept, unless somebody says otherwise: what Core leaves of 125."""
MAX_PER_HOST = 5
"""Most of them from one host, unless somebody says otherwise (dcrd)."""
PERIOD = 60.0
"""Seconds between two lines about those who were turned away."""


class TurnedAway(Protocol):
    """Closes its connection at once, without a word."""

    def connectionMade(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()


class Admission(Service):
    """Counts who is in, and turns away whoever is too many.

    While it runs, it logs how many were turned away, in one line a minute however
    many they are.

    Args:
        node: whose peers.
        most: peers in all, infinity for no limit.
        per_host: peers from one host, infinity for no limit.  This machine is exempt:
            those who come through a proxy or an onion service all seem to be here.
    """

    def __init__(self, node: LocalNode, most: float = inf, per_host: float = inf) -> None:
        self.most = most
        self.per_host = per_host
        self.turned_away = 0
        """How many, ever."""
        self._node = node
        self._hosts: Counter[str] = Counter()
        self._logged = 0
        """How many of those turned away have been in a line."""
        self._lines = Every(node.clock, PERIOD, self.log_line, node.journal)

    def startService(self) -> None:
        Service.startService(self)
        self._lines.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._lines.stop()

    def admits(self, host: str) -> bool:
        """Return whether one more may come in from *host*; count it if not."""
        full = self._hosts.total() >= self.most
        if full or (self._hosts[host] >= self.per_host and not _is_here(host)):
            self.turned_away += 1
            return False
        return True

    def entered(self, host: str) -> None:
        """Take note of one who came in from *host*."""
        self._hosts[host] += 1

    def left(self, host: str) -> None:
        """Take note that one of them is gone."""
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]

    def log_line(self) -> None:
        """Log how many were turned away since the last line, if any."""
        count, self._logged = self.turned_away - self._logged, self.turned_away
        if count:
            self._node.journal.emit(
                LogLevel.info,
                "{count} connections turned away: at most {most} peers, {per_host} of one host",
                count=count,
                most=self.most,
                per_host=self.per_host,
            )


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
        host = _host(addr)
        if not self._admission.admits(host):
            # None would be enough for a bare port, but not for TLS around it.
            return TurnedAway()
        peer = self._peers.buildProtocol(addr)
        self._admission.entered(host)
        peer.when_lost().addCallback(lambda _: self._admission.left(host))
        return peer


def _host(addr: IAddress | None) -> str:
    """Return what counts as one host: an IPv4 address, or 64 bits of an IPv6 address.

    Whoever has one address of IPv6 has at least as many as these 64 bits leave.
    """
    said = getattr(addr, "host", "")
    try:
        address = ip_address(said)
    except ValueError:  # of a socket in the file system, say
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address) if address.is_loopback else str(IPv6Address(int(address) >> 64 << 64))


def _is_here(host: str) -> bool:
    return not host or ip_address(host).is_loopback
