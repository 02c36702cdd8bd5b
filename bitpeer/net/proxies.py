"""Proxies, and connections by way of them, as people write them."""

from __future__ import annotations

import re
from typing import cast
from urllib.parse import unquote

from twisted.internet.endpoints import clientFromString, quoteStringArgument
from twisted.internet.interfaces import IStreamClientEndpoint

from bitpeer.errors import InvalidSetting
from bitpeer.net.places import endpoint_description, misread, split_host_port
from bitpeer.net.socks import TIMEOUT, Proxy, Socks5Endpoint
from bitpeer.net.socks5 import MAX_FIELD, Credentials

DEFAULT_PORT = 1080
"""Where SOCKS proxies listen unless somebody says otherwise (RFC 1928).  Tor's is at 9050."""

_URL = re.compile(r"socks5h?://(?:(?P<who>[^/@]*)@)?(?P<place>[^/@]+)/?", re.IGNORECASE)
_YES = {"yes": True, "no": False}


def proxy_from_text(reactor: object, text: str, *, is_tor: bool = False) -> Proxy:
    """Return the proxy that *text* describes.

    The proxy's own name, if it has one, is the only one that is ever looked up here.

    Args:
        reactor: Twisted's.
        text: ``socks5://user:password@host:port``, ``socks5://host:port`` or ``host:port``
            (port 1080 is meant if none is named); or a Twisted client endpoint description,
            such as ``unix:/run/tor/socks``.
        is_tor: whether it is known to be Tor.

    Raises:
        InvalidSetting: it is none of these.
    """
    place, credentials = text, None
    if "://" in text:
        url = _URL.fullmatch(text)
        if url is None:
            shown = f"...@{text.rpartition('@')[2]}" if "@" in text else text
            raise InvalidSetting("proxy", shown, "socks5://user:password@host:port, or less")
        host, port = split_host_port(url["place"], DEFAULT_PORT)
        place = f"tcp:{quoteStringArgument(host)}:{port}"
        if url["who"] is not None:
            user, _, password = url["who"].partition(":")
            credentials = _credentials(unquote(user), unquote(password))
    return Proxy(endpoint=_endpoint(reactor, place), credentials=credentials, is_tor=is_tor)


def endpoint_from_words(
    reactor: object,
    *places: str,
    host: str = "",
    port: str = "",
    proxy: str = "",
    user: str = "",
    password: str = "",
    isolate: str = "",
    tor: str = "no",
    timeout: str = "",
) -> Socks5Endpoint:
    r"""Return the endpoint of a ``socks5:`` description, as in `clientFromString`.

    ``socks5:proxy.example:9050:target.onion:8333`` names the proxy and the target.  With
    ``proxy=``, an endpoint description with its colons escaped, the target stands alone:
    ``socks5:target.onion:8333:proxy=unix\:/run/tor/socks``.

    Args:
        reactor: Twisted's.
        places: host and port of the proxy, host and port of the target; or only the latter.
        host: of the target, by name.
        port: of the target, by name.
        proxy: where the proxy is, if not among *places*.
        user: to present to the proxy; needs *password*.
        password: to present to the proxy.
        isolate: ``no`` to present nothing; otherwise each connection presents credentials
            of its own, unless there are fixed ones.
        tor: ``yes`` if the proxy is known to be Tor: then isolation is insisted on.
        timeout: seconds for all of it.

    Raises:
        InvalidSetting: some of it makes no sense.
    """
    words = list(places)
    if not proxy and len(words) >= 2:
        proxy_host, proxy_port = words[:2]
        proxy = (
            f"[{proxy_host}]:{proxy_port}" if ":" in proxy_host else f"{proxy_host}:{proxy_port}"
        )
        words = words[2:]
    named = [word for word in (host, port) if word]
    target = words + named
    if not proxy or len(target) != 2 or (words and named):
        expected = "proxy host:proxy port:host:port, or host:port:proxy=..."
        raise InvalidSetting("socks5", ":".join(places), expected)
    if not target[1].isdecimal() or not 1 <= int(target[1][:6]) <= 65535:
        raise InvalidSetting("port", target[1], "1 to 65535")
    credentials = _credentials(user, password) if user or password else None
    fixed = credentials is not None
    through = Proxy(
        endpoint=_endpoint(reactor, proxy),
        credentials=credentials,
        isolate=_switch("isolate", isolate, default=not fixed, contradicted=fixed),
        is_tor=_switch("tor", tor),
    )
    seconds = TIMEOUT if not timeout else _seconds(timeout)
    return Socks5Endpoint(reactor, through, target[0], int(target[1]), timeout=seconds)


def _endpoint(reactor: object, place: str) -> IStreamClientEndpoint:
    description = endpoint_description(place, DEFAULT_PORT)
    description = description.replace("tcp:localhost:", "tcp:127.0.0.1:", 1)  # no look-up needed
    try:
        return cast(IStreamClientEndpoint, clientFromString(reactor, description))
    except Exception as error:  # each kind of endpoint has its own way to say no
        raise misread("proxy", place, error) from error


def _credentials(user: str, password: str) -> Credentials:
    if not user or not password:
        raise InvalidSetting("proxy user", user, "a user and a password, or neither")
    sizes = [len(text.encode("utf-8", "surrogateescape")) for text in (user, password)]
    if max(sizes) > MAX_FIELD:
        expected = f"a user and a password of at most {MAX_FIELD} bytes each"
        raise InvalidSetting("proxy user", "...", expected)
    return Credentials(user, password)


def _switch(name: str, word: str, *, default: bool = False, contradicted: bool = False) -> bool:
    if not word:
        return default
    if word not in _YES or (contradicted and _YES[word]):
        expected = "no, as user and password are fixed" if contradicted else "yes or no"
        raise InvalidSetting(name, word, expected)
    return _YES[word]


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3_600:
        raise InvalidSetting("timeout", word, "more than 0 and at most 3600 seconds")
    return seconds
