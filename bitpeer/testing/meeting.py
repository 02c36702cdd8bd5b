"""Where scripted peers and others find each other: at a place dialled, or behind a door."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from bitpeer.dialect import Network
from bitpeer.net.peer import where
from bitpeer.net.places import endpoint_description, listening_description
from bitpeer.testing.host import Host
from bitpeer.testing.script import PATIENCE, ScriptedPeer
from bitpeer.testing.transcript import Missing


class ScriptedFactory(Factory):
    """Makes scripted peers.

    Args:
        network: what they speak.
        clock: the reactor.
        outbound: whether they dial.
    """

    noisy = False

    def __init__(self, network: Network, clock: IReactorTime, *, outbound: bool) -> None:
        self.arrived: DeferredQueue[ScriptedPeer] = DeferredQueue()
        """Those that were made."""
        self._network = network
        self._clock = clock
        self._outbound = outbound

    def buildProtocol(self, addr: IAddress | None) -> ScriptedPeer:
        peer = ScriptedPeer(self._network, self._clock, outbound=self._outbound)
        peer.factory = self
        self.arrived.put(peer)
        return peer


class ScriptedDoor:
    """Where scripted peers are to be reached.

    Args:
        port: which is open.
        factory: which makes them.
        clock: the reactor.
    """

    def __init__(self, port: IListeningPort, factory: ScriptedFactory, clock: IReactorTime) -> None:
        self.port = port
        self._factory = factory
        self._clock = clock

    @property
    def address(self) -> str:
        """What to dial."""
        here = where(self.port.getHost())
        host = self._clock.address if isinstance(self._clock, Host) else "127.0.0.1"
        return here.replace("0.0.0.0", host)  # noqa: S104  # replaced, not bound to

    def accept(self, *, timeout: float = PATIENCE) -> Deferred[ScriptedPeer]:
        """Wait for the next one who comes; the Deferred fires with the peer that meets them."""

        def nobody(*_: object) -> Failure:
            return Failure(Missing(f"nobody came within {timeout:g} seconds"))

        return self._factory.arrived.get().addTimeout(timeout, self._clock, nobody)

    def close(self) -> Deferred[Any]:
        """Let nobody in any more; those who are in stay."""
        return cast("Deferred[Any]", self.port.stopListening())


def dial(
    reactor: object, place: str | IStreamClientEndpoint, network: Network
) -> Deferred[ScriptedPeer]:
    """Connect to *place*, and say nothing yet.

    Args:
        reactor: a `Host`, or Twisted's.
        place: ``host``, ``host:port``, a Twisted endpoint description, or an endpoint.
        network: what to speak.

    Returns:
        A Deferred of the peer.  It fails as the endpoint does.
    """
    endpoint: Any = place
    if isinstance(place, str):
        endpoint = clientFromString(reactor, endpoint_description(place, network.port))
    factory = ScriptedFactory(network, cast(IReactorTime, reactor), outbound=True)
    return cast("Deferred[ScriptedPeer]", endpoint.connect(factory))


def listen(
    reactor: object, place: str | IStreamServerEndpoint, network: Network
) -> Deferred[ScriptedDoor]:
    """Listen at *place*.

    Args:
        reactor: a `Host`, or Twisted's.
        place: ``port``, ``address:port``, a Twisted endpoint description, or an endpoint; port
            0 is any that is free.
        network: what to speak.

    Returns:
        A Deferred of the door.
    """
    endpoint: Any = place
    if isinstance(place, str):
        endpoint = serverFromString(reactor, listening_description(place, network.port))
    clock = cast(IReactorTime, reactor)
    factory = ScriptedFactory(network, clock, outbound=False)
    opened = cast("Deferred[IListeningPort]", endpoint.listen(factory))
    return opened.addCallback(lambda port: ScriptedDoor(port, factory, clock))
