"""Bitcoin-family peers for Twisted: these names, and nothing else, are the public surface."""

from __future__ import annotations

import bitpeer.bitcoin as bitcoin  # noqa: PLR0402  # inside, nothing comes by the bare name
import bitpeer.decred as decred  # noqa: PLR0402
import bitpeer.jaxnet as jaxnet  # noqa: PLR0402
from bitpeer.config import PeerConfig
from bitpeer.errors import (
    Absent,
    BitpeerError,
    Disconnected,
    DisconnectReason,
    LocalError,
    NobodyAnswered,
    PeerGone,
    Refused,
    RemoteError,
    RequestFailed,
    TooManyRequests,
    Unanswered,
)
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.group import PeerGroup
from bitpeer.net.interfaces import (
    INewestBlock,
    IPeer,
    IPeerListener,
    ITrafficListener,
    IVersionListener,
)
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.service.compose import peer_service
from bitpeer.wire.message import Malformed, Unknown

__all__ = [
    "Absent",
    "BitpeerError",
    "DisconnectReason",
    "Disconnected",
    "INewestBlock",
    "IPeer",
    "IPeerListener",
    "ITrafficListener",
    "IVersionListener",
    "LocalError",
    "LocalNode",
    "Malformed",
    "NobodyAnswered",
    "PeerConfig",
    "PeerFactory",
    "PeerGone",
    "PeerGroup",
    "PeerListener",
    "PeerProtocol",
    "Refused",
    "RemoteError",
    "RequestFailed",
    "TooManyRequests",
    "Unanswered",
    "Unknown",
    "bitcoin",
    "connect",
    "decred",
    "jaxnet",
    "on",
    "peer_service",
]
