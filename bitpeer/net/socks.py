"""Connections through a SOCKS5 proxy, Tor's above all, as a Twisted endpoint.

Theory of operation.  A `_Attempt` is one dial, from its first moment to its end, which comes
once: success, failure, the deadline, or whoever waits for it cancels it.  Until then a
`_Conversation` talks to the proxy; `bitpeer.net.socks5` knows what to say.  Then the transport
is given to the protocol that was dialled for, and nothing of ours stays in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from secrets import token_hex
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectingCancelledError, NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import DisconnectReason, ProxyFailed, TimedOut
from bitpeer.net.outbox import direct_socket
from bitpeer.net.socks5 import Command, Credentials, Negotiation
from bitpeer.net.text import printable

TIMEOUT = 60.0
"""Seconds that all of it may take: to reach the proxy, and to be connected by it.  Onion services
need some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A SOCKS5 proxy, and how to present oneself there."""

    endpoint: IStreamClientEndpoint
    """Where it is: a TCP address, a Unix socket, whatever Twisted can dial."""
    credentials: Credentials | None = None
    """Who we are; the proxy must ask for them."""
    isolate: bool = True
    """Whether, without `credentials`, each connection presents random ones of its own.  Tor then
    gives each a circuit of its own, so that nobody can tell by the exit that they belong together.
    Proxies that do not ask get none."""
    is_tor: bool = False
    """Whether it is known to be Tor.  Then it must ask for those credentials (or there would be no
    isolation), is told IP addresses as names, which it likes better, and looks names up."""

    def negotiate(self, command: Command, host: str, port: int) -> Negotiation:
        """Return what to say there on one new connection.

        Raises:
            InvalidSetting: host, port or credentials cannot be said in SOCKS5.
        """
        credentials, insist = self.credentials, True
        if credentials is None and self.isolate:
            credentials, insist = Credentials(token_hex(16), token_hex(16)), self.is_tor
        return Negotiation(command, host, port, credentials, insist=insist, by_name=self.is_tor)


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class NameAddress:
    """A host that is known by its name only, as onion services are."""

    host: str
    port: int


def address_of(host: str, port: int) -> IAddress:
    """Return what the transport of a connection to *host* should say of the other end."""
    try:
        version = ip_address(host).version
    except ValueError:
        return NameAddress(host, port)
    return cast(IAddress, (IPv4Address if version == 4 else IPv6Address)("TCP", host, port))


@implementer(IStreamClientEndpoint)
class Socks5Endpoint:
    """Dials *host* by way of a proxy, which also looks up its name.

    Nothing is asked of the local resolver, and no connection is made but to the
    proxy.  `connect` fails with `ProxyFailed`, `ProxyRefused` or `TimedOut`; cancelled,
    with `ConnectingCancelledError`.  Once connected, the transport is the protocol's
    alone, and names the target as its peer.

    Args:
        reactor: tells the time.
        proxy: to go through.
        host: an IPv4 or IPv6 literal, or a name, such as that of an onion service.
        port: there.
        timeout: seconds that all of it may take.

    Raises:
        InvalidSetting: host, port or credentials cannot be said in SOCKS5.
    """

    def __init__(
        self, reactor: object, proxy: Proxy, host: str, port: int, *, timeout: float = TIMEOUT
    ) -> None:
        proxy.negotiate(Command.CONNECT, host, port)
        self._reactor = cast(IReactorTime, reactor)
        self.proxy = proxy
        self.host = host
        self.port = port
        self._timeout = timeout

    def __repr__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"socks5:{host}:{self.port}"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Dial; see `IStreamClientEndpoint`."""
        target = address_of(self.host, self.port)

        def arrived(attempt: _Attempt, conversation: _Conversation) -> None:
            protocol = protocolFactory.buildProtocol(target)
            if protocol is None:
                raise NoProtocol
            rest = conversation.make_way(cast(Protocol, protocol), target)
            if attempt.succeed(protocol) and rest:
                protocol.dataReceived(rest)

        negotiation = self.proxy.negotiate(Command.CONNECT, self.host, self.port)
        attempt = _Attempt(
            self._reactor, self.proxy, negotiation, arrived, timeout=self._timeout, target=target
        )
        return cast("Deferred[IProtocol]", attempt.begin())


def resolve(reactor: object, proxy: Proxy, name: str, *, timeout: float = TIMEOUT) -> Deferred[str]:
    """Let Tor look up *name*, on a circuit of its own.

    Args:
        reactor: tells the time.
        proxy: must be Tor's; others do not know how.
        name: of a host; not of an onion service.
        timeout: seconds that all of it may take.

    Returns:
        A Deferred that fires with one IPv4 or IPv6 literal, or fails as `Socks5Endpoint` does.

    Raises:
        InvalidSetting: *name* or the credentials cannot be said in SOCKS5.
    """

    def arrived(attempt: _Attempt, conversation: _Conversation) -> None:
        if negotiation.address is None:
            raise ProxyFailed("answered a question for an address with a name")
        conversation.cut()
        attempt.succeed(negotiation.address)

    negotiation = proxy.negotiate(Command.RESOLVE, name, 0)
    clock, target = cast(IReactorTime, reactor), NameAddress(name, 0)
    attempt = _Attempt(clock, proxy, negotiation, arrived, timeout=timeout, target=target)
    return cast("Deferred[str]", attempt.begin())


class _Attempt:
    """One dial, from its first moment to its end, which comes once.

    Args:
        clock: tells the time.
        proxy: to go through.
        negotiation: what to say there.
        arrived: called with this and the conversation once the proxy is done.
        timeout: seconds that all of it may take.
        target: for whom.
    """

    def __init__(
        self,
        clock: IReactorTime,
        proxy: Proxy,
        negotiation: Negotiation,
        arrived: Callable[[_Attempt, _Conversation], None],
        *,
        timeout: float,
        target: IAddress,
    ) -> None:
        self._clock = clock
        self._proxy = proxy
        self._arrived = arrived
        self._timeout = timeout
        self._target = target
        self._conversation = _Conversation(negotiation, self)
        self._dial: Deferred[Any] | None = None
        self.over = False
        """Whether it has ended."""
        self._result: Deferred[Any] = Deferred(self._cancelled)

    def begin(self) -> Deferred[Any]:
        """Dial the proxy; return what fires at the end."""
        self._deadline = self._clock.callLater(self._timeout, self._too_late)
        factory = _ToProxy(self, self._conversation)
        self._dial = maybeDeferred(self._proxy.endpoint.connect, factory)
        self._dial.addErrback(self._unreachable)
        return self._result

    def arrived(self) -> None:
        """The proxy has done what it was asked for."""
        try:
            self._arrived(self, self._conversation)
        except Exception:
            if self.over:  # the protocol failed over bytes of the target: that is its own affair
                raise
            self.fail(Failure())

    def succeed(self, result: object) -> bool:
        """End well; return whether that was possible, and nobody has cancelled it meanwhile."""
        if self.over:
            return False
        self._finish()
        self._result.callback(result)
        return True

    def fail(self, why: Failure | BaseException) -> None:
        """End badly, and leave nothing behind; without effect after the end."""
        if not self.over:
            self._give_up()
            self._result.errback(why)

    def _finish(self) -> None:
        self.over = True
        if self._deadline.active():
            self._deadline.cancel()

    def _give_up(self) -> None:
        self._finish()
        self._conversation.cut()
        if self._dial is not None:
            self._dial.cancel()

    def _too_late(self) -> None:
        what = "connection through the proxy"
        self.fail(TimedOut(DisconnectReason.DIAL_TIMED_OUT, what, self._timeout))

    def _cancelled(self, result: Deferred[Any]) -> None:
        self._give_up()
        result.errback(ConnectingCancelledError(self._target))

    def _unreachable(self, failure: Failure) -> None:
        why = printable(str(failure.value) or type(failure.value).__name__).rstrip(".")
        self.fail(ProxyFailed(f"cannot be reached: {why}"))


class _ToProxy(Factory):
    """Lends one conversation to the endpoint that dials the proxy."""

    noisy = False

    def __init__(self, attempt: _Attempt, conversation: _Conversation) -> None:
        self._attempt = attempt
        self._conversation = conversation

    def buildProtocol(self, addr: IAddress | None) -> _Conversation | None:
        # Not every endpoint stops dialling when it is told to.
        return None if self._attempt.over else self._conversation


class _Conversation(Protocol):
    """Talks to a proxy, then makes way.

    Args:
        negotiation: what to say.
        attempt: is told how it ends.
    """

    def __init__(self, negotiation: Negotiation, attempt: _Attempt) -> None:
        self._negotiation = negotiation
        self._attempt = attempt
        self._successor: Protocol | None = None

    def connectionMade(self) -> None:
        self._say(self._negotiation.greeting)

    def dataReceived(self, data: bytes) -> None:
        if self._successor is not None:
            self._successor.dataReceived(data)
            return
        negotiation = self._negotiation
        try:
            answer = negotiation.receive(data)
        except Exception as error:
            self._attempt.fail(error)
            return
        if answer:
            self._say(answer)
        if negotiation.done:
            self._attempt.arrived()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._successor is not None:
            self._successor.connectionLost(reason)
        else:
            self._attempt.fail(ProxyFailed("hung up before it had answered"))

    def make_way(self, successor: Protocol, target: IAddress) -> bytes:
        """Leave the connection to *successor*; return what has come for it already.

        A plain transport calls it directly from now on; one that something is wrapped
        around, such as TLS to the proxy, knows only us, so what comes is passed on.
        """
        transport: Any = self.transport
        transport.getPeer = lambda: target
        self._successor = successor
        if direct_socket(transport) is not None:
            transport.protocol = successor
        successor.makeConnection(transport)
        return self._negotiation.rest

    def cut(self) -> None:
        """End the connection at once, if there is one."""
        transport: Any = self.transport
        if transport is not None:
            getattr(transport, "abortConnection", transport.loseConnection)()

    def _say(self, words: bytes) -> None:
        cast(ITransport, self.transport).write(words)
