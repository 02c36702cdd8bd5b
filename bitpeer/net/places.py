"""Where to dial and where to listen, as people write it."""

from __future__ import annotations

import re

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
    head = text.partition(":")[0].lower()
    if head in _KNOWN or (_DESCRIPTION.match(text) and "=" in text):
        return text
    host, port = split_host_port(text, default_port)
    return f"tcp:{host.replace(':', chr(92) + ':')}:{port}"


_KNOWN = frozenset(
    {"tcp", "tcp6", "ssl", "tls", "unix", "haproxy", "tor", "onion", "i2p", "socks5"}
)
"""Names of endpoint descriptions that are never meant as a host."""
