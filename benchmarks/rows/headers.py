"""Row 15: block headers checked and kept, and a chain that is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.findings import Finding, ratio, span, spans
from benchmarks.measuring import Effort, race, repeated
from bitpeer.bitcoin.consensus import REGTEST as RULES
from bitpeer.bitcoin.header import HEADER_SIZE, Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.hashes import sha256d
from bitpeer.service.headers import HeaderChain

LATER = 4e9
"""A time that is later than that of all headers."""
OPENINGS = 100
_HEADER = Struct("<i32s32sIII")


def measure(effort: Effort, **_: bool) -> Iterator[Finding]:
    """Let a chain grow from nothing in a file, as it does from the messages of a peer."""
    chain = mined(effort.headers)
    raw = [chain[at : at + RULES.limit] for at in range(0, len(chain), RULES.limit)]
    payloads = [RULES.message(part).encode() for part in raw]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "headers.sqlite"

        def followed() -> float:
            file.unlink(missing_ok=True)
            began = perf_counter()
            kept = HeaderChain.open(REGTEST, file)
            for payload in payloads:
                follow(kept, payload)
            kept.close()
            return perf_counter() - began

        def hashed() -> None:
            for data in chain:
                sha256d(data)

        best = race({"bitpeer": followed, "sha256d": hashed}, effort, units=len(chain))
        yield Finding(
            row=15,
            what=f"{len(chain):,} headers decoded, checked and kept in a file",
            beside="their own sha256d",
            value=ratio(best["bitpeer"], best["sha256d"]),
            detail=f"{spans(best['bitpeer'], best['sha256d'])} each, "
            f"{1 / best['bitpeer']:,.0f} a second",
        )

        def opened() -> None:
            HeaderChain.open(REGTEST, file).close()

        took = race({"bitpeer": repeated(opened, OPENINGS)}, effort, units=OPENINGS)["bitpeer"]
        yield Finding(
            row=15,
            what=f"a chain of {len(chain):,} headers opened",
            beside="the clock",
            value=took * 1e3,
            unit="ms",
            detail=span(took),
        )


def follow(chain: HeaderChain, payload: bytes) -> None:
    """Let *chain* have the headers of one message, in slices as they come from a peer."""
    headers = Headers.decode(payload).headers
    for at in range(0, len(headers), RULES.per_turn):
        chain.extend(RULES.links(headers[at : at + RULES.per_turn]), LATER)


def mined(count: int) -> list[bytes]:
    """Return a chain of so many headers on top of regtest's genesis block."""
    chain: list[bytes] = []
    previous = RULES.genesis.hash
    for time in range(1_700_000_000, 1_700_000_000 + count):
        nonce, name = 0, b"\xff"
        while name[-1] >= 0x7F:
            data = _HEADER.pack(4, previous, bytes(32), time, 0x207F_FFFF, nonce)
            name, nonce = sha256d(data), nonce + 1
        assert len(data) == HEADER_SIZE
        chain.append(data)
        previous = name
    return chain
