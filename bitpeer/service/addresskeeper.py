"""Keeps an address book on a disk, so that it is there again when the program is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime

from bitpeer.errors import StorageUnusable
from bitpeer.net.journal import Journal
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.buckets import SECRET_SIZE
from bitpeer.service.database import open_database
from bitpeer.service.every import Every
from bitpeer.service.keeping import Keeping
from bitpeer.service.knownaddress import KnownAddress

PERIOD = 10.0
"""Seconds between two times at which what is new is written."""

MIGRATIONS = (
    """
    CREATE TABLE secret (value BLOB NOT NULL);
    CREATE TABLE addresses (
        host TEXT NOT NULL,
        port INTEGER NOT NULL,
        origin BLOB NOT NULL,
        services INTEGER NOT NULL,  -- signed, as SQLite has no other
        services_seen INTEGER NOT NULL,
        time REAL NOT NULL,
        tried_at REAL,
        success_at REAL,
        failures INTEGER NOT NULL,
        proven INTEGER NOT NULL,
        PRIMARY KEY (host, port)
    ) WITHOUT ROWID;
    """,
)
"""The tables, and how they came to be."""

_SIGN, _ALL = 1 << 63, 1 << 64

_Row = tuple[str, int, bytes, int, int, float, float | None, float | None, int, int]
_COLUMNS = {
    "host": str, "port": int, "origin": bytes, "services": int, "services_seen": int,
    "time": float, "tried_at": float | None, "success_at": float | None, "failures": int,
    "proven": int,
}  # fmt: skip
"""What a row has, and of what kind that should be: SQLite does not see to it."""


class AddressKeeper(Service):
    """Reads a book when it starts; writes what is new now and then, and when it stops.

    Whoever kills the program takes no more than the last ten seconds with it.

    Args:
        book: the addresses.
        path: the file, from `DataDirectory.path`; `None` to keep nothing.
        network: whose addresses they are, in words, for the log.
        clock: tells when it is time.
        journal: is told if they cannot be kept.
    """

    def __init__(
        self,
        book: AddressBook,
        path: Path | None,
        *,
        network: str,
        clock: IReactorTime,
        journal: Journal,
    ) -> None:
        self._book = book
        self._path = path
        self._what = f"the addresses of {network}"
        self._journal = journal
        self._keeping: Keeping | None = None
        self._all = False
        """Whether all that is known must be written, as what is new was lost track of."""
        self._flushes = Every(clock, PERIOD, self.flush, journal)

    def startService(self) -> None:
        """Read what was kept.

        Raises:
            StorageUnusable: the file cannot be used, or read.
        """
        database = open_database(self._path, MIGRATIONS)
        try:
            self._read(database)
        except (sqlite3.Error, UnicodeError) as error:
            database.close()
            raise StorageUnusable(str(self._path), str(error)) from error
        self._keeping = Keeping(database, self._what, self._journal)
        self.flush()
        Service.startService(self)
        self._flushes.start()

    def stopService(self) -> None:
        """Write what is new, and close the file."""
        Service.stopService(self)
        self._flushes.stop()
        if self._keeping is not None:
            self.flush()
            self._keeping.close()
            self._keeping = None

    def flush(self) -> None:
        """Write what is new, now."""
        book = self._book
        if self._keeping is None or not (self._all or book.changed):
            return
        written = self._keeping.write(self._write_all if self._all else self._write_changed)
        # Not kept for the next time: nobody knows how much it would come to until the disk
        # has room again.
        self._all = not written
        book.changed.clear()

    def _read(self, database: sqlite3.Connection) -> None:
        (secret,) = database.execute("SELECT value FROM secret").fetchone() or (None,)
        columns = ", ".join(_COLUMNS)
        rows = database.execute(f"SELECT {columns} FROM addresses").fetchall()  # noqa: S608  # ours
        usable = False
        if isinstance(secret, bytes) and len(secret) == SECRET_SIZE:
            usable = True
            read = (_from_row(row, self._book) for row in rows if _is_sound(row))
            self._book.restore(secret, [known for known in read if known is not None])
        self._all = not usable or len(rows) != len(self._book)

    def _write_all(self, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM secret")
        database.execute("INSERT INTO secret VALUES (?)", (self._book.secret,))
        database.execute("DELETE FROM addresses")
        _insert(database, self._book)

    def _write_changed(self, database: sqlite3.Connection) -> None:
        changed = self._book.changed.items()
        gone = [address for address, known in changed if known is None]
        database.executemany("DELETE FROM addresses WHERE host = ? AND port = ?", gone)
        _insert(database, (known for _, known in changed if known is not None))


def _insert(database: sqlite3.Connection, addresses: Iterable[KnownAddress]) -> None:
    marks = ", ".join("?" * 10)
    database.executemany(
        f"INSERT OR REPLACE INTO addresses VALUES ({marks})",  # noqa: S608  # question marks
        map(_to_row, addresses),
    )


def _to_row(known: KnownAddress) -> _Row:
    services = known.services - _ALL if known.services & _SIGN else known.services
    return (
        *known.address, known.origin, services, known.services_seen, known.time,
        known.tried_at, known.success_at, known.failures, known.proven,
    )  # fmt: skip


def _is_sound(row: _Row) -> bool:
    """Return whether a row is as it was written: disks fail, and people have tools."""
    if not all(map(isinstance, row, _COLUMNS.values())):
        return False
    _, port, *_, failures, _ = row
    return 0 <= port < 1 << 16 and failures >= 0


def _from_row(row: _Row, book: AddressBook) -> KnownAddress | None:
    """Return what was known; `None` if it is none that may be dialled any more."""
    host, port, origin, services, services_seen, time, tried_at, success_at, failures, proven = row
    known = KnownAddress.of(host, port, book.fit)
    if known is None or book.is_own(known.address):
        return None
    known.origin, known.time = origin, time
    known.services, known.services_seen = services & (_ALL - 1), bool(services_seen)
    known.tried_at, known.success_at = tried_at, success_at
    known.failures, known.proven = failures, bool(proven)
    return known
