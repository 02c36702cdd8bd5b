"""Blocks in order, asked for ahead of their turn."""

from itertools import count, islice

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail

from bitpeer.errors import Absent, InvalidSetting, TooManyRequests
from bitpeer.net.pipeline import FIRST_GUESS, MAX_BYTES, WINDOW, blocks_in_order


class Book:
    def __init__(self, name, size):
        self.name = name
        self.size = size

    def __repr__(self):
        return f"Book({self.name})"


class Library:
    """Is asked for books, and gives them when told to."""

    def __init__(self):
        self.asked = {}
        self.taken_back = []

    def fetch(self, name):
        self.asked[name] = Deferred(lambda _: self.taken_back.append(name))
        return self.asked[name]

    def give(self, *names, size=100):
        for name in names:
            self.asked[name].callback(Book(name, size))

    @property
    def missing(self):
        return [name for name, each in self.asked.items() if not each.called]


class Reader:
    """Reads one book after the other."""

    def __init__(self, stream):
        self.read = []
        self.error = None
        self.gates = []
        self.slow = False
        self.leaves_after = None
        self.done = Deferred.fromCoroutine(self.go(stream))
        self.done.addErrback(self.failed)

    async def go(self, stream):
        async for book in stream:
            self.read.append(book.name)
            if self.slow:
                self.gates.append(Deferred())
                await self.gates[-1]
            if len(self.read) == self.leaves_after:
                break

    def failed(self, failure):
        self.error = failure.value


def start(names, **how):
    library = Library()
    return library, Reader(blocks_in_order(library.fetch, names, **how))


def test_blocks_come_in_order_however_they_arrive():
    library, reader = start(range(4))
    assert library.missing == [0, 1, 2, 3]
    library.give(2, 1)
    assert reader.read == []
    library.give(0)
    assert reader.read == [0, 1, 2]
    library.give(3)
    assert reader.read == [0, 1, 2, 3]
    assert reader.done.called
    assert reader.error is None


def test_nothing_is_nothing():
    _, reader = start([])
    assert reader.done.called
    assert reader.read == []


def test_the_number_asked_for_ahead_is_bounded():
    library, reader = start(range(100), window=3)
    most = 0
    for name in range(100):
        assert len(library.missing) <= 3
        most = max(most, len(library.missing))
        library.give(name, size=1)
    assert most == 3
    assert reader.read == list(range(100))


def test_what_has_come_and_was_not_looked_at_counts():
    library, reader = start(count(), window=4)
    reader.slow = True
    library.give(0, 1, 2, 3)
    assert reader.read == [0]
    assert library.missing == []
    assert len(library.asked) == 4
    reader.gates[0].callback(None)
    assert reader.read == [0, 1]
    assert library.missing == [4]
    reader.done.cancel()


def test_bytes_are_bounded_too_by_the_largest_of_late():
    library, reader = start(count(), window=16, max_bytes=4 * FIRST_GUESS)
    assert len(library.missing) == 4
    reader.slow = True
    library.give(0, size=2 * FIRST_GUESS)
    reader.gates[0].callback(None)
    assert len(library.missing) == 3  # 3 of twice the size are more than enough
    library.give(1, size=2 * FIRST_GUESS)
    reader.gates[1].callback(None)
    assert len(library.missing) == 2
    for name in range(2, 60):
        library.give(name, size=1)
        reader.gates[name].callback(None)
    assert len(library.missing) == 16
    reader.done.cancel()


def test_one_at_a_time_always_goes():
    library, reader = start(range(3), max_bytes=1)
    for name in range(3):
        assert library.missing == [name]
        library.give(name, size=10**9)
    assert reader.read == [0, 1, 2]


def test_who_breaks_off_takes_back_what_was_asked():
    library, reader = start(count(), window=4)
    reader.leaves_after = 1
    library.give(1, 0)
    assert reader.read == [0]
    assert reader.done.called
    assert library.taken_back == [2, 3]


def test_who_is_cancelled_takes_back_what_was_asked():
    library, reader = start(count(), window=3)
    reader.done.cancel()
    assert isinstance(reader.error, CancelledError)
    assert sorted(library.taken_back) == [0, 1, 2]


def test_the_first_failure_in_order_ends_it():
    library, reader = start(range(9), window=3)
    library.asked[1].errback(Absent("1"))
    assert reader.error is None
    library.give(0)
    assert reader.read == [0]
    assert isinstance(reader.error, Absent)
    assert library.taken_back == [2, 3]


def test_what_there_is_no_room_for_is_asked_for_later():
    library = Library()

    def fetch(name):
        return library.fetch(name) if len(library.missing) < 2 else fail(TooManyRequests(3, 2))

    reader = Reader(blocks_in_order(fetch, range(5), window=1_000))
    for name in range(5):
        assert library.missing == [each for each in (name, name + 1) if each < 5]
        library.give(name)
    assert reader.read == [0, 1, 2, 3, 4]
    assert reader.error is None


def test_if_there_is_no_room_at_all_it_fails():
    reader = Reader(blocks_in_order(lambda _: fail(TooManyRequests(3, 2)), range(5)))
    assert isinstance(reader.error, TooManyRequests)


def test_names_are_taken_as_they_are_needed():
    taken = []
    names = (taken.append(name) or name for name in count())
    library, reader = start(names, window=2)
    assert taken == [0, 1]
    library.give(0)
    assert taken == [0, 1, 2]
    reader.done.cancel()


def test_blocks_of_unknown_size_take_no_room():
    library = Library()
    reader = Reader(blocks_in_order(library.fetch, islice(count(), 3), 2))
    for name in range(3):
        library.asked[name].callback(name_only(name))
    assert reader.read == [0, 1, 2]


def name_only(name):
    book = Book(name, 0)
    del book.size
    return book


@pytest.mark.parametrize("how", [{"window": 0}, {"max_bytes": 0}, {"window": "many"}])
def test_a_window_must_have_room(how):
    with pytest.raises(InvalidSetting):
        blocks_in_order(Library().fetch, [], **how)


def test_defaults_go_together():
    assert WINDOW * FIRST_GUESS == MAX_BYTES
