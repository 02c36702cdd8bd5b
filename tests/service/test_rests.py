"""Tests of bitpeer.service.rests."""

from bitpeer.errors import DisconnectReason
from bitpeer.service import rests
from bitpeer.service.rests import NOT_TODAY, SOON, SOON_AT_MOST, Rests
from bitpeer.service.seeds import Address

HERE, THERE = Address("20.1.1.1", 7), Address("20.2.1.1", 7)


def test_whoever_has_not_failed_may_be_dialled():
    assert Rests().over(HERE, 0.0)


def test_an_address_that_fails_again_rests_twice_as_long():
    resting = Rests(lambda: 0.0)
    now, waits = 0.0, []
    for n in range(10):
        resting.begin(HERE, DisconnectReason.IDLE, now)
        resting.answered(now)
        wait = min(SOON * 2**n, SOON_AT_MOST)
        assert not resting.over(HERE, now + wait - 1)
        now += wait
        assert resting.over(HERE, now)
        waits.append(wait)
    assert waits[-1] == SOON_AT_MOST
    assert resting.over(THERE, 0.0)


def test_a_quarter_is_left_to_chance():
    resting = Rests(lambda: 0.5)
    resting.begin(HERE, DisconnectReason.DIAL_FAILED, 0.0)
    assert not resting.over(HERE, SOON * 1.125 - 1)
    assert resting.over(HERE, SOON * 1.125)


def test_who_breaks_the_rules_rests_for_a_day():
    resting = Rests(lambda: 0.0)
    resting.begin(HERE, DisconnectReason.MALFORMED, 0.0)
    assert not resting.over(HERE, NOT_TODAY - 1)
    assert resting.over(HERE, NOT_TODAY)


def test_our_own_address_rests_for_ever():
    resting = Rests()
    resting.begin(HERE, DisconnectReason.SELF_CONNECTION, 0.0)
    assert not resting.over(HERE, 1e30)


def test_an_address_that_is_forgiven_begins_anew():
    resting = Rests(lambda: 0.0)
    for _ in range(3):
        resting.begin(HERE, DisconnectReason.IDLE, 0.0)
        resting.answered(0.0)
    assert not resting.over(HERE, 2 * SOON)
    resting.forgive(HERE)
    resting.forgive(THERE)
    assert resting.over(HERE, 0.0)
    resting.begin(HERE, DisconnectReason.IDLE, 0.0)
    assert resting.over(HERE, SOON)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(rests, "MAX_RESTING", 2)
    resting = Rests()
    for address in (HERE, THERE, HERE, Address("20.3.1.1", 7)):
        resting.begin(address, DisconnectReason.MALFORMED, 0.0)
    assert resting.over(THERE, 0.0)
    assert not resting.over(HERE, 0.0)


def test_while_nobody_answers_nobody_rests_longer_than_at_first():
    resting = Rests(lambda: 0.0)
    for n in range(20):
        resting.begin(HERE, DisconnectReason.DIAL_FAILED, n * SOON)
        assert resting.over(HERE, (n + 1) * SOON)
    resting.answered(20 * SOON)
    resting.begin(HERE, DisconnectReason.DIAL_FAILED, 20 * SOON)
    assert not resting.over(HERE, 22 * SOON - 1)
    assert resting.over(HERE, 22 * SOON)
