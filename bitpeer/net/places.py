"""Where to dial and where to listen, as people write it."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from bitpeer.errors import InvalidSetting

_DESCRIPTION = re.compile(r"[a-z][a-z0-9]*:", re.IGNORECASE)
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_IPV6 = re.compile(r"[0-9a-f:.]+(%[a-z0-9_.-]+)?", re.IGNORECASE)
MAX_NAME = 253
"""Most characters of a host name (RFC 1123)."""
MAX_PATH = 107
"""Most bytes of the path of a Unix socket (Linux, unix(7))."""

_PLACE = (
    "host, host:port or [ipv6]:port, with a name of letters, digits, hyphens and dots or an IP "
    "address, and a port from 1 to 65535"
)
_DIALLED = "{kind}:host:port, with a host name or an IP address and a port from 1 to 65535"
_DOOR = "port, address or address:port, with an IP address of this machine and a port up to 65535"


def split_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port``, ``[ipv6]:port`` or a bare IPv6 address.

    Raises:
        InvalidSetting: it is none of these.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        fit = bool(bracket) and _is_ipv6(host) and rest[:1] in ("", ":")
        port = rest[1:] if rest else str(default_port)
    elif text.count(":") > 1:
        host, port, fit = text, str(default_port), _is_ipv6(text)
    else:
        host, colon, port = text.partition(":")
        fit = _is_host(host)
        port = port if colon else str(default_port)
    if not fit or not _is_port(port):
        raise InvalidSetting("address", text, _PLACE)
    return host, int(port)


def endpoint_description(text: str, default_port: int) -> str:
    """Return *text* as a client endpoint description for Twisted.

    ``tcp:host:port`` and its like stay as they are; host and port become ``tcp:``.

    Raises:
        InvalidSetting: *text* is neither.
    """
    if not _is_description(text, _CLIENTS):
        host, port = split_host_port(text, default_port)
        return f"tcp:{_quoted(host)}:{port}"
    kind = text.partition(":")[0].lower()
    if kind in _WITH_PORT:
        given = _arguments(text, "host", "port")
        if not _is_dialled(given["host"]) or not _is_port(given["port"]):
            raise InvalidSetting("address", text, _DIALLED.format(kind=kind))
    _check_path(kind, text)
    return text


def listening_description(text: str, default_port: int) -> str:
    """Return *text* as a server endpoint description for Twisted.

    ``tcp:port`` and its like stay as they are.  A port, an IP address or both
    become ``tcp:`` or ``tcp6:``; without an address it is all those of IPv4, and
    port 0 is one that the system picks.

    Raises:
        InvalidSetting: *text* is neither.
    """
    if _is_description(text, _SERVERS):
        kind = text.partition(":")[0].lower()
        if kind in _WITH_PORT and not _is_port(_arguments(text, "port")["port"], least=0):
            expected = f"{kind}:port, with a port from 0 to 65535"
            raise InvalidSetting("address", text, expected)
        _check_path(kind, text)
        return text
    bare = text.removeprefix(":")
    if _is_port(bare, least=0):
        return f"tcp:{bare}"
    any_port = text.endswith(":0") and (text.startswith("[") or text.count(":") == 1)
    try:
        host, port = split_host_port(text[:-1] + "1" if any_port else text, default_port)
        host = "127.0.0.1" if host == "localhost" else host
        kind = "tcp6" if ip_address(host).version == 6 else "tcp"
    except ValueError:
        raise InvalidSetting("address", text, _DOOR) from None
    return f"{kind}:{0 if any_port else port}:interface={_quoted(host)}"


def named_host(description: str) -> tuple[str, int, bool] | None:
    """Return whom a client endpoint description names itself, if that is all it takes to dial.

    Returns:
        Host, port, and whether nothing else is said of how to dial; `None` for other kinds
        than ``tcp:``.
    """
    if description.partition(":")[0].lower() != "tcp":
        return None
    given = _arguments(description, "host", "port")
    return given["host"], int(given["port"]), len(_COLON.findall(description)) == 2


def words_of(description: str) -> list[str]:
    """Return all that a description says after its kind, values of named arguments included."""
    words = (part.partition("=")[2] or part for part in _COLON.split(description)[1:])
    return [_ESCAPED.sub(r"\1", word) for word in words]


def is_socket_path(path: str) -> bool:
    """Whether *path* can be that of a Unix socket: Twisted stumbles over all others."""
    return 0 < len(os.fsencode(path)) <= MAX_PATH


def misread(setting: str, place: str, error: Exception) -> InvalidSetting:
    """Return what is wrong with a *place* over which Twisted's reading failed with *error*."""
    kind = place.partition(":")[0]
    if kind.lower() in ("ssl", "tls") and isinstance(error, NameError | ImportError):
        expected = f"something else, as {kind}: needs the package pyOpenSSL"
        return InvalidSetting(setting, place, expected)
    if isinstance(error, TypeError):  # what it says is about a function of Twisted's
        why = f"{kind}: has other parts, or more of them"
    elif isinstance(error, IndexError | KeyError) and "systemd:" in place:
        why = "no service manager has passed such a socket"
    else:
        why = str(error) or type(error).__name__
    return InvalidSetting(setting, place, f"an endpoint that Twisted can read ({why})")


def _is_description(text: str, kinds: frozenset[str]) -> bool:
    """Whether *text* is an endpoint description, of one of these *kinds* or of a plugin's."""
    kind, colon, _ = text.partition(":")
    described = bool(colon) and kind.lower() in kinds
    return described or bool(_DESCRIPTION.match(text) and "=" in text)


def _arguments(text: str, *names: str) -> dict[str, str]:
    """Return what a description says of *names*, by name or by position; nothing is ``""``."""
    parts = [part.partition("=") for part in _COLON.split(text)[1:]]
    given = {name: value for name, equals, value in parts if equals}
    places = (name for name in names if name not in given)
    given |= zip(places, (part for part, equals, _ in parts if not equals), strict=False)
    return {name: _ESCAPED.sub(r"\1", given.get(name, "")) for name in names}


def _check_path(kind: str, text: str) -> None:
    if kind != "unix":
        return
    if not any(map(is_socket_path, _arguments(text, "path", "address").values())):
        expected = f"unix:path, with a path of at most {MAX_PATH} bytes"
        raise InvalidSetting("address", text, expected)


def _is_port(text: str, least: int = 1) -> bool:
    return _PORT.fullmatch(text) is not None and least <= int(text) <= 65535


def _is_ipv6(text: str) -> bool:
    if not _IPV6.fullmatch(text):
        return False
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_dialled(host: str) -> bool:
    return _is_ipv6(host) or _is_host(host)


def _is_host(text: str) -> bool:
    """Whether *text* is an IPv4 address, or a name that hosts can have (RFC 1123)."""
    labels = text.removesuffix(".").split(".")
    if labels[-1].isdecimal():  # no top-level domain is a number, so it is meant as an address
        try:
            IPv4Address(text)
        except ValueError:
            return False
        return True
    return len(text) <= MAX_NAME and all(_LABEL.fullmatch(label) for label in labels)


def _quoted(host: str) -> str:
    return host.replace(":", r"\:")


_CLIENTS = frozenset({"tcp", "ssl", "tls", "unix", "haproxy", "tor", "onion", "i2p", "socks5"})
"""Names of client endpoint descriptions that are never meant as a host."""
_SERVERS = frozenset({"tcp", "tcp6", "ssl", "tls", "unix", "systemd", "haproxy", "onion", "i2p"})
"""Names of server endpoint descriptions."""
_WITH_PORT = frozenset({"tcp", "tcp6", "ssl", "tls"})
_COLON = re.compile(r"(?<!\\):")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
