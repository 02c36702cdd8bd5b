"""A node to fuzz with: no clock but the one that is told, no chance at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from bitpeer.config import PeerConfig
from bitpeer.dialect import Greeting, Network
from bitpeer.net.local import LocalNode
from bitpeer.peer.reactions import Etiquette
from bitpeer.wire.framing import Envelope
from bitpeer.wire.message import Message, Unknown
from fuzz.target import Wrong

MAX_PAYLOAD = 100_000
"""Bytes of the largest payload; enough for everything, and soon too many."""


_ETIQUETTES: dict[tuple[str, int], Etiquette] = {}
_ENVELOPES: dict[str, Envelope] = {}


def make_node(network: Network, *, tolerant: bool = False, services: int = 0) -> LocalNode:
    """Return a node that always does the same."""
    config = PeerConfig(
        network=network,
        max_payload=MAX_PAYLOAD,
        max_handshake_payload=2_000,
        tolerate_malformed=tolerant,
        services=services,
        max_requests=8,
        known_inventory=50,
        relay_window=500,
        max_pending_announcements=50,
        max_total_announcements=200,
    )
    node = LocalNode(config, clock=Clock(), draw_nonce=count(1).__next__, draw=lambda: 0.5)
    # What never changes takes most of the time.
    key = network.title, services
    node.terms.etiquette = _ETIQUETTES.setdefault(key, node.terms.etiquette)
    node.terms.envelope = _ENVELOPES.setdefault(network.title, node.terms.envelope)
    return node


def stranger(network: Network, version: int, services: int, nonce: int) -> Message:
    """Return somebody's introduction."""
    greeting = Greeting(
        version=version,
        services=services,
        time=0,
        nonce=nonce,
        user_agent=b"/stranger:1/",
        height=1,
        relay=True,
    )
    return network.dialect.greet(greeting)


def built_by(factory: IProtocolFactory) -> Protocol:
    """Return the protocol of a factory for a connection from nowhere."""
    protocol: object = cast(Factory, factory).buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    if not isinstance(protocol, Protocol):
        raise Wrong("nobody wants the connection")
    return protocol


def framer(node: LocalNode) -> Callable[[str, bytes], bytes]:
    """Return what puts a command and a payload into a frame, as it should be."""

    def frame(command: str, payload: bytes) -> bytes:
        return b"".join(node.terms.envelope.wrap(Unknown(command, payload)))

    return frame
