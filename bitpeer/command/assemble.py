"""The services that a plan asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime
from twisted.logger import LogLevel

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.program import OperatorsLog, OperatorsNode, Program
from bitpeer.command.said import WrongSetting
from bitpeer.config import VERSION, PeerConfig
from bitpeer.errors import InvalidSetting
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256
from bitpeer.net.text import printable
from bitpeer.service.compose import node_service
from bitpeer.service.descriptors import check_room
from bitpeer.service.endpoints import client_endpoint, server_endpoint


def assemble(plan: Plan, reactor: object) -> Program:
    """Return the program that *plan* describes.

    Raises:
        WrongSetting: an endpoint cannot be read, or there are more peers than the process
            may have sockets.
    """
    for network in plan.networks:
        _check_places(network, reactor)
    log = OperatorsLog(plan.log_level)
    services = [each for network in plan.networks for each in _services(network, log, reactor)]
    program = Program(reactor, services[0][0].journal)
    for _, service in services:
        service.setServiceParent(program)
    return program


def _services(
    plan: NetworkPlan, log: OperatorsLog, reactor: object
) -> Iterable[tuple[OperatorsNode, MultiService]]:
    """Yield a node and its service for each chain of a network."""
    node = _node(plan.config, log, reactor)
    _tell(node)
    service = node_service(
        node,
        connect=plan.connect,
        listen=plan.listen,
        outbound=plan.outbound,
        max_inbound=plan.max_inbound,
        max_per_host=plan.max_per_host,
        reactor=reactor,
    )
    plan.doors.add(plan.chain, service)
    yield node, service
    for chain_id, place in plan.serve.items():
        other = _node(plan.other(chain_id), log, reactor)
        service = node_service(
            other,
            listen=[place],
            max_inbound=plan.max_inbound,
            max_per_host=plan.max_per_host,
            reactor=reactor,
        )
        plan.doors.add(chain_id, service)
        yield other, service


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


def _check_places(plan: NetworkPlan, reactor: object) -> None:
    port = plan.config.network.port
    readers: Iterable[tuple[str, Iterable[str], Any]] = (
        ("connect", plan.connect, client_endpoint),
        ("listen", plan.listen, server_endpoint),
        ("serve", plan.serve.values(), server_endpoint),
    )
    for option, places, read in readers:
        for place in places:
            try:
                read(reactor, place, port)
            except InvalidSetting as error:
                raise WrongSetting(
                    f"--{option} is {place!r:.200}, expected {error.expected}"
                ) from None
    try:
        check_room(plan.outbound, len(plan.connect) + len(plan.listen))
    except InvalidSetting as error:
        raise WrongSetting(str(error)) from None
