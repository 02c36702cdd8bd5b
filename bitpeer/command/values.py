"""Single values, out of what operators write on a command line or in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, TypeVar

from twisted.logger import LogLevel

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.bitcoin.networks import NETWORKS as BITCOIN
from bitpeer.config import PeerConfig, user_agent
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting
from bitpeer.jaxnet.networks import NETWORKS as JAXNET
from bitpeer.net.places import split_host_port

T = TypeVar("T")
Reader = Callable[[str], T]
"""Turns text into a value; raises `ValueError` with a phrase that says what is expected."""

_OTHERS = [*DECRED.values(), *JAXNET.values()]
NETWORKS = {**BITCOIN, **{network.title: network for network in _OTHERS}}
"""What `network` may be; Bitcoin's networks need not be called so."""
LEVELS = {
    "error": LogLevel.error,
    "warn": LogLevel.warn,
    "info": LogLevel.info,
    "debug": LogLevel.debug,
    "trace": LogLevel.debug,
}
"""What `log-level` may be, and the least level of the events that are logged then."""

_NUMBER = re.compile("[0-9]{1,15}")
_SPAN = re.compile("([0-9]{1,9})([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def text(said: str) -> str:
    """Take what was said as it is."""
    if not said:
        raise ValueError("something")
    return said


def number(low: int, high: int, expected: str = "") -> Reader[int]:
    """Return a reader of whole numbers from *low* to *high*."""

    def read(said: str) -> int:
        if not _NUMBER.fullmatch(said) or not low <= int(said) <= high:
            raise ValueError(expected or f"a number from {low} to {high}")
        return int(said)

    return read


limit = number(0, 10**15, "a number, or 0 for no limit")
"""Reads how many there may be."""
chain_id = number(0, (1 << 32) - 1, "a number from 0 to 2**32 - 1")
"""Reads which chain of a network is meant."""


def span(said: str) -> float:
    """Read a time such as ``90``, ``30m``, ``24h`` or ``7d``; return it in seconds."""
    found = _SPAN.fullmatch(said)
    if found is None or not int(found[1]):
        raise ValueError("seconds, or a number with m, h or d, such as 24h")
    return float(int(found[1]) * _UNITS[found[2]])


def choice(choices: dict[str, Any]) -> Reader[str]:
    """Return a reader of one of *choices*."""

    def read(said: str) -> str:
        if said not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return said

    return read


def switch(said: str) -> bool:
    """Read a yes or no."""
    if said not in ("true", "false"):
        raise ValueError("true or false")
    return said == "true"


def network(said: str) -> Network:
    """Read the name or the title of a network, in whatever case."""
    for each in NETWORKS.values():
        if said.lower() in (each.name, each.title):
            return each
    raise ValueError(f"one of {', '.join(NETWORKS)}")


def address(said: str) -> str:
    """Read an IP address."""
    try:
        return str(ip_address(said))
    except ValueError:
        raise ValueError("an IP address") from None


def peer_address(said: str) -> tuple[str, int]:
    """Read an address of IP or of an onion service, and a port; 0 if none is said."""
    try:
        host, port = split_host_port(said, 1)
        parse_host(host)
    except (InvalidSetting, ValueError):
        raise ValueError("an IP address or an onion service, with or without :port") from None
    return host, 0 if said in (host, f"[{host}]") else port


def other_chain(said: str) -> tuple[int, str]:
    """Read the id of a chain and a place, as ``1=18445``."""
    chain, equals, endpoint = said.partition("=")
    if not equals or not endpoint:
        raise ValueError("ID=ENDPOINT, as 1=18445")
    if endpoint.lower().startswith("onion:"):
        raise ValueError("no onion service: peers can be redirected to IP addresses only")
    return chain_id(chain), endpoint


def agent(said: str) -> bytes:
    """Read a user agent: a name and a version, or the whole."""
    name, colon, version = said.partition(":")
    try:
        if said.startswith("/"):
            whole = said.encode("ascii")
            return PeerConfig(network=BITCOIN["mainnet"], user_agent=whole).user_agent
        if colon:
            return user_agent(name, version)
    except (InvalidSetting, UnicodeEncodeError):
        pass
    raise ValueError(
        "name:version, or /name:version(comment)/, in printable ASCII and not too long"
    )


def services(said: str, names: Mapping[int, str]) -> int:
    """Read service bits: numbers, or *names* that a network has for them, with commas."""
    known = {name.lower(): bit for bit, name in names.items()}
    total = 0
    for part in said.split(","):
        name = part.strip().replace("-", "_").lower()
        try:
            bits = known[name] if name in known else _bits(name)
        except ValueError:
            bits = -1
        if not 0 <= bits < 1 << 64:
            raise ValueError(f"numbers up to 64 bits, or of {', '.join(known)}, with commas")
        total |= bits
    return total


def _bits(said: str) -> int:
    return int(said.encode("ascii"), 0)
