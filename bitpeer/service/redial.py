"""A peer that is dialled again whenever it is lost."""

from __future__ import annotations

from collections.abc import Callable
from secrets import SystemRandom
from typing import cast

from twisted.application.internet import ClientService
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import Disconnected
from bitpeer.net.connect import why_not
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.service.backoff import Backoff
from bitpeer.service.detour import detour
from bitpeer.service.reasons import reason_of
from bitpeer.service.seeds import Address

Elsewhere = Callable[[Address], "IStreamClientEndpoint | None"]

_RANDOM = SystemRandom()

SOON, SOON_AT_MOST = 1.0, 60.0
"""Seconds, at first and at most, before dialling again what may work any moment."""
LATE, LATE_AT_MOST = 60.0, 3_600.0
"""Seconds, at first and at most, before dialling again a peer that cannot be talked to."""
STEADY = 60.0
"""Seconds after which an established connection counts as a success."""


class Murmur(Logger):
    """A log of what is worth mentioning at level debug only."""

    def emit(self, level: LogLevel, format: str | None = None, **fields: object) -> None:  # noqa: A002
        """Log one event; what is meant to inform is lowered to level debug."""
        super().emit(LogLevel.debug if level is LogLevel.info else level, format, **fields)


class FixedPeer(ClientService):
    """A `ClientService` that leaves the talking to `Redial`.

    Args:
        redial: says what to dial, and when.
        factory: makes the peer.
        node: whose clock and log serve.
    """

    def __init__(self, redial: Redial, factory: PeerFactory, node: LocalNode) -> None:
        # Its own log tells of each retry, and asks nobody how much the operator wants to see.
        self._log = Murmur("twisted.application.internet", observer=node.log.observer)
        ClientService.__init__(self, redial, factory, retryPolicy=redial.delay, clock=node.clock)
        self._redial = redial

    def stopService(self) -> Deferred[None]:
        """Dial no more, and say goodbye; the Deferred fires when the peer is gone."""
        # Once a ClientService has cut its connection, nobody can tell any more who ended it.
        if self._redial.peer is not None:
            self._redial.peer.disconnect()
        return ClientService.stopService(self)


@implementer(IStreamClientEndpoint)
class Redial:
    """What a `ClientService` needs to keep one peer: an endpoint, and a retry policy.

    `ClientService` takes a connection for a success as soon as it is made.  A
    peer is one only after the handshake, and when it stays; so the policy does
    its own counting.  (`prepareConnection` is no way to wait for the handshake:
    a connection lost meanwhile ends in `NoTransition`.)

    Args:
        name: the endpoint, as people write it.
        endpoint: what to dial.
        node: whose clock and journal serve.
        draw: returns a random number, 0 <= x < 1.
        elsewhere: makes the endpoint of an address that the peer names instead of its own, or
            returns `None` if there is no way there; `None` to listen to no such advice.
    """

    def __init__(
        self,
        name: str,
        endpoint: IStreamClientEndpoint,
        node: LocalNode,
        draw: Callable[[], float] = _RANDOM.random,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.name = name
        self.peer: PeerProtocol | None = None
        """Who is connected, established or not."""
        self._endpoint = endpoint
        self._node = node
        self._soon = Backoff(SOON, SOON_AT_MOST, draw)
        self._late = Backoff(LATE, LATE_AT_MOST, draw)
        self._wait: float | None = None
        self._elsewhere = elsewhere
        self._detour: IStreamClientEndpoint | None = None
        self._complaint = ""

    def __repr__(self) -> str:
        return self.name  # as it stands in ClientService's log

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Dial; see `IStreamClientEndpoint`."""
        # A detour is made once: after it, the peer that named it is asked again.
        other, self._detour = self._detour, None
        self._node.dialling(self.name)
        dial = (other or self._endpoint).connect(protocolFactory)
        return dial.addCallbacks(
            self._connected, self._unreachable, callbackArgs=(other is not None,)
        )

    def delay(self, _: int) -> float:
        """Return how many seconds to wait now: the retry policy."""
        wait, self._wait = self._wait, None
        return round(self._soon.failed() if wait is None else wait, 1)

    def _connected(self, protocol: IProtocol, on_detour: bool) -> IProtocol:
        peer = self.peer = cast(PeerProtocol, protocol)
        established_at: list[float] = []
        seconds = self._node.clock.seconds

        def established(_: IPeer) -> None:
            established_at.append(seconds())
            self._complaint = ""

        def lost(reason: Disconnected) -> None:
            self.peer = None
            if self._elsewhere is not None and not on_detour and (place := detour(peer)):
                self._detour = self._elsewhere(place)
                if self._detour is not None:
                    self._wait = 0.0
                    return
            if established_at and seconds() - established_at[0] >= STEADY:
                self._soon.succeeded()
                self._late.succeeded()
            backoff = self._soon if reason.reason.transient else self._late
            self._wait = backoff.failed()

        peer.when_established().addCallbacks(established, lambda _: None)
        peer.when_lost().addCallback(lost)
        return protocol

    def _unreachable(self, failure: Failure) -> Failure:
        complaint = reason_of(failure)
        stopped = failure.check(CancelledError, ConnectingCancelledError)
        if not stopped:
            self._node.unreachable(self.name, why_not(failure.value))
        if complaint != self._complaint and not stopped:
            self._complaint = complaint
            self._node.journal.emit(
                LogLevel.warn, "{name} cannot be reached: {why}", name=self.name, why=complaint
            )
        return failure


def fixed_peer(
    name: str,
    endpoint: IStreamClientEndpoint,
    node: LocalNode,
    elsewhere: Elsewhere | None = None,
) -> ClientService:
    """Return a service that keeps one peer connected.

    It dials again after every loss, the sooner the better things went before.

    Args:
        name: the endpoint, as people write it.
        endpoint: what to dial.
        node: what the peer shares with all others.
        elsewhere: see `Redial`.
    """
    redial = Redial(name, endpoint, node, elsewhere=elsewhere)
    factory = PeerFactory(node, outbound=True, dialled=name)
    return FixedPeer(redial, factory, node)
