"""A SOCKS5 proxy that follows a script: what the tests of everything proxied share.

It connects to nothing.  What it is asked for it either refuses, or answers itself in the place
of the target, with whatever protocol the script says.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

CONNECT, RESOLVE = 1, 0xF0
PROXY = ("192.0.2.99", 9050)
"""Where the proxy is: the only place that `ClosedReactor` dials."""


class Request(NamedTuple):
    """What somebody asked the proxy for."""

    command: int
    host: str
    port: int
    credentials: tuple[bytes, bytes] | None


class ScriptedProxy(Factory):
    """Listens; remembers what it was asked for; does as the script says.

    Args:
        answer: given a request, returns a reply code to refuse with, a protocol to play the
            target, an IP literal to answer RESOLVE with, or `None` for silence.
        wants: the method that it chooses; `None` for credentials if they are offered.
    """

    noisy = False

    def __init__(self, answer: Callable[[Request], Any], *, wants: int | None = None) -> None:
        self.answer = answer
        self.wants = wants
        self.requests: list[Request] = []
        self.offers: list[bytes] = []
        self.open: list[ProxySide] = []

    def buildProtocol(self, addr: object) -> ProxySide:
        return ProxySide(self)

    @property
    def hosts(self) -> list[str]:
        """Return whom it was asked for so far."""
        return [request.host for request in self.requests]


class ProxySide(Protocol):
    """The proxy's end of one connection; once it has answered, the target's."""

    def __init__(self, proxy: ScriptedProxy) -> None:
        self.proxy = proxy
        self.buffer = b""
        self.credentials: tuple[bytes, bytes] | None = None
        self.target: Protocol | None = None
        self.lost = False
        self.state: Callable[[], bool] = self.greeted

    def connectionMade(self) -> None:
        self.proxy.open.append(self)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost = True
        self.proxy.open.remove(self)
        if self.target is not None:
            self.target.connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self.target is not None:
            self.target.dataReceived(data)
            return
        self.buffer += data
        while self.buffer and self.target is None and self.state():
            pass

    def take(self, size: int) -> bytes:
        piece, self.buffer = self.buffer[:size], self.buffer[size:]
        assert len(piece) == size
        return piece

    def greeted(self) -> bool:
        if len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            return False
        version, count = self.take(2)
        assert version == 5
        offer = self.take(count)
        self.proxy.offers.append(offer)
        method = max(offer) if self.proxy.wants is None else self.proxy.wants
        self.transport.write(bytes((5, method)))
        self.state = self.introduced if method == 2 else self.asked
        return True

    def introduced(self) -> bool:
        version, length = self.take(2)
        assert version == 1
        user = self.take(length)
        self.credentials = user, self.take(self.take(1)[0])
        self.transport.write(b"\1\0")
        self.state = self.asked
        return True

    def asked(self) -> bool:
        version, command, reserved, kind = self.take(4)
        assert (version, reserved) == (5, 0)
        if kind == 3:
            host = self.take(self.take(1)[0]).decode()
        else:
            host = str(ip_address(self.take({1: 4, 4: 16}[kind])))
        port = int.from_bytes(self.take(2), "big")
        request = Request(command, host, port, self.credentials)
        self.proxy.requests.append(request)
        answer = self.proxy.answer(request)
        if isinstance(answer, int):
            self.transport.write(bytes((5, answer, 0, 1)) + bytes(6))
            self.transport.loseConnection()
        elif isinstance(answer, str):
            packed = ip_address(answer).packed
            self.transport.write(b"\5\0\0" + bytes((4 if len(packed) == 16 else 1,)) + packed)
            self.transport.write(bytes(2))
        elif answer is not None:
            self.transport.write(b"\5\0\0\1" + bytes(6))
            self.target = answer
            self.target.makeConnection(self.transport)
        return False


@implementer(ITCPTransport)
class End:
    """One end of a connection in memory."""

    def __init__(self, peer: object) -> None:
        self.protocol: Any = None
        self.other: End
        self.peer = peer
        self.flight: list[bytes] = []
        self.disconnecting = self.gone = False

    def write(self, data: bytes) -> None:
        if not self.disconnecting:
            self.flight.append(data)

    def writeSequence(self, pieces: list[bytes]) -> None:  # noqa: N802
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:  # noqa: N802
        self.disconnecting = True

    def abortConnection(self) -> None:  # noqa: N802
        self.disconnecting = True
        self.flight.clear()

    def getPeer(self) -> object:  # noqa: N802
        return self.peer

    def getHost(self) -> object:  # noqa: N802
        return IPv4Address("TCP", "192.0.2.1", 50_000)

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        """There is always room."""

    def unregisterProducer(self) -> None:  # noqa: N802
        """There is always room."""

    def pauseProducing(self) -> None:  # noqa: N802
        """Nothing is read ahead."""

    def resumeProducing(self) -> None:  # noqa: N802
        """Nothing is read ahead."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Nothing is ever late."""

    def deliver(self) -> bool:
        """Let what was written arrive, then the end; return whether there was either."""
        if self.flight:
            data, self.flight = b"".join(self.flight), []
            if not self.other.disconnecting:
                self.other.protocol.dataReceived(data)
            return True
        if self.disconnecting and not self.gone:
            self.gone = True
            self.protocol.connectionLost(Failure(ConnectionDone()))
            self.other.disconnecting = True
            return True
        return False


class Wire:
    """A connection between what a `MemoryReactorClock` dialled and a server."""

    def __init__(self, client: Any, server: Any) -> None:
        self.near, self.far = End(IPv4Address("TCP", *PROXY)), End(None)
        for end, other, protocol in (
            (self.near, self.far, client),
            (self.far, self.near, server),
        ):
            end.other, end.protocol = other, protocol
        server.makeConnection(self.far)
        client.makeConnection(self.near)

    def deliver(self) -> bool:
        """Let everything arrive that is on its way; return whether there was anything."""
        moved = False
        while any([self.near.deliver(), self.far.deliver()]):
            moved = True
        return moved


class Closed:
    """A resolver that fails the test when it is asked for anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolveHostName(self, receiver: Any, name: str, *_: Any) -> None:  # noqa: N802
        self.asked.append(name)
        raise AssertionError(f"the local resolver was asked for {name}")


class ClosedReactor(MemoryReactorClock):
    """Leads to a scripted proxy, and fails the test when asked for any other place."""

    def __init__(self, proxy: ScriptedProxy) -> None:
        super().__init__()
        self.proxy = proxy
        self.nameResolver = Closed()
        self.offences: list[Any] = []
        self.wires: list[Wire] = []
        self.served = 0

    def connectTCP(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        if (host, port) != PROXY:
            self.offences.append((host, port))
            raise AssertionError(f"{host}:{port} was dialled past the proxy")
        return super().connectTCP(host, port, *args, **kwargs)

    def resolve(self, name: str, *_: Any) -> Any:
        self.offences.append(name)
        raise AssertionError(f"the local resolver was asked for {name}")

    connectUNIX = connectSSL = connectUDP = adoptStreamConnection = resolve  # noqa: N815

    def settle(self, seconds: float = 0.0) -> None:
        """Connect what was dialled, let everything arrive, and so on, while time goes by."""
        self.deliver()
        for _ in range(int(seconds * 10)):
            self.advance(0.1)
            self.deliver()
        assert not self.offences
        assert not self.nameResolver.asked

    def deliver(self) -> None:
        """Let everything arrive that can arrive now."""
        moved = True
        while moved:
            for _, _, factory, *_ in self.tcpClients[self.served :]:
                self.served += 1
                client = factory.buildProtocol(None)
                if client is not None:
                    self.wires.append(Wire(client, self.proxy.buildProtocol(None)))
            self.advance(0)
            moved = sum(wire.deliver() for wire in self.wires) > 0  # all of them
            moved = moved or self.served < len(self.tcpClients)
