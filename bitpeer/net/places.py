"""Where to dial and where to listen, as people write it."""

from __future__ import annotations

import re
from ipaddress import ip_address

from bitpeer.errors import InvalidSetting

_DESCRIPTION = re.compile(r"[a-z][a-z0-9]*:", re.IGNORECASE)
_PORT = re.compile(r"[0-9]{1,5}")


def split_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port``, ``[ipv6]:port`` or a bare IPv6 address.

    Raises:
        InvalidSetting: it is none of these.
    """
    expected = "host, host:port or [ipv6]:port, with a port from 1 to 65535"
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidSetting("address", text, expected)
        port = rest[1:] if rest else str(default_port)
    elif text.count(":") > 1:
        host, port = text, str(default_port)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(default_port)
    if not host or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise InvalidSetting("address", text, expected)
    return host, int(port)


def endpoint_description(text: str, default_port: int) -> str:
    """Return *text* as a client endpoint description for Twisted.

    ``tcp:host:port`` and its like stay as they are; host and port become ``tcp:``.

    Raises:
        InvalidSetting: *text* is neither.
    """
    if _is_description(text, _CLIENTS):
        return text
    host, port = split_host_port(text, default_port)
    return f"tcp:{_quoted(host)}:{port}"


def listening_description(text: str, default_port: int) -> str:
    """Return *text* as a server endpoint description for Twisted.

    ``tcp:port`` and its like stay as they are.  A port, an IP address or both
    become ``tcp:`` or ``tcp6:``; without an address it is all those of IPv4, and
    port 0 is one that the system picks.

    Raises:
        InvalidSetting: *text* is neither.
    """
    if _is_description(text, _SERVERS):
        return text
    bare = text.removeprefix(":")
    if _PORT.fullmatch(bare):
        if int(bare) > 65535:
            raise InvalidSetting("address", text, "a port from 0 to 65535")
        return f"tcp:{bare}"
    any_port = text.endswith(":0") and (text.startswith("[") or text.count(":") == 1)
    host, port = split_host_port(text[:-1] + "1" if any_port else text, default_port)
    host = "127.0.0.1" if host == "localhost" else host
    try:
        kind = "tcp6" if ip_address(host).version == 6 else "tcp"
    except ValueError:
        expected = "port, address or address:port, with an IP address of this machine"
        raise InvalidSetting("address", text, expected) from None
    return f"{kind}:{0 if any_port else port}:interface={_quoted(host)}"


def _is_description(text: str, kinds: frozenset[str]) -> bool:
    """Whether *text* is an endpoint description, of one of these *kinds* or of a plugin's.

    Raises:
        InvalidSetting: it is one with a port that does not exist; Twisted would see
            that only when it is used, if at all.
    """
    kind, colon, rest = text.partition(":")
    described = bool(colon) and kind.lower() in kinds
    if not described and not (_DESCRIPTION.match(text) and "=" in text):
        return False
    if kind.lower() in _WITH_PORT:
        for port in _PORTS_IN.findall(rest):
            if int(port) > 65535:
                raise InvalidSetting("address", text, "a port up to 65535")
    return True


def _quoted(host: str) -> str:
    return host.replace(":", r"\:")


_CLIENTS = frozenset({"tcp", "ssl", "tls", "unix", "haproxy", "tor", "onion", "i2p", "socks5"})
"""Names of client endpoint descriptions that are never meant as a host."""
_SERVERS = frozenset({"tcp", "tcp6", "ssl", "tls", "unix", "systemd", "haproxy", "onion", "i2p"})
"""Names of server endpoint descriptions."""
_WITH_PORT = frozenset({"tcp", "tcp6", "ssl", "tls"})
_PORTS_IN = re.compile(r"(?:^|(?<!\\):|port=)([0-9]+)(?=:|$)")
