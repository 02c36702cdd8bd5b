"""Tests of bitpeer.errors.requests."""

import pytest

from bitpeer.errors.base import Disconnected, DisconnectReason
from bitpeer.errors.requests import (
    Absent,
    AnswerTooLong,
    NobodyAnswered,
    PeerGone,
    RequestFailed,
    TooManyRequests,
    Unanswered,
)
from tests.errors.judging import HUGE, HUGE_TEXT, is_a_sentence, is_short

R = DisconnectReason

SENTENCES = [
    (PeerGone(R.IDLE), "the peer fell silent"),
    (Absent("block 7"), "the peer does not have block 7"),
    (Unanswered("tx 7", 1.5), "no answer to a request for tx 7 within 1.5 seconds"),
    (
        AnswerTooLong("filters", 9, 99),
        "the answer to a request for filters has no end: 9 messages of 99 bytes",
    ),
    (TooManyRequests(9, 8), "9 requests would be on their way to one peer, at most 8 may"),
    (NobodyAnswered("tx 7", 0), "nobody could be asked for tx 7"),
    (NobodyAnswered("tx 7", 1), "1 peer was asked for tx 7 in vain"),
    (NobodyAnswered("tx 7", 2), "2 peers were asked for tx 7 in vain"),
    (
        NobodyAnswered("tx 7", 2, Absent("tx 7")),
        "2 peers were asked for tx 7 in vain: the peer does not have tx 7",
    ),
]

ABSURDITIES = [
    PeerGone(R.INTERNAL, ValueError(HUGE_TEXT)),
    Absent(HUGE_TEXT),
    Unanswered(HUGE_TEXT, 1e300),
    AnswerTooLong(HUGE_TEXT, HUGE, HUGE),
    TooManyRequests(HUGE, HUGE),
    NobodyAnswered(HUGE_TEXT, HUGE, ValueError(HUGE_TEXT)),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=repr)
def test_an_error_is_a_sentence(error, sentence):
    assert is_a_sentence(error, sentence)


@pytest.mark.parametrize("error", ABSURDITIES, ids=lambda error: type(error).__name__)
def test_r_b2_no_sentence_is_long(error):
    assert is_short(error)


def test_who_waits_for_a_peer_that_is_lost_may_catch_either():
    assert issubclass(PeerGone, RequestFailed)
    assert issubclass(PeerGone, Disconnected)
