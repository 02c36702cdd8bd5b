"""The one place where a destination becomes something to dial, through a proxy or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import cast

from twisted.internet.endpoints import (
    HostnameEndpoint,
    SSL4ClientEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    clientFromString,
)
from twisted.internet.interfaces import IStreamClientEndpoint

from bitpeer.bitcoin.hosts import NetworkId, parse_host
from bitpeer.config import PeerConfig
from bitpeer.errors import InvalidSetting, NoRoute
from bitpeer.net.places import endpoint_description, misread, named_host, words_of
from bitpeer.net.socks import TIMEOUT as PROXY_TIMEOUT, Proxy, Socks5Endpoint

TIMEOUT = 10.0
"""Seconds that a direct connection may take to be made."""

_DIRECT = (HostnameEndpoint, SSL4ClientEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint)
_NEVER_DIRECT = frozenset({"socks5", "tor", "unix", "i2p"})
"""Endpoint descriptions that lead to a proxy, or no further than this machine."""
_ELSEWHERE = {"onion": NetworkId.TORV3, "i2p": NetworkId.I2P}
"""Top-level names that mean nothing to the Domain Name System (RFC 7686)."""
_OVERLAYS = frozenset({NetworkId.CJDNS, NetworkId.YGGDRASIL})
"""Networks whose addresses look like IPv6, and lead nowhere without their router."""


class Routes:
    """Makes endpoints out of destinations, and never a direct one where a proxy is set.

    Whoever dials anything takes the endpoint from here: the first try, every retry,
    a redirection, a seed.  So there is no path that a proxy does not cover (R-F5), and no
    name that is looked up here if it should not be (R-F7).

    Args:
        reactor: Twisted's.
        proxy: for everything; `None` for direct connections.
        onion_proxy: for onion services, in place of *proxy*.
        direct: whether there may be direct connections if there is no *proxy*.
        overlays: whether addresses of CJDNS and Yggdrasil can be reached, because this
            machine, or the proxy's, has routers of these networks.
        timeout: seconds that a direct connection may take to be made.
        proxy_timeout: seconds that one by way of a proxy may take.
    """

    def __init__(
        self,
        reactor: object,
        *,
        proxy: Proxy | None = None,
        onion_proxy: Proxy | None = None,
        direct: bool = True,
        overlays: bool = False,
        timeout: float = TIMEOUT,
        proxy_timeout: float = PROXY_TIMEOUT,
    ) -> None:
        self.proxy = proxy
        self.onion_proxy = onion_proxy or proxy
        self.proxied = proxy is not None or not direct
        """Whether nothing may be dialled directly, and no name looked up here."""
        self._reactor = reactor
        self._overlays = overlays
        self._timeout = timeout
        self._proxy_timeout = proxy_timeout

    def configured(self, config: PeerConfig) -> PeerConfig:
        """Return *config*, with `PeerConfig.proxied` set if it must be."""
        return replace(config, proxied=True) if self.proxied else config

    def reaches(self, host: str) -> bool:
        """Whether there is a way to *host*: an IP literal, an onion service, a name."""
        try:
            self._check_overlay(host)
            self._way(host)
        except NoRoute:
            return False
        return True

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """Return what to dial for *host*.

        Each connection through a proxy presents credentials of its own, unless the proxy's
        are fixed: see `Proxy.isolate`.

        Args:
            host: an IPv4 or IPv6 literal, an onion service, or a name.
            port: there.

        Raises:
            NoRoute: nothing that may be used leads there.
            InvalidSetting: host or port cannot be told to the proxy.
        """
        self._check_overlay(host)
        way = self._way(host)
        if way is not None:
            return self._through(way, host, port)
        return _dialler(host)(self._reactor, host, port, timeout=self._timeout)

    def client(
        self, place: str | IStreamClientEndpoint, default_port: int
    ) -> IStreamClientEndpoint:
        """Return what to dial for a *place* that somebody named on purpose.

        Args:
            place: ``host``, ``host:port``, a Twisted client endpoint description, or an
                endpoint already.
            default_port: of the network.

        Raises:
            InvalidSetting: *place* is none of these, or would be dialled past the proxy.
        """
        if not isinstance(place, str):
            return self._checked(place)
        description = endpoint_description(place, default_port)
        named = named_host(description)
        if named is None:
            kind = description.partition(":")[0].lower()
            if self.proxied and kind == "tor":
                expected = "host:port, which goes by way of the proxy like everything else"
                raise InvalidSetting("connect", place, expected)
            direct = kind not in _NEVER_DIRECT
            if self.proxied and direct:
                expected = f"host:port, or another endpoint than {kind}:, which passes the proxy by"
                raise InvalidSetting("connect", place, expected)
            if direct and any(map(_elsewhere, words_of(description))):
                expected = f"host:port, or another endpoint than {kind}:, which looks names up here"
                raise InvalidSetting("connect", place, expected)
        else:
            host, port, is_plain = named
            try:
                way = self._way(host)
            except NoRoute as error:
                raise InvalidSetting("connect", place, f"something else: {error.why}") from error
            if way is not None:
                if not is_plain:
                    expected = "host and port and no more, as a proxy makes the connection"
                    raise InvalidSetting("connect", place, expected)
                return self._through(way, host, port)
        try:
            return cast(IStreamClientEndpoint, clientFromString(self._reactor, description))
        except Exception as error:  # each kind of endpoint has its own way to say no
            raise misread("connect", place, error) from error

    def _checked(self, place: IStreamClientEndpoint) -> IStreamClientEndpoint:
        """Return an endpoint that a program made; it answers for those that we do not know."""
        if not IStreamClientEndpoint.providedBy(place):
            raise InvalidSetting("connect", place, "host, host:port or a client endpoint")
        if self.proxied and is_direct(place):
            expected = "an endpoint that does not pass the proxy by, as Socks5Endpoint"
            raise InvalidSetting("connect", place, expected)
        return place

    def _through(self, way: Proxy, host: str, port: int) -> IStreamClientEndpoint:
        endpoint = Socks5Endpoint(self._reactor, way, host, port, timeout=self._proxy_timeout)
        return cast(IStreamClientEndpoint, endpoint)

    def _way(self, host: str) -> Proxy | None:
        """Return the proxy for *host*; `None` if it is dialled directly.

        Raises:
            NoRoute: neither will do.
        """
        elsewhere = _elsewhere(host)
        if elsewhere is NetworkId.I2P:
            raise NoRoute(host, "I2P needs a router of its own, which bitpeer cannot talk to")
        if elsewhere is NetworkId.TORV3:
            if _network(host) is None:
                raise NoRoute(host, "it is no name of an onion service of version 3")
            if self.onion_proxy is None:
                raise NoRoute(host, "onion services are reached through Tor only")
            return self.onion_proxy
        if self.proxy is None and self.proxied:
            raise NoRoute(host, "nothing may be dialled without a proxy, and none is set for it")
        return self.proxy

    def _check_overlay(self, host: str) -> None:
        network = _network(host)
        if network in _OVERLAYS and not self._overlays:
            raise NoRoute(host, f"nobody said that {network.name} can be reached")


def routes_for(config: PeerConfig, routes: Routes | None, reactor: object) -> Routes:
    """Return the routes to use; without any they are direct, unless there should be a proxy.

    Args:
        config: the settings of those who dial.
        routes: what the program says.
        reactor: Twisted's.

    Raises:
        InvalidSetting: the settings and the routes disagree over whether there is a proxy: then
            peers would be told what they must not know, or dialled as they must not be.
    """
    if routes is None:
        return Routes(reactor, direct=not config.proxied)
    if routes.proxied != config.proxied:
        expected = f"{routes.proxied}, like that of the routes"
        raise InvalidSetting("proxied", config.proxied, expected)
    return routes


def _elsewhere(name: str) -> NetworkId | None:
    """Return the network of a *name* that means nothing to the Domain Name System."""
    return _ELSEWHERE.get(name.rstrip(".").rpartition(".")[2].lower())


def _unwrapped(endpoint: IStreamClientEndpoint) -> IStreamClientEndpoint:
    """Return the endpoint that Twisted's `wrapClientTLS` and its like have wrapped, if any."""
    while (inner := getattr(endpoint, "_wrappedEndpoint", None)) is not None:
        endpoint = inner
    return endpoint


def is_direct(endpoint: IStreamClientEndpoint) -> bool:
    """Whether *endpoint* is known to dial directly; those of others answer for themselves."""
    return isinstance(_unwrapped(endpoint), _DIRECT)


def _network(host: str) -> NetworkId | None:
    """Return the network of *host*; `None` if it is a name like any other."""
    try:
        return parse_host(host)[0]
    except ValueError:
        return None


def _dialler(host: str) -> Callable[..., IStreamClientEndpoint]:
    """Return what makes a direct endpoint for *host*."""
    try:
        address = ip_address(host)
    except ValueError:
        return HostnameEndpoint
    return TCP4ClientEndpoint if address.version == 4 else TCP6ClientEndpoint
