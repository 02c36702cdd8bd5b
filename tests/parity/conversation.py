"""Two whole peers, protocol and all, on a wire made of strings and a clock made of numbers."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from bitpeer.bitcoin import REGTEST, Services
from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode

START = 1_700_000_000.0
"""When conversations begin, in seconds since 1970."""
DIALLER = IPv4Address("TCP", "192.0.2.1", 50_000)
LISTENER = IPv4Address("TCP", "192.0.2.2", 18_444)
EVERYTHING = int(Services.NETWORK | Services.BLOOM | Services.WITNESS | Services.COMPACT_FILTERS)


class Recorder(PeerListener):
    """Keeps all it is told."""

    def __init__(self) -> None:
        self.established: list[IPeer] = []
        self.messages: list[Any] = []
        self.lost: list[Disconnected] = []

    def peer_established(self, peer: IPeer, version: object) -> None:
        self.established.append(peer)

    def message_received(self, peer: IPeer, message: object) -> None:
        self.messages.append(message)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        self.lost.append(reason)

    def heard(self, kind: type) -> list[Any]:
        """Return the messages of one *kind*."""
        return [message for message in self.messages if type(message) is kind]


class Conversation:
    """A dialler and a listener that have not said a word yet; `carry` lets them."""

    def __init__(
        self,
        *,
        near: PeerConfig | None = None,
        far: PeerConfig | None = None,
        near_listeners: Sequence[object] = (),
        far_listeners: Sequence[object] = (),
    ) -> None:
        config = PeerConfig(network=REGTEST, services=EVERYTHING)
        self.clock = Clock()
        self.clock.advance(START)
        self.near_node = LocalNode(near or config, near_listeners, clock=self.clock)
        self.far_node = LocalNode(far or config, far_listeners, clock=self.clock)
        self.near = PeerFactory(self.near_node, outbound=True).buildProtocol(LISTENER)
        self.far = PeerFactory(self.far_node, outbound=False).buildProtocol(DIALLER)
        self._ends = [
            (self.near, StringTransport(hostAddress=DIALLER, peerAddress=LISTENER)),
            (self.far, StringTransport(hostAddress=LISTENER, peerAddress=DIALLER)),
        ]
        for protocol, transport in self._ends:
            protocol.makeConnection(transport)

    def carry(self) -> "Conversation":
        """Take bytes to and fro until there are none, then the news of who hung up."""
        (near, near_wire), (far, far_wire) = self._ends
        while near_wire.value() or far_wire.value():
            for wire, other in ((near_wire, far), (far_wire, near)):
                data = wire.value()
                wire.clear()
                if data:
                    other.dataReceived(data)
        if near_wire.disconnecting or far_wire.disconnecting:
            for protocol in (near, far):
                if not protocol.when_lost().called:
                    protocol.connectionLost(Failure(ConnectionDone()))
        return self

    def cut(self) -> None:
        """Break the wire."""
        for protocol, _ in self._ends:
            protocol.connectionLost(Failure(ConnectionLost()))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in steps of a tenth of a second, and carry what is said meanwhile."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            self.carry()
