"""Tests of bitpeer.service.addresskeeper."""

import sqlite3
from contextlib import closing

import pytest

from bitpeer.errors import StorageUnusable
from bitpeer.messages.addresses import TimedNetAddress, pack_ip
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.addresskeeper import PERIOD, AddressKeeper
from bitpeer.service.seeds import Address
from tests.service.fakes import LogLines, Reactor, make_node

NOW = 1_800_000_000.0
SECRET = b"a secret" * 4
"""With which no two of the addresses below have the same place."""
ONION = Address("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 8333)


def addr(host, services=1, time=NOW):
    return TimedNetAddress(int(time), services, pack_ip(host), 8333)


def at(number):
    return Address(f"20.{number}.0.1", 8333)


def learn(book, *numbers, **facts):
    for number in numbers:
        assert book.learn([addr(at(number).host, **facts)], f"30.{number}.0.1", NOW)


class Shelf:
    """A file, and whoever keeps a book in it."""

    def __init__(self, path):
        self.path = path
        self.clock = Reactor()

    def keeper(self, book):
        journal = make_node(self.clock).journal
        return AddressKeeper(book, self.path, network="nursery", clock=self.clock, journal=journal)

    def open(self, **settings):
        settings.setdefault("secret", SECRET)
        book = AddressBook(**settings)
        keeper = self.keeper(book)
        keeper.startService()
        return book, keeper

    def rows(self):
        with closing(sqlite3.connect(self.path)) as database:
            return {row[0]: row for row in database.execute("SELECT * FROM addresses")}


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "network" / "addresses.sqlite")


def everything(book):
    slots = [name for name in type(next(iter(book))).__slots__ if name != "counted_at"]
    return {known.address: [getattr(known, name) for name in slots] for known in book}


def test_everything_is_there_again_when_the_program_is(shelf):
    book, keeper = shelf.open()
    learn(book, *range(40))
    learn(book, 40, services=(1 << 64) - 1)
    book.learn([ONION], "a.seed.example", NOW)
    for number in range(10):
        book.attempted(at(number), NOW + 1)
        book.connected(at(number), NOW + 2, services=number)
        book.connected(at(number + 1), NOW + 2)
        book.failed(at(number + 1), NOW + 3)
    keeper.stopService()
    again, keeper = shelf.open(secret=b"another" * 4)
    assert again.secret == SECRET
    assert everything(again) == everything(book)
    assert again.counts() == book.counts()
    assert again.look_up(at(40)).services == (1 << 64) - 1
    assert again.changed == {}
    keeper.stopService()


def test_what_is_new_is_written_every_ten_seconds(shelf):
    book, keeper = shelf.open()
    learn(book, 1, 2)
    shelf.clock.advance(PERIOD - 1)
    assert shelf.rows() == {}
    shelf.clock.advance(1)
    assert set(shelf.rows()) == {at(1).host, at(2).host}
    assert book.changed == {}
    book.attempted(at(1), NOW)
    book._forget(book.look_up(at(2)))
    shelf.clock.advance(PERIOD)
    assert set(shelf.rows()) == {at(1).host}
    assert NOW in shelf.rows()[at(1).host]
    shelf.clock.advance(PERIOD)  # nothing is new
    keeper.stopService()
    assert shelf.clock.getDelayedCalls() == []


def test_the_secret_is_there_from_the_first_moment(shelf):
    _, killed = shelf.open()
    killed._keeping.close()
    again, keeper = shelf.open(secret=b"another" * 4)
    assert again.secret == SECRET
    keeper.stopService()


def test_what_was_learned_before_it_started_is_kept_too(shelf):
    book, keeper = shelf.open()
    learn(book, 1)
    keeper.stopService()
    early = AddressBook(secret=SECRET)
    learn(early, 2)
    keeper = shelf.keeper(early)
    keeper.startService()
    keeper.stopService()
    assert set(shelf.rows()) == {at(1).host, at(2).host}


def test_without_a_file_everything_is_in_memory():
    shelf = Shelf(None)
    book, keeper = shelf.open()
    learn(book, 1)
    shelf.clock.advance(PERIOD)
    keeper.stopService()
    assert len(book) == 1


def test_when_the_disk_is_full_the_book_goes_on_and_is_written_when_it_can_be(shelf):
    book, keeper = shelf.open()
    learn(book, 1)
    keeper.flush()
    database = keeper._keeping._database
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    with LogLines() as lines:
        database.execute(f"PRAGMA max_page_count={pages}")
        learn(book, *range(2, 150))
        keeper.flush()
        book._forget(book.look_up(at(1)))
        keeper.flush()
        assert set(shelf.rows()) == {at(1).host}
        assert len(book) == 148
        assert book.changed == {}  # or it would grow as long as the disk is full
        database.execute("PRAGMA max_page_count=1000000")
        keeper.flush()
    assert set(shelf.rows()) == {each.address.host for each in book}
    assert lines == [
        "the addresses of nursery cannot be kept, so they stay in memory: database or disk is full",
        "the addresses of nursery can be kept again",
    ]
    keeper.stopService()


def test_what_may_not_be_dialled_any_more_is_left_out(shelf):
    book, keeper = shelf.open(fit=lambda *_: True)
    book.learn([Address("127.0.0.1", 1), at(1), at(2)], "", NOW)
    keeper.stopService()
    again, keeper = shelf.open(is_own=lambda address: address == at(1))
    assert [known.address for known in again] == [at(2)]
    assert set(shelf.rows()) == {at(2).host}
    keeper.stopService()


def test_a_file_that_cannot_be_used_is_named_and_nothing_runs(shelf):
    shelf.path.mkdir(parents=True)
    keeper = shelf.keeper(AddressBook())
    with pytest.raises(StorageUnusable, match=r"addresses\.sqlite cannot be used"):
        keeper.startService()
    assert not keeper.running
    keeper.flush()
    keeper.stopService()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE addresses SET origin = 'x'",
        "UPDATE addresses SET tried_at = x'00'",
        "UPDATE addresses SET services = 'x'",
        "UPDATE addresses SET port = 65536",
        "UPDATE addresses SET failures = -1",
        "UPDATE secret SET value = 7",
        "UPDATE secret SET value = x''",
        "DELETE FROM secret",
    ],
)
def test_what_is_damaged_is_left_out(shelf, damage):
    book, keeper = shelf.open()
    learn(book, 1)
    keeper.stopService()
    with closing(sqlite3.connect(shelf.path)) as database, database:
        database.execute(damage)
    book, keeper = shelf.open()
    assert len(book) == 0
    learn(book, 2)
    keeper.stopService()
    assert list(shelf.rows()) == ["20.2.0.1"]


def test_a_file_that_cannot_be_read_is_named(shelf):
    shelf.open()[1].stopService()
    with closing(sqlite3.connect(shelf.path)) as database:
        database.execute("DROP TABLE secret")
    with pytest.raises(StorageUnusable, match=r"addresses\.sqlite cannot be used: no such table"):
        shelf.open()
