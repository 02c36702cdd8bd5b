"""HTTP, for a few clients that may be anybody: nothing they do is logged, or lasts for ever."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from zope.interface import implementer

MAX_CLIENTS = 64
"""Most connections at a time."""
MAX_BODY = 4_096
"""Most bytes of a request behind its headers; none is ever looked at."""
TIMEOUT = 30.0
"""Seconds without a word after which a client that is waited for is cut off."""
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class ShortRequest(Request):
    """A request whose body is thrown away, and ends it if it is long."""

    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Refuse a long body before it comes, and one of whose length nothing is said."""
        self.content = BytesIO()
        if length is None or length > MAX_BODY:
            self._refused = True
            cast(ITCPTransport, self.channel.transport).write(TOO_LARGE)
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Throw *data* away."""

    def process(self) -> None:
        """Answer, unless that has been done."""
        if not self._refused:
            Request.process(self)


class QuietChannel(HTTPChannel):
    """One client's connection.

    Args:
        open_channels: where it is, as long as it is open.
    """

    def __init__(self, open_channels: set[QuietChannel]) -> None:
        HTTPChannel.__init__(self)
        self._open = open_channels

    def connectionMade(self) -> None:
        HTTPChannel.connectionMade(self)
        self._open.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._open.discard(self)
        HTTPChannel.connectionLost(self, reason)

    def timeoutConnection(self) -> None:  # noqa: N802
        """Cut off one who has been waited for too long, without a line in the log."""
        self.cut()

    def cut(self) -> None:
        """Close the connection, whatever is under way."""
        cast(ITCPTransport, self.transport).abortConnection()


class _QuietSite(Site):
    """Writes no access log: there may be many requests, and they have their own words in them."""

    noisy = False

    def __init__(self, resource: IResource, **settings: object) -> None:
        Site.__init__(self, resource, ShortRequest, **settings)

    def log(self, request: object) -> None:
        """Log nothing."""


def _site(resource: IResource, reactor: object, protocol: Callable[[], QuietChannel]) -> Any:
    """Return a `Site` whose connections *protocol* makes, which is not what its types expect."""
    site = cast(Any, _QuietSite(resource, reactor=reactor, timeout=TIMEOUT))
    site.protocol = protocol
    return site


class Crowded(Protocol):
    """Closes its connection at once."""

    def connectionMade(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()


@implementer(IProtocolFactory)
class StatusSite:
    """Serves one resource to so many clients at a time.

    Args:
        resource: what to serve.
        reactor: Twisted's.
        max_clients: most connections at a time.
    """

    noisy = False

    def __init__(
        self, resource: IResource, *, reactor: object, max_clients: int = MAX_CLIENTS
    ) -> None:
        self._channels: set[QuietChannel] = set()
        self._max_clients = max_clients
        self._site = _site(resource, reactor, lambda: QuietChannel(self._channels))

    def doStart(self) -> None:  # noqa: N802
        """Begin with the first port that is opened."""
        self._site.doStart()

    def doStop(self) -> None:  # noqa: N802
        """End with the last port that is closed."""
        self._site.doStop()

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self._channels)

    def buildProtocol(self, addr: IAddress | None) -> IProtocol:
        """Make a connection's protocol, or one that closes it at once."""
        if len(self._channels) >= self._max_clients:
            return Crowded()
        return cast(IProtocol, self._site.buildProtocol(addr))

    def hang_up(self) -> None:
        """Cut all connections."""
        for channel in tuple(self._channels):
            channel.cut()
