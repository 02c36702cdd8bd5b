"""Tests of bitpeer.errors.conversation."""

import pytest

from bitpeer.errors.base import DisconnectReason
from bitpeer.errors.conversation import (
    BadHeader,
    HandshakeError,
    OverBudget,
    ProxyFailed,
    ProxyRefused,
    Redirected,
    Refused,
    SelfConnection,
    TimedOut,
    TooNew,
    Unexpected,
    Unwanted,
    VersionTooOld,
    WrongChain,
)
from tests.errors.judging import HUGE, HUGE_BYTES, HUGE_TEXT, is_a_sentence, is_short

R = DisconnectReason

SENTENCES = [
    (ProxyFailed("hung up"), "the proxy hung up"),
    (ProxyRefused(5, "refused"), "the proxy could not connect: refused (reply 5)"),
    (Unexpected("tx", "before version"), "'tx' before version"),
    (SelfConnection(), "the peer sent our own nonce"),
    (VersionTooOld(1, 2), "version 1 is below 2"),
    (Refused("we are full"), "we are full"),
    (Refused(""), "no reason given"),
    (WrongChain(3, 0), "the peer wants chain 3, here is chain 0"),
    (Redirected("192.0.2.1", 8333), "the peer sends us to 192.0.2.1:8333"),
    (Redirected("2001:db8::1", 8333), "the peer sends us to [2001:db8::1]:8333"),
    (Unwanted("mempool"), "mempool needs a service that was not offered"),
    (TimedOut(R.STALLED, "block", 2.5), "no block within 2.5 seconds"),
    (OverBudget(R.MEMORY_BUDGET, 9, 8), "9 bytes are waiting, at most 8 may"),
    (BadHeader(b"\x01".ljust(32, b"\0"), "it is flat"), f"header {'01':0>64}: it is flat"),
    (TooNew(bytes(32), "it is early"), f"header {'':0>64}: it is early"),
]

ABSURDITIES = [
    ProxyFailed(HUGE_TEXT),
    ProxyRefused(255, HUGE_TEXT),
    Unexpected(HUGE_TEXT, HUGE_TEXT),
    SelfConnection(),
    VersionTooOld(-HUGE, HUGE),
    Refused(HUGE_TEXT),
    WrongChain(HUGE, HUGE),
    Redirected(HUGE_TEXT, HUGE),
    Redirected(":" * 1_000_000, HUGE),
    Unwanted(HUGE_TEXT),
    TimedOut(R.STALLED, HUGE_TEXT, 1e300),
    OverBudget(R.SEND_QUEUE_FULL, HUGE, HUGE),
    BadHeader(HUGE_BYTES, HUGE_TEXT),
    TooNew(HUGE_BYTES, HUGE_TEXT),
]

REASONS = {
    Unexpected: R.OUT_OF_ORDER,
    SelfConnection: R.SELF_CONNECTION,
    VersionTooOld: R.OBSOLETE,
    Refused: R.REFUSED,
    WrongChain: R.WRONG_NETWORK,
    Redirected: R.REDIRECTED,
    Unwanted: R.UNWANTED,
    BadHeader: R.BAD_HEADER,
    TooNew: R.BAD_HEADER,
    ProxyFailed: R.PROXY_FAILED,
    ProxyRefused: R.PROXY_FAILED,
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


@pytest.mark.parametrize("kind", [TimedOut, OverBudget])
def test_one_class_serves_several_reasons(kind):
    assert kind(R.IDLE, 1, 2).reason is R.IDLE
    assert kind(R.STALLED, 1, 2).reason is R.STALLED


@pytest.mark.parametrize("kind", [Unexpected, SelfConnection, VersionTooOld, Refused])
def test_what_ends_a_handshake_is_a_handshake_error(kind):
    assert issubclass(kind, HandshakeError)
