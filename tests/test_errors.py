"""The tree of exceptions as a whole."""

import pytest

from bitpeer import errors
from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    BitpeerError,
    DecodeError,
    Disconnected,
    HandshakeError,
    LocalError,
    NobodyAnswered,
    OverBudget,
    PeerGone,
    RemoteError,
    RequestFailed,
    TimedOut,
    Unanswered,
)
from tests.errors import test_base, test_conversation, test_decoding, test_local, test_requests

TABLES = (test_base, test_conversation, test_decoding, test_local, test_requests)


def concrete_classes() -> set[type]:
    """Return every class of the module that somebody may raise."""
    families = {
        *(BitpeerError, LocalError, RemoteError, DecodeError, HandshakeError, RequestFailed)
    }
    found = {each for each in vars(errors).values() if isinstance(each, type)}
    return {each for each in found if issubclass(each, BitpeerError)} - families


def test_every_error_is_in_the_tables():
    classes = concrete_classes()
    assert {type(error) for table in TABLES for error, _ in table.SENTENCES} == classes
    assert {type(error) for table in TABLES for error in table.ABSURDITIES} == classes
    remote = {kind for kind in classes if issubclass(kind, RemoteError)}
    reasons = {*test_conversation.REASONS, *test_decoding.REASONS}
    assert {*reasons, TimedOut, OverBudget} == remote


def test_blame_is_a_class():
    blameless = {Disconnected, PeerGone, Absent, Unanswered, AnswerTooLong, NobodyAnswered}
    for kind in concrete_classes() - blameless:
        assert issubclass(kind, LocalError) != issubclass(kind, RemoteError)
    for kind in blameless:
        assert not issubclass(kind, LocalError | RemoteError)


@pytest.mark.parametrize("name", errors.__all__)
def test_everything_is_in_one_place(name):
    assert getattr(errors, name).__module__.startswith("bitpeer.errors.")
