"""Tests of bitpeer.errors.local."""

import pytest

from bitpeer.errors.local import (
    InvalidSetting,
    MissingExtra,
    NoRoute,
    NotEstablished,
    NotNegotiated,
    StorageUnusable,
    TorUnavailable,
    Unencodable,
)
from tests.errors.judging import HUGE_BYTES, HUGE_TEXT, is_a_sentence, is_short

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
]

ABSURDITIES = [
    InvalidSetting(HUGE_TEXT, HUGE_BYTES, HUGE_TEXT),
    StorageUnusable(HUGE_TEXT, HUGE_TEXT),
    Unencodable(HUGE_TEXT, HUGE_TEXT),
    NotEstablished(HUGE_TEXT),
    NotNegotiated(HUGE_TEXT, HUGE_TEXT),
    MissingExtra(HUGE_TEXT, HUGE_TEXT, HUGE_TEXT),
    TorUnavailable(HUGE_TEXT, HUGE_TEXT),
    NoRoute(HUGE_TEXT, HUGE_TEXT),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=repr)
def test_an_error_is_a_sentence(error, sentence):
    assert is_a_sentence(error, sentence)


@pytest.mark.parametrize("error", ABSURDITIES, ids=lambda error: type(error).__name__)
def test_r_b2_no_sentence_is_long(error):
    assert is_short(error)


@pytest.mark.parametrize("kind", [InvalidSetting, Unencodable])
def test_wrong_values_are_value_errors(kind):
    assert issubclass(kind, ValueError)
