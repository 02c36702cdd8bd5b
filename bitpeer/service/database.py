"""What a node keeps between two runs: SQLite files that survive being killed at any moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from bitpeer.errors import StorageUnusable

BUSY_TIMEOUT = 1.0
"""Seconds to wait for somebody who looks into the file with a tool of their own."""


def open_database(path: Path | None, migrations: Sequence[str]) -> sqlite3.Connection:
    """Open a database, make it if it is not there, and bring its tables up to date.

    What belongs together is written in one ``with connection:`` block.  When that is
    left, it is on the disk: neither the end of the process nor that of the power can
    take it back (a write-ahead log, synchronised at every commit).  A block that is not
    left leaves nothing behind.

    Args:
        path: the file; its folder is made if it is not there, but none above.  `None` for
            one in memory, which is forgotten when it is closed.
        migrations: statements in SQL.  The first makes the tables, each further one turns
            those of the version before into its own.  Each happens as a whole or not at
            all, once in the life of a file.  Never change one that was released.

    Raises:
        StorageUnusable: the file cannot be opened, read or written, is no database, or was
            written by a newer version of this program.
    """
    name = ":memory:" if path is None else str(path)
    try:
        if path is not None:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        database = sqlite3.connect(name, timeout=BUSY_TIMEOUT)
    except (OSError, sqlite3.Error) as error:
        raise StorageUnusable(name, str(error)) from error
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        _migrate(database, name, migrations)
    except (sqlite3.Error, UnicodeError) as error:  # the latter, if what it says is no text
        database.close()
        raise StorageUnusable(name, str(error)) from error
    except StorageUnusable:
        database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection, name: str, migrations: Sequence[str]) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    known = len(migrations)
    if version < 0:
        raise StorageUnusable(name, f"no bitpeer wrote it: its form has the version {version}")
    if version > known:
        why = f"a newer bitpeer wrote it, in version {version} of its form; this one knows {known}"
        raise StorageUnusable(name, why)
    for number in range(version, known):
        database.executescript(
            f"BEGIN IMMEDIATE;\n{migrations[number]}\n;PRAGMA user_version={number + 1};COMMIT"
        )
