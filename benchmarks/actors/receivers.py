"""Receivers on Twisted: they count what comes, and report it when the connection ends."""

from __future__ import annotations

from time import process_time

from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver

from benchmarks.actors import say
from benchmarks.actors.stage import listen, perform, reactor
from benchmarks.rivals.generator_loop import GeneratorProtocol
from benchmarks.stage import CONFIG, CountingListener
from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode


class Reporter(CountingListener):
    """Counts from the end of the handshake to the end of the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.began = 0.0

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        self.count, self.began = -1, process_time()  # the ping that settles the handshake apart

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        say(count=self.count, seconds=process_time() - self.began)


def bitpeer() -> None:
    """Play a bitpeer node."""
    node = LocalNode(CONFIG, [Reporter()], clock=reactor)
    perform(port=listen(PeerFactory(node, outbound=False)))


class _Timed(Protocol):
    """Reports when the connection ends."""

    count = 0

    def connectionMade(self) -> None:
        self.began = process_time()

    def connectionLost(self, reason: object = None) -> None:
        say(count=self.count, seconds=process_time() - self.began)


class _Generator(_Timed, GeneratorProtocol):
    pass


class _Lines(_Timed, LineReceiver):
    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        self.count += 1


class _Bytes(_Timed):
    def dataReceived(self, data: bytes) -> None:
        self.count += len(data)


def _play(protocol: type[Protocol]) -> None:
    factory = Factory.forProtocol(protocol)
    factory.noisy = False
    perform(port=listen(factory))


def generator_loop() -> None:
    """Play a peer in the manner of p2pool."""
    _play(_Generator)


def lines() -> None:
    """Play the least that Twisted itself can do with messages: cut them at the line's end."""
    _play(_Lines)


def raw_bytes() -> None:
    """Play the least that Twisted itself can do."""
    _play(_Bytes)
