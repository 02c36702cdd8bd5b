import pickle

import pytest

from bitpeer import errors
from bitpeer.errors import (
    Absent,
    AnswerTooLong,
    BadChecksum,
    BadCommand,
    BadHeader,
    BitpeerError,
    DecodeError,
    Disconnected,
    DisconnectReason,
    HandshakeError,
    InvalidSetting,
    InvalidValue,
    LimitExceeded,
    LocalError,
    MissingExtra,
    NobodyAnswered,
    NonCanonical,
    NoRoute,
    NotEstablished,
    NotNegotiated,
    OverBudget,
    Oversized,
    PeerGone,
    ProxyFailed,
    ProxyRefused,
    Redirected,
    Refused,
    RemoteError,
    RequestFailed,
    SelfConnection,
    StorageUnusable,
    TimedOut,
    TooManyRequests,
    TooNew,
    TorUnavailable,
    TrailingBytes,
    Truncated,
    Unanswered,
    Unencodable,
    Unexpected,
    Unwanted,
    VersionTooOld,
    WrongChain,
    WrongNetwork,
)

R = DisconnectReason

SENTENCES = [
    (InvalidSetting("port", 70000, "1 to 65535"), "port is 70000, expected 1 to 65535"),
    (StorageUnusable("~/x", "it is a fish"), "~/x cannot be used: it is a fish"),
    (Unencodable("Ping.nonce", "it is blue"), "Ping.nonce cannot be encoded: it is blue"),
    (NotEstablished("tx"), "cannot send tx before the handshake is complete"),
    (NotNegotiated("tx", "tin"), "cannot send tx to this peer: it needs tin"),
    (
        MissingExtra("Tor", "txtorcon", "tor"),
        "Tor needs the package txtorcon: pip install 'bitpeer[tor]'",
    ),
    (TorUnavailable("unix:/tor", "it sleeps"), "unix:/tor: it sleeps"),
    (NoRoute("x.i2p", "no router"), "there is no way to x.i2p: no router"),
    (ProxyFailed("hung up"), "the proxy hung up"),
    (ProxyRefused(5, "refused"), "the proxy could not connect: refused (reply 5)"),
    (Truncated(8, 3), "needed 8 bytes, only 3 left"),
    (TrailingBytes(2), "2 bytes after the last field"),
    (NonCanonical(7), "7 is not written in its shortest form"),
    (LimitExceeded(51, 50), "51 exceeds the limit of 50"),
    (InvalidValue("flags", 9), "flags cannot be 9"),
    (BadCommand(b"\xff" + bytes(11)), "not a command: ff" + 11 * "00"),
    (BadChecksum("tx"), "wrong checksum of 'tx'"),
    (WrongNetwork(b"\x0b\x11\x09\x07"), "magic is 0b110907"),
    (Oversized("ping", 9, 8), "'ping' of 9 bytes, at most 8 are allowed"),
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
    (Disconnected(R.CLOSED_HERE), "closed by this side"),
    (PeerGone(R.IDLE), "the peer fell silent"),
    (Absent("block 7"), "the peer does not have block 7"),
    (Unanswered("tx 7", 1.5), "no answer to a request for tx 7 within 1.5 seconds"),
    (
        AnswerTooLong("filters", 9, 99),
        "the answer to a request for filters has no end: 9 messages of 99 bytes",
    ),
    (TooManyRequests(9, 8), "9 requests would be on their way to one peer, at most 8 may"),
    (NobodyAnswered("tx 7", 0), "nobody could be asked for tx 7"),
    (NobodyAnswered("tx 7", 2), "2 peers were asked for tx 7 in vain"),
    (
        NobodyAnswered("tx 7", 2, Absent("tx 7")),
        "2 peers were asked for tx 7 in vain: the peer does not have tx 7",
    ),
    (
        Disconnected(R.MALFORMED, Truncated(2, 1)),
        "a message could not be decoded: needed 2 bytes, only 1 left",
    ),
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

HUGE_BYTES, HUGE_TEXT, HUGE = b"\xff" * 1_000_000, "\0" * 1_000_000, 2**64 - 1

ABSURDITIES = [
    InvalidSetting(HUGE_TEXT, HUGE_BYTES, HUGE_TEXT),
    StorageUnusable(HUGE_TEXT, HUGE_TEXT),
    Unencodable(HUGE_TEXT, HUGE_TEXT),
    NotEstablished(HUGE_TEXT),
    NotNegotiated(HUGE_TEXT, HUGE_TEXT),
    MissingExtra(HUGE_TEXT, HUGE_TEXT, HUGE_TEXT),
    TorUnavailable(HUGE_TEXT, HUGE_TEXT),
    NoRoute(HUGE_TEXT, HUGE_TEXT),
    ProxyFailed(HUGE_TEXT),
    ProxyRefused(255, HUGE_TEXT),
    Truncated(HUGE, HUGE),
    TrailingBytes(HUGE),
    NonCanonical(HUGE),
    LimitExceeded(HUGE, HUGE),
    InvalidValue(HUGE_TEXT, HUGE_BYTES),
    BadCommand(HUGE_BYTES),
    BadChecksum(HUGE_TEXT),
    WrongNetwork(HUGE_BYTES),
    Oversized(HUGE_TEXT, HUGE, HUGE),
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
    Disconnected(R.INTERNAL, ValueError(HUGE_TEXT)),
    PeerGone(R.INTERNAL, ValueError(HUGE_TEXT)),
    Absent(HUGE_TEXT),
    Unanswered(HUGE_TEXT, 1e300),
    AnswerTooLong(HUGE_TEXT, HUGE, HUGE),
    TooManyRequests(HUGE, HUGE),
    NobodyAnswered(HUGE_TEXT, HUGE, ValueError(HUGE_TEXT)),
]


def concrete_classes() -> set[type]:
    """Return every class of the module that somebody may raise."""
    families = {
        *(BitpeerError, LocalError, RemoteError, DecodeError, HandshakeError, RequestFailed)
    }
    found = {each for each in vars(errors).values() if isinstance(each, type)}
    return {each for each in found if issubclass(each, BitpeerError)} - families


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=repr)
def test_an_error_is_a_sentence(error, sentence):
    assert str(error) == sentence
    assert repr(error) == f"<{type(error).__name__}: {sentence}>"


def test_every_error_is_in_the_tables():
    assert {type(error) for error, _ in SENTENCES} == concrete_classes()
    assert {type(error) for error in ABSURDITIES} == concrete_classes()
    remote = {kind for kind in concrete_classes() if issubclass(kind, RemoteError)}
    assert {*REASONS, TimedOut, OverBudget} == remote


@pytest.mark.parametrize("error", ABSURDITIES, ids=lambda error: type(error).__name__)
def test_r_b2_no_sentence_is_long(error):
    assert len(str(error)) < 512
    assert len(repr(error)) < 512


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
def test_an_error_of_the_peer_says_why_the_connection_ends(kind, reason):
    assert kind.reason is reason


@pytest.mark.parametrize("kind", [TimedOut, OverBudget])
def test_one_class_serves_several_reasons(kind):
    assert kind(R.IDLE, 1, 2).reason is R.IDLE
    assert kind(R.STALLED, 1, 2).reason is R.STALLED


def test_blame_is_a_class():
    blameless = {Disconnected, PeerGone, Absent, Unanswered, AnswerTooLong, NobodyAnswered}
    for kind in concrete_classes() - blameless:
        assert issubclass(kind, LocalError) != issubclass(kind, RemoteError)
    for kind in blameless:
        assert not issubclass(kind, LocalError | RemoteError)


def test_who_waits_for_a_peer_that_is_lost_may_catch_either():
    assert issubclass(PeerGone, RequestFailed)
    assert issubclass(PeerGone, Disconnected)


@pytest.mark.parametrize("kind", [InvalidSetting, Unencodable])
def test_wrong_values_are_value_errors(kind):
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", [Unexpected, SelfConnection, VersionTooOld, Refused])
def test_what_ends_a_handshake_is_a_handshake_error(kind):
    assert issubclass(kind, HandshakeError)


@pytest.mark.parametrize("error", [error for error, _ in SENTENCES], ids=repr)
def test_an_error_survives_pickling(error):
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.__dict__.keys() == error.__dict__.keys()


def test_attributes_keep_what_the_sentence_cuts():
    error = InvalidValue("filter", HUGE_BYTES)
    assert error.value is HUGE_BYTES
    assert str(error).startswith("filter cannot be b'\\xff\\xff")


def test_a_cause_without_words_is_named():
    assert str(Disconnected(R.INTERNAL, KeyError())) == "a mistake in this program: KeyError"


def test_every_reason_says_whether_dialling_again_makes_sense():
    assert {reason for reason in R if not reason.transient} == HOPELESS


def test_every_reason_is_a_sentence_of_its_own():
    sentences = [reason.value for reason in R]
    assert len(set(sentences)) == len(sentences)
    assert all(text[0].islower() and not text.endswith(".") for text in sentences)
