"""How a seed is asked: by the resolver here, by Tor, in the person of a node it names, by HTTPS.

Only the first of them asks the local resolver, and it is never used where a proxy is set (R-F7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import SystemRandom
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorTime,
    IResolutionReceiver,
)
from zope.interface import implementer

from bitpeer.dialect import DnsSeed, HttpsSeed
from bitpeer.net.connect import dial
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy, resolve
from bitpeer.service.byhttps import ByHttps
from bitpeer.service.redial import Murmur
from bitpeer.service.seeds import PER_SEED, Address, LookUp

WANTED_SERVICES = 0x9
"""Services asked for where a seed can choose: all blocks, with witnesses.  Every seed that
filters knows this mask; it is the only one that Core asks for."""
PATIENCE = 30.0
"""Seconds that the resolver may take."""
CIRCUITS = 3
"""How many times Tor is asked for each seed: it tells one address at a time, and another exit
will hear of another one."""

_RANDOM = SystemRandom()


def query_name(seed: DnsSeed, services: int) -> str:
    """Return the name to look up."""
    return f"x{services:x}.{seed.host}" if seed.filters and services else seed.host


def look_up_through(reactor: object, routes: Routes, node: LocalNode) -> LookUp:
    """Return how to ask seeds where *routes* are the only ones to be used.

    Args:
        reactor: Twisted's.
        routes: if they are proxied, there is a proxy.
        node: for whom.
    """
    by_name = _by_name(reactor, routes, node)
    if not node.config.network.https_seeds:
        return by_name
    by_https = ByHttps(reactor, routes)
    return ByKind(by_name, by_https) if node.config.network.seeds else by_https


def _by_name(reactor: object, routes: Routes, node: LocalNode) -> LookUp:
    """Return how to ask DNS seeds."""
    port = node.config.network.port
    if routes.proxy is None:
        resolver = cast(IReactorPluggableNameResolver, reactor).nameResolver
        return ByResolver(resolver, port, clock=node.clock)
    if routes.proxy.is_tor:
        return ByTor(reactor, routes.proxy, port)
    return ByAsking(routes, node)


class ByKind:
    """Asks DNS seeds in one way, and HTTPS seeds in another.

    Args:
        by_name: asks DNS seeds.
        by_https: asks HTTPS seeds.
    """

    def __init__(self, by_name: LookUp, by_https: LookUp) -> None:
        self.needs = by_name.needs
        self._by_name = by_name
        self._by_https = by_https

    def __call__(self, seed: DnsSeed | HttpsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with what the seed says."""
        return (self._by_https if isinstance(seed, HttpsSeed) else self._by_name)(seed)


class ByResolver:
    """Looks seeds up in the Domain Name System.

    Args:
        resolver: the reactor's, which does not block.
        port: of the addresses.
        clock: tells the time.
        services: to ask for, where a seed can choose.
    """

    needs = "internet or DNS"

    def __init__(
        self,
        resolver: IHostnameResolver,
        port: int,
        *,
        clock: IReactorTime,
        services: int = WANTED_SERVICES,
    ) -> None:
        self._resolver = resolver
        self._port = port
        self._clock = clock
        self._services = services

    def __call__(self, seed: DnsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with what the seed says, soon."""
        answers = _Answers()
        name = f"{query_name(seed, self._services)}."  # complete: no search domain is appended
        self._resolver.resolveHostName(answers, name, self._port)
        hosts = answers.complete.addTimeout(PATIENCE, self._clock)
        hosts.addErrback(lambda _: answers.hosts)
        return hosts.addCallback(lambda hosts: [Address(host, self._port) for host in hosts])


@implementer(IResolutionReceiver)
class _Answers:
    """Collects the addresses that one name stands for."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.complete: Deferred[list[str]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        """Twisted has begun; it cannot be told to stop."""

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        """Take one more address."""
        host = getattr(address, "host", None)
        if host is not None and host not in self.hosts and len(self.hosts) < PER_SEED:
            self.hosts.append(host)

    def resolutionComplete(self) -> None:  # noqa: N802
        """That was all; too late if it comes after the time-out."""
        if not self.complete.called:
            self.complete.callback(self.hosts)


class ByTor:
    """Lets Tor look seeds up, at several exits.

    Args:
        reactor: tells the time.
        proxy: Tor's.
        port: of the addresses.
        services: to ask for, where a seed can choose.
    """

    needs = "Tor"

    def __init__(
        self, reactor: object, proxy: Proxy, port: int, *, services: int = WANTED_SERVICES
    ) -> None:
        self._reactor = reactor
        self._proxy = proxy
        self._port = port
        self._services = services

    def __call__(self, seed: DnsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with what the exits say; fails if none knows anything."""
        name = query_name(seed, self._services)
        questions = [resolve(self._reactor, self._proxy, name) for _ in range(CIRCUITS)]
        answers = DeferredList(questions, consumeErrors=True)

        def heard(results: Sequence[tuple[bool, Any]]) -> list[Address]:
            hosts = [host for success, host in results if success]
            if not hosts:
                results[0][1].raiseException()
            return [Address(host, self._port) for host in dict.fromkeys(hosts)]

        return answers.addCallback(heard)


class ByAsking:
    """Dials a seed's own name through the proxy, and asks the node found there for addresses.

    A seed is a name server, and its name stands for nodes: the proxy finds out which,
    and takes one.  (Bitcoin Core calls that an address-fetch connection.)

    Args:
        routes: through the proxy.
        node: for whom; its listeners hear nothing of this.
        sample: draws so many items at random.
    """

    needs = "the proxy, and internet behind it,"

    def __init__(
        self,
        routes: Routes,
        node: LocalNode,
        sample: Callable[[Sequence[Any], int], list[Any]] = _RANDOM.sample,
    ) -> None:
        self._routes = routes
        self._node = node
        self._sample = sample

    def __call__(self, seed: DnsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with addresses that the node knows, or fails."""
        return Deferred.fromCoroutine(self._ask(seed.host))

    async def _ask(self, name: str) -> list[Address]:
        endpoint = self._routes.endpoint(name, self._node.config.network.port)
        factory = PeerFactory(_Asker(self._node), outbound=True, dialled=name)
        peer = await dial(endpoint, factory)
        try:
            known = await peer.get_addresses()
        finally:
            peer.disconnect()
        addresses = [Address(each.host, each.port) for each in known]
        return self._sample(addresses, min(len(addresses), PER_SEED))


class _Asker(LocalNode):
    """What another node is to those whom it only asks for addresses."""

    def __init__(self, node: LocalNode) -> None:
        self.log = Murmur("bitpeer", observer=node.log.observer)
        super().__init__(node.config, clock=node.clock)
