"""What a machine does in time, and what it does not wait for."""

import pytest

from bitpeer.errors import (
    DisconnectReason,
    TimedOut,
)
from bitpeer.messages.control import MemPool, Ping, Pong, VerAck
from bitpeer.messages.inventory import GetData, Inv, NotFound
from bitpeer.wire.message import Message
from tests.peer.village import (
    establish,
    framed,
    hear,
    hello,
    item,
    items,
    make_machine,
    make_terms,
    said,
    spoken,
)
from tests.toy import Say, frame


def test_r_c1_who_says_nothing_is_given_up() -> None:
    machine = make_machine(make_terms(), outbound=False, now=1_000)
    machine.wake(1_029)
    assert machine.failure is None
    machine.wake(1_030)
    assert machine.failure is not None
    assert machine.failure.reason is DisconnectReason.HANDSHAKE_TIMEOUT


def test_r_c1_who_only_introduces_itself_or_only_pings_is_given_up_too() -> None:
    for words in ([hello()], [hello(), Ping(1), Ping(2), Ping(3)]):
        machine = make_machine(make_terms(), outbound=False, now=1_000)
        for now, word in enumerate(words, 1_020):
            hear(machine, word, now=now)
            machine.wake(now)
        machine.wake(1_030)
        assert machine.failure is not None
        assert machine.failure.reason is DisconnectReason.HANDSHAKE_TIMEOUT


def test_r_c1_bytes_that_drip_do_not_keep_a_connection() -> None:
    for before in ((hello(),), (hello(), VerAck())):
        machine = make_machine(make_terms(), outbound=False, now=0)
        hear(machine, *before)
        data, now = frame(b"say", b"\xc8" + bytes(200)), 0
        while machine.failure is None:
            assert list(machine.receive_data(data[now : now + 1], now)) == []
            machine.wake(now)
            now += 1
        assert machine.failure.reason is DisconnectReason.FRAME_TIMEOUT
        assert str(machine.failure) == "no complete message within 20.024 seconds"
        assert now - 1 == 21


def test_a_steady_stream_of_frames_is_never_too_slow() -> None:
    machine = establish(make_terms(), now=0)
    stream = framed(*(Say(bytes(100)) for _ in range(50)))
    for number, start in enumerate(range(0, len(stream), 17)):  # 17 bytes every two seconds
        for event in machine.receive_data(stream[start : start + 17], 2 * number):
            assert event == Say(bytes(100))
        machine.wake(2 * number + 1.9)
        assert machine.failure is None
    assert machine.messages_received == 52


def test_a_large_message_may_take_longer() -> None:
    machine = establish(make_terms(), now=0)
    data = frame(b"mine", bytes(100_000))
    for second in range(100):
        list(machine.receive_data(data[second * 1_000 : (second + 1) * 1_000], second))
        machine.wake(second)
    assert machine.failure is None
    machine.wake(121)
    assert machine.failure is not None


def test_silence_ends_it() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.wake(1_299)
    assert machine.failure is None
    machine.wake(1_300)
    assert machine.failure is not None
    assert machine.failure.reason is DisconnectReason.IDLE


def test_a_byte_is_a_sign_of_life() -> None:
    machine = establish(make_terms(), now=1_000)
    list(machine.receive_data(framed(Say(b"x"))[:1], 1_295))
    machine.wake(1_305)
    assert machine.failure is None


def test_pings_go_on() -> None:
    machine = establish(make_terms(), now=1_000)
    hear(machine, Pong(machine.keepalive.nonce), now=1_002)
    assert machine.keepalive.latency == 2
    machine.wake(machine.next_wake)
    assert spoken(machine) == ["ping"]


def test_a_late_pong_stirs() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.stirred = False
    hear(machine, Pong(12345), now=1_290)
    assert not machine.stirred
    hear(machine, Pong(machine.keepalive.nonce), now=1_290)
    assert machine.stirred
    machine.wake(1_290)
    assert spoken(machine) == ["ping"]


def test_r_c7_an_answer_that_is_owed_and_never_comes_ends_it() -> None:
    machine = establish(make_terms(stall_timeout=60.0), now=1_000)
    machine.stirred = False
    machine.send(GetData(items([1, 2])), 1_250)  # long after anything else happened
    assert machine.stirred
    assert machine.next_wake == 1_300
    list(machine.receive_data(framed(NotFound(items([1]))), 1_290))
    machine.wake(1_309)
    assert machine.failure is None
    machine.wake(1_310)
    assert isinstance(machine.failure, TimedOut)
    assert machine.failure.reason is DisconnectReason.STALLED


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GetData((item(0)._replace(hash=said(b"a")),)), Say(b"a")),
        (GetData(items([1])), NotFound(items([1]))),
        (MemPool(), Inv(())),
    ],
)
def test_r_c7_an_answer_ends_the_wait(request_: Message, answer: Message) -> None:
    machine = establish(make_terms(), now=1_000)
    machine.send(request_, 1_000)
    assert machine.next_wake == 1_060
    hear(machine, Say(b"something else"), now=1_001)
    assert machine.next_wake == 1_060
    assert hear(machine, answer, now=1_001) == [answer]
    assert machine.next_wake == 1_301
    assert machine.deadlines is None


def test_r_c7_a_pause_postpones_what_the_peer_owes() -> None:
    machine = establish(make_terms(), now=1_000)
    machine.send(GetData(items([1])), 1_000)
    list(machine.receive_data(framed(Say(b"x"))[:10], 1_000))
    machine.resume(1_500, 500)
    assert machine.next_wake == pytest.approx(1_520, abs=0.1)
    machine.wake(1_519)
    assert machine.failure is None
    list(machine.receive_data(framed(Say(b"x"))[10:], 1_519))
    machine.wake(1_559)
    assert machine.failure is None
    machine.wake(1_560)
    assert machine.failure is not None
    assert machine.failure.reason is DisconnectReason.STALLED


def test_stalling_may_be_allowed() -> None:
    machine = establish(make_terms(stall_timeout=None), now=1_000)
    machine.send(GetData(items([1])), 1_000)
    assert machine.deadlines is None
