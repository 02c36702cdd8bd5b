"""Files that a node keeps between two runs: whatever is in them, it starts, or says why not.

An input says which file it is, and what somebody, or a failing disk, has made of it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import Logger

from bitpeer.bitcoin.networks import REGTEST
from bitpeer.errors import InvalidSetting, StorageUnusable
from bitpeer.net.journal import Journal
from bitpeer.net.onion import kept_key, new_key
from bitpeer.service import addresskeeper, bans as bans_module, headers as headers_module
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.addresskeeper import AddressKeeper
from bitpeer.service.anchors import MAX_ANCHORS, Anchors
from bitpeer.service.bans import Bans
from bitpeer.service.database import open_database
from bitpeer.service.headers import HeaderChain
from bitpeer.service.seeds import Address
from fuzz.script import Script
from fuzz.target import Target, expect

MEMORY = Path("/dev/shm")  # noqa: S108  # where the machine has it, files need no disk
NOW = 1_700_000_000.0
MAX_ROWS = 8
HOSTS = ("8.8.8.8", "2a00:1450::1", "1.2.3.4", "seed.example", "", "8.8.8.8 ")
NUMBERS = (0, 1, -1, 8_333, 65_536, 1 << 62, -(1 << 63), 1_700_000_000)
REALS = (0.0, 1.7e9, -1.0, 1e300, float("inf"))


def try_one(data: bytes) -> Hashable:
    """Make one file, and start with it."""
    script = Script(data)
    how = script.pick((anchors, key, addresses, banned, chain))
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        return how.__name__, how(script, folder / "file")
    finally:
        shutil.rmtree(folder)


# Small files


def anchors(script: Script, path: Path) -> Hashable:
    """Read the peers to dial first."""
    path.write_bytes(script.rest())
    found = Anchors(path, journal()).take()
    expect(not path.exists(), "they would be dialled again and again")
    expect(len(found) <= MAX_ANCHORS, "there are too many")
    for host, port in found:
        expect(isinstance(host, str) and 0 <= port < 65_536, "it is no place")
    Anchors(path, journal()).keep(found)
    expect(Anchors(path, journal()).take() == found, "they are kept as others")
    return len(found)


def key(script: Script, path: Path) -> Hashable:
    """Read the key of an onion service."""
    path.touch(0o600)
    path.write_bytes(script.rest())
    try:
        return len(kept_key(path))
    except InvalidSetting:
        return "unusable"


# Databases


def addresses(script: Script, path: Path) -> Hashable:
    """Start with a book of addresses, and end."""
    whole = make_database(script, path, addresskeeper.MIGRATIONS, fill_addresses)
    book = AddressBook(secret=bytes(32))
    keeper = AddressKeeper(book, path, network="this", clock=Clock(), journal=journal())
    try:
        keeper.startService()
    except StorageUnusable as error:
        expect(len(str(error)) < 1_000, "a complaint has no end")
        return "unusable"
    book.learn([Address("9.9.9.9", 8_333)], "9.9.9.9", NOW)
    picked = book.pick(NOW)
    expect(picked is None or picked.address in book, "it picks what is not there")
    book.sample(NOW, 10)
    for known in list(book):
        book.attempted(known.address, NOW)
        book.connected(known.address, NOW, 1)
        book.failed(known.address, NOW)
        expect(0 < known.chance(NOW) <= 1, "it has no chance")
    book.doubtful(NOW)
    keeper.stopService()
    if not whole:  # then SQLite may well lose what it is given
        return len(book)
    again = AddressBook()
    second = AddressKeeper(again, path, network="this", clock=Clock(), journal=journal())
    second.startService()
    expect({each.address for each in again} == {each.address for each in book}, "some are lost")
    second.stopService()
    return len(book), sorted(book.counts().items()).__repr__()


def banned(script: Script, path: Path) -> Hashable:
    """Start with a list of bans, and end."""
    whole = make_database(script, path, bans_module.MIGRATIONS, fill_bans)
    bans = Bans(path, lambda: NOW)
    try:
        bans.startService()
    except StorageUnusable:
        return "unusable"
    count = len(bans)
    for host in (*HOSTS, "2001:db8::1", "x.onion"):
        bans.is_banned(host)
    try:
        bans.ban("192.0.2.7", NOW + 9)
        expect(bans.is_banned("192.0.2.7"), "a ban is not in force")
        expect(bans.lift("192.0.2.7"), "a ban cannot be lifted")
    except StorageUnusable:  # whose pages are damaged where nobody has looked yet
        expect(not whole, "a sound file cannot be used")
    bans.stopService()
    return count


def chain(script: Script, path: Path) -> Hashable:
    """Start with a chain of headers, and end."""
    make_database(script, path, headers_module.MIGRATIONS, fill_headers)
    try:
        found = HeaderChain.open(REGTEST, path)
    except StorageUnusable:
        return "unusable"
    try:
        return found.height
    finally:
        found.close()


def journal() -> Journal:
    """Return a log for nobody."""
    return Journal(Logger(), lambda: NOW)


def make_database(
    script: Script,
    path: Path,
    migrations: Sequence[str],
    fill: Callable[[Script, sqlite3.Connection], None],
) -> bool:
    """Make a database whose rows are odd, or whose bytes are, or that is none.

    Returns:
        Whether it is one of which SQLite sees nothing wrong.
    """
    how = script.number(4)
    if how == 0:
        path.write_bytes(script.rest())
        return False
    if how == 1:
        raw = bytearray(sound(tuple(migrations)))
        for _ in range(script.number(6)):
            at = script.number(len(raw))
            raw[at : at + 1] = script.take(1)
        path.write_bytes(raw)
        return False
    database = open_database(path, migrations)
    with database:
        with suppress(sqlite3.Error, OverflowError):  # this much is refused already
            fill(script, database)
        if how == 3:
            version = script.number(256) - 128
            database.execute(f"PRAGMA user_version={version}")
    database.close()
    return True


@cache
def sound(migrations: tuple[str, ...]) -> bytes:
    """Return the bytes of a new database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        open_database(path, migrations).close()
        return path.read_bytes()


def value(script: Script) -> object:
    """Return anything that a table can hold."""
    makers: tuple[Callable[[], object], ...] = (
        lambda: script.pick(NUMBERS),
        lambda: script.pick(HOSTS),
        lambda: script.blob(40),
        lambda: None,
        lambda: script.pick(REALS),
        lambda: script.blob(40).decode("utf-8", "replace"),
        lambda: script.number(1 << 16),
    )
    return script.pick(makers)()


def row(script: Script, usual: Sequence[object]) -> list[object]:
    """Return a row that is as usual, but for one or two fields."""
    fields = list(usual)
    for _ in range(script.number(3)):
        fields[script.number(len(fields))] = value(script)
    return fields


def fill_addresses(script: Script, database: sqlite3.Connection) -> None:
    """Put addresses into the book, and its secret."""
    secret = bytes(32) if script.number(4) else value(script)
    database.execute("INSERT INTO secret VALUES (?)", (secret,))
    for number in range(script.number(MAX_ROWS)):
        usual = [f"8.8.{number}.8", 8_333, b"\1\2", 1, 0, NOW, None, None, 0, number % 2]
        fields = row(script, usual)
        database.execute("INSERT OR REPLACE INTO addresses VALUES (?,?,?,?,?,?,?,?,?,?)", fields)


def fill_bans(script: Script, database: sqlite3.Connection) -> None:
    """Put bans into the list."""
    for number in range(script.number(MAX_ROWS)):
        usual = [f"192.0.{number}.0/24", 24, NOW + 100, NOW, "why"]
        database.execute("INSERT OR REPLACE INTO bans VALUES (?,?,?,?,?)", row(script, usual))


def fill_headers(script: Script, database: sqlite3.Connection) -> None:
    """Put headers into the chain."""
    assert REGTEST.rules is not None
    genesis = REGTEST.rules.genesis
    for number in range(script.number(MAX_ROWS)):
        usual = [number, 1, b"\1", genesis.data]
        database.execute("INSERT OR REPLACE INTO chain VALUES (?,?,?,?)", row(script, usual))


def seeds() -> Iterator[bytes]:
    """Return files that are nearly right."""
    yield b"\x008.8.8.8 8333\nexample.onion 8333\n"
    yield b"\x01" + new_key(bytes).encode()
    for which in (2, 3, 4):
        for how in range(4):
            yield bytes((which, how))
            for at in range(10):
                for what in range(7):
                    yield bytes((which, how, 1, 2, 1, at, what, 1, 2, 0, 0, 0, 0, 0))


KEPT = Target(
    name="kept",
    says="files that a node keeps between two runs",
    try_one=try_one,
    seeds=seeds,
    max_size=512,
)
