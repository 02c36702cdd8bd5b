"""A machine that asks, and knows an answer when it hears one."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import pytest

from bitpeer.dialect import Question
from bitpeer.errors import (
    DisconnectReason as R,
    InvalidValue,
    NotEstablished,
    NotNegotiated,
    PeerGone,
    TooManyRequests,
    Unanswered,
)
from bitpeer.messages.control import MemPool, Ping, Pong
from bitpeer.messages.inquiry import Inquiry, item
from bitpeer.messages.inventory import MAX_INVENTORY, GetData, InvVect, NotFound
from bitpeer.peer.events import Answered
from bitpeer.peer.inquiries import Waiter
from bitpeer.peer.machine import PeerMachine
from bitpeer.wire.message import Message
from tests.peer.village import (
    DIALECT,
    TALK,
    Gift,
    establish,
    framed,
    make_machine,
    make_terms,
    said,
    spoken,
)
from tests.toy import Say

NOW = 1_000.0
APPLE, BREAD = Say(b"apple"), Say(b"bread")


def word(message: Say) -> Inquiry:
    return item("say", TALK, said(message.text), frozenset({Say}))


def plain(*messages: Message, **how) -> Inquiry:
    """A question that is answered by a pong."""
    given = {"what": "x", "key": messages, "answers": frozenset({Pong})}
    return Inquiry(messages=messages, **{**given, **how})


def ask(machine: PeerMachine, *inquiries: Inquiry, now: float = NOW) -> list[Waiter]:
    waiters = [Waiter(now, 30.0) for _ in inquiries]
    machine.ask(list(zip(inquiries, waiters, strict=True)), now)
    return waiters


def hear(machine: PeerMachine, *messages: Message, now: float = NOW) -> list[object]:
    data = b"".join(map(framed, messages))
    return list(machine.receive_data(data, now))


@pytest.fixture
def machine() -> PeerMachine:
    machine = establish(make_terms(), now=NOW)
    machine.data_to_send()
    return machine


def test_an_answer_is_an_event_and_what_nobody_asked_for_a_message(machine) -> None:
    [waiter] = ask(machine, word(APPLE))
    assert machine.asking
    assert spoken(machine) == ["getdata"]
    events = hear(machine, BREAD, APPLE, APPLE)
    assert events == [BREAD, Answered(((waiter, APPLE),)), APPLE]
    assert machine.inquiries is None
    assert not machine.asking


def test_as_long_as_nothing_is_asked_nothing_is_kept(machine) -> None:
    assert machine.inquiries is None
    assert machine.next_expiry == inf
    assert machine.expire(NOW) == ()
    machine.give_up(Waiter(NOW, 1), NOW)
    machine.ask([], NOW)
    assert machine.inquiries is None
    assert machine.abandon(lambda: PeerGone(R.IDLE)) == ()


def test_what_was_read_before_the_question_is_no_answer_to_it(machine) -> None:
    events = machine.receive_data(framed(BREAD) + framed(APPLE), NOW)
    assert next(events) == BREAD
    ask(machine, word(APPLE))
    assert next(events) == APPLE
    assert machine.asking


def test_what_could_have_come_unasked_is_both_and_first_an_answer(machine) -> None:
    [waiter] = ask(machine, plain(Ping(5), shared=True))
    assert hear(machine, Pong(5)) == [Answered(((waiter, Pong(5)),)), Pong(5)]


def test_a_denial_is_an_event(machine) -> None:
    ask(machine, word(APPLE))
    [event] = hear(machine, NotFound((InvVect(TALK, said(b"apple")),)))
    assert isinstance(event, Answered)
    assert hear(machine, APPLE) == [APPLE]


def test_everything_that_is_asked_for_by_name_goes_in_one_message(machine) -> None:
    ask(machine, word(APPLE), plain(Ping(1)), word(BREAD), word(APPLE))
    data = b"".join(machine.data_to_send())
    both = GetData((InvVect(TALK, said(b"apple")), InvVect(TALK, said(b"bread"))))
    assert data == framed(Ping(1)) + framed(both)


def test_but_no_more_than_a_message_may_have() -> None:
    machine = establish(make_terms(replace(DIALECT, max_payload=4_000_000)), now=NOW)
    machine.data_to_send()
    many = GetData([InvVect(TALK, bytes(32))] * MAX_INVENTORY)
    ask(machine, plain(many), word(APPLE))
    assert spoken(machine) == ["getdata", "getdata"]


def test_a_question_on_its_way_is_not_asked_again(machine) -> None:
    [first] = ask(machine, word(APPLE))
    [second] = ask(machine, word(APPLE))
    assert spoken(machine) == ["getdata"]
    assert hear(machine, APPLE) == [Answered(((first, APPLE), (second, APPLE)))]


def test_the_peer_is_not_given_up_for_what_was_asked(machine) -> None:
    machine.send(GetData((InvVect(TALK, said(b"bread")),)), NOW)
    assert len(machine.deadlines) == 1
    hear(machine, BREAD)
    ask(machine, word(APPLE))
    assert machine.deadlines is None


def test_what_cannot_be_said_is_not_asked(machine) -> None:
    with pytest.raises(NotNegotiated):
        ask(machine, plain(Gift()))
    assert machine.inquiries is None
    with pytest.raises(TooManyRequests):
        ask(machine, *(plain(Ping(each)) for each in range(9)))
    assert not machine.has_data_to_send
    with pytest.raises(NotEstablished):
        ask(make_machine(make_terms()), plain(MemPool()))


def test_time_passes(machine) -> None:
    machine.stirred = False
    [waiter] = ask(machine, word(APPLE))
    assert machine.stirred
    assert machine.next_expiry == NOW + 30
    assert machine.expire(NOW + 29) == ()
    [(late, error)] = machine.expire(NOW + 30)
    assert late is waiter
    assert isinstance(error, Unanswered)
    assert not machine.asking
    assert hear(machine, APPLE, now=NOW + 31) == []  # too late, and swallowed
    ask(machine, word(APPLE), now=NOW + 31)
    machine.expire(NOW + 61)
    machine.expire(machine.next_expiry)
    assert machine.inquiries is None


def test_a_question_may_be_taken_back(machine) -> None:
    [waiter] = ask(machine, word(APPLE))
    machine.stirred = False
    machine.give_up(waiter, NOW)
    assert machine.stirred
    assert not machine.asking
    assert hear(machine, APPLE) == []


def test_the_end_is_told_to_all_who_wait(machine) -> None:
    waiters = ask(machine, word(APPLE), word(BREAD))
    settled = machine.abandon(lambda: PeerGone(R.IDLE))
    assert [each.waiter for each in settled] == waiters
    assert machine.inquiries is None
    ask(machine, word(APPLE))
    machine.close()
    assert machine.inquiries is None


def test_an_answer_that_turns_out_to_be_none_is_the_peers_fault() -> None:
    def broken(_: Say) -> Iterator[Question]:
        raise InvalidValue("text", "rotten")

    dialect = replace(DIALECT, answers={Say: broken})
    machine = establish(make_terms(dialect=dialect), now=NOW)
    ask(machine, word(APPLE))
    assert hear(machine, BREAD, APPLE) == []
    assert isinstance(machine.failure, InvalidValue)
