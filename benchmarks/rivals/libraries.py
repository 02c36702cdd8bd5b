"""The Python libraries that can read Bitcoin's messages, each by its own shortest way."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any

Opener = Callable[[bytes], object]
"""Takes the payload of a block and builds every field of every transaction."""
Lister = Callable[[bytes], object]
"""Takes the payload of an `inv` and returns all of its hashes."""


def _library(name: str) -> Any:
    """Return a module, or `None` if it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def speakers() -> tuple[str, ...]:
    """Return those that read frames: `benchmarks.actors.blocking` has an actor of each name."""
    modules = {"python-bitcoinlib": "bitcoin", "btclib": "btclib"}
    return tuple(name for name, module in modules.items() if find_spec(module) is not None)


def _skip_block_header(data: bytes) -> tuple[BytesIO, int]:
    """Return a block's payload from its first transaction on, and how many there are."""
    stream = BytesIO(data)
    stream.seek(80)
    width = {0xFD: 2, 0xFE: 4}.get(first := stream.read(1)[0], 0)
    return stream, int.from_bytes(stream.read(width), "little") if width else first


def _embit_opener(transactions: Any) -> Opener:
    def run(data: bytes) -> list[Any]:
        stream, count = _skip_block_header(data)
        return [transactions.Transaction.read_from(stream) for _ in range(count)]

    return run


def _bitcoinx_opener(bitcoinx: Any) -> Opener:
    def run(data: bytes) -> list[Any]:
        stream, count = _skip_block_header(data)
        return [bitcoinx.Tx.read(stream.read) for _ in range(count)]

    return run


def openers(*, witnesses: bool) -> dict[str, Opener]:
    """Return an opener of each library that can read such blocks.

    Args:
        witnesses: whether the blocks have any.
    """
    found: dict[str, Opener] = {}
    if (core := _library("bitcoin.core")) is not None:
        found["python-bitcoinlib"] = core.CBlock.deserialize
    if (blocks := _library("btclib.block.block")) is not None:
        found["btclib"] = lambda data: blocks.Block.parse(data, check_validity=False)
    if (transactions := _library("embit.transaction")) is not None:
        found["embit"] = _embit_opener(transactions)
    if not witnesses and (bitcoinx := _library("bitcoinx")) is not None:
        found["bitcoinX"] = _bitcoinx_opener(bitcoinx)
    return found


def listers() -> dict[str, Lister]:
    """Return a lister of each library that has one."""
    found: dict[str, Lister] = {}
    if (messages := _library("bitcoin.messages")) is not None:
        found["python-bitcoinlib"] = lambda data: [
            item.hash for item in messages.msg_inv.msg_deser(BytesIO(data)).inv
        ]
    if (p2p := _library("btclib.p2p")) is not None:
        found["btclib"] = lambda data: [item.hash for item in p2p.Inv.parse(data).items]
    return found
