"""Everything about a node's peers in one Twisted service, to be started, stopped and embedded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint, IStreamServerEndpoint

from bitpeer.config import PeerConfig
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.service.admission import MAX_INBOUND, MAX_PER_HOST
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.wishes import Wishes


def peer_service(
    config: PeerConfig,
    listeners: Sequence[object] = (),
    *,
    connect: Iterable[str | IStreamClientEndpoint] = (),
    listen: Iterable[str | IStreamServerEndpoint] = (),
    outbound: int = 0,
    max_inbound: int = MAX_INBOUND,
    max_per_host: int = MAX_PER_HOST,
    routes: Routes | None = None,
    reactor: object,
) -> NodeService:
    """Return a service that finds, keeps and accepts peers while it runs.

    Give it to an application with ``setServiceParent``, or start and stop it by
    hand.  Stopping closes the ports, ends the dialling and says goodbye to all
    peers; its Deferred fires when they are gone, within five seconds.

    Args:
        config: the settings, the network among them.
        listeners: told of everything that peers say: see `LocalNode`.
        connect: peers to dial and to dial again whenever they are lost, as ``host``,
            ``host:port``, Twisted client endpoint descriptions, or endpoints.
        listen: where to accept peers, as ``port``, ``address:port``, Twisted server
            endpoint descriptions, or endpoints.
        outbound: how many more peers to keep, found through the network's seeds and the
            addresses that peers tell.
        max_inbound: most peers to accept; 0 for as many as the process can have sockets.
        max_per_host: most of them from one host other than this one; 0 for no limit.
        routes: how to dial; `None` to dial directly.  If they are proxied, nothing passes the
            proxy by: no retry, no redirection, no look-up of a seed.
        reactor: Twisted's.

    Raises:
        InvalidSetting: something of this cannot be understood, or contradicts itself.
    """
    if routes is not None:
        config = routes.configured(config)
    node = LocalNode(config, listeners, clock=cast(IReactorTime, reactor))
    return node_service(
        node,
        connect=connect,
        listen=listen,
        outbound=outbound,
        max_inbound=max_inbound,
        max_per_host=max_per_host,
        routes=routes,
        reactor=reactor,
    )


def node_service(
    node: LocalNode,
    *,
    connect: Iterable[str | IStreamClientEndpoint] = (),
    listen: Iterable[str | IStreamServerEndpoint] = (),
    outbound: int = 0,
    max_inbound: int = MAX_INBOUND,
    max_per_host: int = MAX_PER_HOST,
    routes: Routes | None = None,
    reactor: object,
) -> NodeService:
    """Return the service of `peer_service` for a node that the caller has made.

    For those who want to hold the node: to look at its peers, to add listeners
    later, to give it a log of its own.
    """
    wishes = Wishes(
        connect=connect,
        listen=listen,
        outbound=outbound,
        max_inbound=max_inbound,
        max_per_host=max_per_host,
        gossip=bool(outbound),
    )
    return NodeService(node, wishes, routes=routes, reactor=reactor)
