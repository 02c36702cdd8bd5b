"""What to run, out of what the operator has said: every value read, every contradiction told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bitpeer.command import values
from bitpeer.command.configfile import ConfigFile
from bitpeer.command.said import Layer, WrongSetting, find, value
from bitpeer.command.settings import BY_NAME, DEFAULT_OUTBOUND, SETTINGS, Scope, Shape
from bitpeer.config import PeerConfig
from bitpeer.dialect import Network
from bitpeer.jaxnet import networks as jaxnet
from bitpeer.service.doors import Doors
from bitpeer.service.seeds import Address

DEFAULT_BLOCK_ONLY = 2
"""More peers to find and keep, where any are to be found."""
MAX_HELD = 400_000_000
"""Bytes to hold for the peers of all chains together: messages incomplete, or not sent yet."""
LEAST_HELD = 50_000_000
"""What each chain may hold, however many there are: more than any message has, or any queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """One network to join.  Fields without a docstring are the settings of the same names."""

    base: Network
    """The network, whatever chain of it is meant."""
    config: PeerConfig
    """What peers are told, and put up with."""
    doors: Doors = field(compare=False)
    """Where each chain of the network is served, once it is."""
    chain: int
    serve: dict[int, str]
    address: str | None
    connect: list[str]
    add_peer: list[tuple[str, int]]
    """Hosts and ports; 0 for the network's own."""
    outbound: int
    block_only: int
    want: int
    feelers: bool
    """Whether to try out addresses before they are needed."""
    private_addresses: bool
    proxy: str | None
    onion_proxy: str | None
    cjdns_reachable: bool
    listen: list[str]
    onion_service: bool
    max_inbound: int
    max_per_host: int
    max_per_prefix: int
    ban: list[str]
    ban_time: float
    headers: bool
    """Whether to follow the chain of headers."""
    addresses: bool
    """Whether to tell peers of other nodes."""

    def known(self) -> list[Address]:
        """Return the addresses to consider when looking for peers."""
        port = self.config.network.port
        return [Address(host, number or port) for host, number in self.add_peer]

    def other(self, chain_id: int) -> PeerConfig:
        """Return the settings for one more chain of the network."""
        return replace(self.config, network=_chain(self.base, chain_id, self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is to run.  Fields without a docstring are the settings of the same names."""

    networks: list[NetworkPlan]
    data_dir: str | None
    http: str | None
    http_name: list[str]
    log_level: str
    log_json: str | None
    tor: bool
    """Whether a Tor is used, if only for onion services."""
    tor_control: str | None
    tor_password_file: str | None


def make_plan(spoken: Layer, written: ConfigFile) -> Plan:
    """Return what follows from the command line and from a file, of which the former goes first.

    Raises:
        WrongSetting: it contradicts itself, or the world.
    """
    layers = [spoken, written.everywhere]
    networks = _networks(layers, written)
    several = len(networks) > 1
    if several:
        _check_places(layers)
    program: dict[str, Any] = {
        setting.field: value(setting, layers)
        for setting in SETTINGS
        if setting.scope is Scope.PROGRAM and setting.name not in ("config", "network")
    }
    program["tor"] |= program["tor_control"] is not None
    plans = []
    for network in networks:
        own = [spoken, written.networks.get(network.title, {}), written.everywhere]
        plans.append(_network_plan(network, own, tor=program["tor"]))
    return Plan(networks=_with_memory_shared(plans), **program)


def _networks(layers: Sequence[Layer], written: ConfigFile) -> list[Network]:
    """Return the networks that are meant: those said, or those that have tables, or mainnet."""
    setting = BY_NAME["network"]
    if find(setting, layers) is None and not written.networks:
        return [setting.read("mainnet")]
    said: list[Network] = value(setting, layers)
    return said or [setting.read(title) for title in written.networks]


def _check_places(layers: Sequence[Layer]) -> None:
    """Refuse what can only be meant for one network."""
    for setting in SETTINGS:
        said = find(setting, layers)
        if setting.scope is Scope.PLACE and said is not None:
            raise WrongSetting(
                f"{said.where} belongs to a single network: with several, write it into a file "
                f"for --config, in a table such as [networks.mainnet]"
            )


def _network_plan(network: Network, layers: Sequence[Layer], *, tor: bool) -> NetworkPlan:
    settings: dict[str, Any] = {
        setting.field: value(setting, layers)
        for setting in SETTINGS
        if setting.scope is not Scope.PROGRAM and setting.shape is not Shape.WORDS
    }
    agent = settings.pop("user_agent")
    services = _services("services", network, layers, 0)
    relay, follows = not settings.pop("no_relay"), settings.pop("follow_redirects")
    settings["serve"] = dict(settings["serve"])
    _check_proxies(layers, tor=tor)
    outbound = _outbound(network, layers, settings)
    block_only = settings.pop("block_only")
    if block_only is None:
        block_only = DEFAULT_BLOCK_ONLY if outbound else 0
    seeds = network.seeds or network.https_seeds
    private = settings.pop("private_addresses") or not seeds
    usual = network.dialect.wanted_services if seeds else 0
    settings["want"] = _services("want", network, layers, usual)
    plan = NetworkPlan(
        base=network,
        config=PeerConfig(
            network=network,
            user_agent=agent,
            services=services,
            relay=relay,
            follow_redirects=follows,
            proxied=tor or settings["proxy"] is not None,
        ),
        doors=Doors(),
        feelers=not settings.pop("no_feelers"),
        headers=not settings.pop("no_headers"),
        addresses=not settings.pop("no_addresses"),
        **{**settings, "outbound": outbound},
        block_only=block_only,
        private_addresses=private,
    )
    _check_chains(network, layers, plan)
    return replace(plan, config=replace(plan.config, network=_chain(network, plan.chain, plan)))


def _with_memory_shared(plans: list[NetworkPlan]) -> list[NetworkPlan]:
    """Let no peers of several chains make the process hold more than those of one could."""
    share = max(MAX_HELD // sum(1 + len(plan.serve) for plan in plans), LEAST_HELD)
    return [replace(plan, config=replace(plan.config, max_total=share)) for plan in plans]


def _services(name: str, network: Network, layers: Sequence[Layer], usual: int) -> int:
    """Return services by the names that they have in a network; the *usual* if none are said."""
    said = find(BY_NAME[name], layers)
    if said is None:
        return usual
    try:
        return values.services(said.texts[-1], network.dialect.service_bits)
    except ValueError as error:
        raise said.wrong(said.texts[-1], f"{error}, on {network.title}") from None


def _check_proxies(layers: Sequence[Layer], *, tor: bool) -> None:
    """Refuse two ways for the same, and what is of no use without Tor."""
    for name in ("proxy", "onion-proxy"):
        said = find(BY_NAME[name], layers)
        if tor and said is not None:
            raise WrongSetting(f"{said.where} and --tor exclude each other: Tor is a proxy already")
    for name in ("onion-service", "tor-password-file"):
        said = find(BY_NAME[name], layers)
        if said is not None and said.read(BY_NAME[name]) and not tor:
            raise WrongSetting(f"{said.where} needs --tor or --tor-control")


def _outbound(network: Network, layers: Sequence[Layer], settings: dict[str, Any]) -> int:
    """Return how many peers to find, if there is a way to find any, and something to do at all."""
    connect, listen = settings["connect"], settings["listen"] or settings["onion_service"]
    sources = network.seeds or network.https_seeds or settings["add_peer"]
    count: int | None = settings["outbound"]
    if count is None:
        count = 0 if connect or not sources else DEFAULT_OUTBOUND
    if not (connect or listen) and not (count and sources):
        said = find(BY_NAME["outbound"], layers)
        if sources and said is not None:
            why = f"{said.where} is 0"
        else:
            why = f"{network.name} has no seeds"
        raise WrongSetting(
            f"{why}, so name peers with --connect or --add-peer, or a place with --listen"
        )
    return count


def _check_chains(network: Network, layers: Sequence[Layer], plan: NetworkPlan) -> None:
    serve = find(BY_NAME["serve"], layers)
    if network not in jaxnet.NETWORKS.values():
        if plan.chain or plan.serve:
            raise WrongSetting(f"{network.title} has a single chain")
    elif serve is not None and plan.chain in plan.serve:
        raise serve.wrong(plan.chain, "another chain than that of --chain")


def _chain(network: Network, chain_id: int, plan: NetworkPlan) -> Network:
    """Return a chain of *network*, whose peers know of the others that are served here."""
    if network not in jaxnet.NETWORKS.values():
        return network
    ports = plan.doors.port if plan.serve else None
    if plan.serve and plan.address is None:
        raise WrongSetting("--serve needs --address: peers are told where the other chains are")
    return jaxnet.chain(network, chain_id, ports=ports, address=plan.address)
