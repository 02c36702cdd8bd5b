"""A client that speaks HTTP to a site in memory: what the tests of `status` share."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from bitpeer.net.local import LocalNode
from bitpeer.service.events import Events
from bitpeer.service.overview import Overview
from bitpeer.service.status.board import Board
from bitpeer.service.status.lag import LagMeter
from bitpeer.service.status.site import StatusSite
from bitpeer.service.status.stream import Stream
from tests.service.fakes import Reactor, make_node


class Wire(StringTransport):
    """A transport that remembers being closed or cut, and can be full."""

    cut = False

    def abortConnection(self) -> None:  # noqa: N802
        self.cut = True
        self.connected = False


class Answer(NamedTuple):
    """What a server said."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """One connection to a site.

    Args:
        site: the factory of the server's protocols.
    """

    def __init__(self, site: IProtocolFactory) -> None:
        self.wire = Wire()
        self._left = False
        self.channel: Any = site.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)

    def send(self, data: bytes) -> bytes:
        """Send raw bytes; return what comes back at once."""
        self.wire.clear()
        self.channel.dataReceived(data)
        return self.wire.value()

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """Send a request; return the answer."""
        headers.setdefault("host", "localhost:8380")
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value]
        if body:
            lines.append(f"content-length: {len(body)}")
        return parsed(self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body))

    def leave(self) -> None:
        """Close the connection, if it is open."""
        if not self._left:
            self._left = True
            self.channel.connectionLost(Failure(ConnectionDone()))


def parsed(raw: bytes) -> Answer:
    """Return an answer whose body is not chunked, or not complete."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def events_in(raw: bytes) -> list[tuple[str, Any]]:
    """Return the server-sent events in what came, without the pieces that HTTP cuts it into."""
    found = []
    for part in raw.split(b"event: ")[1:]:
        name, _, rest = part.partition(b"\n")
        data = rest.removeprefix(b"data: ").partition(b"\n")[0]
        found.append((name.decode(), json.loads(data)))
    return found


class World:
    """A node in memory, and all there is to tell of it."""

    def __init__(self, **parts: Any) -> None:
        self.reactor = Reactor()
        self.reactor.advance(1_000)
        self.node: LocalNode = make_node(self.reactor)
        self.events = Events(self.reactor.seconds)
        self.events.follow(self.node)
        self.overview = Overview(self.node, **parts)
        self.lag = LagMeter(self.reactor)
        self.board = Board([self.overview], self.events, self.lag, self.reactor.seconds)
        self.stream = Stream(self.board, self.reactor, self.node.journal)

    def site(self, resource: IResource, **limits: int) -> StatusSite:
        return StatusSite(resource, reactor=Clock(), **limits)

    def close(self) -> None:
        if self.stream.running:
            self.stream.stopService()
        self.node.stop()
        assert self.reactor.getDelayedCalls() == []
