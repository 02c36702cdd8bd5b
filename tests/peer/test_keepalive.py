"""When to ping, and when to give up."""

from itertools import count

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import DisconnectReason, TimedOut
from bitpeer.messages.control import Ping
from bitpeer.peer.keepalive import Keepalive, Rhythm

NONCE = 256 + 127
"""Varies the interval by next to nothing."""
INTERVAL = 119.953


def make(
    interval: float = 120.0, idle: float = 300.0, pong: float = 1_200.0, nonce: int = NONCE
) -> Keepalive:
    """Return what keeps a peer alive from the moment 1000 on."""
    return Keepalive(Rhythm(interval, idle, pong, lambda: nonce), 1_000.0)


def test_the_first_ping_is_due_at_once() -> None:
    keepalive = make()
    assert keepalive.next_wake == 1_000
    assert keepalive.wake(1_000) == (Ping(NONCE),)
    assert keepalive.nonce == NONCE
    assert keepalive.pinged_at == 1_000


def test_no_ping_leaves_before_it_is_due() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.pong_received(NONCE, 1_001)
    assert keepalive.next_wake == pytest.approx(1_000 + INTERVAL)
    assert keepalive.wake(1_119.9) == ()
    assert keepalive.wake(1_120) == (Ping(NONCE),)


def test_one_ping_is_outstanding_at_a_time() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.heard_at = 1_200
    assert keepalive.wake(1_130) == ()
    assert keepalive.wake(1_250) == ()
    assert keepalive.next_wake == 1_500  # silence


def test_a_ping_that_had_to_wait_leaves_as_soon_as_the_one_before_is_answered() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    assert keepalive.pong_received(NONCE, 1_250)
    assert keepalive.next_wake == pytest.approx(1_000 + INTERVAL)
    assert keepalive.wake(1_250) == (Ping(NONCE),)


@pytest.mark.parametrize(("nonce", "due"), [(0, 108.0), (NONCE, INTERVAL), (511, 132.0)])
def test_intervals_vary_by_a_tenth(nonce: int, due: float) -> None:
    keepalive = make(nonce=nonce)
    keepalive.wake(1_000)
    keepalive.pong_received(nonce, 1_000)
    assert keepalive.next_wake == pytest.approx(1_000 + due, abs=0.001)


def test_a_pong_measures_the_latency() -> None:
    keepalive = make()
    assert keepalive.latency is None
    for pinged_at, latency in ((1_000, 3.0), (1_120, 0.0), (1_240, 2.0)):
        keepalive.wake(pinged_at)
        assert keepalive.pong_received(NONCE, pinged_at + latency)
        assert keepalive.nonce is None
        assert keepalive.latency == latency
    assert keepalive.min_latency == 0.0  # an answer in no time is the fastest, not a missing one


def test_a_clock_set_back_makes_no_negative_latency() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    assert keepalive.pong_received(NONCE, 990)
    assert keepalive.latency == 0.0


@pytest.mark.parametrize("nonce", [0, 1, NONCE - 1, (1 << 64) - 1])
def test_r_b10_a_pong_that_answers_no_ping_changes_nothing(nonce: int) -> None:
    keepalive = make()
    assert not keepalive.pong_received(nonce, 1_000)
    keepalive.wake(1_000)
    assert not keepalive.pong_received(nonce, 1_001)
    assert keepalive.nonce == NONCE
    assert keepalive.latency is None


def test_r_b10_a_pong_counts_once() -> None:
    keepalive = make()
    assert not keepalive.pong_received(NONCE, 1_000)
    keepalive.wake(1_000)
    assert keepalive.pong_received(NONCE, 1_001)
    assert not keepalive.pong_received(NONCE, 1_002)
    assert keepalive.latency == 1.0


def test_silence_ends_in_timeout() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.heard_at = 1_100
    assert keepalive.next_wake == 1_400
    keepalive.wake(1_399)
    with pytest.raises(TimedOut) as caught:
        keepalive.wake(1_400)
    assert caught.value.reason is DisconnectReason.IDLE
    assert str(caught.value) == "no word within 300 seconds"


def test_a_peer_that_talks_but_never_answers_is_given_up_too() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.heard_at = 2_100
    assert keepalive.next_wake == 2_200
    keepalive.wake(2_199)
    with pytest.raises(TimedOut) as caught:
        keepalive.wake(2_200)
    assert caught.value.reason is DisconnectReason.PING_TIMEOUT
    assert str(caught.value) == "no pong within 1200 seconds"


def test_a_pause_postpones_what_the_peer_must_do() -> None:
    keepalive = make(idle=2_000)
    keepalive.wake(1_000)
    keepalive.postpone(50)
    assert keepalive.next_wake == 2_250
    assert keepalive.wake(2_249) == ()
    with pytest.raises(TimedOut):
        keepalive.wake(2_250)


def test_a_pause_postpones_silence_but_not_pings() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.pong_received(NONCE, 1_000)
    keepalive.postpone(250)
    assert keepalive.next_wake == pytest.approx(1_000 + INTERVAL)
    assert keepalive.wake(1_540) == (Ping(NONCE),)
    with pytest.raises(TimedOut):
        keepalive.wake(1_550)


def test_a_pause_does_not_make_a_peer_look_faster() -> None:
    keepalive = make()
    keepalive.wake(1_000)
    keepalive.postpone(10)
    keepalive.pong_received(NONCE, 1_011)
    assert keepalive.latency == 11  # an upper bound; the pong may have waited for us
    assert keepalive.pinged_at == 1_000


def test_an_answered_ping_is_never_overdue() -> None:
    keepalive = make(pong=10.0)
    keepalive.wake(1_000)
    keepalive.pong_received(NONCE, 1_009)
    assert keepalive.wake(1_100) == ()


@given(st.floats(0.0, 290.0), st.floats(0.0, 1.0))
def test_r_c8_no_latency_below_the_idle_timeout_costs_the_connection(
    latency: float, granularity: float
) -> None:
    draws = count(1)
    keepalive = Keepalive(Rhythm(120.0, 300.0, 1_200.0, lambda: next(draws) * 77), 0.0)
    now, pongs = 0.0, []
    for _ in range(200):
        due = min([keepalive.next_wake, *(at for at, _ in pongs)])
        now = max(now, due) + granularity
        while pongs and pongs[0][0] <= now:
            _, nonce = pongs.pop(0)
            keepalive.heard_at = now
            assert keepalive.pong_received(nonce, now)
        pongs += [(now + latency, ping.nonce) for ping in keepalive.wake(now)]
        assert len(pongs) <= 1
    assert keepalive.min_latency == pytest.approx(latency, abs=3.0)
