"""One peer, dialled once: for scripts and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionRefusedError as NobodyListens,
    DNSLookupError,
    TCPTimedOutError,
    TimeoutError as DialTimedOut,
    UnknownHostError,
)
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected, DisconnectReason, RemoteError
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes, routes_for

_REASONS: tuple[tuple[tuple[type[Exception], ...], DisconnectReason], ...] = (
    ((DNSLookupError, UnknownHostError), DisconnectReason.NAME_UNKNOWN),
    ((NobodyListens,), DisconnectReason.DIAL_REFUSED),
    ((DialTimedOut, TCPTimedOutError), DisconnectReason.DIAL_TIMED_OUT),
)


def why_not(error: BaseException | None) -> DisconnectReason:
    """Return why there is no connection, given what an endpoint failed with.

    What is an error of ours, such as a proxy's, knows its reason itself.
    """
    if isinstance(error, RemoteError):
        return error.reason
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return DisconnectReason.DIAL_FAILED


def connect(
    reactor: object,
    endpoint: str | IStreamClientEndpoint,
    config: PeerConfig,
    listeners: Sequence[object] = (),
    *,
    routes: Routes | None = None,
) -> Deferred[IPeer]:
    """Dial *endpoint* and complete the handshake.

    Args:
        reactor: Twisted's.
        endpoint: ``host``, ``host:port``, a Twisted endpoint description such as
            ``tcp:127.0.0.1:8333``, or an endpoint.
        config: the settings, the network among them.
        listeners: told of everything the peer says: see `LocalNode`.
        routes: how to dial; `None` to dial directly.  If they are proxied, what would pass the
            proxy by is refused.

    Returns:
        A Deferred that fires with the established peer, or fails with `Disconnected`,
        whose ``reason`` says exactly why there is none, and whose ``cause`` has the
        details.  Cancelled, it fails with `CancelledError`, and nothing of the
        connection remains.

    Raises:
        InvalidSetting: *endpoint* or one of the *listeners* makes no sense.
    """
    if routes is not None:
        config = routes.configured(config)
    way = routes_for(config, routes, reactor).client(endpoint, config.network.port)
    node = LocalNode(config, listeners, clock=cast(IReactorTime, reactor))
    dialled = endpoint if isinstance(endpoint, str) else None
    return Deferred.fromCoroutine(dial(way, PeerFactory(node, outbound=True, dialled=dialled)))


async def dial(endpoint: IStreamClientEndpoint, factory: PeerFactory) -> IPeer:
    """Dial *endpoint* and complete the handshake, for a node that is there already.

    Args:
        endpoint: where to; from `Routes`.
        factory: makes outbound peers.

    Raises:
        Disconnected: there is no connection, or no handshake.
    """
    try:
        peer = cast(IPeer, await endpoint.connect(factory))
    except (CancelledError, ConnectingCancelledError) as error:
        raise CancelledError from error
    except Exception as error:
        raise Disconnected(why_not(error), error) from error
    try:
        return await peer.when_established()
    except CancelledError:
        peer.disconnect()
        raise
