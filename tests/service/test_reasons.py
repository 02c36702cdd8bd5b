"""Tests of bitpeer.service.reasons."""

import errno

from twisted.internet.error import CannotListenError, ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from bitpeer.service.reasons import reason_of


def test_a_port_in_use_is_told_without_saying_where_again():
    error = OSError(errno.EADDRINUSE, "Address already in use")
    failure = Failure(CannotListenError("127.0.0.1", 8333, error))
    assert reason_of(failure) == "Address already in use"


def test_a_refused_connection_is_told_in_twisteds_words():
    told = reason_of(Failure(Refused()))
    assert told == "Connection was refused by other side"


def test_an_error_without_words_is_told_by_its_name():
    assert reason_of(Failure(KeyError())) == "KeyError"


def test_nothing_reaches_the_log_unescaped():
    assert reason_of(Failure(ValueError("\x1b[2Jgone"))) == r"\x1b[2Jgone"
