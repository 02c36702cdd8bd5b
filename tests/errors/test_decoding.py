"""Tests of bitpeer.errors.decoding."""

import pytest

from bitpeer.errors.base import DisconnectReason
from bitpeer.errors.decoding import (
    BadChecksum,
    BadCommand,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    Oversized,
    TrailingBytes,
    Truncated,
    WrongNetwork,
)
from tests.errors.judging import HUGE, HUGE_BYTES, HUGE_TEXT, is_a_sentence, is_short

R = DisconnectReason

SENTENCES = [
    (Truncated(8, 3), "needed 8 bytes, only 3 left"),
    (TrailingBytes(2), "2 bytes after the last field"),
    (NonCanonical(7), "7 is not written in its shortest form"),
    (LimitExceeded(51, 50), "51 exceeds the limit of 50"),
    (InvalidValue("flags", 9), "flags cannot be 9"),
    (BadCommand(b"\xff" + bytes(11)), "not a command: ff" + 11 * "00"),
    (BadChecksum("tx"), "wrong checksum of 'tx'"),
    (WrongNetwork(b"\x0b\x11\x09\x07"), "magic is 0b110907"),
    (Oversized("ping", 9, 8), "'ping' of 9 bytes, at most 8 are allowed"),
]

ABSURDITIES = [
    Truncated(HUGE, HUGE),
    TrailingBytes(HUGE),
    NonCanonical(HUGE),
    LimitExceeded(HUGE, HUGE),
    InvalidValue(HUGE_TEXT, HUGE_BYTES),
    BadCommand(HUGE_BYTES),
    BadChecksum(HUGE_TEXT),
    WrongNetwork(HUGE_BYTES),
    Oversized(HUGE_TEXT, HUGE, HUGE),
]

REASONS = {
    Truncated: R.MALFORMED,
    TrailingBytes: R.MALFORMED,
    NonCanonical: R.MALFORMED,
    LimitExceeded: R.MALFORMED,
    InvalidValue: R.MALFORMED,
    BadCommand: R.MALFORMED,
    BadChecksum: R.MALFORMED,
    WrongNetwork: R.WRONG_NETWORK,
    Oversized: R.OVERSIZED,
}


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=repr)
def test_an_error_is_a_sentence(error, sentence):
    assert is_a_sentence(error, sentence)


@pytest.mark.parametrize("error", ABSURDITIES, ids=lambda error: type(error).__name__)
def test_r_b2_no_sentence_is_long(error):
    assert is_short(error)


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
def test_an_error_of_the_peer_says_why_the_connection_ends(kind, reason):
    assert kind.reason is reason


def test_attributes_keep_what_the_sentence_cuts():
    error = InvalidValue("filter", HUGE_BYTES)
    assert error.value is HUGE_BYTES
    assert str(error).startswith("filter cannot be b'\\xff\\xff")
