"""Tests of bitpeer.service.keeping."""

import sqlite3

import pytest

from bitpeer.service.database import open_database
from bitpeer.service.keeping import Keeping
from tests.service.fakes import LogLines, Reactor, make_node

FISH = "CREATE TABLE fish (name BLOB)"
CARP = "INSERT INTO fish VALUES ('carp')"


@pytest.fixture
def pond(tmp_path):
    database = open_database(tmp_path / "pond.sqlite", [FISH])
    keeping = Keeping(database, "the fish", make_node(Reactor()).journal)
    yield database, keeping
    keeping.close()


def count(database):
    return database.execute("SELECT count(*) FROM fish").fetchone()[0]


def test_what_is_written_is_there_at_once(pond):
    database, keeping = pond
    assert keeping.write(lambda db: db.execute(CARP))
    assert not database.in_transaction
    assert count(database) == 1


def test_a_full_disk_is_reported_once_and_so_is_that_there_is_room_again(pond):
    database, keeping = pond
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count={pages}")

    def whale(db):
        db.execute(CARP)
        db.execute("INSERT INTO fish VALUES (zeroblob(100000))")

    with LogLines() as lines:
        assert not keeping.write(whale)
        assert not keeping.write(whale)
        assert count(database) == 0  # not the carp either
        database.execute("PRAGMA max_page_count=1000000")
        assert keeping.write(whale)
        assert keeping.write(whale)
    assert lines == [
        "the fish cannot be kept, so they stay in memory: database or disk is full",
        "the fish can be kept again",
    ]
    assert count(database) == 4


def test_a_mistake_of_ours_is_no_matter_of_the_disk(pond):
    database, keeping = pond
    with pytest.raises(ZeroDivisionError):
        keeping.write(lambda db: (db.execute(CARP), 1 // 0))
    assert count(database) == 0


def test_it_can_be_closed(pond):
    database, keeping = pond
    keeping.close()
    with pytest.raises(sqlite3.ProgrammingError):
        count(database)
