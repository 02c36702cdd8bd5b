"""An imaginary computer: for everything that runs on it, it is the reactor."""
# ruff: noqa: N802  # names that Twisted gives

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHostnameResolver,
    IHostResolution,
    IListeningPort,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
    IResolutionReceiver,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import ClientFactory, ServerFactory
from zope.interface import implementer

from bitpeer.testing.chance import Random
from bitpeer.testing.ports import Dial, Door, tcp_address
from bitpeer.testing.timeline import Timeline
from bitpeer.testing.transport import SimulatedTransport

if TYPE_CHECKING:
    from bitpeer.testing.simulation import Simulation

LOOPBACK = ("127.0.0.1", "::1")
FIRST_PORT, PORTS = 49_152, 16_384
"""Ports for those who dial: the first one, and how many."""


@implementer(IReactorTime, IReactorTCP, IReactorPluggableNameResolver)
class Host:
    """One computer of a `Simulation`, which makes it.

    Pass it wherever a reactor is wanted: to `peer_service`, `connect`, Twisted's
    endpoints, or as the clock of a `LocalNode`.
    """

    def __init__(self, simulation: Simulation, address: str) -> None:
        self.simulation = simulation
        self.address = address
        """Its one address; 127.0.0.1 leads to it from itself, too."""
        self.timeline: Timeline = simulation.timeline
        self.number = self.timeline.new_owner()
        self.running = True
        """Whether it has power."""
        self.doors: dict[int, Door] = {}
        self.transports: dict[SimulatedTransport, None] = {}
        """Open ends of connections, the oldest first."""
        self.random = Random(f"{simulation.seed} {address}")
        """Chance of its own, decided by the seed."""
        self.nameResolver: IHostnameResolver = Resolver(self)
        self._connections = 0

    def __repr__(self) -> str:
        return f"<host {self.address}>"

    # What tests like to have

    def client(self, target: str, port: int, timeout: float = 30.0) -> IStreamClientEndpoint:
        """Return an endpoint that dials another host, by address or by name."""
        return TCP4ClientEndpoint(self, target, port, timeout)

    def server(self, port: int) -> IStreamServerEndpoint:
        """Return an endpoint that listens here."""
        return TCP4ServerEndpoint(self, port)

    def crash(self) -> None:
        """Take the power away.

        Nothing planned happens, nobody is told, and nothing of it reaches anybody:
        connections with this host are half-open now.
        """
        self.running = False
        self.timeline.forget(self.number)
        self.doors.clear()
        for transport in self.transports:
            transport.forget()
        self.transports.clear()

    def reboot(self) -> None:
        """Give the power back: the host answers again, and knows of no connection."""
        self.running = True
        self.simulation.let_flow()

    # IReactorTime

    def seconds(self) -> float:
        return self.timeline.now

    def callLater(
        self,
        delay: float,
        callable: Callable[..., Any],  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        return self.timeline.call_later(self.number, delay, callable, args, kwargs)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return self.timeline.delayed_calls(self.number)

    # IReactorTCP

    def listenTCP(
        self, port: int, factory: ServerFactory, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        if not port:
            port = next(free for free in range(FIRST_PORT, 1 << 16) if free not in self.doors)
        if port in self.doors:
            raise CannotListenError(interface, port, OSError("address already in use"))
        door = Door(self, port, factory, interface)
        door.startListening()
        return door

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: ClientFactory[Any],
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | None = None,  # noqa: N803
    ) -> Dial:
        dial = Dial(self, host, port, factory, timeout)
        dial.connect()
        return dial

    # IReactorPluggableNameResolver

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        before, self.nameResolver = self.nameResolver, resolver
        return before

    # For those who dial

    def find(self, address: str) -> Host | None:
        """Return the host at *address*, as seen from here."""
        return self if address in LOOPBACK else self.simulation.hosts.get(address)

    def new_connection(self, target: str) -> tuple[str, int, str]:
        """Return address and port for a connection to *target*, and what decides its fate."""
        number, self._connections = self._connections, self._connections + 1
        here = target if target in LOOPBACK else self.address
        seed = f"{self.simulation.seed} {self.address} {number}"
        return here, FIRST_PORT + number % PORTS, seed


@implementer(IHostnameResolver)
class Resolver:
    """Knows the names that the simulation knows, and says so after a while.

    Args:
        host: who asks.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        resolution = Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        kinds = tuple(addressTypes or (IPv4Address, IPv6Address))

        def answer() -> None:
            if resolution.cancelled:
                return
            for address in self._host.simulation.addresses_of(hostName):
                found = tcp_address(address, portNumber)
                if isinstance(found, kinds):
                    resolutionReceiver.addressResolved(found)
            resolutionReceiver.resolutionComplete()

        self._host.callLater(2 * self._host.simulation.default.latency, answer)
        return resolution


@implementer(IHostResolution)
class Resolution:
    """A look-up under way.

    Args:
        name: what is looked up.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
