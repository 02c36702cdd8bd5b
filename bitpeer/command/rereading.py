"""SIGHUP: what has changed in the settings takes effect, as far as it can while running."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

from twisted.logger import LogLevel

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.program import OperatorsLog, OperatorsNode
from bitpeer.command.said import WrongSetting, refused
from bitpeer.command.settings import SETTINGS
from bitpeer.errors import InvalidSetting, StorageUnusable
from bitpeer.net.journal import Journal
from bitpeer.service.events import Events
from bitpeer.service.jsonlog import JsonLog
from bitpeer.service.nodeservice import NodeService

_NAMES = {setting.field: setting.name for setting in SETTINGS}
_REREAD = frozenset(setting.field for setting in SETTINGS if setting.reread)
_SAID_BY = {
    "headers": "no_headers",
    "addresses": "no_addresses",
    "feelers": "no_feelers",
    "relay": "no_relay",
    "network": "",  # see _differences
    "config": "",
}
"""The fields of plans, and of what peers are told, whose settings are called otherwise."""

P = TypeVar("P", Plan, NetworkPlan)


class Rereading:
    """Reads the settings again when it is called, and tells what came of it.

    Settings that make no sense change nothing at all.

    Args:
        plan: what runs now.
        make_plan: returns what is wanted now.
        running: the services of each network, by its title; the first is that of the chain
            that was joined.
        log: the operator's.
        json_log: the other one, if there is one.
        journal: is told.
        events: are told, too.
    """

    def __init__(
        self,
        plan: Plan,
        make_plan: Callable[[], Plan],
        running: Mapping[str, Sequence[NodeService]],
        *,
        log: OperatorsLog,
        json_log: JsonLog | None,
        journal: Journal,
        events: Events,
    ) -> None:
        self._plan = plan
        """What is in effect: what waits for the next start is as it was at this one."""
        self._make_plan = make_plan
        self._running = running
        self._log = log
        self._json_log = json_log
        self._journal = journal
        self._events = events

    def __call__(self) -> None:
        if self._json_log is not None:
            self._json_log.reopen()
        try:
            plan = self._make_plan()
            self._check(plan)
        except WrongSetting as error:
            text = "nothing is changed, because {why}"
            self._journal.emit(LogLevel.error, text, why=str(error))
            return
        changed = _differences(self._plan, plan)
        self._apply(plan)
        self._tell(changed)

    def _check(self, plan: Plan) -> None:
        """Refuse peers to dial, and to ban, that cannot be read or would be dialled otherwise."""
        olds = {old.base.title: old for old in self._plan.networks}
        for new in plan.networks:
            old = olds.get(new.base.title, new)
            if _way(plan, new) != _way(self._plan, old) and _new_peers(old, new):
                # Who is to be dialled through a proxy must not be dialled without (R-F5).
                raise WrongSetting(
                    "new proxies wait for the next start, and so must those of connect and "
                    "add-peer who are new: they would be dialled in the old way"
                )
            for service in self._running.get(new.base.title, ())[:1]:
                port = new.config.network.port
                _read_all("connect", new.connect, partial(service.routes.client, default_port=port))
                _read_all("ban", new.ban, service.bans.parse)

    def _apply(self, plan: Plan) -> None:
        """Let what can change change."""
        if plan.log_level != self._log.level:
            self._log.set_level(plan.log_level)
        wanted = {new.base.title: new for new in plan.networks}
        networks = []
        for old in self._plan.networks:
            new = wanted.get(old.base.title, old)
            services = self._running[old.base.title]
            for service in services:
                self._adjust(service, old, new)
            services[0].dial_only(new.connect)
            services[0].introduce(new.known())
            networks.append(_merged(old, new))
        self._plan = replace(_merged(self._plan, plan), networks=networks)

    def _adjust(self, service: NodeService, old: NetworkPlan, new: NetworkPlan) -> None:
        if isinstance(service.node, OperatorsNode):
            service.node.heed(self._log.level)
        if _limits(new) != _limits(old):
            service.limit(*_limits(new))
        try:
            service.ban_only(new.ban, new.ban_time)
        except StorageUnusable as error:
            text = "not everybody on {network} is banned who should be, or the other way: {why}"
            self._journal.emit(LogLevel.error, text, network=new.base.title, why=str(error))

    def _tell(self, changed: list[str]) -> None:
        now = [_NAMES[name] for name in changed if name in _REREAD]
        later = [_NAMES[name] for name in changed if name not in _REREAD]
        text = "settings have been read again; new: {names}"
        self._journal.emit(LogLevel.info, text, names=", ".join(now) or "none")
        if later:
            text = "these are new, too, but wait for the next start: {names}"
            self._journal.emit(LogLevel.warn, text, names=", ".join(later))
        self._events.emit("config.reread", changed=now, waiting=later)


def _read_all(option: str, said: Sequence[str], read: Callable[[str], object]) -> None:
    for each in said:
        try:
            read(each)
        except InvalidSetting as error:
            raise refused(option, each, error) from None


def _way(plan: Plan, network: NetworkPlan) -> tuple[bool, str | None, str | None]:
    """Return what decides how the peers of a network are dialled."""
    return plan.tor, network.proxy, network.onion_proxy


def _new_peers(old: NetworkPlan, new: NetworkPlan) -> bool:
    return not {*new.connect, *new.add_peer} <= {*old.connect, *old.add_peer}


def _limits(plan: NetworkPlan) -> tuple[int, int, int]:
    return plan.max_inbound, plan.max_per_host, plan.max_per_prefix


def _merged(old: P, new: P) -> P:
    """Return *old* with what need not wait for the next start from *new*."""
    names = {each.name for each in fields(old)} & _REREAD
    return replace(old, **{name: getattr(new, name) for name in names})


def _differences(old: Plan, new: Plan) -> list[str]:
    """Return the fields of the settings in which two plans differ, each once."""
    changed = _different_fields(old, new)
    olds = {each.base.title: each for each in old.networks}
    news = {each.base.title: each for each in new.networks}
    if olds.keys() != news.keys():
        changed.append("network")
    for title in olds.keys() & news.keys():
        changed += _different_fields(olds[title], news[title])
        changed += _different_fields(olds[title].config, news[title].config)
    return list(dict.fromkeys(changed))


def _different_fields(old: Any, new: Any) -> list[str]:
    names = [_SAID_BY.get(each.name, each.name) for each in fields(old)]
    values = [(getattr(old, each.name), getattr(new, each.name)) for each in fields(old)]
    different = [name for name, (a, b) in zip(names, values, strict=True) if a != b]
    return [name for name in different if name in _NAMES]
