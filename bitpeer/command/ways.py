"""How the program reaches peers, and is reached: proxies, Tor, onion services."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from twisted.internet.interfaces import IStreamServerEndpoint

from bitpeer.command.plan import NetworkPlan, Plan
from bitpeer.command.said import WrongSetting, refused
from bitpeer.errors import InvalidSetting, LocalError
from bitpeer.net.journal import Journal
from bitpeer.net.onion import OnionEndpoint, onion_endpoint
from bitpeer.net.proxies import proxy_from_text
from bitpeer.net.routes import Routes
from bitpeer.net.tor import Tor, control_place, usual_places
from bitpeer.net.torlaunch import TorProcess

MAX_PASSWORD = 1_024
"""Most bytes of a password."""
ONION_KEY = "onion.key"
"""The file with the key of a network's onion service."""

_ONION_PORT = re.compile("onion:(?:public_port=)?([0-9]{1,5})", re.IGNORECASE)

T = TypeVar("T")


def make_tor(plan: Plan, place: Path | None, journal: Journal, reactor: object) -> Tor | None:
    """Return the Tor that is wanted, if one is.

    Args:
        plan: what the operator wants.
        place: where a Tor of our own may remember things; `None` if nothing is to be kept.
        journal: is told what becomes of it.
        reactor: Twisted's.

    Raises:
        WrongSetting: its control port or password cannot be read, or txtorcon is missing.
    """
    if not plan.tor:
        return None
    if plan.tor_control is None:
        folder = None if place is None else place / "tor"
        places, process = usual_places(reactor), TorProcess(reactor, folder)
    else:
        text = plan.tor_control
        places = [_checked("tor-control", text, partial(control_place, reactor))]
        process = None
    password = None if plan.tor_password_file is None else _password(plan.tor_password_file)
    try:
        return Tor(reactor, journal, places=places, password=password, process=process)
    except LocalError as error:
        raise WrongSetting(f"--tor cannot be used: {error}") from None


def make_routes(plan: NetworkPlan, tor: Tor | None, reactor: object) -> Routes:
    """Return how the peers of a network are dialled.

    Raises:
        WrongSetting: a proxy cannot be read.
    """
    texts = {"proxy": plan.proxy, "onion-proxy": plan.onion_proxy}
    proxies = {
        option: _checked(option, text, partial(proxy_from_text, reactor))
        for option, text in texts.items()
        if text is not None
    }
    return Routes(
        reactor,
        proxy=proxies.get("proxy") if tor is None else tor.proxy,
        onion_proxy=proxies.get("onion-proxy"),
        overlays=plan.cjdns_reachable,
    )


def make_doors(
    plan: NetworkPlan, tor: Tor | None, key: Path | None, reactor: object
) -> list[str | IStreamServerEndpoint]:
    """Return where peers of a network are accepted, onion services among it.

    Args:
        plan: what the operator wants.
        tor: if there is one.
        key: the file for the key of the onion service at the network's port; those at other
            ports have files of their own beside it.  `None` gives all of them new names at
            each start.
        reactor: Twisted's.

    Raises:
        WrongSetting: an onion service cannot be understood.
    """
    doors: list[str | IStreamServerEndpoint] = []
    ours: set[int] = set()
    for text in plan.listen:
        if tor is None or not text.lower().startswith("onion:"):
            doors.append(text)
            continue
        port = _port(text)
        own_key = _key_of(port, plan, key)
        door = _checked("listen", text, partial(onion_endpoint, reactor, tor=tor, key=own_key))
        doors.append(door)
        if isinstance(door, OnionEndpoint):
            ours.add(port)
    port = plan.config.network.port
    if plan.onion_service and tor is not None and port not in ours:
        doors.append(OnionEndpoint(reactor, tor, port, key))
    return doors


def _port(text: str) -> int:
    """Return the port in a description of an onion service; 0 if that cannot be read."""
    found = _ONION_PORT.match(text)
    return int(found[1]) if found else 0


def _key_of(port: int, plan: NetworkPlan, key: Path | None) -> Path | None:
    """Return the file for the key of the onion service at *port*."""
    if key is None or port == plan.config.network.port:
        return key
    return key.with_stem(f"{key.stem}-{port}")


def _checked(option: str, text: str, make: Callable[[str], T]) -> T:
    try:
        return make(text)
    except InvalidSetting as error:
        raise refused(option, _without_password(text), error) from None
    except LocalError as error:
        raise WrongSetting(f"--{option} is {text!r:.200}, but {error}") from None


def _without_password(text: str) -> str:
    """Return what may be shown, in a log perhaps, of a proxy that has credentials."""
    return f"...@{text.rpartition('@')[2]}" if "@" in text else text


def _password(path: str) -> str:
    """Return what the first line of a file says."""
    try:
        with Path(path).open("rb") as file:
            said = file.read(MAX_PASSWORD + 1).split(b"\n")[0].strip().decode("utf-8")
    except OSError as error:
        why = error.strerror or type(error).__name__
        expected = f"a file that can be read ({why})"
    except UnicodeDecodeError:
        expected = "a file with a password in UTF-8"
    else:
        if 0 < len(said) <= MAX_PASSWORD:
            return said
        expected = f"a file whose first line is a password of at most {MAX_PASSWORD} bytes"
    raise WrongSetting(f"--tor-password-file is {path!r:.200}, expected {expected}")
