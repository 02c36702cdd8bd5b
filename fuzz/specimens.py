"""Networks to fuzz on, and a few payloads of each of their messages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zlib import crc32

from bitpeer.bitcoin.networks import NETWORKS as BITCOIN
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.dialect import Network
from bitpeer.jaxnet.networks import NETWORKS as JAXNET
from bitpeer.wire.message import Message

NETWORKS = (BITCOIN["regtest"], DECRED["simnet"], JAXNET["simnet"])
"""One of each dialect."""

SEEDS = Path(__file__).with_name("seeds.txt")


@cache
def payloads(dialect: str) -> Mapping[str, tuple[bytes, ...]]:
    """Return some payloads of every message of a dialect, by command."""
    found: dict[str, tuple[bytes, ...]] = {}
    for line in SEEDS.read_text("ascii").splitlines():
        spoken, command, text = line.split(" ", 2)
        if spoken == dialect:
            found[command] = (*found.get(command, ()), bytes.fromhex(text.strip("-")))
    return found


def kind_called(network: Network, name: bytes) -> type[Message]:
    """Return the message of that name; for any other name, any other message."""
    kinds = {kind.command.encode(): kind for kind in network.dialect.registry}
    return kinds.get(name) or list(kinds.values())[crc32(name) % len(kinds)]
