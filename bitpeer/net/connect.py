"""One peer, dialled once: for scripts and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.places import endpoint_description


async def _connect(
    reactor: object, endpoint: str | IStreamClientEndpoint, node: LocalNode
) -> IPeer:
    dialled = None
    if isinstance(endpoint, str):
        dialled = endpoint
        description = endpoint_description(endpoint, node.config.network.port)
        endpoint = cast(IStreamClientEndpoint, clientFromString(reactor, description))
    factory = PeerFactory(node, outbound=True, dialled=dialled)
    try:
        protocol = await endpoint.connect(factory)
    except Exception as error:
        raise Disconnected(DisconnectReason.DIAL_FAILED, error) from error
    return await cast(IPeer, protocol).when_established()


def connect(
    reactor: object,
    endpoint: str | IStreamClientEndpoint,
    config: PeerConfig,
    listeners: Sequence[object] = (),
) -> Deferred[IPeer]:
    """Dial *endpoint* and complete the handshake.

    Args:
        reactor: Twisted's.
        endpoint: ``host``, ``host:port``, a Twisted endpoint description such as
            ``tcp:127.0.0.1:8333``, or an endpoint.
        config: the settings, the network among them.
        listeners: told of everything the peer says: see `LocalNode`.

    Returns:
        A Deferred that fires with the established peer, or fails with `Disconnected`,
        whose ``reason`` says why there is none.
    """
    node = LocalNode(config, listeners, clock=cast(IReactorTime, reactor))
    return Deferred.fromCoroutine(_connect(reactor, endpoint, node))
