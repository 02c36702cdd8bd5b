from math import inf
from random import Random

import pytest
from twisted.internet.tcp import Connection
from zope.interface.verify import verifyObject

from bitpeer.net.outbox import (
    BATCH,
    PIECE,
    IPullProducer,
    IPushProducer,
    Outbox,
    direct_socket,
    joined,
    send_through,
    without_first,
)
from tests.net.stage import Kernel, PushTransport, SocketTransport, clock

LARGE = bytes(range(256)) * 1_000  # 256,000 bytes: more than three pieces


def text(chunks):
    return b"".join(bytes(chunk) for chunk in chunks)


# Direct sockets


def test_only_a_plain_transport_of_twisted_lends_its_socket():
    plain = SocketTransport()
    assert direct_socket(plain) is plain.kernel
    assert direct_socket(PushTransport()) is None


def test_a_transport_that_encrypts_does_not():
    encrypting = SocketTransport()
    encrypting.TLS = True
    assert isinstance(encrypting, Connection)
    assert direct_socket(encrypting) is None


@pytest.mark.parametrize(
    "sizes",
    [[1], [0], [1, 2, 3], [24, 200_000], [PIECE], [PIECE - 1, 1, 1], [1, PIECE, 0, 1], [9] * 9_999],
)
def test_joining_changes_nothing_but_the_cuts(sizes):
    chunks = [LARGE[:size] for size in sizes]
    pieces = joined(chunks)
    assert text(pieces) == text(chunks)
    assert all(len(piece) <= PIECE or piece in chunks for piece in pieces)
    assert len(pieces) <= 1 + 2 * sum(sizes) // PIECE


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 9])
def test_what_is_left_is_exactly_what_was_not_taken(count):
    chunks = [b"abc", b"", b"de", b"fghi"]
    assert text(without_first(chunks, count)) == b"abcdefghi"[count:]
    assert all(len(chunk) for chunk in without_first(chunks, count)[:1])


@pytest.mark.parametrize("room", [0, 1, 24, 25, 100_000, 400_000, inf])
@pytest.mark.parametrize("chunks", [[b"x"], [LARGE], [b"head" * 6, LARGE], [LARGE, b"z", LARGE]])
@pytest.mark.parametrize("gathers", [True, False])
def test_as_much_is_sent_as_the_kernel_takes(room, chunks, gathers, monkeypatch):
    if not gathers:  # as on Windows
        monkeypatch.delattr(Kernel, "sendmsg")
    kernel = Kernel(room)
    count, rest = send_through(kernel, chunks)
    assert kernel.data + text(rest) == text(chunks)
    assert count == len(kernel.data)
    if gathers or len(chunks) == 1:
        assert count == min(room, len(text(chunks)))


def test_many_small_chunks_are_worth_one_system_call():
    kernel = Kernel()
    assert send_through(kernel, [b"small"] * 10_000) == (50_000, ())
    assert kernel.calls == 1


def test_many_large_chunks_leave_in_batches():
    kernel = Kernel()
    chunks = [LARGE[:PIECE]] * (BATCH + 1)
    assert send_through(kernel, chunks) == (PIECE * (BATCH + 1), ())
    assert kernel.calls == 2
    assert kernel.data == text(chunks)


def test_a_broken_socket_counts_as_a_full_one():
    kernel = Kernel()
    kernel.broken = True
    assert send_through(kernel, [b"lost"]) == (0, [b"lost"])


# Queues


class Queue:
    """An outbox, the transport behind it, and what was told of it."""

    def __init__(self, transport):
        self.transport = transport
        self.clock = clock()
        self.taken = []
        self.outbox = Outbox(transport, direct_socket(transport), self.clock.seconds, self.note)
        self.react = lambda: None

    def note(self, count):
        self.taken.append(count)
        self.react()

    def send(self, *chunks):
        self.outbox.put(chunks)
        self.outbox.push()


def over_socket(room=0):
    return Queue(SocketTransport(room))


def over_other(limit=PIECE):
    return Queue(PushTransport(limit))


def test_it_produces_for_any_transport():
    outbox = over_socket().outbox
    assert verifyObject(IPullProducer, outbox)
    assert verifyObject(IPushProducer, outbox)


@pytest.mark.parametrize("make", [over_socket, over_other])
@pytest.mark.parametrize("seed", range(10))
def test_everything_reaches_a_slow_reader_in_order(make, seed):
    die = Random(seed)
    queue = make()
    sent = b""
    for _ in range(60):
        chunk = die.randbytes(die.choice([0, 1, 1_000, PIECE - 1, PIECE, PIECE + 1, 200_000]))
        sent += chunk
        queue.send(chunk)
        if make is over_socket:
            queue.transport.make_room(die.choice([0, 1, 30_000, PIECE, PIECE + 1, 150_000]))
        else:
            assert queue.transport.waiting <= 2 * PIECE
            if die.random() < 0.5:
                queue.transport.drain()
        assert queue.outbox.queued == len(sent) - sum(queue.taken)
        assert queue.transport.sent == sent[: len(queue.transport.sent)]
    while queue.outbox.queued:
        queue.transport.make_room(PIECE) if make is over_socket else queue.transport.drain()
    assert queue.transport.sent == sent
    assert sum(queue.taken) == len(sent)


def test_what_was_lent_counts_until_it_is_taken():
    queue = over_socket()
    queue.send(LARGE)
    assert len(queue.transport.buffer) == PIECE
    assert queue.outbox.queued == len(LARGE)
    assert not queue.taken
    queue.transport.make_room(PIECE - 1)
    assert queue.outbox.queued == len(LARGE)
    queue.transport.make_room(1)
    assert queue.taken == [PIECE]


def test_r_j2_a_transport_knows_of_the_queue_only_while_it_must():
    queue = over_socket()
    queue.send(b"waits")
    assert queue.transport.producer is queue.outbox
    assert not queue.transport.streaming
    queue.transport.make_room(5)
    assert queue.transport.producer is None
    queue.send(b"waits again")
    assert queue.transport.producer is queue.outbox


def test_r_j2_a_transport_that_is_full_may_not_forget_the_queue_even_if_it_is_empty():
    """Else every small write would be added to a buffer that nobody reads (R-J2)."""
    queue = over_other(limit=10)
    queue.send(b"fits")
    assert queue.transport.producer is None
    queue.send(b"one too much")
    assert queue.outbox.queued == 0
    assert queue.transport.producer is queue.outbox
    assert queue.transport.streaming
    for _ in range(100):
        queue.send(b"kept here")
    assert queue.transport.waiting == 16
    assert queue.outbox.queued == 900
    queue.transport.drain()
    assert queue.outbox.queued == 0
    assert queue.transport.sent == b"fitsone too much" + b"kept here" * 100
    queue.transport.drain()
    assert queue.transport.producer is None


def test_closing_lets_go_of_the_transport_and_may_be_repeated():
    queue = over_other(limit=1)
    queue.send(b"full")
    queue.outbox.close()
    assert queue.transport.producer is None
    queue.outbox.close()


def test_a_transport_that_is_gone_gets_nothing_more():
    queue = over_other()
    queue.outbox.stopProducing()
    queue.outbox.put([b"late"])
    queue.outbox.push()
    assert queue.transport.sent == b""
    assert queue.outbox.queued == 4
    queue.transport.producer = None
    queue.outbox.stopProducing()
    queue.outbox.close()


@pytest.mark.parametrize("make", [over_socket, over_other])
def test_dropping_forgets_everything(make):
    queue = make()
    queue.send(LARGE, b"more")
    queue.outbox.drop()
    assert queue.outbox.queued == 0
    assert queue.outbox.began == inf
    taken = sum(queue.taken)
    sent = len(queue.transport.sent)
    if make is over_socket:
        queue.transport.make_room(inf)
        assert queue.transport.sent == LARGE[:PIECE]  # what was lent cannot be taken back
    else:
        queue.transport.drain()
        assert len(queue.transport.sent) == sent
    assert sum(queue.taken) == taken


@pytest.mark.parametrize("make", [over_socket, over_other])
def test_who_drops_everything_on_hearing_of_progress_stops_it_there(make):
    queue = make()
    queue.react = queue.outbox.drop
    queue.send(LARGE, LARGE)
    if make is over_socket:
        queue.transport.make_room(PIECE)
    assert queue.taken == [PIECE]
    assert queue.outbox.queued == 0


@pytest.mark.parametrize("make", [over_socket, over_other])
def test_who_sends_more_on_hearing_of_progress_is_served_in_turn(make):
    queue = make()

    def more():
        queue.react = lambda: None
        queue.send(b"more")

    queue.react = more
    queue.send(LARGE)
    while queue.outbox.queued:
        queue.transport.make_room(inf) if make is over_socket else queue.transport.drain()
    assert queue.transport.sent == LARGE + b"more"


# Time


def test_the_clock_starts_when_something_begins_to_wait():
    queue = over_socket()
    assert queue.outbox.began == inf
    queue.clock.advance(5)
    queue.send(b"waits", b"too")
    assert queue.outbox.began == queue.clock.seconds()
    assert queue.outbox.lot == 8


def test_what_comes_later_does_not_extend_the_time_of_what_is_waiting():
    queue = over_socket()
    queue.send(b"first")
    began = queue.outbox.began
    queue.clock.advance(5)
    queue.send(LARGE)
    assert (queue.outbox.began, queue.outbox.lot) == (began, 5)


def test_nor_does_progress_but_when_the_lot_is_gone_the_clock_starts_anew():
    queue = over_socket()
    queue.send(b"first")
    began = queue.outbox.began
    queue.send(LARGE)
    queue.clock.advance(5)
    queue.transport.make_room(3)
    assert (queue.outbox.began, queue.outbox.lot) == (began, 5)
    queue.clock.advance(5)
    queue.transport.make_room(2)
    assert queue.outbox.began == began + 10
    assert queue.outbox.lot == len(LARGE)
    queue.transport.make_room(inf)
    assert queue.outbox.began == inf
