"""SIGHUP: what has changed in the settings takes effect, as far as it can while running."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from twisted.logger import LogLevel

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.program import OperatorsLog, OperatorsNode
from bitpeer.command.said import WrongSetting
from bitpeer.command.settings import SETTINGS
from bitpeer.errors import InvalidSetting
from bitpeer.net.journal import Journal
from bitpeer.service.events import Events
from bitpeer.service.jsonlog import JsonLog
from bitpeer.service.nodeservice import NodeService

_SETTINGS = {setting.field: setting for setting in SETTINGS}


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
        changed = self._apply(plan)
        later = [name for name in changed if not _SETTINGS[name].reread]
        now = [_SETTINGS[name].name for name in changed if _SETTINGS[name].reread]
        text = "settings have been read again; new: {names}"
        self._journal.emit(LogLevel.info, text, names=", ".join(now) or "none")
        if later:
            names = ", ".join(_SETTINGS[name].name for name in later)
            text = "these are new, too, but wait for the next start: {names}"
            self._journal.emit(LogLevel.warn, text, names=names)
        self._events.emit("config.reread", changed=now)

    def _check(self, plan: Plan) -> None:
        """Refuse peers to dial, and to ban, that cannot be read."""
        for new in plan.networks:
            for service in self._running.get(new.base.title, ())[:1]:
                check_bans(service, new)
                for place in new.connect:
                    try:
                        service.routes.client(place, new.config.network.port)
                    except InvalidSetting as error:
                        expected = f"--connect is {place!r:.200}, expected {error.expected}"
                        raise WrongSetting(expected) from None

    def _apply(self, plan: Plan) -> list[str]:
        """Let what can change change; return the names of all that is new."""
        before, self._plan = self._plan, plan
        changed = _differences(before, plan, "networks")
        if plan.log_level != before.log_level:
            self._log.set_level(plan.log_level)
        olds = {old.base.title: old for old in before.networks}
        news = {new.base.title: new for new in plan.networks}
        if olds.keys() != news.keys():
            changed.append("network")
        for title, new in news.items():
            old, services = olds.get(title), self._running.get(title, ())
            if old is None or not services:
                continue
            changed += _network_differences(old, new)
            for service in services:
                self._adjust(service, new)
            self._dial(services[0], old, new)
        return list(dict.fromkeys(changed))

    def _adjust(self, service: NodeService, new: NetworkPlan) -> None:
        if isinstance(service.node, OperatorsNode):
            service.node.heed(self._log.level)
        service.limit(new.max_inbound, new.max_per_host, new.max_per_prefix)
        service.ban(new.ban, new.ban_time)

    def _dial(self, service: NodeService, old: NetworkPlan, new: NetworkPlan) -> None:
        for place in old.connect:
            if place not in new.connect:
                service.hang_up(place)
        for place in new.connect:
            if place not in old.connect:
                service.dial(place)
        service.introduce(new.known())


def check_bans(service: NodeService, plan: NetworkPlan) -> None:
    """Refuse to ban what cannot be banned.

    Raises:
        WrongSetting: there is something of the kind in *plan*.
    """
    for subject in plan.ban:
        try:
            service.bans.parse(subject)
        except InvalidSetting as error:
            raise WrongSetting(f"--ban is {subject!r:.200}, expected {error.expected}") from None


def _differences(old: Any, new: Any, *but: str) -> list[str]:
    """Return the names of the settings in which two plans differ."""
    names = [each.name for each in fields(old) if each.name not in but]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _network_differences(old: NetworkPlan, new: NetworkPlan) -> list[str]:
    changed = _differences(old, new, "base", "config", "doors", "headers", "addresses", "feelers")
    negated = {"headers": "no_headers", "addresses": "no_addresses", "feelers": "no_feelers"}
    changed += [
        name for field, name in negated.items() if getattr(old, field) != getattr(new, field)
    ]
    told = {"user_agent": "user_agent", "services": "services", "relay": "no_relay"}
    return changed + [
        name
        for field, name in {**told, "follow_redirects": "follow_redirects"}.items()
        if getattr(old.config, field) != getattr(new.config, field)
    ]
