"""Whole peers to measure: a `PeerProtocol`, its node, and a listener that counts."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from benchmarks.data import frame
from bitpeer.bitcoin.block import Block
from bitpeer.bitcoin.messages import Version
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.bitcoin.transaction import Tx
from bitpeer.config import PeerConfig
from bitpeer.messages.addresses import NOWHERE
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inventory import Inv
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.wire.message import Message

CONFIG = PeerConfig(network=REGTEST)


class CountingListener(PeerListener):
    """Hears of every message that is measured, and does as little as one can."""

    def __init__(self) -> None:
        self.count = 0
        self.latest: Message | None = None

    @on(Ping, Pong, Inv, Tx, Block)
    def heard(self, peer: IPeer, message: Message) -> None:
        self.count += 1
        self.latest = message


class Nowhere(StringTransport):
    """A transport whose other end listens to nothing."""

    def write(self, data: bytes) -> None:
        pass


def greeting() -> bytes:
    """Return what a peer says until it is established."""
    version = Version(70016, 0, 1_700_000_000, NOWHERE, NOWHERE, 7, b"/benchmark/", 0, relay=True)
    return frame("version", version.encode()) + frame("verack", b"")


def established_peer(*listeners: object) -> PeerProtocol:
    """Return a peer in memory whose handshake is complete."""
    node = LocalNode(CONFIG, listeners, clock=Clock())
    peer = PeerFactory(node, outbound=False).buildProtocol(None)
    cast(Any, peer).makeConnection(cast(Any, Nowhere)())
    peer.dataReceived(greeting())
    assert peer.established
    return peer
