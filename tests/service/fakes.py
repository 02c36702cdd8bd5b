"""A reactor, seeds and peers that are not there: what the tests of `service` share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.config import PeerConfig
from bitpeer.dialect import DnsSeed
from bitpeer.errors import DisconnectReason
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IDialListener
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from tests import toy

SEEDS = (DnsSeed("a.example", filters=True), DnsSeed("b.example"))
NETWORK = replace(toy.NETWORK, seeds=SEEDS)
HERE = IPv4Address("TCP", "198.51.100.9", 50_000)


class Resolver:
    """Knows some names; answers when it is told to, or at once."""

    def __init__(self, names: dict[str, list[str]] | None = None, *, at_once: bool = True) -> None:
        self.names = names or {}
        self.at_once = at_once
        self.asked: list[str] = []
        self.waiting: list[tuple[Any, str]] = []

    def resolveHostName(self, receiver: Any, name: str, *_: Any) -> None:  # noqa: N802
        self.asked.append(name)
        receiver.resolutionBegan(None)
        if self.at_once:
            self._answer(receiver, name)
        else:
            self.waiting.append((receiver, name))

    def answer_next(self) -> None:
        self._answer(*self.waiting.pop(0))

    def _answer(self, receiver: Any, name: str) -> None:
        for host in self.names.get(name, ()):
            receiver.addressResolved(IPv4Address("TCP", host, 0))
        receiver.resolutionComplete()


class Reactor(MemoryReactorClock):
    """Connects to nothing, but remembers what it was asked to connect to."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        super().__init__()
        self.nameResolver = resolver or Resolver()

    def dialled(self) -> list[str]:
        """Return the hosts dialled so far."""
        return [client[0] for client in self.tcpClients]


class Transport(StringTransport):
    """Goes nowhere, and remembers being cut."""

    aborted = False

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True


@dataclass
class Line:
    """One end of a connection: a protocol of ours, and a transport that goes nowhere."""

    protocol: Any
    transport: Transport = field(default_factory=lambda: Transport(hostAddress=HERE))

    def open(self) -> Line:
        self.protocol.makeConnection(self.transport)
        return self

    def say(self, command: bytes, payload: bytes = b"") -> None:
        self.protocol.dataReceived(toy.frame(command, payload))

    def shake_hands(self, height: int = 0) -> Line:
        hello = toy.Hello(version=2, services=0, time=0, nonce=99, height=height)
        self.say(b"version", hello.encode())
        self.say(b"verack")
        return self

    def hang_up(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def peer(self) -> PeerProtocol:
        """The protocol without what Twisted wrapped around it."""
        inner = self.protocol
        while not isinstance(inner, PeerProtocol):
            inner = getattr(inner, "_wrappedProtocol", None) or inner._protocol
        return inner


def accept(reactor: Reactor, index: int = -1) -> Line:
    """Let the dial with this *index* succeed."""
    host, port, factory, *_ = reactor.tcpClients[index]
    peer = IPv4Address("TCP", host, port)
    transport = Transport(hostAddress=HERE, peerAddress=peer)
    return Line(factory.buildProtocol(peer), transport).open()


def refuse(reactor: Reactor, index: int = -1) -> None:
    """Let the dial with this *index* fail."""
    reactor.tcpClients[index][2].clientConnectionFailed(None, Failure(Refused()))


def visit(node: LocalNode) -> Line:
    """Let a peer dial us."""
    protocol = PeerFactory(node, outbound=False).buildProtocol(None)
    assert isinstance(protocol, PeerProtocol)
    return Line(protocol).open()


def make_node(reactor: Reactor, listeners: Iterable[object] = (), **settings: Any) -> LocalNode:
    """Return a node of the toy network with seeds."""
    settings.setdefault("network", NETWORK)
    return LocalNode(PeerConfig(**settings), tuple(listeners), clock=reactor)


@implementer(IDialListener)
class Dials:
    """Notes whom this side dials, and in vain."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, DisconnectReason | None]] = []

    def dialling(self, address: str) -> None:
        self.noted.append((address, None))

    def unreachable(self, address: str, reason: DisconnectReason) -> None:
        self.noted.append((address, reason))


class LogLines:
    """What is logged while it is open, as text."""

    def __enter__(self) -> list[str]:
        self.lines: list[str] = []
        globalLogPublisher.addObserver(self._observe)
        return self.lines

    def __exit__(self, *_: object) -> None:
        globalLogPublisher.removeObserver(self._observe)

    def _observe(self, event: LogEvent) -> None:
        text = formatEvent(event)
        if text and event.get("log_namespace", "").startswith("bitpeer"):
            self.lines.append(text)
