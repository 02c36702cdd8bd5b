"""Tests of `bitpeer.testing.frames`."""

import pytest

from bitpeer.bitcoin import NETWORKS, GetHeaders, Inv, InvVect, Ping
from bitpeer.errors import BadChecksum, DecodeError, TrailingBytes
from bitpeer.testing.frames import Frames, NotAFrame, frame
from bitpeer.wire.message import Malformed, Unknown
from tests import toy

NETWORK = NETWORKS["regtest"]


def read(data, network=NETWORK):
    return list(Frames(network).feed(data))


def test_a_frame_is_what_it_should_be():
    data = frame(toy.NETWORK, toy.Say(b"hello"))
    assert data == toy.frame(b"say", b"\x05hello")
    assert read(data, toy.NETWORK) == [toy.Say(b"hello")]


def test_what_is_unknown_can_be_said_and_heard():
    assert read(frame(NETWORK, Unknown("what", b"ever"))) == [Unknown("what", b"ever")]


@pytest.mark.parametrize(
    ("lies", "position", "value"),
    [
        ({"magic": b"1234"}, 0, b"1234"),
        ({"command": b"pong"}, 4, b"pong" + bytes(8)),
        ({"length": 0xFFFF_FFFF}, 16, b"\xff" * 4),
        ({"checksum": b"good"}, 20, b"good"),
    ],
)
def test_each_part_of_a_header_can_be_a_lie(lies, position, value):
    honest, told = frame(NETWORK, Ping(7)), frame(NETWORK, Ping(7), **lies)
    end = position + len(value)
    assert told[position:end] == value
    assert (told[:position], told[end:]) == (honest[:position], honest[end:])


def test_the_payload_can_be_another_one():
    (heard,) = read(frame(NETWORK, Ping(7), payload=bytes(9)))
    assert isinstance(heard, Malformed)
    assert (heard.command, heard.payload) == ("ping", bytes(9))
    assert isinstance(heard.error, TrailingBytes)


@pytest.mark.parametrize("count", [0, 2, 252, 253, 50_001, 1 << 32])
def test_the_number_of_items_can_be_a_lie(count):
    inv = Inv([InvVect(1, bytes(32))])
    (heard,) = read(frame(NETWORK, inv, count=count))
    assert isinstance(heard, Malformed)
    assert isinstance(heard.error, DecodeError)
    assert not isinstance(heard.error, BadChecksum)
    assert heard.payload.endswith(inv.encode()[1:])


def test_a_number_can_be_somewhere_else():
    request = GetHeaders(70_016, [bytes(32)], bytes(32))
    data = frame(NETWORK, request, count=2_000, count_at=4)
    assert data[24:] == request.encode()[:4] + b"\xfd\xd0\x07" + request.encode()[5:]


def test_a_stream_may_be_cut_anywhere():
    whole = frame(NETWORK, Ping(7)) + frame(NETWORK, Unknown("x", b""))
    for cut in range(len(whole)):
        frames = Frames(NETWORK)
        heard = [*frames.feed(whole[:cut]), *frames.feed(whole[cut:])]
        assert heard == [Ping(7), Unknown("x", b"")]
        assert frames.rest == b""
    frames = Frames(NETWORK)
    assert list(frames.feed(whole[:30])) == []
    assert frames.rest == whole[:30]


def test_a_wrong_checksum_is_seen():
    (heard,) = read(frame(NETWORK, Ping(7), checksum=b"good"))
    assert isinstance(heard, Malformed)
    assert isinstance(heard.error, BadChecksum)


def test_what_is_no_frame_is_none():
    with pytest.raises(NotAFrame, match="31323334"):
        read(frame(NETWORK, Ping(7), magic=b"1234"))


def test_r_a12_many_frames_that_come_at_once_are_not_copied_for_each_of_them():
    frames = Frames(NETWORK)
    held = [frames._data for _ in frames.feed(frame(NETWORK, Ping(1)) * 100)]
    assert len(held) == 100
    assert all(each is held[0] for each in held)
    assert frames.rest == b""
