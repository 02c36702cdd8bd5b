# ruff: noqa: N802, N815  # names that Twisted gives
"""A stage for peers: a clock, transports that fill up, listeners that remember."""

from dataclasses import replace
from math import inf
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.config import PeerConfig
from bitpeer.messages.addresses import Addr
from bitpeer.messages.control import FeeFilter, Ping, Reject, SendHeaders, VerAck
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeerListener, ITrafficListener
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from tests import toy

NOON = 1_700_000_000.0
"""When every play begins."""

THERE = IPv4Address("TCP", "203.0.113.7", 8333)
HERE = IPv4Address("TCP", "192.0.2.1", 18444)

DIALECT = replace(
    toy.DIALECT,
    registry=toy.DIALECT.registry.extended(
        Addr, FeeFilter, GetBlocks, GetHeaders, Reject, SendHeaders
    ),
    preferences=frozenset({FeeFilter, SendHeaders}),
)
NETWORK = replace(toy.NETWORK, dialect=DIALECT)


class Kernel:
    """A socket with room for so many bytes; everything it took is in `data`."""

    def __init__(self, room: float = inf) -> None:
        self.room = room
        self.data = b""
        self.calls = 0
        self.broken = False

    def send(self, piece) -> int:
        self.calls += 1
        if self.broken:
            raise BrokenPipeError
        if not self.room:
            raise BlockingIOError
        taken = bytes(piece[: int(min(self.room, len(piece)))])
        self.room -= len(taken)
        self.data += taken
        return len(taken)

    def sendmsg(self, pieces) -> int:
        return self.send(b"".join(pieces))


class _Transport:
    """What all transports here can do; the other end and the network are played by the test."""

    protocol: Any

    def __init__(self, peer=THERE, host=HERE) -> None:
        self.peer_address, self.host_address = peer, host
        self.producer: Any = None
        self.streaming = False
        self.reading = True
        self.disconnecting = False
        self.aborted = False
        self.open = True
        self.no_delay = False
        self.closings = 0

    def getPeer(self):
        return self.peer_address

    def getHost(self):
        if not self.open:
            raise AttributeError("socket")  # what a closed TCP transport does
        return self.host_address

    def setTcpNoDelay(self, enabled) -> None:
        self.no_delay = enabled

    def registerProducer(self, producer, streaming) -> None:
        assert self.producer is None, "two producers"
        self.producer, self.streaming = producer, streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        assert self.open
        self.reading = False

    def resumeProducing(self) -> None:
        assert self.open
        self.reading = True

    def loseConnection(self) -> None:
        self.disconnecting = True
        self.closings += 1

    def abortConnection(self) -> None:
        self.aborted = True

    def lose(self, reason: BaseException | None = None) -> None:
        """The connection is gone."""
        self.open = False
        if self.producer is not None:
            self.producer.stopProducing()
            self.producer = None
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class SocketTransport(_Transport, Connection):
    """Takes itself for Twisted's TCP transport, so that peers write to its kernel directly."""

    bufferSize = 65_536

    def __init__(self, room: float = inf, **addresses) -> None:
        _Transport.__init__(self, **addresses)
        self.kernel = Kernel(room)
        self.half_closed = False
        self.buffer = b""

    def getHandle(self):
        return self.kernel

    def write(self, data) -> None:
        assert isinstance(data, bytes)
        self.buffer += data

    def loseWriteConnection(self) -> None:
        self.half_closed = True
        self.loseConnection()

    def make_room(self, count: float) -> None:
        """The other end has read: the kernel has room for *count* bytes more."""
        self.kernel.room += count
        if self.buffer and self.kernel.room:
            taken = self.kernel.send(self.buffer)
            self.buffer = self.buffer[taken:]
            if not self.buffer and self.producer is not None:
                self.producer.resumeProducing()

    @property
    def sent(self) -> bytes:
        """Everything that has reached the kernel."""
        return self.kernel.data


@implementer(ITCPTransport)
class PushTransport(_Transport):
    """Any other transport: takes what it is given, and asks for a pause when it has too much."""

    def __init__(self, limit: float = inf, **addresses) -> None:
        super().__init__(**addresses)
        self.limit = limit
        self.waiting = 0
        self.sent = b""
        self.paused = False

    def write(self, data) -> None:
        assert isinstance(data, bytes)
        self.sent += data
        self.waiting += len(data)
        if self.producer is not None and self.waiting > self.limit:
            self.paused = True
            self.producer.pauseProducing()

    def drain(self) -> None:
        """The other end has read everything."""
        self.waiting = 0
        paused, self.paused = self.paused, False
        if paused and self.producer is not None:
            self.producer.resumeProducing()


@implementer(IPeerListener, ITrafficListener)
class Recorder:
    """Remembers everything, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []
        self.traffic: list[tuple[Any, ...]] = []

    def peer_established(self, peer, version):
        self.log.append(("established", peer, version))

    def message_received(self, peer, message):
        self.log.append(("message", peer, message))

    def peer_lost(self, peer, reason):
        self.log.append(("lost", peer, reason))

    def message_read(self, peer, command, size, message, error):
        self.traffic.append(("read", command, size, message, error))

    def message_written(self, peer, command, size, message, error):
        self.traffic.append(("written", command, size, message, error))

    def told(self, what: str) -> list[Any]:
        """What was told of one kind."""
        return [entry[2] for entry in self.log if entry[0] == what]


def frame(message) -> bytes:
    """A message as the other end would send it, put together without the code under test."""
    return toy.frame(message.command.encode(), message.encode())


HELLO = toy.Hello(2, 0, int(NOON), 99)
GREETING = frame(HELLO) + frame(VerAck())
"""All that the other end has to say to establish a connection."""


def clock() -> Clock:
    """A clock that shows noon."""
    it = Clock()
    it.advance(NOON)
    return it


def config(**settings) -> PeerConfig:
    return PeerConfig(**{"network": NETWORK, **settings})


def node(*listeners, **settings) -> LocalNode:
    """A node with these settings and a clock that shows noon."""
    return LocalNode(config(**settings), listeners, clock=clock())


def join(node, transport=None, *, outbound=False, dialled=None) -> PeerProtocol:
    """A new connection of *node*."""
    factory = PeerFactory(node, outbound=outbound, dialled=dialled)
    transport = SocketTransport() if transport is None else transport
    peer = factory.buildProtocol(transport.getPeer())
    transport.protocol = peer
    peer.makeConnection(transport)
    return peer


def meet(node, transport=None, **how) -> PeerProtocol:
    """A new connection of *node* with the handshake, and the first ping, behind it."""
    peer = join(node, transport, **how)
    peer.dataReceived(GREETING)
    assert peer.established
    return peer


def ping(nonce: int) -> bytes:
    return frame(Ping(nonce))


def say(text: bytes) -> bytes:
    return frame(toy.Say(text))


def frames(data: bytes) -> list[tuple[str, bytes]]:
    """Command and payload of every frame in *data*, which must end with one."""
    found = []
    while data:
        assert data[:4] == toy.MAGIC
        size = int.from_bytes(data[16:20], "little")
        payload, rest = data[24 : 24 + size], data[24 + size :]
        assert len(payload) == size
        found.append((data[4:16].rstrip(b"\0").decode(), payload))
        data = rest
    return found


def commands(data: bytes) -> list[str]:
    return [command for command, _ in frames(data)]
