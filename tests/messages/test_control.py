import pytest

from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.messages.control import (
    MAX_ALERT,
    MAX_ALERT_SIGNATURE,
    MAX_REJECT_REASON,
    Alert,
    FeeFilter,
    GetAddr,
    MemPool,
    Ping,
    Pong,
    Reject,
    RejectCode,
    SendHeaders,
    VerAck,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

CONFLICT = bytes.fromhex("05df54d3860b3c41806a3546ab48279300affacf4b88591b229141dcf2f47004")

FINAL_ALERT = (
    "60010000000000000000000000ffffff7f00000000ffffff7ffeffff7f01ffffff7f00000000ffffff7f00ffffff"
    "7f002f555247454e543a20416c657274206b657920636f6d70726f6d697365642c20757067726164652072657175"
    "69726564004630440220653febd6410f470f6bae11cad19c48413becb1ac2c17f908fd0fd53bdc3abd5202206d0e"
    "9c96fe88d4a0f01ed9dedae2b6f9e00da94cad0fecaae66ecf689bf71b50"
)
"""What Bitcoin Core still sends to peers of version 70012 and below."""

EMPTY = [VerAck, GetAddr, MemPool, SendHeaders]

EXAMPLES = [
    *((kind(), "") for kind in EMPTY),
    (Ping(100), "6400000000000000"),
    (Ping(2**64 - 1), "ffffffffffffffff"),
    (Pong(0), "0000000000000000"),
    (Pong(0x0123456789ABCDEF), "efcdab8967452301"),
    (FeeFilter(1000), "e803000000000000"),
    (FeeFilter(-1), "ffffffffffffffff"),
    (Alert(b"", b""), "0000"),
    (Alert(bytes.fromhex(FINAL_ALERT)[1:97], bytes.fromhex(FINAL_ALERT)[98:]), FINAL_ALERT),
]
REJECTIONS = [
    (
        Reject(b"tx", RejectCode.DUPLICATE, b"txn-mempool-conflict", CONFLICT),
        "027478121474786e2d6d656d706f6f6c2d636f6e666c696374" + CONFLICT.hex(),
    ),
    (
        Reject(b"version", RejectCode.OBSOLETE, b"too old"),
        "0776657273696f6e11 07746f6f206f6c64",
    ),
    (Reject(b"", 255, b""), "00ff00"),
]

examples = pytest.mark.parametrize(("value", "text"), EXAMPLES)
rejections = pytest.mark.parametrize(("value", "text"), REJECTIONS)


@pytest.mark.parametrize(("value", "text"), EXAMPLES + REJECTIONS)
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    refuses_every_truncation(value, text)


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


@pytest.mark.parametrize("kind", EMPTY)
def test_r_b11_some_messages_are_never_more_than_empty(kind):
    assert (kind.min_size, kind.max_size) == (0, 0)
    assert kind.decode(b"") == kind()


def test_each_message_has_its_command():
    commands = {kind: kind.command for kind in (*EMPTY, Ping, Pong, FeeFilter, Alert, Reject)}
    assert commands == {
        VerAck: "verack",
        GetAddr: "getaddr",
        MemPool: "mempool",
        SendHeaders: "sendheaders",
        Ping: "ping",
        Pong: "pong",
        FeeFilter: "feefilter",
        Alert: "alert",
        Reject: "reject",
    }


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_has_eight_bytes(nonce):
    with pytest.raises(Unencodable, match=r"Ping\.nonce cannot be encoded: it must be an integer"):
        Ping(nonce).encode()


# Rejections


@rejections
def test_a_rejection_is_whole_with_or_without_its_hash(value, text):
    without = len(bytes.fromhex(text)) - len(value.extra)
    beginnings = tuple(range(without, without + len(value.extra)))
    refuses_every_truncation(value, text, complete=beginnings)
    assert Reject.decode(bytes.fromhex(text)[:without]).extra == b""


@rejections
def test_r_b3_what_follows_a_rejection_is_kept(value, text):
    longer = Reject.decode(bytes.fromhex(text) + b"more")
    assert longer.extra == value.extra + b"more"
    assert longer.encode() == bytes.fromhex(text) + b"more"


def test_what_follows_a_rejection_has_a_limit():
    head = Reject(b"tx", 1, b"").encode()
    assert len(Reject.decode(head + bytes(1024)).extra) == 1024
    with pytest.raises(LimitExceeded):
        Reject.decode(head + bytes(1025))
    with pytest.raises(Unencodable, match=r"Reject\.extra"):
        Reject(b"tx", 1, b"", bytes(1025)).encode()


def test_a_rejected_command_has_twelve_bytes_at_most():
    assert Reject.decode(b"\x0csendheaders!\x01\x00").message == b"sendheaders!"
    with pytest.raises(LimitExceeded):
        Reject.decode(b"\x0dsendheaders!!\x01\x00")
    with pytest.raises(Unencodable, match=r"Reject\.message"):
        Reject(b"sendheaders!!", 1, b"").encode()


def test_a_reason_has_a_limit():
    most, over = bytes(MAX_REJECT_REASON), bytes(MAX_REJECT_REASON + 1)
    assert Reject.decode(Reject(b"tx", 1, most).encode()).reason == most
    with pytest.raises(LimitExceeded):
        Reject.decode(b"\x02tx\x01" + write_compact_size(len(over)) + over)
    with pytest.raises(Unencodable, match=r"Reject\.reason"):
        Reject(b"tx", 1, over).encode()


def test_r_b5_a_reason_is_bytes_whatever_they_spell():
    assert Reject.decode(b"\x02\xff\xfe\x01\x02\x1b[").reason == b"\x1b["


def test_rejections_have_the_codes_of_bip_61():
    assert {code.name: code.value for code in RejectCode} == {
        "MALFORMED": 0x01,
        "INVALID": 0x10,
        "OBSOLETE": 0x11,
        "DUPLICATE": 0x12,
        "NONSTANDARD": 0x40,
        "DUST": 0x41,
        "INSUFFICIENT_FEE": 0x42,
        "CHECKPOINT": 0x43,
    }


# Alerts


def test_an_alert_has_limits():
    payload, signature = bytes(MAX_ALERT), bytes(MAX_ALERT_SIGNATURE)
    assert Alert.decode(Alert(payload, signature).encode()) == Alert(payload, signature)
    assert Alert.max_size == len(Alert(payload, signature).encode())
    with pytest.raises(LimitExceeded):
        Alert.decode(write_compact_size(MAX_ALERT + 1) + bytes(MAX_ALERT + 2))
    with pytest.raises(LimitExceeded):
        Alert.decode(b"\0" + write_compact_size(MAX_ALERT_SIGNATURE + 1) + signature + b"\0")
    for alert in (Alert(payload + b"!", b""), Alert(b"", signature + b"!")):
        with pytest.raises(Unencodable, match="1 bytes exceed"):
            alert.encode()
