"""One act for every method of a peer, for tests that do anything at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from twisted.internet.defer import Deferred

from bitpeer.bitcoin import InvType, InvVect, Ping
from bitpeer.errors import LimitExceeded
from bitpeer.messages.addresses import TimedNetAddress
from bitpeer.messages.control import FeeFilter, Pong
from bitpeer.wire.message import Unknown

ADDRESS = TimedNetAddress(1_700_000_000, 0, bytes(10) + b"\xff\xff\x14\0\0\x09", 8333)
Act = Callable[[Any, Random], object]


def name(die: Random) -> bytes:
    """Return one of a few hashes."""
    return bytes([die.randrange(8)]) * 32


def names(die: Random) -> list[bytes]:
    return [name(die) for _ in range(die.randrange(4))]


def text(die: Random) -> Unknown:
    """Return something to say, up to a few thousand bytes."""
    return Unknown("say", bytes(die.choice((0, 10, 3_000))))


def drained(blocks: Any) -> Deferred[list[Any]]:
    """Return a Deferred of all that an asynchronous generator yields."""

    async def drain() -> list[Any]:
        return [block async for block in blocks]

    return Deferred.fromCoroutine(drain())


HARMLESS: dict[str, Act] = {
    "send": lambda peer, die: peer.send(text(die)),
    "deliver": lambda peer, die: peer.deliver(text(die)),
    "announce": lambda peer, die: peer.announce(
        InvVect(die.choice((InvType.TX, InvType.BLOCK)), name(die))
    ),
    "add_known": lambda peer, die: peer.add_known(InvVect(InvType.TX, name(die))),
    "knows": lambda peer, die: peer.knows(InvVect(InvType.TX, name(die))),
    "preference": lambda peer, _: peer.preference(FeeFilter),
    "push_addresses": lambda peer, _: peer.push_addresses([ADDRESS]),
    "push_get_blocks": lambda peer, die: peer.push_get_blocks(names(die), bytes(32)),
    "push_get_headers": lambda peer, die: peer.push_get_headers(names(die), bytes(32)),
    "push_reject": lambda peer, die: peer.push_reject(
        "tx", 0x10, "no", name(die), wait=die.random() < 0.5
    ),
    "serves": lambda peer, die: peer.serves(die.choice(("block", "tx", "headers", "nonsense"))),
    "ask": lambda peer, die: peer.ask("block", name(die)),
    "get_block": lambda peer, die: peer.get_block(name(die), timeout=die.uniform(0.1, 50)),
    "get_blocks": lambda peer, die: peer.get_blocks(names(die)),
    "blocks": lambda peer, die: drained(peer.blocks(names(die), window=2)),
    "get_tx": lambda peer, die: peer.get_tx(name(die), by_wtxid=die.random() < 0.5),
    "get_headers": lambda peer, die: peer.get_headers(names(die)),
    "get_cfilters": lambda peer, die: peer.get_cfilters(0, name(die)),
    "get_cfheaders": lambda peer, die: peer.get_cfheaders(0, name(die)),
    "get_cfcheckpt": lambda peer, die: peer.get_cfcheckpt(name(die)),
    "get_addresses": lambda peer, _: peer.get_addresses(),
    "get_mempool": lambda peer, _: peer.get_mempool(),
    "ping": lambda peer, _: peer.ping(),
    "request": lambda peer, _: peer.request(Ping(1), Pong, timeout=5),
    "update_last_block": lambda peer, die: peer.update_last_block(die.randrange(100)),
    "update_last_announced_block": lambda peer, die: peer.update_last_announced_block(name(die)),
    "snapshot": lambda peer, _: peer.snapshot(),
    "when_established": lambda peer, _: peer.when_established(),
    "when_lost": lambda peer, _: peer.when_lost(),
}
"""Those that end no connection, by the name of the method."""

ENDINGS: dict[str, Act] = {
    "disconnect": lambda peer, _: peer.disconnect(),
    "fail": lambda peer, _: peer.fail(LimitExceeded(2, 1)),
}
"""Those that do."""

ACTS = HARMLESS | ENDINGS


def deferreds(answer: object) -> Iterable[Deferred[Any]]:
    """Yield what an act answered, if one can wait for it."""
    if isinstance(answer, Deferred):
        yield answer
