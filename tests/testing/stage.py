# ruff: noqa: N802  # names that Twisted gives
"""Two imaginary hosts, and protocols that remember what they were told."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import ClientFactory, Protocol
from zope.interface import implementer

from bitpeer.testing import Host, Link, Simulation
from bitpeer.testing.transport import SimulatedTransport

PORT = 8333


class Talker(Protocol):
    """Remembers what it was told, and when."""

    transport: SimulatedTransport

    def __init__(self, clock: Host) -> None:
        self.clock = clock
        self.made: float | None = None
        self.pieces: list[tuple[float, bytes]] = []
        self.lost: list[type[BaseException]] = []

    @property
    def heard(self) -> bytes:
        return b"".join(data for _, data in self.pieces)

    def connectionMade(self) -> None:
        assert self.made is None
        self.made = self.clock.simulation.elapsed

    def dataReceived(self, data: bytes) -> None:
        assert self.made is not None
        assert not self.lost
        self.pieces.append((self.clock.simulation.elapsed, data))

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason.type)


@implementer(IHalfCloseableProtocol)
class HalfTalker(Talker):
    """The same, and can go on when the other side has finished."""

    def __init__(self, clock: Host) -> None:
        super().__init__(clock)
        self.half: list[str] = []

    def readConnectionLost(self) -> None:
        self.half.append("read")

    def writeConnectionLost(self) -> None:
        self.half.append("write")


class Talkers(ClientFactory):
    """Makes talkers of one host, or nothing, and remembers how dials end."""

    noisy = False

    def __init__(self, clock: Host, kind: type[Talker] | None = Talker) -> None:
        self.clock = clock
        self.kind = kind
        self.made: list[Talker] = []
        self.events: list[str] = []

    def buildProtocol(self, _: object) -> Talker | None:
        if self.kind is None:
            return None
        self.made.append(self.kind(self.clock))
        return self.made[-1]

    def startedConnecting(self, _: object) -> None:
        self.events.append("started")

    def clientConnectionFailed(self, _: object, reason: Any) -> None:
        self.events.append(reason.type.__name__)

    def clientConnectionLost(self, _: object, reason: Any) -> None:
        self.events.append(f"lost: {reason.type.__name__}")


class Pair:
    """Two hosts and, once they are connected, one talker on each."""

    def __init__(
        self,
        *,
        here: type[Talker] | None = Talker,
        there: type[Talker] | None = Talker,
        **link: Any,
    ) -> None:
        self.simulation = Simulation(seed=1, link=Link(**{"latency": 1.0, **link}))
        self.one = self.simulation.host("20.0.0.1")
        self.other = self.simulation.host("20.0.0.2")
        self.dialling = Talkers(self.one, here)
        self.listening = Talkers(self.other, there)
        self.port = self.other.listenTCP(PORT, self.listening)
        self.dial = self.one.connectTCP("20.0.0.2", PORT, self.dialling, timeout=1_000)

    def meet(self) -> tuple[Any, Any]:
        self.simulation.advance(2)
        return self.here, self.there

    @property
    def here(self) -> Any:
        return self.dialling.made[-1]

    @property
    def there(self) -> Any:
        return self.listening.made[-1]

    def wait(self, seconds: float = 10.0) -> None:
        self.simulation.advance(seconds)


class Producer:
    """Produces so many pieces, as a consumer wants them."""

    streaming = True

    def __init__(self, transport: Any, pieces: int, size: int = 1_000) -> None:
        self.transport = transport
        self.left = pieces
        self.size = size
        self.paused = False
        self.stopped = False

    def resumeProducing(self) -> None:
        """Produce one piece, or as many as fit if nobody asks for each."""
        self.paused = False
        while self.left and not self.paused:
            self.left -= 1
            self.transport.write(b"x" * self.size)
            if not self.streaming:
                break
        if not self.left:
            self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.stopped = True


class PullProducer(Producer):
    streaming = False


class Clumsy(Talker):
    """Stumbles over whatever it hears."""

    def dataReceived(self, data: bytes) -> None:
        raise ValueError("clumsy")
