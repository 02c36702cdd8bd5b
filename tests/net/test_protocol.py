import subprocess
import sys
from math import inf
from time import process_time

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from zope.interface import classImplementsOnly, implementer

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    LimitExceeded,
    Refused,
    SelfConnection,
    Truncated,
    Unanswered,
)
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IVersionListener
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.protocol import LARGE_READ, MAX_FAREWELL, SMALL_READ, PeerProtocol
from tests.net.stage import (
    GREETING,
    NOON,
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
from tests.toy import MAX_PAYLOAD, Hello, Say, frame as raw_frame


def let_pass(stage, seconds, step=0.5):
    """Time goes by in small steps, as it does."""
    for _ in range(int(seconds / step)):
        stage.clock.advance(step)


def reason_of(peer):
    return peer.snapshot().disconnect_reason


def cut(peer, reason):
    """Whether the connection was cut at once, for this reason."""
    return peer.transport.aborted and reason_of(peer) is reason


def closed(peer, reason):
    """Whether the connection was closed in good order, for this reason."""
    return peer.transport.disconnecting and not peer.transport.aborted and reason_of(peer) is reason


class Told:
    """What became of a Deferred."""

    def __init__(self, deferred):
        self.results = []
        deferred.addBoth(self.results.append)

    @property
    def value(self):
        (result,) = self.results
        return getattr(result, "value", result)


# The beginning


def test_it_is_a_protocol_of_twisted():
    assert issubclass(PeerProtocol, Protocol)


def test_however_many_there_are_none_needs_a_dictionary():
    """Names that the first instances of a class lacked cost every later one 800 bytes."""
    program = """if True:
        import gc
        from bitpeer.messages.inventory import InvVect
        from tests.net.stage import GREETING, join, node
        stage = node()
        crowd = [join(stage) for _ in range(50)]
        for peer in crowd:
            peer.dataReceived(GREETING)
            peer.announce(InvVect(1, bytes(32)))
            peer.facts["note"] = 1
            peer.update_last_block(7)
        for peer in crowd:
            own = [each for each in gc.get_referents(peer) if isinstance(each, dict)]
            assert own in ([], [peer.facts]), own
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_who_dials_speaks_first():
    stage = node()
    assert commands(join(stage, outbound=True).transport.sent) == ["version"]
    assert join(stage).transport.sent == b""


def test_a_socket_that_only_claims_to_be_tcp_is_as_good():
    class Unix(SocketTransport):
        def setTcpNoDelay(self, enabled):  # noqa: N802
            raise OSError(95, "Operation not supported")

    assert meet(node(), Unix()).established


def test_small_messages_are_not_held_back_by_the_kernel():
    stage = node()
    assert join(stage, SocketTransport()).transport.no_delay
    assert join(stage, PushTransport()).transport.no_delay


def test_a_transport_that_is_no_tcp_will_do():
    class Bare(PushTransport):
        pass

    classImplementsOnly(Bare)
    peer = meet(node(), Bare())
    assert not peer.transport.no_delay
    peer.send(Say(b"x"))
    assert commands(peer.transport.sent)[-1] == "say"


def test_what_was_dialled_names_the_peer():
    stage = node()
    peer = PeerProtocol(stage, join(stage).machine, "example.org:8333")
    assert peer.address == "example.org:8333"


def test_both_sides_agree_and_say_it_to_each_listener():
    recorder = Recorder()
    peer = meet(node(recorder))
    assert peer.established
    assert [entry[0] for entry in recorder.log] == ["message", "message", "established"]


def test_the_first_ping_leaves_at_once_and_the_next_in_time():
    stage = node(ping_interval=100, idle_timeout=1_000)
    peer = meet(stage)
    let_pass(stage, 85)
    assert commands(peer.transport.sent).count("ping") == 1
    nonce = frames(peer.transport.sent)[-1][1]
    peer.dataReceived(raw_frame(b"pong", nonce))
    let_pass(stage, 30)
    assert commands(peer.transport.sent).count("ping") == 2


# Those who wait


def test_those_who_wait_for_a_peer_get_it():
    stage = node()
    peer = join(stage)
    early = Told(peer.when_established())
    assert not early.results
    peer.dataReceived(GREETING)
    assert early.value is peer
    assert Told(peer.when_established()).value is peer


def test_listeners_hear_of_a_peer_before_those_who_wait():
    order = []

    class Listener(PeerListener):
        def peer_established(self, peer, version):
            order.append("listener")

    peer = join(node(Listener()))
    peer.when_established().addCallback(lambda _: order.append("waiter"))
    peer.dataReceived(GREETING)
    assert order == ["listener", "waiter"]


def test_those_who_wait_for_a_peer_that_is_lost_hear_why():
    peer = join(node())
    early, gone = Told(peer.when_established()), Told(peer.when_lost())
    peer.transport.lose()
    assert early.value is gone.value
    assert gone.value.reason is DisconnectReason.CLOSED_BY_PEER
    assert Told(peer.when_established()).value is gone.value
    assert Told(peer.when_lost()).value is gone.value


def test_who_wants_to_know_of_the_end_hears_it_at_the_end():
    peer = meet(node())
    peer.disconnect()
    gone = Told(peer.when_lost())
    assert not gone.results
    assert Told(peer.when_established()).value.reason is DisconnectReason.CLOSED_HERE
    peer.transport.lose()
    assert gone.value.reason is DisconnectReason.CLOSED_HERE


def test_nobody_has_to_wait_any_longer_than_they_want():
    peer = join(node())
    deferreds = peer.when_established(), peer.when_lost()
    told = [Told(deferred) for deferred in deferreds]
    for deferred in deferreds:
        deferred.cancel()
    assert all(isinstance(each.value, CancelledError) for each in told)
    peer.dataReceived(GREETING)
    peer.transport.lose()


def test_a_peer_that_a_listener_ends_at_once_was_never_won():
    class Fickle(PeerListener):
        def peer_established(self, peer, version):
            peer.disconnect()

    recorder = Recorder()
    peer = join(node(Fickle(), recorder))
    waiting = Told(peer.when_established())
    peer.dataReceived(GREETING)
    assert not waiting.results
    peer.transport.lose()
    assert waiting.value.reason is DisconnectReason.CLOSED_HERE
    assert [entry[0] for entry in recorder.log[-2:]] == ["established", "lost"]


# The end


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionDone(), DisconnectReason.CLOSED_BY_PEER),
        (ConnectionLost(), DisconnectReason.CONNECTION_BROKEN),
        (TimeoutError(), DisconnectReason.CONNECTION_BROKEN),
    ],
)
@pytest.mark.parametrize("greeted", [True, False])
def test_the_loss_is_told_once_and_with_the_reason(error, reason, greeted):
    recorder = Recorder()
    stage = node(recorder)
    peer = (meet if greeted else join)(stage)
    peer.transport.lose(error)
    peer.connectionLost()
    (ending,) = recorder.told("lost")
    assert ending.reason is reason
    assert ending.cause is (error if reason is DisconnectReason.CONNECTION_BROKEN else None)
    assert not peer.established
    assert stage.lost == {reason: 1}
    assert not stage.peers
    assert not stage.clock.getDelayedCalls()


def test_a_service_that_closes_the_transport_itself_is_this_side():
    peer = meet(node())
    peer.transport.loseConnection()
    peer.transport.lose()
    assert reason_of(peer) is DisconnectReason.CLOSED_HERE


def test_closing_sends_what_is_queued_first():
    stage = node()
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(b"last words"))
    peer.disconnect()
    peer.send(Say(b"more"))
    peer.disconnect()
    assert not peer.transport.disconnecting
    let_pass(stage, 4)
    peer.transport.make_room(1_000)
    assert closed(peer, DisconnectReason.CLOSED_HERE)
    assert frames(peer.transport.sent)[-1] == ("say", b"\x0alast words")
    assert peer.transport.producer is None
    assert peer.transport.closings == 1


def test_closing_a_socket_waits_for_the_other_end_to_close():
    """With bytes left to read, a kernel that closes takes back what it has sent."""
    stage = node()
    peer = meet(stage)
    peer.disconnect()
    assert peer.transport.half_closed
    before = peer.bytes_received
    peer.dataReceived(say(b"still talking"))
    assert peer.bytes_received == before
    peer.transport.lose()
    assert reason_of(peer) is DisconnectReason.CLOSED_HERE


def test_unless_nothing_was_said():
    peer = join(node())
    peer.disconnect()
    assert peer.transport.disconnecting
    assert not peer.transport.half_closed


def test_who_was_not_read_from_is_read_from_again_to_see_it_go():
    class Slow(PeerListener):
        @on(Say)
        def said(self, peer, message):
            return Deferred()

    peer = meet(node(Slow()))
    peer.dataReceived(say(b"x"))
    assert not peer.transport.reading
    peer.disconnect()
    assert peer.transport.reading


def test_r_j1_nobody_can_hold_a_closing_connection_hostage():
    """R-J1."""
    stage = node()
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(b"last words"))
    peer.disconnect()
    let_pass(stage, 4.5)
    assert not peer.transport.aborted
    let_pass(stage, 3)
    assert cut(peer, DisconnectReason.CLOSED_HERE)
    peer.transport.lose()
    assert not stage.clock.getDelayedCalls()


def test_r_j1_a_transport_that_does_not_close_is_cut():
    """R-J1: TLS waits for the other side's farewell."""
    stage = node()
    peer = meet(stage, PushTransport())
    peer.disconnect()
    assert peer.transport.disconnecting
    let_pass(stage, 8)
    assert peer.transport.aborted


def test_closing_while_messages_are_delivered_lets_their_answers_leave():
    class Polite(PeerListener):
        @on(Say)
        def said(self, peer, message):
            peer.send(Say(b"bye"))
            peer.disconnect()

    peer = meet(node(Polite()))
    peer.dataReceived(say(b"x") + say(b"y"))
    assert frames(peer.transport.sent)[-1] == ("say", b"\x03bye")
    assert closed(peer, DisconnectReason.CLOSED_HERE)
    assert peer.transport.closings == 1


def test_the_first_reason_counts_and_cutting_beats_closing():
    peer = meet(node())
    peer.transport.kernel.room = 0
    peer.send(Say(b"x"))
    peer.disconnect()
    assert not peer.transport.disconnecting
    peer.fail(LimitExceeded(5, 4))
    assert cut(peer, DisconnectReason.CLOSED_HERE)
    peer.fail(Truncated(5, 4))
    assert reason_of(peer) is DisconnectReason.CLOSED_HERE


def test_cutting_on_hearing_of_a_delivery_is_legal():
    peer = meet(node())
    peer.transport.kernel.room = 0
    peer.deliver(Say(b"y")).addCallback(lambda _: peer.fail(LimitExceeded(5, 4)))
    peer.transport.make_room(1_000)
    assert cut(peer, DisconnectReason.MALFORMED)
    assert peer.transport.closings == 0


def test_a_peer_that_breaks_a_rule_is_cut_off():
    recorder = Recorder()
    peer = meet(node(recorder))
    peer.dataReceived(ping(1) + raw_frame(b"say", b"\x05abc") + say(b"never seen"))
    assert cut(peer, DisconnectReason.MALFORMED)
    assert commands(peer.transport.sent)[-1] == "pong"
    peer.dataReceived(say(b"nor this"))
    assert recorder.told("message")[-1] == Ping(1)


@pytest.mark.parametrize(
    ("bytes_sent", "reason"),
    [
        (raw_frame(b"say", b"", magic=b"else"), DisconnectReason.WRONG_NETWORK),
        (b"GET / HTTP/1.1\r\n\r\n" + bytes(30), DisconnectReason.WRONG_NETWORK),
        (b"toy!ping" + bytes(8) + b"\x09\0\0\0abcd", DisconnectReason.OVERSIZED),
        (b"toy!ping" + bytes(8) + b"\xff\xff\xff\xff", DisconnectReason.OVERSIZED),
        (GREETING, DisconnectReason.OUT_OF_ORDER),
    ],
)
def test_each_offence_has_its_reason(bytes_sent, reason):
    peer = meet(node())
    peer.dataReceived(bytes_sent + bytes(4))
    assert cut(peer, reason)
    assert len(peer.transport.sent) < 300


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (frame(Hello(0, 0, 0, 5)), DisconnectReason.OBSOLETE),
        (frame(VerAck()), DisconnectReason.OUT_OF_ORDER),
        (frame(Hello(2, 0, 0, 5)) * 2, DisconnectReason.OUT_OF_ORDER),
    ],
)
def test_a_handshake_that_fails_is_closed_so_that_last_words_may_arrive(first, reason):
    peer = join(node())
    peer.dataReceived(first)
    assert closed(peer, reason)


def test_r_c5_a_connection_to_oneself_is_noticed():
    """R-C5: out through one factory, in through the other."""
    stage = node()
    out, back = join(stage, outbound=True), join(stage)
    back.dataReceived(out.transport.sent)
    assert closed(back, DisconnectReason.SELF_CONNECTION)
    assert back.transport.sent == b""
    assert reason_of(out) is None  # who overhears a nonce must not be able to end a connection
    back.transport.lose()
    out.transport.lose()
    assert stage.lost == {DisconnectReason.SELF_CONNECTION: 2}
    assert isinstance(out._ending.cause, SelfConnection)


def test_r_a8_who_is_refused_and_floods_is_cut():
    """Last words need somebody to read them, not a megabyte of answers."""
    stage = node()
    stranger, peer = join(stage), meet(stage)
    stranger.dataReceived(frame(Hello(0, 0, 0, 5)))
    peer.disconnect()
    for each in (stranger, peer):
        for _ in range(MAX_FAREWELL // LARGE_READ):
            each.dataReceived(bytes(LARGE_READ))
        assert not each.transport.aborted
        each.dataReceived(b"x")
        assert each.transport.aborted


def test_nobody_is_cut_for_talking_before_everything_is_said():
    peer = meet(node())
    peer.transport.kernel.room = 0
    peer.send(Say(b"listen"))
    peer.disconnect()
    for _ in range(5):
        peer.dataReceived(bytes(LARGE_READ))
    assert not peer.transport.aborted


def test_strangers_that_do_not_close_are_cut_sooner():
    stage = node()
    stranger, peer = join(stage), meet(stage)
    stranger.dataReceived(frame(Hello(0, 0, 0, 5)))
    peer.disconnect()
    let_pass(stage, 3)
    assert stranger.transport.aborted
    assert not peer.transport.aborted
    let_pass(stage, 3)
    assert peer.transport.aborted


@pytest.mark.parametrize("end", [PeerProtocol.disconnect, lambda peer: peer.fail(Refused("no"))])
def test_what_was_ended_before_it_began_is_never_begun(end):
    recorder = Recorder()
    stage = node(recorder)
    peer = PeerFactory(stage, outbound=True).buildProtocol(None)
    waiting = Told(peer.when_lost())
    end(peer)
    assert not waiting.results
    transport = peer.transport = SocketTransport()
    transport.protocol = peer
    peer.makeConnection(transport)
    assert transport.aborted
    assert transport.sent == b""
    transport.lose()
    assert len(recorder.told("lost")) == 1
    assert waiting.value is recorder.told("lost")[0]
    assert not stage.peers
    assert not stage.clock.getDelayedCalls()


def test_a_transport_that_cannot_be_cut_is_closed():
    class Pipe(PushTransport):
        abortConnection = property()  # noqa: N815  # as standard input and output have none

    peer = meet(node(), Pipe())
    peer.fail(LimitExceeded(5, 4))
    assert peer.transport.disconnecting


def test_a_transport_that_closes_at_once_is_no_trouble():
    class Sudden(PushTransport):
        def loseConnection(self):  # noqa: N802
            super().loseConnection()
            if self.open:
                self.lose()

        abortConnection = loseConnection  # noqa: N815

    for end in (PeerProtocol.disconnect, lambda peer: peer.fail(LimitExceeded(5, 4))):
        recorder = Recorder()
        stage = node(recorder)
        peer = meet(stage, Sudden())
        peer.send(Say(b"x"))
        end(peer)
        assert len(recorder.told("lost")) == 1
        assert not stage.peers
        assert stage.held == 0
        assert not stage.clock.getDelayedCalls()


def test_a_peer_that_is_gone_keeps_nothing_of_what_it_sent():
    stage = node()
    peer = meet(stage)
    peer.dataReceived(frame(Say(bytes(90_000)))[:50_000])
    assert peer.held == peer.machine.held > 49_000
    peer.transport.lose()
    assert peer.held == stage.held == peer.machine.held == 0
    assert peer.payload == b""


# Everything may be called from everywhere

ACTS = {
    "send": lambda peer: peer.send(Say(b"x")),
    "deliver": lambda peer: peer.deliver(Say(b"x")).addErrback(lambda _: None),
    "announce": lambda peer: peer.announce(InvVect(1, bytes(32))),
    "disconnect": PeerProtocol.disconnect,
    "fail": lambda peer: peer.fail(Refused("enough")),
    "snapshot": PeerProtocol.snapshot,
    "lose": lambda peer: peer.transport.lose() if peer.transport.open else None,
    "when_lost": PeerProtocol.when_lost,
    "push": lambda peer: peer.push_reject("tx", 1, "x"),
    "all": lambda peer: peer.node.disconnect_all(),
    "hear": lambda peer: peer.dataReceived(ping(7)),
}


@implementer(IVersionListener)
class Meddler(Recorder):
    """Does something with the peer at every occasion there is, up to a hundred times."""

    def __init__(self, act):
        super().__init__()
        self.acts = [act] * 100

    def act(self, peer):
        if self.acts:
            self.acts.pop()(peer)

    def peer_established(self, peer, version):
        super().peer_established(peer, version)
        self.act(peer)

    def message_received(self, peer, message):
        super().message_received(peer, message)
        self.act(peer)

    def peer_lost(self, peer, reason):
        super().peer_lost(peer, reason)
        self.act(peer)

    def message_read(self, peer, command, size, message, error):
        self.act(peer)

    message_written = message_read

    def version_received(self, peer, version):
        self.act(peer)


@pytest.mark.parametrize("make", [SocketTransport, PushTransport])
@pytest.mark.parametrize("name", ACTS)
def test_anything_may_be_done_from_every_callback(name, make, logged_failures):
    meddler = Meddler(ACTS[name])
    stage = node(meddler)
    peer = join(stage, make())
    established, gone = Told(peer.when_established()), Told(peer.when_lost())
    peer.dataReceived(GREETING)
    if peer.transport.open:
        peer.dataReceived(say(b"1") + say(b"2"))
        peer.transport.lose() if peer.transport.open else None
    assert len(meddler.told("lost")) == 1
    assert len(established.results) == len(gone.results) == 1
    assert not stage.peers
    assert stage.held == 0
    assert not stage.clock.getDelayedCalls()
    logged_failures.claim()  # sending too early is the meddler's own mistake


# Time


@implementer(IVersionListener)
class Ponderer(PeerListener):
    """Comes to no conclusion."""

    def version_received(self, peer, version):
        return Deferred() if version.nonce == 1 else None

    @on(Say)
    def said(self, peer, message):
        return Deferred()


def test_r_c9_a_peer_is_held_for_so_long_and_no_longer():
    stage = node(Ponderer(), listener_timeout=600, handshake_timeout=30)
    stranger, peer = join(stage), meet(stage)
    stranger.dataReceived(frame(Hello(2, 0, int(NOON), 1)))
    peer.dataReceived(say(b"1"))
    let_pass(stage, 29)
    assert reason_of(stranger) is None
    let_pass(stage, 2)
    assert reason_of(stranger) is DisconnectReason.HANDSHAKE_TIMEOUT
    let_pass(stage, 568)
    assert peer.established
    let_pass(stage, 2)
    assert cut(peer, DisconnectReason.INTERNAL)


SILENT = {
    "says nothing": b"",
    "says version only": GREETING[:-24],
    "says ping only": ping(1) * 3,
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
def test_r_c1_the_three_silent_peers_are_gone_when_the_handshake_should_be_over(said):
    """R-C1: nothing extends the deadline (Core p2p_timeouts.py)."""
    stage = node(handshake_timeout=30)
    peer = join(stage)
    peer.dataReceived(said)
    for second in range(29):
        if said == ping(1) * 3:
            assert reason_of(peer) is DisconnectReason.OUT_OF_ORDER
            return
        assert not peer.transport.aborted, second
        stage.clock.advance(1)
        if said:
            peer.dataReceived(raw_frame(b"gossip", b""))
    let_pass(stage, 3)
    assert cut(peer, DisconnectReason.HANDSHAKE_TIMEOUT)


def test_r_c1_a_peer_that_dribbles_is_cut_off_when_the_message_should_be_complete():
    """R-C1: one deadline for each message, however many bytes come."""
    stage = node(transfer_grace=20, transfer_rate=1_000, idle_timeout=300)
    peer = meet(stage)
    data = frame(Say(bytes(10_000)))
    deadline = 20 + len(data) / 1_000
    began = stage.clock.seconds()
    peer.dataReceived(data[:30])
    for number in range(30, 100):
        stage.clock.advance(0.5)
        peer.dataReceived(data[number : number + 1])
        if peer.transport.aborted:
            break
    assert began + deadline <= stage.clock.seconds() <= began + deadline + 2
    assert cut(peer, DisconnectReason.FRAME_TIMEOUT)


def test_a_slow_but_complete_message_is_welcome_and_the_next_has_its_own_time():
    stage = node(transfer_grace=20, transfer_rate=1_000)
    recorder = Recorder()
    stage.add_listener(recorder)
    peer = meet(stage)
    data = frame(Say(bytes(5_000)))
    for _ in range(5):
        peer.dataReceived(data[:100])
        let_pass(stage, 20)
        peer.dataReceived(data[100:])
    assert recorder.told("message")[-5:] == [Say(bytes(5_000))] * 5


def test_r_a3_the_write_deadline_is_kept_to_the_second():
    """R-A3: a reader that drains a byte a second is cut off when it should have read all."""
    stage = node(transfer_grace=20, transfer_rate=1_000)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(bytes(10_000)))
    began = stage.clock.seconds()
    deadline = began + 20 + peer.queued / 1_000
    while stage.clock.seconds() < deadline:
        assert not peer.transport.aborted
        stage.clock.advance(1)
        peer.transport.make_room(1)
    let_pass(stage, 2)
    assert cut(peer, DisconnectReason.SEND_TIMEOUT)
    peer.transport.lose()
    assert str(Told(peer.when_lost()).value).endswith("no room for more within 30.027 seconds")


def test_r_a3_a_slow_but_steady_reader_is_served_for_as_long_as_it_likes():
    stage = node(transfer_grace=20, transfer_rate=10_000, ping_interval=4_000, idle_timeout=9_000)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    for _ in range(600):
        while peer.queued < 60_000:
            peer.send(Say(bytes(20_000)))
        stage.clock.advance(1)
        peer.transport.make_room(5_000)  # half of the rate: the grace makes up for it
        assert not peer.transport.aborted
    assert peer.bytes_sent > 2_000_000


def test_a_peer_that_falls_silent_is_given_up():
    stage = node(ping_interval=100, idle_timeout=250, ping_timeout=1_000)
    peer = meet(stage)
    let_pass(stage, 249)
    assert not peer.transport.aborted
    let_pass(stage, 4)
    assert cut(peer, DisconnectReason.IDLE)


def test_a_ping_that_is_never_answered_ends_the_connection():
    stage = node(ping_interval=30, idle_timeout=250, ping_timeout=100)
    peer = meet(stage)
    for _ in range(20):
        let_pass(stage, 5)
        peer.dataReceived(say(b"still here"))
    let_pass(stage, 3)
    assert cut(peer, DisconnectReason.PING_TIMEOUT)


def test_pongs_keep_a_peer_alive_and_tell_how_fast_it_is():
    stage = node(ping_interval=100, idle_timeout=250, ping_timeout=150)
    peer = meet(stage)
    for _ in range(10):
        let_pass(stage, 60)
        for name, payload in frames(peer.transport.sent):
            if name == "ping":
                peer.dataReceived(raw_frame(b"pong", payload))
    assert peer.established
    assert peer.snapshot().min_latency <= 60


def test_a_listener_at_work_keeps_the_time_from_passing():
    class Slow(PeerListener):
        @on(Say)
        def said(self, peer, message):
            return Deferred()

    stage = node(Slow(), idle_timeout=300)
    peer = meet(stage)
    peer.dataReceived(say(b"x"))
    let_pass(stage, 500)
    assert peer.established
    assert commands(peer.transport.sent).count("ping") == 1


def test_who_counts_traffic_is_served_by_one_report():
    stage = node(Recorder())
    peer = join(stage)
    report = peer.machine.observer
    stage.add_listener(Recorder())
    assert peer.machine.observer is report


def test_moments_that_have_been_moved_pass_without_effect():
    peer = meet(node())
    before = peer.transport.sent
    peer.wake_due(NOON - 5)
    peer.flush_due(NOON - 5)
    peer.flush_due(NOON + 5)
    peer._wake_at = inf
    peer.wake_due(NOON + 10_000)
    assert peer.transport.sent == before
    assert peer.established


def test_announcements_that_wait_when_the_end_begins_are_not_made():
    stage = node(trickle_interval=1)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(b"x"))
    peer.announce(InvVect(1, bytes(32)))
    peer.disconnect()
    let_pass(stage, 3)
    peer.transport.make_room(1_000)
    assert "inv" not in commands(peer.transport.sent)


def test_announcements_go_on_while_a_listener_is_at_work():
    class Slow(PeerListener):
        @on(Say)
        def said(self, peer, message):
            return Deferred()

    stage = node(Slow(), trickle_interval=1)
    peer = meet(stage)
    peer.dataReceived(say(b"x"))
    peer.announce(InvVect(1, bytes(32)))
    let_pass(stage, 2)
    assert commands(peer.transport.sent)[-1] == "inv"


@pytest.mark.parametrize("what", ["wake", "flush", "start", "data_to_send", "held"])
def test_a_mistake_of_ours_ends_the_connection_and_is_logged_once(
    what, logged_failures, monkeypatch
):
    """No peer is left behind that nobody wakes."""

    def broken(*_):
        raise ZeroDivisionError

    recorder = Recorder()
    stage = node(recorder, trickle_interval=1)
    peer = join(stage) if what == "start" else meet(stage)
    mistake = property(broken) if what == "held" else broken
    monkeypatch.setattr(type(peer.machine), what, mistake)
    if what == "start":
        peer = join(stage)
    elif what == "data_to_send":
        peer.send(Say(b"x"))
    elif what == "held":
        peer.dataReceived(say(b"x"))
    else:
        peer.announce(InvVect(1, bytes(32)))
        let_pass(stage, 150)
    assert cut(peer, DisconnectReason.INTERNAL)
    monkeypatch.undo()
    peer.transport.lose()
    assert len(recorder.told("lost")) == 1
    assert len(logged_failures.claim(ZeroDivisionError)) == 1


# Reading large messages


def test_r_j9_more_is_read_at_a_time_only_while_a_large_message_is_coming():
    peer = meet(node())
    data = frame(Say(bytes(99_000)))
    assert peer.transport.bufferSize == SMALL_READ
    peer.dataReceived(data[:100])
    assert peer.transport.bufferSize == len(data) - 100
    peer.dataReceived(data[100:60_000])
    assert peer.transport.bufferSize == SMALL_READ
    peer.dataReceived(data[60_000:] + data[:30])
    assert peer.transport.bufferSize == len(data) - 30
    peer.dataReceived(data[30:])
    assert peer.transport.bufferSize == SMALL_READ
    assert LARGE_READ > MAX_PAYLOAD


def test_r_a12_four_megabytes_of_pings_in_one_read_are_answered_in_order():
    """R-A12: the cost of each does not grow with the size of the read."""
    stage = node()
    peer = meet(stage)
    before = peer.transport.kernel.calls
    count = 4_194_304 // 32
    one = ping(5)
    peer.dataReceived(one * count)
    assert peer.machine.messages_received == count + 2
    assert peer.transport.kernel.data.endswith(one.replace(b"ping", b"pong") * count)
    assert peer.transport.kernel.calls - before <= 2


def test_r_a12_a_message_costs_no_more_in_a_large_read_than_in_a_small_one():
    """R-A12: Core's mock peer is eight times slower at four megabytes than at 64 kilobytes."""
    peer = meet(node())

    def cost(count):
        data, times = ping(5) * count, []
        for _ in range(3):
            began = process_time()
            peer.dataReceived(data)
            times.append((process_time() - began) / count)
            peer.transport.kernel.data = b""
        return min(times)

    small = min(cost(65_536 // 32) for _ in range(5))
    assert cost(4_194_304 // 32) < 2 * small


def test_inventory_and_pongs_that_nobody_asked_for_are_no_trouble():
    peer = meet(node())
    peer.dataReceived(frame(Pong(0)) + frame(Pong(2**64 - 1)) + frame(Inv(())))
    assert peer.established
    assert peer.snapshot().latency is None


def test_a_refusal_of_a_peer_one_knows_already_cuts_it_off():
    peer = meet(node())
    peer.fail(Refused("had enough"))
    assert cut(peer, DisconnectReason.REFUSED)
    assert isinstance(peer.deliver(Say(b"x")).addErrback(lambda failure: failure.value), Deferred)


def test_the_reason_is_one_for_everybody():
    peer = meet(node())
    peer.transport.kernel.room = 0
    told = [Told(peer.deliver(Say(b"x"))), Told(peer.when_lost())]
    peer.transport.lose()
    assert told[0].value is told[1].value
    assert isinstance(told[0].value, Disconnected)


class Inquisitive(PeerListener):
    """Asks in answer to everything that is said, and waits for the answer."""

    @on(Say)
    async def heard(self, peer, say):
        await peer.request(Say(b"what?"), Pong)


def test_what_is_kept_while_a_listener_waits_goes_with_the_peer():
    stage = node(Inquisitive())
    peer = meet(stage)
    peer.dataReceived(say(b"one") + say(b"two"))
    peer.dataReceived(say(b"three"))
    assert peer.held > 0
    peer.fail(Refused("had enough"))
    assert cut(peer, DisconnectReason.REFUSED)
    assert stage.held == 0
    assert stage.listener_failures == 0


def test_the_time_of_those_who_wait_for_an_answer_is_looked_at():
    stage = node()
    peer = meet(stage)
    told = Told(peer.request(Say(b"what?"), Say, timeout=2.0))
    stage.clock.pump([0.25] * 7)
    assert not told.results
    stage.clock.pump([0.25] * 3)
    assert isinstance(told.value, Unanswered)
