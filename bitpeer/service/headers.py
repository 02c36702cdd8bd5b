"""The chain of block headers: kept in SQLite, judged before it is kept, followed by its work."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from struct import error as struct_error
from typing import NamedTuple

from bitpeer.config import BlockPosition
from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting, LocalError, RemoteError, StorageUnusable
from bitpeer.messages.locator import NO_STOP, locator_heights
from bitpeer.messages.rules import HeaderRules, Judge, Link
from bitpeer.service.database import open_database

MIGRATIONS = (
    """
    CREATE TABLE chain (
        height INTEGER PRIMARY KEY,
        key INTEGER NOT NULL,
        work BLOB NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX chain_by_key ON chain (key);
    CREATE TABLE forks (
        hash BLOB PRIMARY KEY,
        previous BLOB NOT NULL,
        height INTEGER NOT NULL,
        work BLOB NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX forks_by_previous ON forks (previous);
    """,
)
"""The tables: the best chain by height, and beside it what may become better."""
MAX_FORKS = 50_000
"""Most headers kept beside the best chain; the oldest are forgotten first."""
GRACE_BLOCKS = 144
"""A branch may be so many blocks of work behind the tip and still be worth keeping (Core)."""
MAX_JUDGES = 4
"""How many branches are remembered so well that they are quickly gone on with."""
CACHE = 16_384
"""Kilobytes of the file that SQLite may keep in memory."""


class Extension(NamedTuple):
    """What became of headers that were offered."""

    added: int
    """How many of them are new."""
    withdrawn: int
    """How many blocks of the best chain are not part of it any more."""
    end: BlockPosition
    """The last of those that were offered, wherever it lies."""


class Unconnected(Exception):
    """The header before the first of those offered is not known."""


class HeaderChain:
    """All headers from the genesis block to the newest, and what lies beside them.

    It is never loaded: it starts as quickly with a million headers as with one.  Each
    call of `extend` is kept as a whole or not at all, whatever happens to the
    process meanwhile.

    Args:
        network: whose chain; it must have `rules`.
        database: as `open_database` returns it for `MIGRATIONS`; see `open`.
        minimum_work: what a chain must have to be kept at all; `None` for what the
            network's is known to have reached.

    Raises:
        InvalidSetting: nobody knows the rules of this network.
        StorageUnusable: the database holds the chain of another network.
    """

    def __init__(
        self, network: Network, database: sqlite3.Connection, *, minimum_work: int | None = None
    ) -> None:
        if network.rules is None:
            raise InvalidSetting("network", network.title, "one whose rules for headers are known")
        self.rules: HeaderRules = network.rules
        self.minimum_work = network.rules.minimum_work if minimum_work is None else minimum_work
        self._database = database
        self._judges: OrderedDict[bytes, Judge] = OrderedDict()
        """By the hash of the block that they have judged last."""
        database.execute(f"PRAGMA cache_size=-{CACHE}")
        genesis = self.rules.genesis
        with database:
            database.execute(
                "INSERT OR IGNORE INTO chain VALUES (0, ?, ?, ?)",
                (_key(genesis.hash), _blob(genesis.work), genesis.data),
            )
        if self._link(0).hash != genesis.hash:
            raise StorageUnusable("the chain of headers", f"it is not that of {network.title}")
        self._read_tip()

    @classmethod
    def open(
        cls, network: Network, path: Path | None = None, *, minimum_work: int | None = None
    ) -> HeaderChain:
        """Return the chain in the file at *path*, which is made if need be; or one in memory.

        Raises:
            InvalidSetting, StorageUnusable: as above, or as `open_database` does.
        """
        database = open_database(path, MIGRATIONS)
        try:
            return cls(network, database, minimum_work=minimum_work)
        except LocalError:
            database.close()
            raise
        except (sqlite3.Error, RemoteError, struct_error, TypeError, ValueError) as error:
            database.close()  # the later ones are about what should be a header, or its work
            raise StorageUnusable(str(path), str(error)) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # To look at

    @property
    def tip(self) -> BlockPosition:
        """The newest block of the chain with the most work."""
        return self._tip

    @property
    def height(self) -> int:
        """That of the tip."""
        return self._tip.height

    @property
    def tip_time(self) -> int:
        """When the newest block was made, as its miner saw it: seconds since 1970."""
        return self._tip_link.time

    @property
    def credible(self) -> bool:
        """Whether the chain has as much work as the network's is known to have."""
        return self._tip.work >= self.minimum_work

    @property
    def threshold(self) -> int:
        """The work that a branch must have, from the genesis block on, to be worth keeping."""
        return max(self.minimum_work, self._tip.work - GRACE_BLOCKS * self._tip_link.work)

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of the block at *height*, wire order; `None` if there is none."""
        return self._link(height).hash if 0 <= height <= self._tip.height else None

    def find(self, block: bytes) -> BlockPosition | None:
        """Return where the block with this hash is, in the chain or beside it."""
        return self._in_chain(block) or self._beside(block)

    def in_chain(self, block: bytes) -> bool:
        """Return whether the block with this hash is part of the best chain."""
        return self._in_chain(block) is not None

    def locator(self, height: int | None = None) -> list[bytes]:
        """Return hashes by which a peer finds out what it has in common with this chain.

        Args:
            height: where to begin; `None` for the tip.
        """
        height = self._tip.height if height is None else max(0, min(height, self._tip.height))
        return [self._link(at).hash for at in locator_heights(height)]

    def headers_after(self, locator: Sequence[bytes], stop: bytes = NO_STOP) -> list[bytes]:
        """Return the headers, as they are kept, behind the first of *locator* in the chain.

        As the reference nodes: behind the genesis block if there is none, and only *stop*
        itself if the locator is empty.
        """
        if not locator:
            found = self._in_chain(stop)
            return [] if found is None else [self._data(found.height)]
        start = next((at.height for each in locator if (at := self._in_chain(each))), 0)
        last = self._in_chain(stop) if stop != NO_STOP else None
        end = start + self.rules.limit
        if last is not None and last.height > start:
            end = min(end, last.height)
        rows = self._database.execute(
            "SELECT data FROM chain WHERE height > ? AND height <= ? ORDER BY height", (start, end)
        )
        return [data for (data,) in rows]

    # To go on with

    def judge_after(self, block: bytes) -> Judge:
        """Return a judge of one's own for what follows a block that is known.

        Raises:
            Unconnected: it is not.
        """
        branch = self._branch(block)

        def ancestor(height: int) -> Link:
            above = height - branch.root
            return branch.links[above - 1] if above > 0 else self._link(height)

        return self.rules.judge(ancestor, branch.root + len(branch.links))

    def extend(self, links: Sequence[Link], now: float) -> Extension:
        """Judge *links*, each of which follows the one before it, and keep them if all are right.

        Args:
            links: one at least; those that are known already are passed over.
            now: seconds since 1970.

        Raises:
            Unconnected: the block before the first is not known.
            BadHeader: one breaks the rules.
            TooNew: one is from the future.
        """
        known = 0
        if links[0].previous != self._tip.hash:
            known = bisect_left(links, 1, key=lambda link: self.find(link.hash) is None)
        new = links[known:]
        if not new:
            end = self.find(links[-1].hash)
            assert end is not None  # or it would be new
            return Extension(0, 0, end)
        parent = new[0].previous
        judge = self._judges.pop(parent, None) or self.judge_after(parent)
        new = [judge.follow(link, now) for link in new]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            extension = self._keep(new, parent)
        self._read_tip()
        self._judges[new[-1].hash] = judge
        if len(self._judges) > MAX_JUDGES:
            self._judges.popitem(last=False)
        return extension

    def _keep(self, new: Sequence[Link], parent: bytes) -> Extension:
        """Put judged headers where they belong."""
        base = self.find(parent)
        assert base is not None  # or there would have been no judge
        work = base.work + sum(link.work for link in new)
        if parent == self._tip.hash:
            end = self._append(new, base)
            return Extension(len(new), 0, end)
        if work <= self._tip.work:  # of two equals the first counts
            end = self._put_beside(new, base)
            self._forget_oldest()
            return Extension(len(new), 0, end)
        branch = self._branch(parent)
        withdrawn = self._tip.height - branch.root
        end = self._append([*branch.links, *new], self._withdraw(branch))
        return Extension(len(new), withdrawn, end)

    def _append(self, links: Sequence[Link], base: BlockPosition) -> BlockPosition:
        """Put *links* behind the best chain, which ends at *base*."""
        _, height, work = base
        rows = []
        for link in links:
            height, work = height + 1, work + link.work
            rows.append((height, _key(link.hash), _blob(work), link.data))
        self._database.executemany("INSERT INTO chain VALUES (?, ?, ?, ?)", rows)
        return BlockPosition(links[-1].hash, height, work)

    def _put_beside(self, links: Sequence[Link], base: BlockPosition) -> BlockPosition:
        """Put *links*, which come after *base*, where they wait for their branch to win."""
        _, height, work = base
        rows = []
        for link in links:
            height, work = height + 1, work + link.work
            rows.append((link.hash, link.previous, height, _blob(work), link.data))
        self._database.executemany("INSERT INTO forks VALUES (?, ?, ?, ?, ?)", rows)
        return BlockPosition(links[-1].hash, height, work)

    def _withdraw(self, branch: _Branch) -> BlockPosition:
        """Put beside what comes after the root of *branch*; return the root."""
        execute = self._database.execute
        where = "FROM chain WHERE height > ?"
        rows = execute(f"SELECT data {where} ORDER BY height", (branch.root,))
        root = self._position(branch.root)
        self._put_beside([self.rules.link(data) for (data,) in rows], root)
        execute(f"DELETE {where}", (branch.root,))
        names = [(link.hash,) for link in branch.links]
        self._database.executemany("DELETE FROM forks WHERE hash = ?", names)
        self._forget_oldest()
        return root

    def _forget_oldest(self) -> None:
        """Keep the number of forks in bounds; a block goes with all that hangs on it."""
        (count,) = self._database.execute("SELECT count(*) FROM forks").fetchone()
        if count > MAX_FORKS:
            self._database.execute(_FORGET, (count - MAX_FORKS,))

    # The tables

    def _read_tip(self) -> None:
        (height,) = self._database.execute("SELECT max(height) FROM chain").fetchone()
        self._tip = self._position(height)
        self._tip_link = self._link(height)

    def _data(self, height: int) -> bytes:
        query = "SELECT data FROM chain WHERE height = ?"
        data: bytes = self._database.execute(query, (height,)).fetchone()[0]
        return data

    def _link(self, height: int) -> Link:
        return self.rules.link(self._data(height))

    def _position(self, height: int) -> BlockPosition:
        """Return the block at *height* of the best chain."""
        query = "SELECT work, data FROM chain WHERE height = ?"
        work, data = self._database.execute(query, (height,)).fetchone()
        return BlockPosition(self.rules.link(data).hash, height, _number(work))

    def _in_chain(self, block: bytes) -> BlockPosition | None:
        query = "SELECT height, work, data FROM chain WHERE key = ?"
        for height, work, data in self._database.execute(query, (_key(block),)):
            if self.rules.link(data).hash == block:
                return BlockPosition(block, height, _number(work))
        return None

    def _beside(self, block: bytes) -> BlockPosition | None:
        query = "SELECT height, work FROM forks WHERE hash = ?"
        row = self._database.execute(query, (block,)).fetchone()
        return None if row is None else BlockPosition(block, row[0], _number(row[1]))

    def _branch(self, block: bytes) -> _Branch:
        """Return the branch that ends with *block*.

        Raises:
            Unconnected: it is not known.
        """
        links: list[Link] = []
        while (root := self._in_chain(block)) is None:
            query = "SELECT data FROM forks WHERE hash = ?"
            row = self._database.execute(query, (block,)).fetchone()
            if row is None:
                raise Unconnected
            links.append(self.rules.link(row[0]))
            block = links[-1].previous
        return _Branch(root.height, links[::-1])


class _Branch(NamedTuple):
    """A way from the best chain to some block."""

    root: int
    """The height at which it leaves the best chain."""
    links: list[Link]
    """What comes after the root."""


_FORGET = """
    WITH RECURSIVE lost (hash) AS (
        SELECT * FROM (SELECT hash FROM forks ORDER BY rowid LIMIT ?)
        UNION SELECT forks.hash FROM forks JOIN lost ON forks.previous = lost.hash
    )
    DELETE FROM forks WHERE hash IN lost
"""


def _key(block: bytes) -> int:
    """Return what a block is looked up by: the end of its hash, which no work makes small.

    Two of a million blocks may well share it; see `HeaderChain._in_chain`.
    """
    return int.from_bytes(block[:4], "little", signed=True)


def _blob(work: int) -> bytes:
    return work.to_bytes((work.bit_length() + 7) // 8, "big")


def _number(blob: bytes) -> int:
    return int.from_bytes(blob, "big")
