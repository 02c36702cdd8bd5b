import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.feature import Feature
from bitpeer.errors import (
    DecodeError,
    InvalidValue,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)

MESSAGES = [
    (Feature(b"BIPX"), "044249505800"),  # accepted by Bitcoin Core
    (Feature(b"BIP434", b"\x01\x02"), "06424950343334" + "02" + "0102"),
]


@pytest.mark.parametrize(("message", "wire"), MESSAGES)
def test_the_bytes_are_as_specified(message, wire):
    assert message.encode().hex() == wire
    assert Feature.decode(bytes.fromhex(wire)) == message


@pytest.mark.parametrize("wire", [wire for _, wire in MESSAGES])
def test_every_truncation_is_refused(wire):
    raw = bytes.fromhex(wire)
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            Feature.decode(raw[:size])


@pytest.mark.parametrize("wire", [wire for _, wire in MESSAGES])
def test_nothing_may_follow(wire):
    with pytest.raises(TrailingBytes):
        Feature.decode(bytes.fromhex(wire) + b"\0")


@given(st.binary(min_size=4, max_size=80), st.binary(max_size=512))
def test_what_is_sent_is_what_arrives(name, data):
    wire = Feature(name, data).encode()
    assert Feature.decode(wire) == Feature(name, data)
    assert Feature.min_size <= len(wire) <= Feature.max_size


@given(st.binary(max_size=100))
def test_noise_is_refused_or_survives_a_round_trip(noise):
    try:
        message = Feature.decode(noise)
    except DecodeError:
        return
    assert message.encode() == noise


def test_the_sizes_of_the_smallest_and_the_largest_are_known():
    assert len(Feature(bytes(4)).encode()) == Feature.min_size == 6
    assert len(Feature(bytes(80), bytes(512)).encode()) == Feature.max_size == 596


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_name_that_is_too_short_is_refused(size):
    with pytest.raises(InvalidValue):
        Feature.decode(bytes([size]) + bytes(size) + b"\0")
    with pytest.raises(Unencodable):
        Feature(bytes(size)).encode()


def test_a_name_that_is_too_long_is_refused():
    with pytest.raises(LimitExceeded):
        Feature.decode(b"\x51" + bytes(81) + b"\0")
    with pytest.raises(Unencodable):
        Feature(bytes(81)).encode()


def test_data_that_is_too_long_is_refused():
    with pytest.raises(LimitExceeded):
        Feature.decode(b"\x04BIPX\xfd\x01\x02" + bytes(513))
    with pytest.raises(Unencodable):
        Feature(b"BIPX", bytes(513)).encode()


def test_a_length_that_is_longer_than_needed_is_refused():
    with pytest.raises(NonCanonical):
        Feature.decode(b"\xfd\x04\x00BIPX\x00")


def test_the_message_is_named_and_gated():
    assert (Feature.command, Feature.since) == ("feature", 70017)
