"""Tests of `bitpeer.testing.timeline`."""

import pytest
from twisted.internet.error import AlreadyCalled, AlreadyCancelled

from bitpeer.testing import timeline as module
from bitpeer.testing.timeline import Timeline


class Story:
    """A timeline, and what happened on it."""

    def __init__(self):
        self.timeline = Timeline(100.0)
        self.one, self.other = self.timeline.new_owner(), self.timeline.new_owner()
        self.told = []

    def later(self, delay, what, owner=None):
        tell = self.told.append
        return self.timeline.call_later(owner or self.one, delay, tell, (what,), {})

    def at(self, time, owner, what):
        self.timeline.at(time, owner, lambda: self.told.append(what))


@pytest.fixture
def story():
    return Story()


def test_events_come_in_the_order_of_time(story):
    story.later(3, "c")
    story.later(1, "a")
    story.at(102.0, story.one, "b")
    story.timeline.advance(2.5)
    assert story.told == ["a", "b"]
    assert story.timeline.seconds() == 102.5
    assert story.timeline.step()
    assert story.told == ["a", "b", "c"]
    assert story.timeline.now == 103.0
    assert not story.timeline.step()
    assert story.timeline.events == 3


def test_owners_take_turns_whoever_plans_first(story):
    story.at(101.0, story.other, "other 1")
    story.at(101.0, story.one, "one 1")
    story.at(101.0, story.other, "other 2")
    story.at(101.0, story.one, "one 2")
    story.timeline.advance(1)
    assert story.told == ["one 1", "one 2", "other 1", "other 2"]


def test_what_was_planned_for_the_past_happens_now(story):
    story.at(50.0, story.one, "late")
    story.timeline.step()
    assert story.told == ["late"]
    assert story.timeline.now == 100.0


def test_a_call_can_be_cancelled_once(story):
    call = story.later(1, "never")
    call.cancel()
    with pytest.raises(AlreadyCancelled):
        call.cancel()
    story.timeline.advance(2)
    assert story.told == []
    call = story.later(1, "once")
    story.timeline.advance(2)
    with pytest.raises(AlreadyCalled):
        call.cancel()
    assert not call.active()


def test_a_call_can_be_put_off_and_brought_forward(story):
    put_off = story.later(1, "put off")
    put_off.delay(4)
    forward = story.later(10, "brought forward")
    forward.reset(2)
    both = story.later(10, "both")
    both.reset(3)
    both.delay(1)
    sooner = story.later(10, "sooner")
    sooner.delay(-9.5)
    story.timeline.advance(0.5)
    assert story.told == ["sooner"]
    story.timeline.advance(4.5)
    assert story.told == ["sooner", "brought forward", "both", "put off"]
    story.timeline.advance(10)
    assert len(story.told) == 4


def test_calls_that_are_planned_are_listed_by_owner(story):
    third = story.later(3, "c")
    first = story.later(1, "a")
    moved = story.later(9, "b")
    moved.reset(2)
    story.later(1, "cancelled").cancel()
    story.later(1, "another's", owner=story.other)
    story.at(101.0, story.one, "no call")
    assert story.timeline.delayed_calls(story.one) == [first, moved, third]


def test_what_an_owner_planned_can_be_forgotten(story):
    story.later(1, "forgotten")
    story.later(1, "kept", owner=story.other)
    story.timeline.forget(story.one)
    story.timeline.advance(2)
    assert story.told == ["kept"]


def test_an_event_that_fails_is_logged_and_harms_nobody(story, logged_failures):
    story.timeline.at(101.0, story.one, lambda: 1 // 0)
    story.later(2, "afterwards")
    story.timeline.advance(5)
    assert story.told == ["afterwards"]
    assert logged_failures.claim(ZeroDivisionError)


def test_arguments_are_passed_on(story):
    def tell(*args, **kwargs):
        story.told.append((args, kwargs))

    story.timeline.call_later(story.one, 1, tell, (1, 2), {"three": 3})
    story.timeline.advance(1)
    assert story.told == [((1, 2), {"three": 3})]


def test_cancelled_calls_do_not_pile_up(story, monkeypatch):
    monkeypatch.setattr(module, "TIDY_FROM", 10)
    story.later(500, "kept")
    for number in range(1_000):
        story.later(1_000, number).cancel()
    assert len(story.timeline._heap) < 50
    story.timeline.advance(2_000)
    assert story.told == ["kept"]
    assert story.timeline._cancelled == 0
