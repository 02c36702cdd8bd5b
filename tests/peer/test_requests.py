"""No request for blocks or headers twice in a row."""

from bitpeer.peer.requests import LastRequest

TIP, OLDER, STOP, NOWHERE = b"t" * 32, b"o" * 32, b"s" * 32, bytes(32)


def test_the_first_request_repeats_nothing() -> None:
    assert not LastRequest().repeated_by((TIP,), STOP)


def test_the_same_first_hash_and_stop_make_a_repetition() -> None:
    latest = LastRequest()
    latest.sent((TIP, OLDER), STOP)
    assert latest.repeated_by((TIP, OLDER), STOP)
    assert latest.repeated_by((TIP,), STOP)


def test_another_first_hash_or_stop_makes_none() -> None:
    latest = LastRequest()
    latest.sent((TIP,), STOP)
    assert not latest.repeated_by((OLDER, TIP), STOP)
    assert not latest.repeated_by((TIP,), NOWHERE)


def test_only_the_latest_request_counts() -> None:
    latest = LastRequest()
    latest.sent((TIP,), STOP)
    latest.sent((OLDER,), STOP)
    assert not latest.repeated_by((TIP,), STOP)


def test_a_request_that_was_not_sent_does_not_count() -> None:
    latest = LastRequest()
    assert not latest.repeated_by((TIP,), STOP)
    assert not latest.repeated_by((TIP,), STOP)


def test_requests_without_a_locator_resemble_none() -> None:
    latest = LastRequest()
    latest.sent((), STOP)
    assert not latest.repeated_by((), STOP)
    latest.sent((TIP,), STOP)
    latest.sent((), STOP)
    assert not latest.repeated_by((TIP,), STOP)
