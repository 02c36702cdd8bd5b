"""What was asked for, and when an answer is overdue."""

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import DisconnectReason, TimedOut
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.part import NEVER

BLOCK, OTHER, TX = ("block", b"\1" * 32), ("block", b"\2" * 32), ("tx", b"\1" * 32)


def test_nothing_asked_is_never_due() -> None:
    deadlines = Deadlines(30.0)
    assert deadlines.next_wake == NEVER
    assert deadlines.wake(1e9) == ()
    assert not deadlines


def test_an_answer_may_take_its_time_but_no_longer() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    assert deadlines.next_wake == 1_030
    assert deadlines.wake(1_029.9) == ()
    with pytest.raises(TimedOut) as caught:
        deadlines.wake(1_030)
    assert caught.value.reason is DisconnectReason.STALLED
    assert str(caught.value) == f"no block {'01' * 32} within 30 seconds"


def test_hashes_are_shown_as_people_write_them() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([("block", bytes(range(32)))], 0)
    with pytest.raises(TimedOut, match=bytes(reversed(range(32))).hex()):
        deadlines.wake(30)


def test_what_has_no_hash_is_called_by_its_kind() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([("headers", b"")], 0)
    with pytest.raises(TimedOut, match="no headers within"):
        deadlines.wake(30)


def test_r_c7_only_the_answer_itself_answers() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.answered([OTHER, TX])
    assert deadlines.next_wake == 1_030
    deadlines.answered([BLOCK])
    assert deadlines.next_wake == NEVER


def test_the_oldest_question_is_due_first() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.asked([OTHER], 1_010)
    deadlines.answered([BLOCK])
    assert deadlines.next_wake == 1_040
    assert len(deadlines) == 1


def test_asking_again_wins_no_time() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.asked([BLOCK], 1_020)
    assert deadlines.next_wake == 1_030


def test_asking_after_the_answer_begins_anew() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.answered([BLOCK, BLOCK])
    deadlines.asked([BLOCK], 1_020)
    assert deadlines.next_wake == 1_050


def test_a_pause_postpones_what_was_asked_before_it() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.postpone(100)
    assert deadlines.wake(1_129) == ()
    with pytest.raises(TimedOut):
        deadlines.wake(1_130)


def test_a_pause_gives_no_time_to_what_is_asked_after_it() -> None:
    deadlines = Deadlines(30.0)
    deadlines.postpone(100)
    deadlines.asked([BLOCK], 1_000)
    assert deadlines.next_wake == 1_030


def test_nothing_is_due_before_what_was_asked_earlier() -> None:
    deadlines = Deadlines(30.0)
    deadlines.asked([BLOCK], 1_000)
    deadlines.asked([OTHER], 1_009)  # while reading is paused from 1000 to 1010
    deadlines.postpone(10)
    deadlines.asked([TX], 1_010)
    deadlines.answered([BLOCK])
    assert deadlines.next_wake == 1_049
    deadlines.answered([OTHER])
    assert deadlines.next_wake == 1_049


times = st.lists(
    st.tuples(st.sampled_from("aaapw"), st.floats(0.0, 20.0), st.integers(0, 5)), max_size=60
)


@given(times)
def test_whoever_answers_in_time_is_never_blamed_and_whoever_does_not_always(
    script: list[tuple[str, float, int]],
) -> None:
    deadlines, now, asked = Deadlines(30.0), 0.0, {}
    for verb, seconds, number in script:
        question = ("block", bytes([number]))
        now += seconds
        if verb == "a":
            deadlines.asked([question], now)
            asked.setdefault(question, now + 30.0)
        elif verb == "p":
            deadlines.postpone(seconds)
            asked = {each: due + seconds for each, due in asked.items()}
        else:
            deadlines.answered([question])
            asked.pop(question, None)
        first = min(asked.values(), default=NEVER)
        latest = max(asked.values(), default=NEVER)
        assert first - 1e-6 <= deadlines.next_wake <= latest + 1e-6
        if deadlines.next_wake <= now:
            with pytest.raises(TimedOut):
                deadlines.wake(now)
            return
        assert deadlines.wake(now) == ()
