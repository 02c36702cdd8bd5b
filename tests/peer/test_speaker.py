"""Turning messages into bytes, and counting them."""

from bitpeer.errors import RemoteError
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.peer.speaker import Speaker
from bitpeer.wire.framing import Framing
from bitpeer.wire.message import Message, Unknown
from tests.peer.village import envelope
from tests.toy import Say, frame, silly_checksum


class Ear:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.read: list[tuple[str, int, object, object]] = []
        self.queued: list[tuple[Message | Unknown, int]] = []

    def message_read(
        self, command: str, size: int, message: Message | Unknown | None, error: RemoteError | None
    ) -> None:
        self.read.append((command, size, message, error))

    def message_queued(self, message: Message | Unknown, size: int) -> None:
        self.queued.append((message, size))


def make() -> Speaker:
    """Return a speaker that has said nothing."""
    return Speaker(Framing(envelope(), 1_000))


def test_at_first_there_is_nothing_to_send() -> None:
    speaker = make()
    assert not speaker.has_data_to_send
    assert speaker.data_to_send() == []
    assert speaker.bytes_produced == 0


def test_messages_leave_in_order_and_once() -> None:
    speaker = make()
    speaker._write((Ping(7), VerAck()))
    speaker._write((Unknown("mine", b"abc"),))
    assert speaker.has_data_to_send
    expected = frame(b"ping", bytes([7]) + bytes(7)) + frame(b"verack") + frame(b"mine", b"abc")
    assert b"".join(speaker.data_to_send()) == expected
    assert not speaker.has_data_to_send
    assert speaker.data_to_send() == []


def test_every_byte_is_counted() -> None:
    speaker = make()
    speaker._write((Ping(7), VerAck()))
    speaker.answer_ping(Ping(7), bytes(8), bytes(4))
    speaker._write((Say(b"x" * 40_000),))
    assert speaker.bytes_produced == sum(map(len, speaker.data_to_send()))
    speaker._write(())
    assert not speaker.has_data_to_send


def test_a_pong_is_the_ping_sent_back() -> None:
    speaker = make()
    payload = Ping(0x0102030405060708).encode()
    checksum = silly_checksum(payload)[:4]
    for _ in range(2):
        assert speaker.answer_ping(Ping(0x0102030405060708), payload, checksum)
    assert b"".join(speaker.data_to_send()) == 2 * frame(b"pong", payload)


def test_an_observer_learns_of_everything_that_is_queued() -> None:
    speaker, ear = make(), Ear()
    speaker.observer = ear
    speaker._write((VerAck(), Say(b"abc")))
    speaker.answer_ping(Ping(5), Ping(5).encode(), bytes(4))
    assert ear.queued == [(VerAck(), 24), (Say(b"abc"), 28), (Pong(5), 32)]
    assert speaker.bytes_produced == 24 + 28 + 32


def test_a_large_message_is_not_copied() -> None:
    speaker, text = make(), Say(b"x" * 40_000)
    speaker._write((text,))
    header, payload = speaker.data_to_send()
    assert (len(header), len(payload)) == (24, 40_000 + 3)
