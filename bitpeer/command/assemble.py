"""The services that a plan asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime, IStreamServerEndpoint
from twisted.logger import LogLevel

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.program import OperatorsLog, OperatorsNode, Program
from bitpeer.command.progressbar import Catching, ProgressBar, drawing
from bitpeer.command.rereading import Rereading
from bitpeer.command.said import WrongSetting, refused
from bitpeer.command.settings import BY_NAME, MEMORY
from bitpeer.command.ways import ONION_KEY, make_doors, make_routes, make_tor
from bitpeer.config import VERSION, PeerConfig
from bitpeer.errors import InvalidSetting
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256
from bitpeer.net.journal import Journal
from bitpeer.net.routes import Routes
from bitpeer.net.text import printable
from bitpeer.net.tor import Tor
from bitpeer.service.datadir import DataDirectory
from bitpeer.service.endpoints import server_endpoint
from bitpeer.service.events import Events
from bitpeer.service.jsonlog import JsonLog
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.overview import Overview
from bitpeer.service.watch import Watch
from bitpeer.service.wishes import Wishes


def assemble(plan: Plan, make_plan: Callable[[], Plan], reactor: object) -> Program:
    """Return the program that *plan* describes.

    Args:
        plan: what the operator wants.
        make_plan: returns what is wanted by then, whenever SIGHUP comes.
        reactor: Twisted's.

    Raises:
        WrongSetting: an endpoint cannot be read, or there are more peers than the process
            may have sockets.
    """
    return _Assembly(plan, reactor).program(make_plan)


class _Assembly:
    """Builds the services of a plan.

    Args:
        plan: what the operator wants.
        reactor: Twisted's.
    """

    def __init__(self, plan: Plan, reactor: object) -> None:
        clock = cast(IReactorTime, reactor)
        self._plan = plan
        self._reactor = reactor
        self._log = OperatorsLog(plan.log_level)
        self._journal = Journal(self._log.log, clock.seconds)
        self._events = Events(clock.seconds, log=self._log.log)
        self._nodes = sum(1 + len(each.serve) for each in plan.networks)
        self._data = _data_directory(plan.data_dir)
        place = None if self._data is None else self._data.place
        self._tor = make_tor(plan, place, self._journal, reactor)

    def program(self, make_plan: Callable[[], Plan]) -> Program:
        """Return all of it."""
        plan = self._plan
        program = Program(self._reactor, self._journal)
        services: MultiService = program
        json_log = None
        if plan.log_json is not None:
            json_log = JsonLog(plan.log_json, self._events, self._journal)
        for each in (json_log, self._data, self._tor):
            if each is not None:
                program.ground.addService(each)
        running = [(each, list(self._services(each))) for each in plan.networks]
        overviews = []
        for _, of_network in running:
            for service in of_network:
                services.addService(service)
                overview = _overview(service, self._tor)
                services.addService(Watch(overview, self._events))
                overviews.append(overview)
        if plan.http is not None:
            services.addService(self._page(plan.http, overviews))
        self._draw_bars([each for _, of_network in running for each in of_network], services)
        program.reread = Rereading(
            plan,
            make_plan,
            {network.base.title: of_network for network, of_network in running},
            log=self._log,
            json_log=json_log,
            journal=self._journal,
            events=self._events,
        )
        return program

    def _draw_bars(self, running: list[NodeService], services: MultiService) -> None:
        """Let a person at a terminal see how far the chains are."""
        draw = drawing(sys.stderr)
        chains: dict[str, Catching] = {
            service.node.config.network.title: service.following
            for service in running
            if service.following is not None
        }
        if draw is not None and chains:
            services.addService(
                ProgressBar(
                    chains,
                    clock=cast(IReactorTime, self._reactor),
                    journal=self._journal,
                    terminal=sys.stderr,
                    draw=draw,
                )
            )

    def _services(self, plan: NetworkPlan) -> Iterator[NodeService]:
        """Yield the service for each chain of a network."""
        routes = make_routes(plan, self._tor, self._reactor)
        doors = make_doors(plan, self._tor, self._path(plan, ONION_KEY), self._reactor)
        _check_places(plan, routes, doors, self._reactor)
        _tell(plan.config, self._journal)
        folder = self._path(plan, "")
        wishes = _wishes(plan, doors, folder, self._nodes)
        yield self._service(plan.config, wishes, plan, plan.chain, routes)
        for chain_id, place in plan.serve.items():
            config = plan.other(chain_id)
            wishes = Wishes(
                listen=[place],
                max_inbound=plan.max_inbound,
                max_per_host=plan.max_per_host,
                max_per_prefix=plan.max_per_prefix,
                ban=plan.ban,
                ban_time=plan.ban_time,
                nodes=self._nodes,
            )
            yield self._service(config, wishes, plan, chain_id, routes)

    def _service(
        self,
        config: PeerConfig,
        wishes: Wishes,
        plan: NetworkPlan,
        chain_id: int,
        routes: Routes,
    ) -> NodeService:
        reactor = self._reactor
        node = OperatorsNode(config, self._log, clock=cast(IReactorTime, reactor))
        self._events.follow(node)
        emit = partial(self._events.emit, chain=config.network.title)
        try:
            service = NodeService(node, wishes, routes=routes, emit=emit, reactor=reactor)
        except InvalidSetting as error:
            if error.setting in BY_NAME:
                raise refused(error.setting, error.value, error) from None
            raise WrongSetting(str(error)) from None
        plan.doors.add(chain_id, service)
        return service

    def _path(self, plan: NetworkPlan, name: str) -> Path | None:
        """Return where a file of a network is; `None` if nothing is to be kept."""
        return None if self._data is None else self._data.path(plan.config.network, name)

    def _page(self, place: str, overviews: list[Overview]) -> Any:
        # Twisted's web server is worth its memory only to those who want to look.
        from bitpeer.service.status.door import StatusPage

        try:
            return StatusPage(
                overviews,
                self._events,
                reactor=self._reactor,
                journal=self._journal,
                endpoint=place,
                names=self._plan.http_name,
            )
        except InvalidSetting as error:
            raise refused("http", place, error) from None


def _data_directory(place: str | None) -> DataDirectory | None:
    """Return where what is learned is kept; `None` if nowhere."""
    if place == MEMORY:
        return None
    try:
        return DataDirectory(None if place is None else Path(place))
    except RuntimeError:  # as in a container whose user nobody knows
        why = "nobody knows where your home directory is, so say --data-dir"
        raise WrongSetting(why) from None


def _wishes(
    plan: NetworkPlan,
    doors: list[str | IStreamServerEndpoint],
    folder: Path | None,
    nodes: int,
) -> Wishes:
    return Wishes(
        connect=plan.connect,
        listen=doors,
        outbound=plan.outbound,
        block_only=plan.block_only,
        feelers=plan.feelers,
        wanted_services=plan.want,
        add_peer=plan.known(),
        private_addresses=plan.private_addresses,
        max_inbound=plan.max_inbound,
        max_per_host=plan.max_per_host,
        max_per_prefix=plan.max_per_prefix,
        gossip=True,
        serve_addresses=plan.addresses,
        own_address=plan.address,
        headers=plan.headers,
        folder=folder,
        ban=plan.ban,
        ban_time=plan.ban_time,
        nodes=nodes,
    )


def _overview(service: NodeService, tor: Tor | None) -> Overview:
    return Overview(
        service.node,
        book=service.book,
        chain=service.following,
        sync=service.following,
        bans=service.bans,
        routes=service.routes,
        tor=tor,
        doors=service.doors,
        wanted=service.wishes.outbound + service.wishes.block_only,
        named=service.named,
    )


def _tell(config: PeerConfig, journal: Journal) -> None:
    """Log what is about to run."""
    journal.emit(
        LogLevel.info,
        "bitpeer {version} joins {network} as {agent}",
        version=VERSION,
        network=config.network.title,
        agent=printable(config.user_agent),
    )
    if config.network.dialect.checksum is blake256:
        fast = BLAKE256_BACKEND == "c"
        journal.emit(
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
                raise refused(option, place, error) from None
