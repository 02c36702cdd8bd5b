"""Bitcoin-family peers for Twisted: these names, and nothing else, are the public surface."""

from __future__ import annotations

import bitpeer.bitcoin as bitcoin  # noqa: PLR0402  # inside, nothing comes by the bare name
import bitpeer.decred as decred  # noqa: PLR0402
import bitpeer.jaxnet as jaxnet  # noqa: PLR0402
from bitpeer.config import PeerConfig
from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    BitpeerError,
    Disconnected,
    DisconnectReason,
    InvalidSetting,
    LocalError,
    NobodyAnswered,
    NotEstablished,
    NotNegotiated,
    PeerGone,
    Refused,
    RemoteError,
    RequestFailed,
    TooManyRequests,
    Unanswered,
    Unencodable,
)
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.group import PeerGroup
from bitpeer.net.interfaces import (
    IDialListener,
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
    "AnswerTooLong",
    "BitpeerError",
    "DisconnectReason",
    "Disconnected",
    "IDialListener",
    "INewestBlock",
    "IPeer",
    "IPeerListener",
    "ITrafficListener",
    "IVersionListener",
    "InvalidSetting",
    "LocalError",
    "LocalNode",
    "Malformed",
    "NobodyAnswered",
    "NotEstablished",
    "NotNegotiated",
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
    "Unencodable",
    "Unknown",
    "bitcoin",
    "connect",
    "decred",
    "jaxnet",
    "on",
    "peer_service",
]
