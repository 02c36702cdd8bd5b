"""Rows 2 to 4: messages received, their checksums verified, decoded, handed to a listener."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import cycle, islice

from benchmarks.client import Client
from benchmarks.data import block, frame, payloads, pieces, stream
from benchmarks.findings import Finding, ratio, spans
from benchmarks.measuring import Contender, Effort, race
from benchmarks.processes import Actor, actor
from benchmarks.rivals import bcoin
from benchmarks.rivals.libraries import speakers
from benchmarks.stage import CountingListener, established_peer

FLOOR = "its own sha256d"
LINES = "Twisted's LineReceiver"
BYTES = "Twisted, bytes only"
LOOP = "p2pool's loop"
BCOIN = "bcoin's parser"
LINE = b"x" * 98 + b"\r\n"
TITLES = {
    "ping": "a ping received and answered",
    "pong": "a pong received",
    "inv": "an inv of two received",
    "tx": "a transaction received",
    "mix": "a relaying peer's messages received",
}
LEAST = {
    ("ping", LOOP): 3.0,
    ("ping", BCOIN): 1.3,
    ("ping", LINES): 0.65,
    ("tx", BCOIN): 3.3,
    ("block", FLOOR): 0.65,
    ("block", BCOIN): 4.5,
    ("block", "python-bitcoinlib"): 70.0,
}
"""How many times as fast bitpeer should be, by kind of message and competitor."""
MOST = {"ping": 2.7}
"""How many times its checksum a message may cost."""
WHY = {
    ("ping", FLOOR): "A ping is answered, too: a pong, which is not, shows what receiving alone "
    "costs.  An optimised build of CPython takes a seventh less.",
    ("ping", LINES): "LineReceiver verifies nothing, decodes nothing and answers nothing.",
    ("tx", BCOIN): "Every size in a transaction is checked on arrival, which is a fifth of it.",
    ("block", FLOOR): "The kernel's copy takes a fifth, joining two reads a tenth.  Hashing what "
    "has come while the rest arrives was tried, and takes no less: nearly all comes at once.",
    ("block", BCOIN): 4.5,
    ("block", "python-bitcoinlib"): 70.0,
}
"""How many times as fast bitpeer should be, by kind of message and competitor."""
MOST = {"ping": 2.7}
"""How many times its checksum a message may cost."""
WHY = {
    ("ping", FLOOR): "A ping is answered, too: a pong, which is not, shows what receiving alone "
    "costs.  An optimised build of CPython takes a seventh less.",
    ("ping", LINES): "LineReceiver verifies nothing, decodes nothing and answers nothing.",
    ("tx", BCOIN): "Every size in a transaction is checked on arrival, which is a fifth of it.",
    (
        "block",
        FLOOR,
    ): "The kernel's copy takes a fifth, joining two reads a tenth.  To hash what has "
    "come while the rest arrives was tried, and takes no less: all of it is read at once.",
    ("block", BCOIN): "This was aimed for when bcoin hashed with code of its own, five times as "
    "slow as OpenSSL; now both wait for the same hash and the same kernel.",
}
"""What is known of the reasons where a target is missed."""


def measure(effort: Effort, *, with_bcoin: bool = True) -> Iterator[Finding]:
    """Measure small messages in memory and over loopback, then blocks."""
    for kind in TITLES:
        yield _in_memory(kind, effort)
    with ExitStack() as stack:
        crew = _crew(stack, with_bcoin=with_bcoin)
        for kind in TITLES:
            yield from _over_loopback(kind, effort, crew)
        yield from _blocks(effort, crew)


def _frames(kind: str, count: int) -> Sequence[bytes]:
    if kind == "pong":
        return [frame("pong", payload) for payload in payloads(stream("ping", count))]
    return stream(kind, count)


def _checksums(contents: Sequence[bytes]) -> Contender:
    """Return a contender that does nothing but what every receiver must."""

    def run() -> None:
        for content in contents:
            sha256(sha256(content).digest()).digest()

    return run


def _ours(cut: Sequence[bytes]) -> Contender:
    listener = CountingListener()
    peer = established_peer(listener)

    def run() -> None:
        for piece in cut:
            peer.dataReceived(piece)

    return run


def _in_memory(kind: str, effort: Effort) -> Finding:
    frames = _frames(kind, effort.messages)
    contenders = {"bitpeer": _ours(pieces(frames)), FLOOR: _checksums(payloads(frames))}
    best = race(contenders, effort, units=len(frames))
    return Finding(
        row=2,
        what=f"{TITLES[kind]}, in memory",
        beside=FLOOR,
        value=ratio(best["bitpeer"], best[FLOOR]),
        at_most=MOST.get(kind),
        detail=spans(best["bitpeer"], best[FLOOR]),
        why=WHY.get((kind, FLOOR), ""),
    )


Crew = Mapping[str, tuple[Actor, int]]
"""The processes that receive, and the ports where they listen."""


def _crew(stack: ExitStack, *, with_bcoin: bool) -> Crew:
    parts = {"bitpeer": "bitpeer", LINES: "lines", BYTES: "bytes", LOOP: "generator loop"}
    parts |= {name: name for name in speakers()}
    crew = {name: stack.enter_context(actor(part)) for name, part in parts.items()}
    parser = stack.enter_context(bcoin.program("receiver.js", wanted=with_bcoin))
    if parser is not None:
        crew[BCOIN] = parser
    return {name: (process, process.hear()["port"]) for name, process in crew.items()}


def _receiver(crew: Crew, name: str, cut: Sequence[bytes], count: int) -> dict[str, Contender]:
    """Return a contender, if it is there: who receives *cut*, and tells what that took."""
    if name not in crew:
        return {}
    process, port = crew[name]

    def run() -> float:
        Client(port, greet=name not in (LINES, BYTES)).flood(cut)
        report = process.hear()
        assert report["count"] >= count, f"{name} received {report['count']} of {count}"
        return float(report["seconds"])

    return {name: run}


def _over_loopback(kind: str, effort: Effort, crew: Crew) -> Iterator[Finding]:
    count = effort.flood
    cut = pieces(islice(cycle(_frames(kind, effort.messages)), count))
    contenders = {
        FLOOR: _checksums(payloads(islice(cycle(_frames(kind, effort.messages)), count))),
        **_receiver(crew, LINES, pieces([LINE] * count), count),
    }
    for name in ("bitpeer", LOOP, BCOIN, *speakers()):
        if kind != "pong" or name == "bitpeer":
            contenders |= _receiver(crew, name, cut, count)
    best = race(contenders, effort, units=count)
    ours = best["bitpeer"]
    for name in (FLOOR, LOOP, BCOIN, *speakers(), LINES):
        if kind == "pong" and name not in best:
            continue
        other = best.get(name)
        yield Finding(
            row=3 if name == LINES else 2,
            what=f"{TITLES[kind]}, over loopback",
            beside=name,
            value=ratio(ours, other) if name == FLOOR else ratio(other, ours),
            at_most=MOST.get(kind) if name == FLOOR else None,
            at_least=LEAST.get((kind, name)),
            detail=spans(ours, other),
            why=WHY.get((kind, name), ""),
        )


def _blocks(effort: Effort, crew: Crew) -> Iterator[Finding]:
    count = effort.blocks
    payload = block("C", effort.block_size)
    cut = [frame("block", payload)] * count
    contenders = {FLOOR: _checksums([payload] * count)}
    contenders |= _receiver(crew, BYTES, cut, count)
    for name in ("bitpeer", LOOP, BCOIN, *speakers()):
        contenders |= _receiver(crew, name, cut, count)
    best = race(contenders, effort, units=count)
    for name in (FLOOR, BYTES, LOOP, BCOIN, *speakers()):
        yield Finding(
            row=4,
            what="1 MB blocks received over loopback, bytes per second",
            beside=name,
            value=ratio(best.get(name), best["bitpeer"]),
            at_least=LEAST.get(("block", name)),
            detail=spans(best["bitpeer"], best.get(name)),
            why=WHY.get(("block", name), ""),
        )
