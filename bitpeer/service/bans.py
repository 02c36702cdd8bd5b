"""Who is not wanted: bans, which last as long as somebody says, and discouragement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from twisted.application.service import Service

from bitpeer.bitcoin.hosts import format_host, parse_host
from bitpeer.errors import InvalidSetting, StorageUnusable
from bitpeer.service.database import open_database
from bitpeer.service.origins import plain_address, unit_of

BAN_TIME = 86_400.0
"""Seconds that a ban lasts, unless somebody says otherwise (Core)."""
MAX_BANS = 10_000
"""Most bans at a time; of more, the one that would end first is lifted."""
MAX_DISCOURAGED = 50_000
"""Most hosts discouraged at a time; of more, the one that misbehaved longest ago is forgotten."""
MAX_REASON = 200
"""Most characters kept of why somebody is banned."""
MIGRATIONS = (
    """
    CREATE TABLE bans (
        subject TEXT PRIMARY KEY,
        bits INTEGER,
        until REAL NOT NULL,
        since REAL NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX bans_by_end ON bans (until);
    """,
)
"""What makes the tables; see `open_database`."""
_REMOVE_UNSOUND = """
    DELETE FROM bans WHERE typeof(subject) != 'text' OR typeof(reason) != 'text'
        OR typeof(until) != 'real' OR typeof(since) != 'real'
        OR typeof(bits) NOT IN ('integer', 'null') OR bits < 0 OR bits > 128
"""
"""SQLite does not see to it that a column holds what it should: disks fail, and people have
tools."""


class Ban(NamedTuple):
    """Somebody who may not come in, and is not dialled."""

    subject: str
    """A prefix with the number of its bits, or the name of an onion or I2P service."""
    bits: int | None
    """How many bits of the prefix count; `None` for a name."""
    until: float
    """When it ends, in seconds since 1970."""
    since: float
    """When it began."""
    reason: str
    """As whoever banned it said."""


class Bans(Service):
    """The bans and the discouraged hosts of one node.

    Bans are an operator's wish: who is banned is turned away at the door, and never
    dialled.  They are kept on a disk, and in force while the service runs.
    Discouragement is for those who broke a rule:
    they are dialled no more, and are the first to leave when a place is wanted, but may
    come in while there is room, as somebody else may have their address by now.  It is
    kept in memory, for the latest so many.

    How long it takes to find a ban does not depend on how many there are.  This machine,
    and the hosts through which strangers come to it, can neither be banned nor be
    discouraged: all who come through an onion service would be, too.

    Args:
        path: the file, from `DataDirectory.path`; `None` to keep bans as long as the service
            runs.
        seconds: tells the time, in seconds since 1970.
        forwarders: hosts other than this one through which strangers come.
        most: most bans at a time.
        most_discouraged: most hosts discouraged at a time.
    """

    def __init__(
        self,
        path: Path | None,
        seconds: Callable[[], float],
        forwarders: Container[str] = (),
        *,
        most: int = MAX_BANS,
        most_discouraged: int = MAX_DISCOURAGED,
    ) -> None:
        self.watchers: list[Callable[[], object]] = []
        """Called when somebody has been banned, who may be here."""
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._seconds = seconds
        self._forwarders = forwarders
        self._most = most
        self._most_discouraged = most_discouraged
        self._discouraged: dict[str, None] = {}
        """Hosts, the latest last."""
        self._lengths: list[int] = []
        """Of all prefixes that are banned, in bits."""

    def startService(self) -> None:
        """Read what was kept.

        Raises:
            StorageUnusable: the file cannot be used.
        """
        database = open_database(self._path, MIGRATIONS)
        try:
            with database:
                database.execute(_REMOVE_UNSOUND)
        except (sqlite3.Error, UnicodeError) as error:
            database.close()
            raise StorageUnusable(str(self._path), str(error)) from error
        self._database = database
        self._note_lengths()
        Service.startService(self)

    def stopService(self) -> None:
        """Close the file."""
        Service.stopService(self)
        if self._database is not None:
            self._database.close()
            self._database = None

    def __len__(self) -> int:
        """How many bans are in force."""
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Ban]:
        """Yield the bans in force, by subject."""
        return iter(self._read("SELECT * FROM bans WHERE until > ? ORDER BY subject"))

    @property
    def discouraged(self) -> int:
        """How many hosts are discouraged."""
        return len(self._discouraged)

    def ban(self, subject: str, until: float, reason: str = "") -> Ban:
        """Ban *subject* until a moment, in place of an earlier ban of the same; return the ban.

        Args:
            subject: an IPv4 address, an IPv6 address, which stands for the first 64 bits
                of it, a prefix such as ``192.0.2.0/24``, or the name of an onion service
                or of an I2P destination.
            until: in seconds since 1970.
            reason: for people.

        Raises:
            InvalidSetting: *subject* is none of these, or is of this machine.
            StorageUnusable: it cannot be kept.
        """
        ban = Ban(*self.parse(subject), until, self._seconds(), reason[:MAX_REASON])
        self._write(
            ("INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?)", ban),
            ("DELETE FROM bans WHERE until <= ?", (self._seconds(),)),
            (
                "DELETE FROM bans WHERE subject IN"
                " (SELECT subject FROM bans ORDER BY until DESC LIMIT -1 OFFSET ?)",
                (self._most,),
            ),
        )
        for watcher in self.watchers:
            watcher()
        return ban

    def lift(self, subject: str) -> bool:
        """End the ban of *subject*, written as for `ban`; return whether there was one.

        Raises:
            InvalidSetting: *subject* can be nobody.
            StorageUnusable: that cannot be kept.
        """
        key, _ = self.parse(subject)
        found = self._find(key) is not None
        self._write(("DELETE FROM bans WHERE subject = ?", (key,)))
        return found

    def is_banned(self, host: str) -> bool:
        """Whether *host* is banned, by itself or by a prefix around it."""
        return self.ban_of(host) is not None

    def ban_of(self, host: str) -> Ban | None:
        """Return the ban that concerns *host*; of several, the one that ends last.

        Args:
            host: an IP literal, or the name of an onion service or of an I2P destination;
                nobody else is ever banned.
        """
        if self._exempt(host):
            return None
        found = [ban for key in self._keys(host) if (ban := self._find(key)) is not None]
        return max(found, key=lambda ban: ban.until, default=None)

    def discourage(self, host: str) -> None:
        """Remember that somebody at *host* broke the rules."""
        if self._exempt(host):
            return
        key = unit_of(host)
        self._discouraged.pop(key, None)
        self._discouraged[key] = None
        if len(self._discouraged) > self._most_discouraged:
            del self._discouraged[next(iter(self._discouraged))]

    def is_discouraged(self, host: str) -> bool:
        """Whether somebody at *host* broke the rules lately."""
        return bool(self._discouraged) and unit_of(host) in self._discouraged

    def parse(self, subject: str) -> tuple[str, int | None]:
        """Return what *subject* is kept as, and how many of its bits count, if it has bits.

        Raises:
            InvalidSetting: as for `ban`.
        """
        try:
            host, slash, _ = subject.partition("/")
            if slash:
                network = ip_network(subject, strict=False)
            elif plain_address(subject) is not None:
                network = ip_network(unit_of(subject))
            else:
                return format_host(*parse_host(subject)), None
        except ValueError:
            expected = "an IP address, a prefix such as 192.0.2.0/24, or an onion or I2P name"
            raise InvalidSetting("ban", subject, expected) from None
        if network.is_loopback or (not slash and self._exempt(host)):
            raise InvalidSetting("ban", subject, "somebody other than this machine")
        return str(network), network.prefixlen

    def _exempt(self, host: str) -> bool:
        address = plain_address(host)
        return address is not None and (address.is_loopback or str(address) in self._forwarders)

    def _keys(self, host: str) -> list[str]:
        """Return all that a ban of *host* can be kept as."""
        address = plain_address(host)
        if address is None:
            return [host.lower()]
        around = (bits for bits in self._lengths if bits <= address.max_prefixlen)
        return [str(ip_network((address, bits), strict=False)) for bits in around]

    def _find(self, key: str) -> Ban | None:
        found = self._read("SELECT * FROM bans WHERE until > ? AND subject = ?", key)
        return found[0] if found else None

    def _read(self, query: str, *values: object) -> list[Ban]:
        """Return the bans that a *query* selects, whose first condition is that they last."""
        if self._database is None:
            return []
        return [Ban(*row) for row in self._database.execute(query, (self._seconds(), *values))]

    def _write(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        database = self._database
        if database is None:
            raise StorageUnusable("the list of bans", "the service does not run")
        try:
            with database:
                for statement, values in statements:
                    database.execute(statement, values)
        except sqlite3.Error as error:
            raise StorageUnusable("the list of bans", str(error)) from error
        self._note_lengths()

    def _note_lengths(self) -> None:
        query = "SELECT DISTINCT bits FROM bans WHERE bits IS NOT NULL"
        rows = () if self._database is None else self._database.execute(query)
        self._lengths = [bits for (bits,) in rows]
