"""Long work in slices."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from bitpeer.service.turns import Turns


def work(turns, done, items, size):
    async def work():
        try:
            async for piece in turns.slices(items, size):
                done.append(piece)
        except CancelledError:
            done.append("cancelled")

    return Deferred.fromCoroutine(work())


def test_each_slice_has_a_turn_of_its_own():
    clock, done = Clock(), []
    turns = Turns(clock)
    worked = [work(turns, done, text, 2) for text in ("abcde", "1234")]
    assert done == ["ab", "12"]
    clock.advance(0)
    assert done == ["ab", "12", "cd", "34", "e"]
    assert all(each.called for each in worked)
    assert clock.getDelayedCalls() == []


def test_where_there_is_nothing_to_do_nobody_waits():
    done = []
    assert work(Turns(Clock()), done, [], 2).called
    assert done == []


def test_who_stops_leaves_nothing_behind():
    clock, done = Clock(), []
    turns = Turns(clock)
    worked = [work(turns, done, [1, 2], 1) for _ in range(2)]
    turns.stop()
    assert done == [[1], [1], "cancelled", "cancelled"]
    assert all(each.called for each in worked)
    assert clock.getDelayedCalls() == []
    turns.stop()
    work(turns, done, [3], 1)
    assert done[4:] == [[3]]


def test_a_pause_may_be_longer():
    clock, done = Clock(), []
    Deferred.fromCoroutine(Turns(clock).pause(2)).addCallback(done.append)
    clock.advance(1.9)
    assert done == []
    clock.advance(0.2)
    assert done == [None]
