"""Tests of bitpeer.errors.base."""

import pytest

from bitpeer.errors.base import Disconnected, DisconnectReason
from bitpeer.errors.decoding import Truncated
from tests.errors.judging import HUGE_TEXT, is_a_sentence, is_short

R = DisconnectReason

SENTENCES = [
    (Disconnected(R.CLOSED_HERE), "closed by this side"),
    (
        Disconnected(R.MALFORMED, Truncated(2, 1)),
        "a message could not be decoded: needed 2 bytes, only 1 left",
    ),
]

ABSURDITIES = [
    Disconnected(R.INTERNAL, ValueError(HUGE_TEXT)),
]

HOPELESS = {
    R.WRONG_NETWORK,
    R.OVERSIZED,
    R.MALFORMED,
    R.OUT_OF_ORDER,
    R.SELF_CONNECTION,
    R.OBSOLETE,
    R.REFUSED,
    R.REDIRECTED,
    R.UNWANTED,
    R.BAD_HEADER,
}


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=repr)
def test_an_error_is_a_sentence(error, sentence):
    assert is_a_sentence(error, sentence)


@pytest.mark.parametrize("error", ABSURDITIES, ids=lambda error: type(error).__name__)
def test_r_b2_no_sentence_is_long(error):
    assert is_short(error)


def test_a_cause_without_words_is_named():
    assert str(Disconnected(R.INTERNAL, KeyError())) == "a mistake in this program: KeyError"


def test_every_reason_says_whether_dialling_again_makes_sense():
    assert {reason for reason in R if not reason.transient} == HOPELESS


def test_every_reason_is_a_sentence_of_its_own():
    sentences = [reason.value for reason in R]
    assert len(set(sentences)) == len(sentences)
    assert all(text[0].islower() and not text.endswith(".") for text in sentences)
