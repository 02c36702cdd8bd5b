"""Everything about a node's peers in one Twisted service, to be started, stopped and embedded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import cast

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint, IStreamServerEndpoint
from twisted.logger import LogLevel

from bitpeer.config import PeerConfig
from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes, routes_for
from bitpeer.net.text import printable
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.admission import MAX_INBOUND, MAX_PER_HOST, Admission, GuardedFactory, Limits
from bitpeer.service.descriptors import check_room, room_left
from bitpeer.service.endpoints import check_several, distinct, server_endpoint
from bitpeer.service.farewell import Farewell
from bitpeer.service.listening import Listening
from bitpeer.service.lookups import look_up_through
from bitpeer.service.outbound import Outbound
from bitpeer.service.redial import Elsewhere, fixed_peer
from bitpeer.service.seeds import Address, Seeds
from bitpeer.service.summary import Summary


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
) -> MultiService:
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
        outbound: how many more peers to keep, found through the network's DNS seeds.
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
) -> MultiService:
    """Return the service of `peer_service` for a node that the caller has made.

    For those who want to hold the node: to look at its peers, to add listeners
    later, to give it a log of its own.
    """
    config, network = node.config, node.config.network
    routes = routes_for(config, routes, reactor)
    _check_outbound(network, routes, outbound)
    check_several("connect", connect)
    check_several("listen", listen)
    connect, listen = distinct(connect, network.port), list(listen)
    places = len(connect) + len(listen)
    check_room(outbound, places)
    service = MultiService()
    doors: list[Listening] = []
    room = room_left(outbound, places) if listen else inf
    admission = _admission(node, max_inbound, max_per_host, room)
    inbound_factory = GuardedFactory(PeerFactory(node, outbound=False), admission)
    for place in listen:
        endpoint = server_endpoint(reactor, place, network.port)
        door = Listening(_name(place), endpoint, inbound_factory, node.journal)
        service.addService(door)
        doors.append(door)
    if doors:
        service.addService(admission)
    elsewhere = _elsewhere(routes) if config.follow_redirects else None
    for peer in connect:
        dialled = routes.client(peer, network.port)
        service.addService(fixed_peer(_name(peer), dialled, node, elsewhere))
    if outbound:
        look_up = look_up_through(reactor, routes, node)
        seeds = Seeds(network, look_up, clock=node.clock, journal=node.journal)
        slots = Outbound(
            node,
            AddressBook(),
            routes,
            seeds,
            full=outbound,
            block_only=0,
            is_own=lambda address: any(_leads_to(door, address, node) for door in doors),
        )
        service.addService(slots)
        service.addService(Summary(node, wanted=outbound, known=lambda: slots.known))
    else:
        service.addService(Summary(node))
    # Services are stopped in reverse order.  Goodbyes come first: once a ClientService has cut
    # its connection, nobody can tell any more who ended it.
    service.addService(Farewell(node))
    return service


def _check_outbound(network: Network, routes: Routes, outbound: int) -> None:
    if not isinstance(outbound, int) or outbound < 0:
        raise InvalidSetting("outbound", outbound, "0 or more")
    if outbound and not (network.seeds or network.https_seeds):
        expected = f"0, because {network.title} has no seeds to find peers by"
        raise InvalidSetting("outbound", outbound, expected)
    if outbound and routes.proxied and routes.proxy is None:  # R-F7
        expected = "0, because nothing may be dialled directly and there is no proxy to do it"
        raise InvalidSetting("outbound", outbound, expected)


def _elsewhere(routes: Routes) -> Elsewhere:
    def endpoint(address: Address) -> IStreamClientEndpoint | None:
        return routes.endpoint(*address) if routes.reaches(address.host) else None

    return endpoint


def _admission(node: LocalNode, most: int, per_host: int, room: float) -> Admission:
    for setting, value in (("max_inbound", most), ("max_per_host", per_host)):
        if not isinstance(value, int) or value < 0:
            raise InvalidSetting(setting, value, "a number, or 0 for no limit")
    limits = Limits(most=most or inf, per_host=per_host or inf).within(room)
    if most > limits.most:  # R-J8
        text = "accepting at most {room} peers, not {most}: ulimit -n allows no more sockets"
        node.journal.emit(LogLevel.warn, text, room=limits.most, most=most)
    return Admission(node, limits)


def _name(place: str | object) -> str:
    name = place if isinstance(place, str) else repr(place)
    return name if name.isprintable() else printable(name)


def _leads_to(door: Listening, address: Address, node: LocalNode) -> bool:
    """Whether whoever dials *address* would arrive at *door*."""
    if door.address is None or door.address[1] != address.port:
        return False
    host = door.address[0]
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared with, not bound to
        ends = (peer.local_address.rpartition(":")[0] for peer in node.peers)
        return address.host in {end.strip("[]") for end in ends}
    return host == address.host
