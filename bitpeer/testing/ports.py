"""Doors of imaginary hosts, and the attempts to come in through them."""
# ruff: noqa: N802  # names that Twisted gives

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.base import BaseConnector
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import (
    ConnectionRefusedError as Refused,
    DNSLookupError,
    TimeoutError as TimedOut,
)
from twisted.internet.interfaces import IListeningPort, IProtocol, IProtocolFactory
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.testing.lane import End, Lane
from bitpeer.testing.transport import SimulatedTransport

if TYPE_CHECKING:
    from bitpeer.testing.host import Host

TCPAddress = IPv4Address | IPv6Address

FIRST_RETRY, LAST_RETRY = 1.0, 64.0
"""Seconds before an attempt that was lost on the way is repeated, doubled each time; after the
longest it is given up, as Linux does."""
ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # compared with, not bound to
"""Interfaces that stand for all of them."""


def tcp_address(host: str, port: int) -> TCPAddress:
    """Return an address as Twisted has it."""
    return IPv6Address("TCP", host, port) if ":" in host else IPv4Address("TCP", host, port)


@implementer(IListeningPort)
class Door:
    """A port that is listened on.

    Args:
        host: where.
        number: of the port.
        factory: builds a protocol for each connection.
        interface: the address that must have been dialled; empty for any.
    """

    def __init__(
        self, host: Host, number: int, factory: IProtocolFactory, interface: str = ""
    ) -> None:
        self.factory = factory
        self._host = host
        self._number = number
        self._interface = interface

    def startListening(self) -> None:
        self._host.doors[self._number] = self
        self.factory.doStart()

    def stopListening(self) -> Deferred[None]:
        if self._host.doors.pop(self._number, None) is not None:
            self.factory.doStop()
        return succeed(None)

    def getHost(self) -> TCPAddress:
        return tcp_address(self._interface or "0.0.0.0", self._number)  # noqa: S104  # as Twisted

    def opens_to(self, address: str) -> bool:
        """Whether who dials *address* may come in here."""
        return self._interface in (*ANYWHERE, address)


class Dial(BaseConnector):
    """An attempt to connect, and the connection if it comes to one: Twisted's `IConnector`.

    Args:
        host: who dials.
        target: the address or the name that is dialled.
        port: the number of the port there.
        factory: builds the protocol.
        timeout: seconds that it may take.
    """

    def __init__(
        self, host: Host, target: str, port: int, factory: ClientFactory[Any], timeout: float
    ) -> None:
        super().__init__(factory, timeout, host)  # type: ignore[arg-type]  # all it needs of it
        self.host = host
        self.target = target
        self.port = port

    def _makeTransport(self) -> Attempt:  # type: ignore[override]  # what it needs of a client
        return Attempt(self)

    def getDestination(self) -> TCPAddress:
        return tcp_address(self.target, self.port)


class Attempt:
    """The first packets of a connection: repeated when they are lost, then given up.

    Args:
        dial: told how it ends.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._host = dial.host
        self._over = False
        self._retry = FIRST_RETRY
        self._here = self._there = tcp_address("0.0.0.0", 0)  # noqa: S104  # nowhere yet
        self._after(0.0, self._begin)

    def failIfNotConnected(self, error: BaseException) -> None:
        """Give up, unless there is a connection already."""
        if not self._over:
            self._over = True
            self._dial.connectionFailed(Failure(error))

    def _after(self, seconds: float, act: Callable[[], object]) -> None:
        timeline = self._host.timeline
        timeline.at(timeline.now + seconds, self._host.number, act)

    def _begin(self) -> None:
        address = self._host.simulation.look_up(self._dial.target)
        if address is None:
            self.failIfNotConnected(DNSLookupError(self._dial.target))
            return
        here, port, seed = self._host.new_connection(address)
        self._here = tcp_address(here, port)
        self._there = tcp_address(address, self._dial.port)
        self._knock(seed)

    def _knock(self, seed: str) -> None:
        """The first packet leaves."""
        if self._over:
            return
        target = self._host.find(self._there.host)
        if target is None or not self._host.simulation.reaches(self._host, target):
            if self._retry > LAST_RETRY:
                self.failIfNotConnected(TimedOut())
                return
            self._after(self._retry, lambda: self._knock(seed))
            self._retry *= 2
            return
        forth = Lane(self._host, target, f"{seed} forth")
        back = Lane(target, self._host, f"{seed} back")
        self._after(forth.delay(), lambda: self._knocked(forth, back))

    def _knocked(self, forth: Lane, back: Lane) -> None:
        """It has come to the other end."""
        delay = back.delay()
        door = back.source.doors.get(self._dial.port) if back.source.running else None
        if door is None or not door.opens_to(self._there.host):
            self._after(delay, lambda: self.failIfNotConnected(Refused()))
            return
        theirs = SimulatedTransport(
            back.source, self._there, self._here, outward=back, inward=forth
        )
        ours = SimulatedTransport(
            self._host,
            self._here,
            self._there,
            outward=forth,
            inward=back,
            gone=self._dial.connectionLost,
        )
        forth.connect(ours, theirs)
        back.connect(theirs, ours)
        back.begin_at(back.source.timeline.now + delay)
        self._after(delay, lambda: self._connected(ours, forth))
        _begin(theirs, door.factory.buildProtocol(self._here))

    def _connected(self, ours: SimulatedTransport, forth: Lane) -> None:
        """The answer has come back."""
        if self._over:
            forth.end(End.RST)
            return
        self._over = True
        self._dial.transport = ours  # type: ignore[assignment]  # what it needs of a client
        _begin(ours, self._dial.buildProtocol(self._there))


def _begin(transport: SimulatedTransport, protocol: IProtocol | None) -> None:
    """Introduce *transport* to *protocol*; close it if nobody wants it."""
    transport.begin(protocol or Protocol())
    if protocol is None:
        transport.loseConnection()
