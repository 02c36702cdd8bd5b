import pytest

from bitpeer.bitcoin.alert import AlertPayload, alert_payload
from bitpeer.errors import LimitExceeded, TrailingBytes, Truncated
from bitpeer.messages.control import Alert

# What Bitcoin Core sends to peers of version 70012 and below.
FINAL = bytes.fromhex(
    "60010000000000000000000000ffffff7f00000000ffffff7ffeffff7f01ffffff7f00000000ffffff7f00ffffff7f"
    "002f555247454e543a20416c657274206b657920636f6d70726f6d697365642c207570677261646520726571756972"
    "6564004630440220653febd6410f470f6bae11cad19c48413becb1ac2c17f908fd0fd53bdc3abd5202206d0e9c96fe"
    "88d4a0f01ed9dedae2b6f9e00da94cad0fecaae66ecf689bf71b50"
)
MOST = 0x7FFFFFFF
SMALL = AlertPayload(1, -2, -3, 4, -5, (6, -7), 8, 9, (b"/a/", b""), 10, b"c", b"s", b"r")


def test_the_final_alert_is_understood():
    payload = alert_payload(Alert.decode(FINAL))
    assert payload == AlertPayload(
        version=1,
        relay_until=0,
        expiration=MOST,
        id=MOST,
        cancel=MOST - 1,
        cancels=(MOST,),
        min_version=0,
        max_version=MOST,
        user_agents=(),
        priority=MOST,
        comment=b"",
        status_bar=b"URGENT: Alert key compromised, upgrade required",
        reserved=b"",
    )
    assert payload.encode() == Alert.decode(FINAL).payload


def test_the_bytes_are_as_specified():
    assert SMALL.encode().hex() == (
        "01000000"
        "feffffffffffffff"
        "fdffffffffffffff"
        "04000000"
        "fbffffff"
        "02"
        "06000000"
        "f9ffffff"
        "08000000"
        "09000000"
        "02"
        "032f612f"
        "00"
        "0a000000"
        "0163"
        "0173"
        "0172"
    )
    assert alert_payload(Alert(SMALL.encode(), b"")) == SMALL


def test_every_truncation_is_refused():
    raw = SMALL.encode()
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            alert_payload(Alert(raw[:size], b""))


def test_a_byte_too_many_is_refused():
    with pytest.raises(TrailingBytes):
        alert_payload(Alert(SMALL.encode() + b"\0", b""))


def test_lists_and_texts_have_their_limits():
    head = SMALL.encode()[:28]
    with pytest.raises(LimitExceeded):
        alert_payload(Alert(head + b"\xfd\xe9\x03" + bytes(5000), b""))
    with pytest.raises(LimitExceeded):
        alert_payload(Alert(head + b"\0" + bytes(8) + b"\xfd\xa1\x0f" + bytes(5000), b""))
    with pytest.raises(LimitExceeded):
        alert_payload(Alert(head + b"\0" + bytes(8) + b"\x01\xfd\xa1\x0f" + bytes(5000), b""))
