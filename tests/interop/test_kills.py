"""A whole node that is killed in the middle of what it does, again and again."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from time import time
from typing import Any

import pytest

from bitpeer.bitcoin import Headers
from bitpeer.messages.addresses import Addr, TimedNetAddress, pack_ip
from tests.chains import mined
from tests.interop.town import PORT, Resident, Stranger, until

CUTS = 8
PART, PARTS = 7, 100
"""Headers in a message, and messages: most are written while others are on their way."""
GOSSIPS = 12
"""Strangers who tell of an address each: of whoever dials us, no more is heeded at once."""
QUERIES = {
    "headers": "SELECT height, data FROM chain",
    "addresses": "SELECT host, port FROM addresses",
}


def contents(node: Resident) -> dict[str, set[Any]]:
    """Return what anybody can read in the files of a node."""
    return {what: node.kept(what, query) for what, query in QUERIES.items()}


def is_sound(file: Path) -> bool:
    """Return whether SQLite finds nothing wrong with a file."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.timeout(120)
def test_no_kill_takes_anything_that_was_kept(tmp_path: Path) -> None:
    """What another process read in the files just before is there afterwards, and no less."""
    count = CUTS * PART * PARTS
    headers = mined(count, time=int(time()) - 600 * count)
    kept: dict[str, set[Any]] = {what: set() for what in QUERIES}
    with ExitStack() as town:
        node = Resident(town, 1, tmp_path)
        for cut in range(CUTS):
            _, height = node.tip
            assert height == max(len(kept["headers"]), 1) - 1
            assert node.known == len(kept["addresses"])
            strangers = [Stranger((node.host, PORT)) for _ in range(1 + GOSSIPS)]
            for number, stranger in enumerate(strangers[1:]):
                address = pack_ip(f"20.{cut}.{number}.1")
                stranger.say(Addr([TimedNetAddress(int(time()), 1, address, 8333)]))
            ends = range(height, height + PART * PARTS, PART)
            strangers[0].say(*(Headers(headers[at : at + PART]) for at in ends))
            if cut % 4 == 3:  # addresses are written now and then only
                until(lambda before=kept: contents(node)["addresses"] > before["addresses"])
            enough = len(kept["headers"]) + PART * PARTS * cut // (2 * CUTS)
            until(lambda enough=enough: len(contents(node)["headers"]) > enough)
            found = contents(node)
            node.kill()
            after = contents(node)
            for what in QUERIES:
                assert is_sound(node.folder / "bitcoin-regtest" / f"{what}.sqlite")
                assert after[what] >= found[what] >= kept[what]
            kept = after
            for stranger in strangers:
                stranger.leave()
            node.start()
        assert node.tip[1] == len(kept["headers"]) - 1
        assert node.known == len(kept["addresses"]) > GOSSIPS
        assert node.stop() == 0
    chain = [data for _, data in sorted(kept["headers"])]
    assert chain[1:] == [header.encode() for header in headers[: len(chain) - 1]]
    assert len(chain) > PART * CUTS
