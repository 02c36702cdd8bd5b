import pytest
from twisted.internet.defer import CancelledError

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    NotEstablished,
    NotNegotiated,
    Unencodable,
)
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.writer import CORK
from tests.net.stage import (
    GREETING,
    PushTransport,
    Recorder,
    SocketTransport,
    commands,
    frame,
    frames,
    join,
    meet,
    node,
    ping,
    say,
)
from tests.toy import Hello, Say

ITEM, OTHER = InvVect(1, b"i" * 32), InvVect(1, b"o" * 32)


class Outcome:
    """What became of a Deferred."""

    def __init__(self, deferred):
        self.results = []
        deferred.addBoth(self.results.append)

    @property
    def pending(self):
        return not self.results

    @property
    def value(self):
        (result,) = self.results
        return getattr(result, "value", result)


def texts(peer):
    """What the other end has been said."""
    return [payload[1:] for command, payload in frames(peer.transport.sent) if command == "say"]


class Doing(PeerListener):
    """Does something with the peer whenever it says something."""

    def __init__(self, do):
        self.do = do

    @on(Say)
    def said(self, peer, message):
        self.do(peer)


# Sending


@pytest.mark.parametrize("make", [SocketTransport, PushTransport])
def test_a_message_leaves_at_once(make):
    peer = meet(node(), make())
    peer.send(Say(b"hello"))
    assert texts(peer) == [b"hello"]
    assert peer.bytes_sent == len(peer.transport.sent)
    assert peer.queued == peer.held == 0


def test_a_mistake_of_ours_in_sending_does_not_reach_the_caller(logged_failures, monkeypatch):
    peer = meet(node())

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(type(peer.machine), "data_to_send", broken)
    peer.send(Say(b"hello"))
    assert peer.transport.aborted
    assert len(logged_failures.claim(ZeroDivisionError)) == 1


def test_over_a_socket_it_costs_one_system_call():
    peer = meet(node())
    before = peer.transport.kernel.calls
    peer.send(Say(b"hello"))
    assert peer.transport.kernel.calls == before + 1
    assert peer.transport.producer is None


def test_a_frame_for_many_costs_one_system_call():
    peer = meet(node())
    before, calls = peer.bytes_sent, peer.transport.kernel.calls
    peer.node.clock.advance(5)
    assert peer.share(Say(b"to all"), say(b"to all"), peer.node.clock.seconds())
    assert texts(peer) == [b"to all"]
    assert peer.transport.kernel.calls == calls + 1
    assert peer.bytes_sent - before == len(say(b"to all"))
    assert peer.last_send == peer.node.clock.seconds()
    assert peer.queued == 0


@pytest.mark.parametrize("room", [0, 1, 29])
def test_what_the_kernel_does_not_take_of_it_waits(room):
    peer = meet(node())
    peer.transport.kernel.room = room
    assert peer.share(Say(b"first"), say(b"first"), 0.0)
    assert peer.queued == peer.held == len(say(b"first")) - room
    assert peer.share(Say(b"second"), say(b"second"), 0.0)
    peer.send(Say(b"third"))
    peer.transport.make_room(1_000)
    peer.node.clock.advance(1)
    assert texts(peer) == [b"first", b"second", b"third"]
    assert peer.share(Say(b"fourth"), say(b"fourth"), 0.0)
    assert texts(peer)[3:] == [b"fourth"]
    assert peer.queued == peer.held == 0


def test_a_broken_socket_keeps_a_frame_for_many():
    peer = meet(node())
    peer.transport.kernel.broken = True
    assert peer.share(Say(b"lost"), say(b"lost"), 0.0)
    assert peer.queued == len(say(b"lost"))


def test_a_frame_for_many_takes_the_long_way_where_it_must():
    stage = node(Doing(lambda peer: peer.share(Say(b"answer"), say(b"answer"), 0.0)))
    plain, other = meet(stage), meet(stage, PushTransport())
    assert other.share(Say(b"to all"), say(b"to all"), 0.0)
    assert texts(other) == [b"to all"]
    plain.dataReceived(say(b"x") * 3)
    assert texts(plain) == [b"answer"] * 3
    plain.disconnect()
    assert not plain.share(Say(b"late"), say(b"late"), 0.0)
    with pytest.raises(NotEstablished):
        join(stage).share(Say(b"early"), say(b"early"), 0.0)


def test_a_mistake_of_ours_in_sharing_does_not_reach_the_caller(logged_failures, monkeypatch):
    peer = meet(node())
    peer.transport.kernel.room = 0

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(peer.transport, "registerProducer", broken)
    peer.share(Say(b"hello"), say(b"hello"), 0.0)
    assert peer.transport.aborted
    assert len(logged_failures.claim(ZeroDivisionError)) == 1


def test_what_is_said_while_messages_are_delivered_leaves_together():
    peer = meet(node(Doing(lambda peer: peer.send(Say(b"answer")))))
    before = peer.transport.kernel.calls
    peer.dataReceived(say(b"x") * 10 + ping(1))
    assert peer.transport.kernel.calls == before + 1
    assert commands(peer.transport.sent)[-11:] == ["say"] * 10 + ["pong"]


def test_but_not_without_end():
    lengths = []

    def do(peer):
        peer.send(Say(bytes(CORK // 3)))
        lengths.append(peer.queued)

    peer = meet(node(Doing(do)))
    peer.dataReceived(say(b"x") * 10)
    assert max(lengths) <= CORK
    assert peer.queued == 0
    assert len(texts(peer)) == 10


def test_r_c2_before_the_handshake_nothing_can_be_said():
    """R-C2."""
    peer = join(node())
    with pytest.raises(NotEstablished):
        peer.send(Say(b"early"))
    assert isinstance(Outcome(peer.deliver(Say(b"early"))).value, NotEstablished)
    assert not peer.announce(ITEM)
    peer.add_known(ITEM)
    assert peer.transport.sent == b""


def test_what_cannot_be_said_changes_nothing():
    peer = meet(node())
    before = peer.transport.sent
    with pytest.raises(Unencodable):
        peer.send(Say(bytes(100_001)))
    with pytest.raises(NotNegotiated):
        peer.send(Hello(2, 0, 0, 0))
    assert isinstance(Outcome(peer.deliver(Say(bytes(100_001)))).value, Unencodable)
    assert peer.transport.sent == before
    assert peer.established


def test_after_the_loss_everything_may_be_called_and_nothing_happens():
    peer = meet(node())
    peer.transport.lose()
    before = peer.transport.sent
    peer.send(Say(b"late"))
    assert Outcome(peer.deliver(Say(b"late"))).value.reason is DisconnectReason.CLOSED_BY_PEER
    assert not peer.announce(ITEM)
    peer.add_known(ITEM)
    assert not peer.knows(ITEM)
    peer.disconnect()
    assert peer.transport.sent == before


# Delivering


def test_delivery_is_told_when_the_kernel_has_taken_the_last_byte():
    peer = meet(node())
    peer.transport.kernel.room = 1_000
    outcome = Outcome(peer.deliver(Say(bytes(2_000))))
    assert outcome.pending
    peer.transport.make_room(1_026)
    assert outcome.pending
    peer.transport.make_room(1)
    assert outcome.value is None


def test_delivery_over_any_other_transport_is_told_when_it_has_got_the_last_byte():
    peer = meet(node(), PushTransport(limit=100_000))
    first = Outcome(peer.deliver(Say(bytes(99_000))))
    second = Outcome(peer.deliver(Say(bytes(99_000))))
    assert first.value is None
    assert second.pending
    peer.transport.drain()
    assert second.value is None


def test_deliveries_are_told_in_order():
    peer = meet(node())
    peer.transport.kernel.room = 0
    told = []
    for number in range(5):
        peer.deliver(Say(b"%d" % number)).addCallback(lambda _, number=number: told.append(number))
    peer.transport.make_room(26 * 2 + 3)
    assert told == [0, 1]
    peer.transport.make_room(1_000)
    assert told == [0, 1, 2, 3, 4]


def test_what_is_never_delivered_fails_with_the_reason():
    peer = meet(node())
    peer.transport.kernel.room = 0
    outcome = Outcome(peer.deliver(Say(b"lost")))
    peer.transport.lose()
    assert isinstance(outcome.value, Disconnected)
    assert outcome.value.reason is DisconnectReason.CLOSED_BY_PEER


@pytest.mark.parametrize("nonsense", [None, b"ping", 5, object])
def test_what_is_no_message_fails_and_raises_nothing(nonsense):
    peer = meet(node())
    before = peer.transport.sent
    assert isinstance(Outcome(peer.deliver(nonsense)).value, Exception)
    assert peer.established
    assert peer.transport.sent == before


def test_a_delivery_may_be_cancelled_and_leaves_all_the_same():
    peer = meet(node())
    peer.transport.kernel.room = 0
    deferred = peer.deliver(Say(b"x"))
    outcome = Outcome(deferred)
    deferred.cancel()
    assert isinstance(outcome.value, CancelledError)
    peer.transport.make_room(1_000)
    assert texts(peer) == [b"x"]


def test_delivery_while_messages_are_delivered_is_told_afterwards():
    outcomes = []
    peer = meet(node(Doing(lambda peer: outcomes.append(Outcome(peer.deliver(Say(b"y")))))))
    peer.dataReceived(say(b"x"))
    assert outcomes[0].value is None


def test_who_sends_on_hearing_of_a_delivery_does_not_overtake_what_is_waiting():
    """The kernel may have got room again in the meantime."""
    peer = meet(node())
    peer.transport.kernel.room = 26 + 10

    def more(_):
        peer.transport.kernel.room += 1_000
        peer.send(Say(b"C"))

    stage_full = peer.deliver(Say(b"A"))
    assert texts(peer) == [b"A"]
    assert stage_full.called
    peer.transport.kernel.room = 0
    peer.deliver(Say(b"A")).addCallback(more)
    peer.send(Say(b"B"))
    peer.transport.kernel.room = 26 + 10
    peer.transport.make_room(0)
    peer.transport.make_room(1_000)
    assert texts(peer) == [b"A", b"A", b"B", b"C"]


def test_nor_does_who_hears_of_the_first_half_of_a_flush():
    """The kernel takes one message of two, and has room again when that is told."""

    def do(peer):
        peer.transport.kernel.room = 26 + 10
        peer.deliver(Say(b"A")).addCallback(lambda _: more(peer))
        peer.send(Say(b"B"))

    def more(peer):
        peer.transport.kernel.room += 1_000
        peer.send(Say(b"C"))

    peer = meet(node(Doing(do)))
    peer.dataReceived(say(b"go"))
    peer.transport.make_room(1_000)
    assert texts(peer) == [b"A", b"B", b"C"]


# Announcing


def test_announcements_leave_in_batches_when_it_is_time():
    stage = node(trickle_interval=10)
    peer = meet(stage)
    for item in (ITEM, OTHER, ITEM):
        assert peer.announce(item)
    stage.clock.pump([1] * 9)
    assert "inv" not in commands(peer.transport.sent)
    stage.clock.pump([0.1] * 13)
    assert frames(peer.transport.sent)[-1][0] == "inv"
    assert set(Inv.decode(frames(peer.transport.sent)[-1][1]).items) == {ITEM, OTHER}
    assert not peer.announce(ITEM)
    assert peer.knows(ITEM)


@pytest.mark.parametrize("item", [InvVect(1, b"short"), InvVect(1 << 32, b"h" * 32)])
def test_what_cannot_be_announced_is_refused_at_once(item):
    """Not when the batch leaves, to the harm of all that is in it."""
    stage = node(trickle_interval=1)
    peer = meet(stage)
    peer.announce(ITEM)
    with pytest.raises(Unencodable):
        peer.announce(item)
    stage.clock.pump([0.1] * 25)
    assert commands(peer.transport.sent)[-1] == "inv"
    assert peer.established


def test_what_a_peer_knows_is_not_announced():
    peer = meet(node())
    peer.add_known(ITEM)
    assert peer.knows(ITEM)
    assert not peer.announce(ITEM)
    peer.dataReceived(frame(Inv((OTHER,))))
    assert peer.knows(OTHER)
    assert not peer.announce(OTHER)


def test_announcing_is_legal_while_messages_are_delivered():
    answers = []
    stage = node(Doing(lambda peer: answers.append(peer.announce(ITEM))), trickle_interval=1)
    peer = meet(stage)
    peer.dataReceived(say(b"x") + say(b"y"))
    assert answers == [True, True]
    stage.clock.pump([0.1] * 15)
    assert commands(peer.transport.sent)[-1] == "inv"


# Slow readers


def test_a_full_queue_stops_reading_and_an_emptier_one_starts_it():
    stage = node(pause_queue=10_000)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(bytes(9_000)))
    assert peer.transport.reading
    peer.send(Say(bytes(1_000)))
    assert not peer.transport.reading
    peer.transport.make_room(2_000)
    assert not peer.transport.reading
    peer.transport.make_room(3_100)
    assert not peer.transport.reading  # one piece is lent to the transport as a whole
    peer.transport.make_room(10_000)
    assert peer.transport.reading


def test_however_small_the_limit_an_empty_queue_starts_reading_again():
    peer = meet(node(pause_queue=1), PushTransport(limit=1))
    peer.transport.drain()
    peer.send(Say(b"x"))
    peer.send(Say(b"y"))
    assert not peer.transport.reading
    peer.transport.drain()
    peer.transport.drain()
    assert peer.queued == 0
    assert peer.transport.reading


@pytest.mark.parametrize("make", [SocketTransport, PushTransport])
def test_r_a2_a_peer_that_asks_without_end_and_never_reads_is_held_at_the_limit(make):
    """R-A2: then it is cut off for its slowness (R-A3)."""
    recorder = Recorder()
    asked = Doing(lambda peer: peer.send(Say(bytes(90_000))))
    stage = node(asked, recorder, pause_queue=1_000_000, max_queue=5_000_000)
    transport = make()
    peer = meet(stage, transport)
    if make is SocketTransport:
        transport.kernel.room = 0
    else:
        transport.limit = 0
    handled = 0
    while transport.reading and handled < 1_000:
        peer.dataReceived(say(b"getdata"))
        handled += 1
    assert handled < 20
    assert peer.queued <= 1_000_000 + 90_100
    for _ in range(1_000):
        stage.clock.advance(1)
    assert transport.aborted
    transport.lose()
    (reason,) = recorder.told("lost")
    assert reason.reason is DisconnectReason.SEND_TIMEOUT
    assert stage.held == 0


def test_r_a2_a_peer_for_whom_too_much_is_waiting_is_cut_off():
    """R-A2: whatever the application sends, memory is bounded."""
    recorder = Recorder()
    stage = node(recorder, pause_queue=1_000, max_queue=100_000)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    outcome = Outcome(peer.deliver(Say(b"never")))
    for _ in range(100):
        peer.send(Say(bytes(10_000)))
        assert peer.queued <= 100_000 + 10_100
    assert peer.transport.aborted
    assert peer.held == stage.held == 0
    peer.transport.lose()
    (reason,) = recorder.told("lost")
    assert reason.reason is DisconnectReason.SEND_QUEUE_FULL
    assert "at most 100000 may" in str(reason)
    assert outcome.value is reason


@pytest.mark.parametrize("make", [SocketTransport, PushTransport])
def test_everything_reaches_a_slow_reader_in_order(make):
    peer = meet(node(max_queue=50_000_000), make())
    transport = peer.transport
    if make is SocketTransport:
        transport.kernel.room = 100
    else:
        transport.limit = 70_000
    said = [b"%d" % number * (number * 37 % 9_000) for number in range(300)]
    for number, text in enumerate(said):
        peer.send(Say(text))
        if number % 7 == 0:
            transport.make_room(50_000) if make is SocketTransport else transport.drain()
        assert peer.queued == peer.machine.bytes_produced - peer.bytes_sent == peer.node.held
    while peer.queued:
        transport.make_room(50_000) if make is SocketTransport else transport.drain()
    received = frames(transport.sent)[3:]
    assert [Say.decode(payload).text for _, payload in received] == said
    assert peer.bytes_sent == len(transport.sent)
    assert peer.node.held == 0


def test_a_node_knows_what_it_holds_at_every_moment():
    stage = node()
    one, other = meet(stage), meet(stage)
    one.transport.kernel.room = other.transport.kernel.room = 0
    one.send(Say(bytes(1_000)))
    other.send(Say(bytes(500)))
    other.dataReceived(frame(Say(b"abc"))[:10])
    assert (one.held, other.held) == (1_027, 537)
    assert stage.held == 1_564
    one.transport.lose()
    assert stage.held == 537
    other.transport.make_room(1_000)
    assert stage.held == 10
    other.transport.lose()
    assert stage.held == 0


def test_a_reaction_to_a_full_queue_may_be_to_hang_up():
    peer = meet(node(Doing(lambda peer: peer.disconnect())))
    peer.transport.kernel.room = 0
    peer.send(Say(b"last words"))
    peer.dataReceived(say(b"bye"))
    assert not peer.transport.disconnecting
    peer.transport.make_room(1_000)
    assert peer.transport.disconnecting
    assert peer.transport.closings == 1
    assert peer.transport.producer is None


def test_hanging_up_on_hearing_of_a_delivery_is_legal():
    peer = meet(node())
    peer.transport.kernel.room = 0
    peer.deliver(Say(b"A")).addCallback(lambda _: peer.disconnect())
    peer.send(Say(bytes(100_000)))
    peer.transport.make_room(100)
    assert not peer.transport.disconnecting
    while peer.queued:
        peer.transport.make_room(50_000)
    assert len(texts(peer)) == 2
    assert peer.transport.disconnecting


def test_a_broken_socket_is_left_to_the_transport():
    peer = meet(node())
    peer.transport.kernel.broken = True
    peer.send(Say(b"into the void"))
    assert peer.transport.buffer
    assert not peer.transport.aborted
    peer.transport.lose(ConnectionResetError())
    assert peer.snapshot().disconnect_reason is DisconnectReason.CONNECTION_BROKEN


def test_the_first_words_go_through_a_full_kernel_too():
    peer = join(node(), SocketTransport(room=10), outbound=True)
    assert peer.queued == len(peer.transport.buffer)
    peer.transport.make_room(1_000)
    assert commands(peer.transport.sent) == ["version"]
    peer.dataReceived(GREETING)
    assert peer.established
