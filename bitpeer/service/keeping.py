"""Writing to a disk that may be full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from twisted.logger import LogLevel

from bitpeer.net.journal import Journal


class Keeping:
    """Writes what a node learns to a database, as long as that can be done.

    When the disk is full, or fails, the log says so once; the node goes on with what it
    has in memory, and whoever writes tries again when there is something new.

    Args:
        database: from `open_database`.
        what: is written there, in words: "the addresses of bitcoin-mainnet".
        journal: is told when it cannot be done, and when it can again.
    """

    def __init__(self, database: sqlite3.Connection, what: str, journal: Journal) -> None:
        self._database = database
        self._what = what
        self._journal = journal
        self._failing = False

    def write(self, act: Callable[[sqlite3.Connection], object]) -> bool:
        """Let *act* write, all of it or nothing; return whether it is on the disk."""
        try:
            with self._database:
                act(self._database)
        except sqlite3.Error as error:
            if not self._failing:
                self._failing = True
                text = "{what} cannot be kept, so they stay in memory: {why}"
                self._journal.emit(LogLevel.warn, text, what=self._what, why=str(error))
            return False
        if self._failing:
            self._failing = False
            self._journal.emit(LogLevel.info, "{what} can be kept again", what=self._what)
        return True

    def close(self) -> None:
        """Close the database."""
        self._database.close()
