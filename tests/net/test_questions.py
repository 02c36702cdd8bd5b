"""What one may ask, of one peer as of several."""

import pytest
from twisted.internet.defer import CancelledError, Deferred

from bitpeer.errors import Absent
from bitpeer.net.questions import Questions, all_or_none
from tests.net.asked import Result, make_block


class Oracle(Questions):
    """Remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = []

    def ask(self, topic, *args, timeout=None):
        self.asked.append((topic, *args, timeout))
        self.answers.append(Deferred())
        return self.answers[-1]

    def request(self, message, answered_by, *, where=None, timeout=30.0):
        return self.ask("request", message, answered_by, timeout=timeout)


NAME, STOP = bytes(32), b"\1" * 32


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        (lambda it: it.get_block(NAME), ("block", NAME, None)),
        (lambda it: it.get_block(NAME, timeout=5), ("block", NAME, 5)),
        (lambda it: it.get_tx(NAME), ("tx", NAME, None)),
        (lambda it: it.get_tx(NAME, by_wtxid=True, timeout=5), ("wtx", NAME, 5)),
        (lambda it: it.get_headers([NAME]), ("headers", [NAME], bytes(32), None)),
        (lambda it: it.get_headers([NAME], STOP), ("headers", [NAME], STOP, None)),
        (lambda it: it.get_cfilters(1, STOP), ("cfilters", 1, STOP, None)),
        (lambda it: it.get_cfilters(1, STOP, 0), ("cfilters", 1, STOP, 0, None)),
        (lambda it: it.get_cfheaders(1, STOP), ("cfheaders", 1, STOP, None)),
        (lambda it: it.get_cfcheckpt(STOP, timeout=9), ("cfcheckpt", STOP, 9)),
        (lambda it: it.get_addresses(), ("addresses", None)),
        (lambda it: it.get_mempool(), ("mempool", None)),
    ],
)
def test_every_method_is_a_topic(ask, asked):
    oracle = Oracle()
    result = Result(ask(oracle))
    assert oracle.asked == [asked]
    oracle.answers[0].callback("answer")
    assert result.value == "answer"


def test_several_blocks_are_asked_for_at_once():
    oracle = Oracle()
    result = Result(oracle.get_blocks([NAME, STOP], timeout=7))
    assert oracle.asked == [("block", NAME, 7), ("block", STOP, 7)]
    oracle.answers[1].callback(2)
    assert result.pending
    oracle.answers[0].callback(1)
    assert result.value == [1, 2]


def test_names_that_are_none_fail():
    assert isinstance(Result(Oracle().get_blocks(5)).value, TypeError)


def test_blocks_in_a_row_are_asked_for_ahead():
    oracle = Oracle()

    async def go():
        return [block async for block in oracle.blocks([NAME, STOP], window=2, timeout=3)]

    read = Result(Deferred.fromCoroutine(go()))
    assert oracle.asked == [("block", NAME, 3), ("block", STOP, 3)]
    blocks = make_block(1), make_block(2)
    oracle.answers[1].callback(blocks[1])
    oracle.answers[0].callback(blocks[0])
    assert read.value == list(blocks)


def test_the_first_failure_takes_back_the_others():
    answers = [Deferred() for _ in range(3)]
    result = Result(all_or_none(answers))
    answers[2].callback(3)
    answers[1].errback(Absent("it"))
    assert isinstance(result.value, Absent)
    assert answers[0].called


def test_cancelling_takes_back_all():
    answers = [Deferred() for _ in range(3)]
    together = all_or_none(answers)
    result = Result(together)
    together.cancel()
    assert isinstance(result.value, CancelledError)
    assert all(answer.called for answer in answers)
