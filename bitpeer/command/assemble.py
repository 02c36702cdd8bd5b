"""The services that a plan asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime, IStreamServerEndpoint
from twisted.logger import LogLevel

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.program import OperatorsLog, OperatorsNode, Program
from bitpeer.command.said import WrongSetting
from bitpeer.command.ways import ONION_KEY, make_doors, make_routes, make_tor
from bitpeer.config import VERSION, PeerConfig
from bitpeer.errors import InvalidSetting
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256
from bitpeer.net.journal import Journal
from bitpeer.net.routes import Routes
from bitpeer.net.text import printable
from bitpeer.net.tor import Tor
from bitpeer.service.compose import node_service
from bitpeer.service.datadir import DataDirectory
from bitpeer.service.descriptors import check_room
from bitpeer.service.endpoints import server_endpoint


def assemble(plan: Plan, reactor: object) -> Program:
    """Return the program that *plan* describes.

    Raises:
        WrongSetting: an endpoint cannot be read, or there are more peers than the process
            may have sockets.
    """
    log = OperatorsLog(plan.log_level)
    journal = Journal(log.log, cast(IReactorTime, reactor).seconds)
    program = Program(reactor, journal)
    data = None
    if plan.data_dir != "memory":
        data = DataDirectory(None if plan.data_dir is None else Path(plan.data_dir))
    tor = make_tor(plan, None if data is None else data.place, journal, reactor)
    services: MultiService = program
    for first in (data, tor):  # started first, and stopped last
        if first is not None:
            services.addService(first)
    for network in plan.networks:
        for service in _services(network, log, tor, data, reactor):
            services.addService(service)
    return program


def _services(
    plan: NetworkPlan,
    log: OperatorsLog,
    tor: Tor | None,
    data: DataDirectory | None,
    reactor: object,
) -> Iterable[MultiService]:
    """Yield the service for each chain of a network."""
    routes = make_routes(plan, tor, reactor)
    key = None if data is None else data.path(plan.config.network, ONION_KEY)
    doors = make_doors(plan, tor, key, reactor)
    _check_places(plan, routes, doors, reactor)
    node = _node(plan.config, log, reactor)
    _tell(node)
    service = node_service(
        node,
        connect=plan.connect,
        listen=doors,
        outbound=plan.outbound,
        max_inbound=plan.max_inbound,
        max_per_host=plan.max_per_host,
        routes=routes,
        reactor=reactor,
    )
    plan.doors.add(plan.chain, service)
    yield service
    for chain_id, place in plan.serve.items():
        other = _node(plan.other(chain_id), log, reactor)
        service = node_service(
            other,
            listen=[place],
            max_inbound=plan.max_inbound,
            max_per_host=plan.max_per_host,
            routes=routes,
            reactor=reactor,
        )
        plan.doors.add(chain_id, service)
        yield service


def _node(config: PeerConfig, log: OperatorsLog, reactor: object) -> OperatorsNode:
    return OperatorsNode(config, log, clock=cast(IReactorTime, reactor))


def _tell(node: OperatorsNode) -> None:
    """Log what is about to run."""
    config = node.config
    node.journal.emit(
        LogLevel.info,
        "bitpeer {version} joins {network} as {agent}",
        version=VERSION,
        network=config.network.title,
        agent=printable(config.user_agent),
    )
    if config.network.dialect.checksum is blake256:
        fast = BLAKE256_BACKEND == "c"
        node.journal.emit(
            LogLevel.info if fast else LogLevel.warn,
            "BLAKE-256 runs in {backend}" + ("" if fast else ", 200 times slower than in C"),
            backend=BLAKE256_BACKEND,
        )


def _check_places(
    plan: NetworkPlan,
    routes: Routes,
    doors: Iterable[str | IStreamServerEndpoint],
    reactor: object,
) -> None:
    port = plan.config.network.port
    door = partial(server_endpoint, reactor)
    readers: Iterable[tuple[str, Iterable[Any], Callable[[Any, int], object]]] = (
        ("connect", plan.connect, routes.client),
        ("listen", doors, door),
        ("serve", plan.serve.values(), door),
    )
    for option, places, read in readers:
        for place in places:
            try:
                read(place, port)
            except InvalidSetting as error:
                raise WrongSetting(
                    f"--{option} is {place!r:.200}, expected {error.expected}"
                ) from None
    try:
        check_room(plan.outbound, len(plan.connect) + len(plan.listen))
    except InvalidSetting as error:
        raise WrongSetting(str(error)) from None
