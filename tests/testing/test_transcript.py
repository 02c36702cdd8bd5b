"""Tests of `bitpeer.testing.transcript`."""

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock

from bitpeer.messages.control import Ping, Pong
from bitpeer.testing.transcript import Missing, Transcript


class Scene:
    """A transcript that fills."""

    def __init__(self):
        self.clock = Clock()
        self.clock.advance(1_000)
        self.transcript = Transcript(self.clock)
        self.transcript.begin()

    def hear(self, *nonces):
        for nonce in nonces:
            self.transcript.heard(Ping(nonce))

    def wait(self, nonce, timeout=60):
        return Outcome(self.transcript.wait("ping", lambda it: it.nonce == nonce, timeout))

    def wait_in_vain(self, nonce, seconds=60):
        fits = lambda it: it.nonce == nonce  # noqa: E731
        return Outcome(self.transcript.wait_in_vain("such a ping", fits, seconds))


class Outcome:
    """What became of a Deferred."""

    def __init__(self, deferred):
        self.deferred = deferred
        self.results = []
        deferred.addBoth(self.results.append)

    def failure(self, kind):
        (failure,) = self.results
        assert failure.check(kind)
        return str(failure.value)


@pytest.fixture
def scene():
    return Scene()


def test_the_next_message_that_fits_is_found_when_it_comes(scene):
    waiting = scene.wait(2)
    scene.hear(1)
    assert waiting.results == []
    scene.hear(2)
    assert waiting.results == [Ping(2)]
    assert not scene.clock.getDelayedCalls()


def test_what_came_before_anybody_asked_counts(scene):
    scene.hear(1, 2, 3)
    assert scene.wait(2).results == [Ping(2)]
    assert scene.wait(3).results == [Ping(3)]


def test_what_came_before_the_last_find_does_not_count(scene):
    scene.hear(1, 2, 3, 2)
    scene.wait(2)
    assert scene.wait(1).results == []
    assert scene.wait(2).results == [Ping(2)]
    assert scene.wait(2).results == []
    assert scene.transcript.received == [Ping(1), Ping(2), Ping(3), Ping(2)]
    scene.transcript.ended(ValueError())
    scene.clock.advance(60)


def test_a_mistake_in_the_test_of_a_message_fails_the_script_and_nothing_else(scene):
    mistaken = Outcome(scene.transcript.wait("ping", lambda it: it.no_such_field, 60))
    waiting = scene.wait(1)
    scene.hear(1)
    assert "no_such_field" in mistaken.failure(AttributeError)
    assert waiting.results == [Ping(1)]
    assert not scene.clock.getDelayedCalls()


def test_who_asks_too_late_is_told_that(scene):
    scene.hear(1, 1, 2)
    scene.wait(1)
    scene.wait(2)
    early, never = scene.wait(1, timeout=9), scene.wait(3, timeout=9)
    scene.clock.advance(9)
    assert "no ping within 9 seconds, though 1 came before what" in early.failure(Missing)
    assert "no ping within 9 seconds; " in never.failure(Missing)
    scene.transcript.ended(ValueError("gone"))
    assert "without ping, though 1 came before" in scene.wait(1).failure(Missing)


def test_two_may_wait_for_the_same(scene):
    one, other = scene.wait(1), scene.wait(1)
    scene.hear(1)
    assert one.results == other.results == [Ping(1)]


def test_whoever_is_cancelled_meanwhile_finds_nothing(scene):
    one, other = scene.wait(1), scene.wait(1)
    one.deferred.addCallback(lambda _: other.deferred.cancel())
    scene.hear(1)
    assert other.failure(CancelledError) is not None


def test_whoever_waits_too_long_is_told_what_was_said(scene):
    waiting = scene.wait(9, timeout=10)
    scene.hear(1)
    scene.clock.advance(5)
    scene.transcript.said(Pong(1))
    scene.transcript.said(b"bytes")
    scene.clock.advance(5)
    assert waiting.failure(Missing).splitlines() == [
        "no ping within 10 seconds; what was said:",
        "     0.000 < Ping(nonce=1)",
        "     5.000 > Pong(nonce=1)",
        "     5.000 > b'bytes'",
    ]
    scene.hear(9)  # too late


def test_the_end_disappoints_those_who_wait(scene):
    waiting = scene.wait(9)
    scene.transcript.ended(ValueError("gone"))
    assert waiting.failure(Missing).splitlines() == [
        "the connection ended before ping; what was said:",
        "           and then: gone",
    ]
    assert "has ended without ping" in scene.wait(9).failure(Missing)
    assert not scene.clock.getDelayedCalls()


def test_the_end_does_not_take_back_what_was_said(scene):
    scene.hear(1)
    scene.transcript.ended(ValueError("gone"))
    assert scene.wait(1).results == [Ping(1)]


def test_nothing_can_be_waited_for(scene):
    waiting = scene.wait_in_vain(1)
    scene.hear(2)
    scene.clock.advance(59)
    assert not waiting.deferred.called
    scene.clock.advance(1)
    assert waiting.results == [None]


def test_what_should_not_come_is_a_failure_at_once(scene):
    scene.hear(1)  # what came before does not matter
    waiting = scene.wait_in_vain(1)
    scene.hear(1)
    assert "such a ping came, though none should have: Ping(nonce=1)" in waiting.failure(Missing)


def test_after_the_end_nothing_comes(scene):
    waiting = scene.wait_in_vain(1)
    scene.transcript.ended(ValueError("gone"))
    assert waiting.results == [None]
    assert scene.wait_in_vain(1).deferred.called


def test_waiting_for_nothing_can_be_cancelled(scene):
    waiting = scene.wait_in_vain(1)
    waiting.deferred.cancel()
    assert waiting.failure(CancelledError) is not None


def test_a_long_transcript_is_shortened(scene):
    assert str(scene.transcript) == "           nothing was said"
    scene.hear(*range(30))
    scene.transcript.said(bytes(1_000))
    lines = str(scene.transcript).splitlines()
    assert len(lines) == 21
    assert lines[0].endswith("... 11 more before")
    assert lines[-1] == f"     0.000 > {64 * '0'}..{64 * '0'}"
    scene.transcript.said(b"a" * 1_000)
    assert len(str(scene.transcript.history.pop())) == 160
    assert len(scene.transcript.history) == 31
    assert [entry.ours for entry in scene.transcript.history[-2:]] == [False, True]
