"""Tests of bitpeer.service.circle."""

from random import Random
from statistics import mean

from bitpeer.service.circle import MAX_QUEUED, PAUSE, Circle

NOW = 1_800_000_000.0


def make_circle():
    return Circle(NOW, Random(1).random)


def test_one_address_is_heeded_at_once_and_one_in_ten_seconds():
    circle = make_circle()
    assert circle.bucket.take(10, NOW) == 1
    assert circle.bucket.take(10, NOW + 20) == 2
    assert circle.bucket.take(10_000, NOW + 1e6) == 1_000


def test_what_waits_is_told_once_and_at_a_moment_that_nobody_can_foretell():
    circle = make_circle()
    circle.add(b"one", 1, None)
    circle.add(b"one", 1, None)
    circle.add(b"two", 2, None)
    assert circle.due(NOW) == []
    then = circle.flush_at
    assert circle.due(then) == [1, 2]
    assert circle.flush_at > then
    assert circle.due(circle.flush_at) == []


def test_moments_are_as_far_apart_as_they_should_be_on_average():
    circle = make_circle()
    waits = [circle.soon(NOW, PAUSE) - NOW for _ in range(2_000)]
    assert 28 < mean(waits) < 32
    assert 0 <= min(waits) < 1
    assert max(waits) > 120


def test_what_the_peer_knows_it_is_not_told():
    circle = make_circle()
    circle.known.add(b"one")
    circle.add(b"one", 1, None)
    assert circle.queue == {}
    circle.add(b"two", 2, None)
    circle.add(b"three", 3, None)
    circle.known.add(b"three")
    assert circle.due(circle.flush_at) == [2]
    circle.add(b"two", 2, None)
    assert circle.queue == {}


def test_when_there_is_no_room_one_at_random_goes():
    circle = make_circle()
    for number in range(MAX_QUEUED):
        circle.add(b"%d" % number, number, None)
    circle.add(b"more", "more", lambda count: count - 3)
    assert len(circle.queue) == MAX_QUEUED
    assert circle.queue[b"more"] == "more"
    assert b"997" not in circle.queue
