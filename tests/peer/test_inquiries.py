"""What was asked, and what comes of it."""

from collections.abc import Iterator
from math import inf

import pytest

from bitpeer.dialect import Question
from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    DisconnectReason as R,
    InvalidValue,
    PeerGone,
    TooManyRequests,
    Unanswered,
)
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inquiry import Fit, Inquiry
from bitpeer.messages.inventory import InvVect, NotFound
from bitpeer.peer.inquiries import (
    MAX_ANSWER,
    MAX_ORPHANS,
    ORPHAN_LIFETIME,
    UNASKED,
    Inquiries,
    Taken,
    Waiter,
)
from tests.toy import Hello, Say

NOW = 1_000.0


def said(message: Say) -> Iterator[Question]:
    yield "say", message.text[:1]


def denied(message: NotFound) -> Iterator[Question]:
    for item in message.items:
        yield "say", item.hash[:1]


ANSWERS = {Say: said, NotFound: denied}


def word(letter: bytes, key: object = None, **how) -> Inquiry:
    """A question for a word that begins with a letter."""
    given = {"what": f"word {letter!r}", "key": key or letter, "question": ("say", letter)}
    return Inquiry(messages=(), **{"answers": frozenset({Say}), **given, **how})


def number(key: object, fits=lambda _: Fit.WHOLE, **how) -> Inquiry:
    """A question without a name, answered by a pong."""
    return Inquiry(what="number", key=key, messages=(), answers=frozenset({Pong}), fit=fits, **how)


def not_found(*letters: bytes) -> NotFound:
    return NotFound(tuple(InvVect(1, letter * 32) for letter in letters))


class Desk:
    """Asks, and remembers who was told what."""

    def __init__(self, limit: int = 8, answers=ANSWERS) -> None:
        self.table = Inquiries(answers, limit)
        self.told: list[tuple[str, object]] = []

    def ask(self, inquiry: Inquiry, name: str, timeout: float = 30.0, now: float = NOW) -> Waiter:
        for new in self.table.new_among([inquiry]):
            self.table.sent(new)
        waiter = Waiter(now, timeout)
        waiter.settle = lambda outcome: self.told.append((name, outcome))
        self.table.wait(inquiry, waiter)
        return waiter

    def hear(self, message: object, now: float = NOW, size: int = 8) -> Taken:
        taken = self.table.take(message, size, now)
        self.tell(taken.settled)
        return taken

    def tell(self, settled) -> None:
        for waiter, outcome in settled:
            waiter.settle(outcome)


def test_an_answer_is_matched_by_type_and_name() -> None:
    desk = Desk()
    desk.ask(word(b"a"), "one")
    for other in (Say(b"bread"), Ping(1), Pong(1), Hello(1, 1, 1, 1)):
        assert desk.hear(other) is UNASKED
    assert not desk.hear(Say(b"apple")).public
    assert desk.told == [("one", Say(b"apple"))]
    assert not desk.table


def test_the_same_question_is_asked_once_and_answered_to_all() -> None:
    desk = Desk()
    desk.ask(word(b"a"), "one")
    [new] = desk.table.new_among([word(b"a"), word(b"b"), word(b"b")])
    assert new.key == b"b"
    desk.ask(word(b"a"), "two")
    assert desk.table.live == 1
    taken = desk.hear(Say(b"apple"))
    assert not taken.public
    assert desk.told == [("one", Say(b"apple")), ("two", Say(b"apple"))]


def test_r_d3_an_answer_counts_once() -> None:
    desk = Desk()
    desk.ask(word(b"a"), "one")
    desk.hear(Say(b"apple"))
    assert desk.hear(Say(b"apple")) is UNASKED
    assert len(desk.told) == 1


def test_names_need_not_come_in_order() -> None:
    desk = Desk()
    for letter in (b"a", b"b", b"c"):
        desk.ask(word(letter), letter.decode())
    for text in (b"cherry", b"apple", b"bread"):
        desk.hear(Say(text))
    assert [name for name, _ in desk.told] == ["c", "a", "b"]


def test_of_one_name_the_form_that_was_asked_for_is_the_answer() -> None:
    desk = Desk()
    desk.ask(word(b"a", "sung", answers=frozenset({Pong})), "one")
    desk.ask(word(b"a", "said"), "two")
    desk.hear(Say(b"apple"))
    assert desk.told == [("two", Say(b"apple"))]


def test_more_than_the_limit_is_refused_and_nothing_changes() -> None:
    desk = Desk(limit=2)
    desk.ask(word(b"a"), "one")
    with pytest.raises(TooManyRequests) as caught:
        desk.table.new_among([word(b"b"), word(b"c")])
    assert (caught.value.count, caught.value.limit) == (3, 2)
    assert desk.table.live == 1


def test_a_denial_completes_what_it_names() -> None:
    desk = Desk()
    desk.ask(word(b"a"), "one")
    desk.ask(word(b"b"), "two")
    assert not desk.hear(not_found(b"b")).public
    [(name, error)] = desk.told
    assert name == "two"
    assert isinstance(error, Absent)
    assert str(error) == "the peer does not have word b'b'"
    assert desk.hear(not_found(b"x", b"a")).public  # somebody else may want to know of x
    assert [name for name, _ in desk.told] == ["two", "one"]
    assert not desk.table


@pytest.mark.parametrize("answers", [ANSWERS, {}])
def test_a_denial_of_what_nobody_asked_for_is_for_everybody(answers) -> None:
    desk = Desk(answers=answers)
    desk.ask(number(1), "one")
    assert desk.hear(not_found(b"a")).public
    desk.ask(word(b"b"), "two")
    assert desk.hear(not_found()).public
    assert not desk.told


def test_time_runs_out_for_each_who_waits() -> None:
    desk = Desk()
    desk.ask(word(b"a"), "hurried", timeout=5)
    desk.ask(word(b"a"), "patient", timeout=60)
    assert desk.table.next_due == NOW + 5
    desk.tell(desk.table.expire(NOW + 5))
    [(name, error)] = desk.told
    assert name == "hurried"
    assert isinstance(error, Unanswered)
    assert (error.what, error.seconds) == ("word b'a'", 5)
    assert desk.table.next_due == NOW + 60
    desk.hear(Say(b"apple"), NOW + 59)
    assert desk.told[1:] == [("patient", Say(b"apple"))]


def test_r_d1_nothing_extends_the_time() -> None:
    desk = Desk()
    many = number(1, lambda pong: Fit.WHOLE if pong.nonce == 9 else Fit.PART, most=100)
    desk.ask(many, "one", timeout=30)
    desk.ask(word(b"a"), "two", timeout=30)
    for second in range(29):
        desk.hear(Pong(second % 9), NOW + second)
        desk.ask(word(b"a"), "again", timeout=30, now=NOW + second)
        desk.hear(Say(b"bread"), NOW + second)
    desk.tell(desk.table.expire(NOW + 30))
    assert [name for name, _ in desk.told] == ["one", "two", "again"]


def test_r_d4_a_late_answer_is_swallowed_and_not_taken_for_the_next() -> None:
    desk = Desk()
    desk.ask(number("first"), "one", timeout=5)
    desk.tell(desk.table.expire(NOW + 5))
    desk.ask(number("second"), "two", now=NOW + 6)
    assert desk.hear(Pong(1), NOW + 7) == Taken((), public=False)
    assert len(desk.told) == 1
    desk.hear(Pong(2), NOW + 8)
    assert desk.told[1:] == [("two", Pong(2))]
    assert not desk.table


def test_r_d4_so_is_a_late_answer_by_name_whatever_the_form() -> None:
    desk = Desk()
    waiter = desk.ask(word(b"a", "in black"), "one")
    desk.table.give_up(waiter, NOW)
    desk.ask(word(b"a", "in white"), "two")
    desk.hear(Say(b"a black"))
    assert not desk.told
    desk.hear(Say(b"a white"))
    assert desk.told == [("two", Say(b"a white"))]


def test_asked_again_a_late_answer_will_do_and_the_second_is_swallowed() -> None:
    desk = Desk()
    for ask in (lambda: word(b"a"), lambda: number(1)):
        waiter = desk.ask(ask(), "one")
        desk.table.give_up(waiter, NOW)
        assert desk.table.live == 0
        desk.ask(ask(), "two")
        answer = Say(b"apple") if ask().question else Pong(7)
        desk.hear(answer)
        assert desk.told.pop() == ("two", answer)
    assert desk.hear(Say(b"apple")) == Taken((), public=False)
    assert desk.hear(Say(b"apple")) is UNASKED


def test_what_was_passed_over_is_forgotten() -> None:
    desk = Desk()
    first = desk.ask(number("first", lambda pong: Fit.WHOLE if pong.nonce == 1 else Fit.NOT), "one")
    named = desk.ask(word(b"a"), "named")
    desk.table.give_up(first, NOW)
    desk.table.give_up(named, NOW)
    desk.ask(number("other", lambda _: Fit.NOT), "patient")
    desk.ask(number("second", lambda pong: Fit.WHOLE if pong.nonce == 2 else Fit.NOT), "two")
    desk.hear(Pong(2))
    assert desk.told == [("two", Pong(2))]
    assert desk.hear(Pong(1)) is UNASKED  # it had its turn
    assert desk.table.live == 1


def test_a_denial_that_comes_late_is_swallowed_too() -> None:
    desk = Desk()
    desk.table.give_up(desk.ask(word(b"a"), "one"), NOW)
    assert desk.hear(not_found(b"a")) == Taken((), public=False)
    assert not desk.table


def test_cancelling_frees_the_place_once_nobody_waits() -> None:
    desk = Desk(limit=1)
    one, two = desk.ask(word(b"a"), "one"), desk.ask(word(b"a"), "two")
    desk.table.give_up(one, NOW)
    assert desk.table.live == 1
    desk.table.give_up(two, NOW)
    desk.table.give_up(two, NOW)  # nothing left to give up
    assert desk.table.live == 0
    desk.ask(word(b"b"), "three")
    desk.table.give_up(one, NOW)
    assert desk.table.live == 1


def test_orphans_are_forgotten_after_a_while() -> None:
    desk = Desk()
    desk.table.give_up(desk.ask(word(b"a"), "one"), NOW)
    assert desk.table.next_due == NOW + 30  # or earlier than needed
    assert desk.table.expire(NOW + 30) == ()
    assert desk.table.next_due == NOW + ORPHAN_LIFETIME
    assert desk.table.expire(NOW + ORPHAN_LIFETIME) == ()
    assert not desk.table
    assert desk.table.next_due == inf
    assert desk.hear(Say(b"apple")) is UNASKED


def test_of_many_orphans_the_oldest_is_forgotten() -> None:
    desk = Desk()
    for count in range(MAX_ORPHANS + 1):
        desk.table.give_up(desk.ask(number(count), "x"), NOW)
    swallowed = [desk.hear(Pong(1)) for _ in range(MAX_ORPHANS + 1)]
    assert swallowed.count(UNASKED) == 1
    assert swallowed[-1] is UNASKED


def test_an_answer_may_have_many_parts() -> None:
    desk = Desk()
    numbers = number(
        1, lambda pong: Fit.WHOLE if pong.nonce == 0 else Fit.PART, most=9, collect=list
    )
    desk.ask(numbers, "one")
    for nonce in (3, 2, 1, 0):
        desk.hear(Pong(nonce))
    assert desk.told == [("one", [Pong(3), Pong(2), Pong(1), Pong(0)])]


def test_but_not_without_end_and_the_rest_is_swallowed() -> None:
    desk = Desk()
    desk.ask(number(1, lambda pong: Fit.PART if pong.nonce else Fit.WHOLE, most=3), "one")
    for _ in range(50):
        assert not desk.hear(Pong(1)).public
    [(_, error)] = desk.told
    assert isinstance(error, AnswerTooLong)
    assert desk.table.live == 0
    assert not desk.hear(Pong(0)).public
    assert not desk.table


def test_nor_beyond_all_measure() -> None:
    desk = Desk()
    desk.ask(number(1, lambda _: Fit.PART, most=1_000), "one")
    desk.hear(Pong(1), size=MAX_ANSWER)
    assert not desk.told
    desk.hear(Pong(2), size=1)
    [(_, error)] = desk.told
    assert (error.count, error.size) == (2, MAX_ANSWER + 1)


def test_an_answer_in_parts_that_comes_late_is_no_part_of_the_same_asked_again() -> None:
    desk = Desk()
    ask = number(1, lambda pong: Fit.WHOLE if pong.nonce == 0 else Fit.PART, most=9, collect=len)
    desk.hear(Pong(1))
    desk.table.give_up(desk.ask(ask, "one"), NOW)
    desk.ask(ask, "two")
    for nonce in (5, 4, 0):
        desk.hear(Pong(nonce))
    assert not desk.told
    for nonce in (5, 4, 3, 0):
        desk.hear(Pong(nonce))
    assert desk.told == [("two", 4)]


def test_where_silence_is_an_answer_what_comes_later_is_that_to_the_same_asked_again() -> None:
    desk = Desk()
    ask = number(1, most=9, lenient=True, collect=len)
    for name in ("silence", "silence, too"):
        desk.ask(ask, name, timeout=9)
        desk.tell(desk.table.expire(NOW + 9))
    desk.ask(ask, "one pong")
    desk.hear(Pong(1))
    assert desk.told == [("silence", 0), ("silence, too", 0), ("one pong", 1)]
    assert not desk.table


def test_but_the_rest_of_an_answer_is_not() -> None:
    desk = Desk()
    ask = number(
        1, lambda pong: Fit.PART if pong.nonce else Fit.WHOLE, most=9, lenient=True, collect=len
    )
    waiter = desk.ask(ask, "impatient")
    desk.hear(Pong(1))
    desk.table.give_up(waiter, NOW)
    desk.ask(ask, "next")
    desk.hear(Pong(0))
    assert not desk.told
    desk.hear(Pong(0))
    assert desk.told == [("next", 1)]


def test_a_meagre_answer_will_do_if_no_better_one_comes() -> None:
    def fit(pong: Pong) -> Fit:
        return Fit.WHOLE if pong.nonce > 1 else Fit.MEAGRE

    desk = Desk()
    desk.ask(number(1, fit), "one", timeout=9)
    assert desk.hear(Pong(0)).public
    assert desk.hear(Pong(1)).public
    desk.tell(desk.table.expire(NOW + 9))
    assert desk.told == [("one", Pong(1))]
    desk.ask(number(2, fit), "two")
    desk.hear(Pong(2))  # late, and swallowed
    desk.hear(Pong(1))
    desk.hear(Pong(3))
    assert desk.told[1:] == [("two", Pong(3))]


def test_who_cannot_tell_an_answer_is_told_that() -> None:
    def puzzled(_: Pong) -> Fit:
        raise ValueError("which?")

    desk = Desk()
    desk.ask(number(1, puzzled), "one")
    assert desk.hear(Pong(1)).public
    [(_, error)] = desk.told
    assert isinstance(error, ValueError)
    assert desk.hear(Pong(2)) == Taken((), public=True)
    assert not desk.table
    assert len(desk.told) == 1


def test_a_view_that_proves_to_be_none_while_it_is_judged_is_the_peers_fault() -> None:
    def looked_into(_: Pong) -> Fit:
        raise InvalidValue("pong", "rotten")

    desk = Desk()
    desk.ask(number(1, looked_into), "one")
    with pytest.raises(InvalidValue):
        desk.hear(Pong(1))


def test_where_silence_is_an_answer_so_is_the_end_of_the_time() -> None:
    for count in range(3):
        desk = Desk()
        parts = number(1, lambda _: Fit.PART, lenient=True, most=9, collect=len)
        desk.ask(parts, "patient", timeout=9)
        for nonce in range(count):
            desk.hear(Pong(nonce))
        desk.tell(desk.table.expire(NOW + 9))
        assert desk.told == [("patient", count)]


def test_what_could_have_come_unasked_is_for_everybody() -> None:
    desk = Desk()
    desk.ask(number(1, shared=True), "one")
    assert desk.hear(Pong(1)).public
    assert desk.told == [("one", Pong(1))]


def test_the_end_tells_everybody() -> None:
    desk = Desk()
    desk.table.give_up(desk.ask(word(b"x"), "gone"), NOW)
    desk.ask(word(b"a"), "one")
    desk.ask(word(b"a"), "two")
    desk.ask(number(1), "three")
    settled = desk.table.close(lambda: PeerGone(R.CLOSED_BY_PEER))
    desk.tell(settled)
    assert [name for name, _ in desk.told] == ["one", "two", "three"]
    errors = [error for _, error in desk.told]
    assert all(isinstance(error, PeerGone) for error in errors)
    assert len(set(map(id, errors))) == 3  # each their own, whatever they do with it
    assert not desk.table
    assert desk.hear(Say(b"apple")) is UNASKED
