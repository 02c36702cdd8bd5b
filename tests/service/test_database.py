"""Tests of bitpeer.service.database."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from random import Random

import pytest

from bitpeer.errors import LocalError, StorageUnusable
from bitpeer.service.database import open_database

FIRST = "CREATE TABLE fish (name TEXT PRIMARY KEY)  -- and no more"
SECOND = "ALTER TABLE fish ADD COLUMN scales INTEGER NOT NULL DEFAULT 7; DELETE FROM fish"


def fish(database):
    return [name for (name,) in database.execute("SELECT name FROM fish ORDER BY name")]


def version(database):
    return database.execute("PRAGMA user_version").fetchone()[0]


def test_what_was_committed_is_there_when_it_is_opened_again(tmp_path):
    path = tmp_path / "pond.sqlite"
    with closing(open_database(path, [FIRST])) as database, database:
        database.execute("INSERT INTO fish VALUES ('carp')")
    with closing(open_database(path, [FIRST])) as database:
        assert fish(database) == ["carp"]


def test_a_block_that_fails_leaves_nothing_behind(tmp_path):
    with closing(open_database(tmp_path / "pond.sqlite", [FIRST])) as database:
        add_twice = "INSERT INTO fish VALUES ('carp')"
        with pytest.raises(sqlite3.IntegrityError), database:
            database.executemany(add_twice, [(), ()])
        assert fish(database) == []


def test_every_commit_reaches_the_disk(tmp_path):
    with closing(open_database(tmp_path / "pond.sqlite", [FIRST])) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_one_in_memory_is_forgotten_when_it_is_closed():
    with closing(open_database(None, [FIRST])) as database, database:
        database.execute("INSERT INTO fish VALUES ('carp')")
        assert fish(database) == ["carp"]
    with closing(open_database(None, [FIRST])) as database:
        assert fish(database) == []


def test_an_older_one_is_brought_up_to_date_and_keeps_its_rows(tmp_path):
    path = tmp_path / "pond.sqlite"
    with closing(open_database(path, [FIRST])) as database, database:
        database.execute("INSERT INTO fish VALUES ('carp')")
    later = "ALTER TABLE fish ADD COLUMN scales INTEGER NOT NULL DEFAULT 7"
    for _ in range(2):
        with closing(open_database(path, [FIRST, later])) as database:
            assert version(database) == 2
            assert database.execute("SELECT * FROM fish").fetchall() == [("carp", 7)]


def test_a_migration_happens_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "pond.sqlite"
    broken = "INSERT INTO fish VALUES ('carp'); CREATE TABLE fish (again)"
    with pytest.raises(StorageUnusable, match="table fish already exists"):
        open_database(path, [FIRST, broken])
    with closing(open_database(path, [FIRST])) as database:
        assert version(database) == 1
        assert fish(database) == []


def test_one_from_the_future_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "pond.sqlite"
    open_database(path, [FIRST, SECOND]).close()
    with pytest.raises(LocalError) as caught:
        open_database(path, [FIRST])
    assert str(caught.value) == (
        f"{path} cannot be used: a newer bitpeer wrote it, in version 2 of its form; "
        "this one knows 1"
    )
    with closing(open_database(path, [FIRST, SECOND])) as database:
        assert version(database) == 2


def test_one_of_an_absurd_version_is_refused(tmp_path):
    path = tmp_path / "pond.sqlite"
    with closing(open_database(path, [FIRST])) as database:
        database.execute("PRAGMA user_version=-1")
    with pytest.raises(StorageUnusable, match="no bitpeer wrote it"):
        open_database(path, [FIRST])


def test_one_that_says_nothing_that_is_text_is_named(tmp_path):
    path = tmp_path / "pond.sqlite"
    open_database(path, [FIRST]).close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE fish", b"CREATE \xb1ABLE fish"))
    with pytest.raises(StorageUnusable, match="pond"):
        open_database(path, [FIRST])


def test_what_is_no_database_is_named(tmp_path):
    path = tmp_path / "pond.sqlite"
    path.write_text("a poem about carps, long enough to be something other than a header" * 20)
    with pytest.raises(StorageUnusable, match=r"pond.sqlite cannot be used: file is not a data"):
        open_database(path, [FIRST])


def test_its_folder_is_made_for_its_owner_alone(tmp_path):
    open_database(tmp_path / "a" / "pond.sqlite", [FIRST]).close()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path):
    with pytest.raises(StorageUnusable, match=r"b/pond.sqlite cannot be used: .* No such file"):
        open_database(tmp_path / "a" / "b" / "pond.sqlite", [FIRST])
    (tmp_path / "pond.sqlite").mkdir()
    with pytest.raises(StorageUnusable, match=r"pond.sqlite cannot be used: unable to open"):
        open_database(tmp_path / "pond.sqlite", [FIRST])


WRITER = """
import sys
from pathlib import Path
from bitpeer.service.database import open_database

database = open_database(Path(sys.argv[1]), ["CREATE TABLE pages (batch INTEGER, text BLOB)"])
batch = 1 + (database.execute("SELECT max(batch) FROM pages").fetchone()[0] or 0)
while True:
    with database:
        database.executemany("INSERT INTO pages VALUES (?, ?)", [(batch, bytes(1000))] * 7)
        if batch % 10 == 0:
            database.execute("DELETE FROM pages WHERE batch < ?", (batch - 10,))
    print(batch, flush=True)
    batch += 1
"""

MIGRATOR = """
import sys
from collections.abc import Sequence
from pathlib import Path
from bitpeer.service.database import open_database

class Told(list):
    def __getitem__(self, index):
        print(index, flush=True)
        return list.__getitem__(self, index)

open_database(Path(sys.argv[1]), Told(f"CREATE TABLE t{n} (x)" for n in range(1_000)))
"""


def kill_after(lines, program, path):
    """Run *program*, kill it as soon as it has said so many lines; return all that it said."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


def integrity(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchall()


@pytest.mark.timeout(90)
def test_whoever_is_killed_while_writing_loses_nothing_that_was_committed(tmp_path):
    path, draw, kept = tmp_path / "pond.sqlite", Random(6), 0
    for _ in range(8):
        reported = kill_after(draw.randrange(1, 120), WRITER, path)
        assert integrity(path) == [("ok",)]
        assert reported[0] == kept + 1
        with closing(sqlite3.connect(path)) as database:
            rows = dict(database.execute("SELECT batch, count(*) FROM pages GROUP BY batch"))
        kept = max(rows)
        assert kept in (reported[-1], reported[-1] + 1)  # committed, perhaps, and killed then
        assert set(rows) >= set(range(max(1, kept - 9), kept + 1))
        assert set(rows.values()) == {7}


@pytest.mark.timeout(90)
def test_whoever_is_killed_while_migrating_goes_on_where_it_was(tmp_path):
    path, draw = tmp_path / "pond.sqlite", Random(7)
    for _ in range(4):
        begun = kill_after(draw.randrange(2, 60), MIGRATOR, path)
        assert integrity(path) == [("ok",)]
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            assert version(database) == tables
            assert tables in (begun[-1], begun[-1] + 1)
    migrations = [f"CREATE TABLE t{number} (x)" for number in range(1_000)]
    with closing(open_database(path, migrations)) as database:
        assert version(database) == 1_000
