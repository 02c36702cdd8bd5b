"""How an HTTPS seed is asked: one request, to whom its certificate says it is, and little of it."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from bitpeer.decred.seeding import seeded_addresses
from bitpeer.dialect import HttpsSeed
from bitpeer.errors import Disconnected, DisconnectReason, LocalError, MissingExtra
from bitpeer.net.routes import Routes
from bitpeer.service.reasons import reason_of
from bitpeer.service.seeds import Address

WANTED_SERVICES = 1
"""Services asked for: all blocks.  dcrd asks for nothing else."""
PATIENCE = 60.0
"""Seconds that one seed may take, from the first packet to the last (dcrd addrmgr.SeedAddrs)."""
MAX_RECEIVED = 65_536
"""Most bytes read of one seed, whatever they are: certificates, headers, addresses."""
OK = 200


class ByHttps:
    """Asks HTTPS seeds for addresses.

    Args:
        reactor: Twisted's.
        routes: how to dial them.
        services: to ask for.
        trust: whom to trust to certify who a seed is: an `IOpenSSLTrustRoot`, or `None`
            for those whom this machine trusts.
    """

    def __init__(
        self,
        reactor: object,
        routes: Routes,
        *,
        services: int = WANTED_SERVICES,
        trust: Any = None,
    ) -> None:
        self.needs = "internet"
        self._reactor = reactor
        self._routes = routes
        self._services = services
        self._trust = trust

    def __call__(self, seed: HttpsSeed) -> Deferred[list[Address]]:
        """Return a Deferred that fires with what the seed says.

        It fails with `MissingExtra` if there is no TLS, with `NoRoute` if nothing leads
        there, and with `Disconnected` if it does not answer as it should.
        """
        answer = Deferred.fromCoroutine(self._ask(seed))
        answer.addTimeout(PATIENCE, cast(IReactorTime, self._reactor))
        return answer.addErrback(self._as_ours)

    async def _ask(self, seed: HttpsSeed) -> list[Address]:
        link = _Link(seed.host, self._routes, self._trust)
        agent = Agent.usingEndpointFactory(self._reactor, link)
        url = seed.url(services=self._services)
        try:
            response = await agent.request(b"GET", url.encode(), Headers({"Accept": ["*/*"]}))
            if response.code != OK:
                raise ConnectionError(f"it answers with status {response.code}")
            reply = await _body(response)
        finally:
            link.cut()
        return [Address(each.host, each.port) for each in seeded_addresses(reply)]

    def _as_ours(self, failure: Failure) -> Failure:
        """Return what went wrong, as an error of this package."""
        if isinstance(failure.value, MissingExtra):
            self.needs = f"TLS ({failure.value.install})"
        if failure.check(LocalError):
            return failure
        reasons = getattr(failure.value, "reasons", None)  # Agent wraps what happened
        why = reason_of(reasons[0] if reasons else failure)
        return Failure(Disconnected(DisconnectReason.DIAL_FAILED, ConnectionError(why)))


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Link:
    """One connection to one seed: secured, measured, and cut when it is not needed any more."""

    def __init__(self, host: str, routes: Routes, trust: Any) -> None:
        self._host = host
        self._routes = routes
        self._trust = trust
        self._end: _Measured | None = None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: N802
        """Return what `Agent` dials; see `IAgentEndpointFactory`."""
        self._endpoint = self._routes.endpoint(self._host, uri.port)
        return wrapClientTLS(self._options(), self)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Dial; see `IStreamClientEndpoint`."""
        factory = WrappingFactory(protocolFactory)
        factory.noisy = False
        factory.protocol = _Measured

        def connected(end: IProtocol) -> IProtocol:
            self._end = cast(_Measured, end)
            return self._end.wrappedProtocol

        return self._endpoint.connect(factory).addCallback(connected)

    def cut(self) -> None:
        """End the connection now, if there is one."""
        if self._end is not None:
            self._end.cut()

    def _options(self) -> IOpenSSLClientConnectionCreator:
        try:
            from twisted.internet.ssl import optionsForClientTLS  # noqa: PLC0415  # optional
        except ImportError:
            raise MissingExtra("asking HTTPS seeds", "pyOpenSSL", "service") from None
        return optionsForClientTLS(self._host, trustRoot=self._trust)


class _Measured(ProtocolWrapper):
    """One end of a connection of which only so many bytes are read."""

    received = 0

    def dataReceived(self, data: bytes) -> None:
        room = MAX_RECEIVED - self.received
        self.received += len(data)
        self.wrappedProtocol.dataReceived(data[:room])
        if self.received > MAX_RECEIVED:
            self.cut()

    def cut(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()


class _Body(Protocol):
    """Collects the body of an answer, or as much of it as comes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.complete: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.complete.called:
            self.complete.callback(b"".join(self.parts))


def _body(response: IResponse) -> Deferred[bytes]:
    body = _Body()
    response.deliverBody(body)
    return body.complete
