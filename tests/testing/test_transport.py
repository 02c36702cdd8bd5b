"""Tests of `bitpeer.testing.transport`: it does what Twisted's own transport over TCP does."""

import pytest
from twisted.internet.error import (
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    TCPTimedOutError,
)
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from zope.interface.verify import verifyObject

from bitpeer.net.outbox import direct_socket
from bitpeer.testing.lane import GIVE_UP
from tests.testing.stage import (
    Clumsy,
    HalfTalker,
    Pair,
    Producer,
    PullProducer,
    Talker,
)


@pytest.fixture
def pair():
    pair = Pair()
    pair.meet()
    return pair


def test_it_is_what_it_says(pair):
    transport = pair.here.transport
    for interface in (ITCPTransport, IConsumer, IPushProducer):
        assert verifyObject(interface, transport)
    assert transport.getHost() == pair.there.transport.getPeer()
    assert transport.getPeer() == pair.there.transport.getHost()
    assert repr(transport) == "<20.0.0.1:49152 to 20.0.0.2:8333>"
    assert direct_socket(transport) is None
    assert list(pair.one.transports) == [transport]


def test_options_are_remembered(pair):
    transport = pair.here.transport
    assert not transport.getTcpNoDelay()
    assert not transport.getTcpKeepAlive()
    transport.setTcpNoDelay(1)
    transport.setTcpKeepAlive(1)
    assert transport.getTcpNoDelay() is transport.getTcpKeepAlive() is True


def test_only_bytes_can_be_written(pair):
    for wrong in ("text", bytearray(b"x"), None):
        with pytest.raises(TypeError):
            pair.here.transport.write(wrong)


def test_what_is_written_arrives_in_order(pair):
    pair.here.transport.writeSequence([b"a", b"", b"b"])
    pair.here.transport.write(b"c")
    pair.wait()
    assert pair.there.heard == b"abc"


def test_closing_lets_everything_leave_first():
    pair = Pair(window=10)
    here, there = pair.meet()
    here.transport.write(bytes(100))
    here.transport.loseConnection()
    here.transport.loseConnection()
    here.transport.write(bytes(5))  # Twisted takes it, too
    assert here.transport.disconnecting
    pair.wait(5)
    assert not here.lost
    pair.wait(100)
    assert len(there.heard) == 105
    assert here.lost == there.lost == [ConnectionDone]
    assert here.transport.disconnected
    assert not here.transport.connected
    assert not pair.one.transports
    assert not pair.other.transports
    assert pair.dialling.events == ["started", "lost: ConnectionDone"]


def test_who_closes_hears_nothing_more(pair):
    pair.there.transport.write(b"too late")
    pair.here.transport.loseConnection()
    assert pair.here.lost == []  # a moment later
    pair.wait()
    assert pair.here.heard == b""
    assert pair.here.lost == [ConnectionDone]
    assert pair.there.lost == [ConnectionDone]


def test_who_closes_on_unread_bytes_resets_the_connection(pair):
    pair.here.transport.pauseProducing()
    pair.there.transport.write(b"unread")
    pair.wait(1)
    pair.here.transport.loseConnection()
    pair.wait()
    assert pair.here.lost == [ConnectionDone]
    assert pair.there.lost == [ConnectionLost]


def test_after_the_end_nothing_has_any_effect(pair):
    transport = pair.here.transport
    transport.loseConnection()
    pair.wait()
    transport.write(b"x")
    transport.writeSequence([b"x"])
    transport.loseConnection()
    transport.loseWriteConnection()
    transport.abortConnection()
    transport.pauseProducing()
    transport.resumeProducing()
    transport.stopProducing()
    transport.unregisterProducer()
    pair.wait()
    assert pair.there.heard == b""
    assert pair.here.lost == pair.there.lost == [ConnectionDone]
    producer = Producer(transport, 1)
    transport.registerProducer(producer, True)
    assert producer.stopped


def test_aborting_throws_away_what_waits():
    pair = Pair(window=10)
    here, there = pair.meet()
    here.transport.write(bytes(100))
    here.transport.abortConnection()
    here.transport.abortConnection()
    here.transport.write(b"ignored")
    here.transport.resumeProducing()
    assert here.lost == []  # a moment later
    pair.wait(100)
    assert len(there.heard) <= 10
    assert here.lost == [ConnectionAborted]
    assert there.lost == [ConnectionLost]


def test_aborting_wins_over_closing(pair):
    pair.here.transport.loseConnection()
    pair.here.transport.abortConnection()
    pair.wait()
    assert pair.here.lost == [ConnectionAborted]


def test_who_aborts_and_stumbles_ends_once(logged_failures):
    class Panicking(Talker):
        def dataReceived(self, data):
            self.transport.abortConnection()
            raise ValueError("panic")

    pair = Pair(there=Panicking)
    here, there = pair.meet()
    here.transport.write(b"boo")
    pair.wait()
    assert there.lost == [ValueError]
    assert logged_failures.claim(ValueError)


def test_silence_for_too_long_ends_the_connection(pair):
    pair.other.crash()
    pair.here.transport.write(b"hello?")
    pair.wait(GIVE_UP + 2)
    assert pair.here.lost == [TCPTimedOutError]


def test_closing_while_aborted_by_the_other_side_ends_once(pair):
    pair.there.transport.abortConnection()
    pair.wait(0.9)
    pair.here.transport.abortConnection()
    pair.wait()
    assert pair.here.lost == [ConnectionAborted]
    assert pair.there.lost == [ConnectionAborted]


def test_who_writes_to_nobody_is_reset():
    pair = Pair()
    here, there = pair.meet()
    there.transport.loseConnection()
    pair.wait(0.5)
    here.transport.pauseProducing()  # so it does not see the end
    here.transport.write(b"hello?")
    pair.wait(5)
    assert here.lost == []
    here.transport.resumeProducing()
    pair.wait(1)
    assert here.lost == [ConnectionDone]


def test_who_does_not_read_does_not_see_the_end(pair):
    pair.here.transport.pauseProducing()
    pair.there.transport.write(b"last words")
    pair.there.transport.loseConnection()
    pair.wait(1_000)
    assert pair.here.lost == []
    pair.here.transport.resumeProducing()
    pair.here.transport.resumeProducing()
    pair.wait()
    assert pair.here.heard == b"last words"
    assert pair.here.lost == [ConnectionDone]


def test_who_stops_reading_between_two_pieces_gets_the_second_later(pair):
    class Sipping(Talker):
        def dataReceived(self, data):
            super().dataReceived(data)
            self.transport.pauseProducing()

    pair = Pair(there=Sipping)
    here, there = pair.meet()
    here.transport.write(b"a")
    here.transport.write(b"b")
    here.transport.write(b"c")
    pair.wait(5)
    assert there.heard == b"a"
    there.transport.resumeProducing()
    there.transport.pauseProducing()  # changed its mind
    pair.wait(5)
    assert there.heard == b"a"
    there.transport.resumeProducing()
    pair.wait(5)
    there.transport.resumeProducing()
    pair.wait(5)
    assert there.heard == b"abc"


def test_who_has_something_to_write_notices_a_reset_without_reading():
    pair = Pair(window=10)
    here, there = pair.meet()
    there.transport.pauseProducing()
    here.transport.pauseProducing()
    here.transport.write(bytes(100))
    there.transport.abortConnection()
    pair.wait(5)
    assert here.lost == [ConnectionLost]


def test_half_of_a_connection_can_be_closed():
    pair = Pair(here=HalfTalker, there=HalfTalker)
    here, there = pair.meet()
    here.transport.write(b"that was all")
    here.transport.loseWriteConnection()
    here.transport.loseWriteConnection()
    pair.wait()
    here.transport.write(b"not quite")
    there.transport.write(b"fine")
    pair.wait()
    assert there.heard == b"that was all"
    assert (here.half, there.half) == (["write"], ["read"])
    assert here.heard == b"fine"
    assert not here.lost
    there.transport.loseConnection()
    pair.wait()
    assert there.lost == [ConnectionDone]
    assert here.half == ["write", "read"]


def test_who_knows_no_halves_closes_when_the_other_side_has_finished(pair):
    pair.here.transport.write(b"that was all")
    pair.here.transport.loseWriteConnection()
    pair.wait(1.5)
    assert pair.there.lost == [ConnectionDone]
    assert pair.here.lost == []
    pair.wait()
    assert pair.here.lost == [ConnectionDone]


def test_a_producer_is_asked_to_pause_while_there_is_no_room():
    pair = Pair(window=10_000)
    here, there = pair.meet()
    producer = Producer(here.transport, 500)
    here.transport.registerProducer(producer, True)
    with pytest.raises(RuntimeError):
        here.transport.registerProducer(Producer(here.transport, 1), True)
    producer.resumeProducing()
    assert producer.paused
    assert 400 < producer.left < 440
    pair.wait(1_000)
    assert producer.left == 0
    assert not producer.stopped
    assert len(there.heard) == 500_000


def test_a_pull_producer_is_asked_for_each_piece():
    pair = Pair(window=1_500)
    here, there = pair.meet()
    producer = PullProducer(here.transport, 10)
    here.transport.registerProducer(producer, False)
    assert producer.left == 9
    pair.wait(1_000)
    assert producer.left == 0
    assert len(there.heard) == 10_000


def test_closing_waits_for_the_producer(pair):
    producer = PullProducer(pair.here.transport, 10)
    pair.here.transport.registerProducer(producer, False)
    pair.here.transport.loseConnection()
    pair.wait()
    assert len(pair.there.heard) == 10_000
    assert pair.here.lost == [ConnectionDone]


def test_closing_waits_for_a_producer_that_is_not_asked(pair):
    producer = Producer(pair.here.transport, 1)
    pair.here.transport.registerProducer(producer, True)
    pair.here.transport.loseConnection()
    pair.wait()
    assert not pair.here.lost
    pair.here.transport.unregisterProducer()
    pair.wait()
    assert pair.here.lost == [ConnectionDone]


def test_the_end_stops_the_producer(pair):
    producer = Producer(pair.here.transport, 1)
    pair.here.transport.registerProducer(producer, True)
    pair.here.transport.stopProducing()
    pair.here.transport.abortConnection()
    pair.wait()
    assert producer.stopped
    assert pair.here.lost == [ConnectionAborted]


def test_a_protocol_that_raises_loses_its_connection(logged_failures):
    pair = Pair(there=Clumsy)
    here, there = pair.meet()
    here.transport.write(b"boo")
    pair.wait()
    assert there.lost == [ValueError]
    assert here.lost == [ConnectionDone]
    assert len(logged_failures.claim(ValueError)) == 1


def test_a_protocol_may_even_raise_at_the_end(logged_failures):
    class Sore(Talker):
        def connectionLost(self, reason):
            super().connectionLost(reason)
            raise ValueError("a sore loser")

    pair = Pair(there=Sore)
    here, there = pair.meet()
    here.transport.loseConnection()
    pair.wait()
    assert there.lost == [ConnectionDone]
    assert len(logged_failures.claim(ValueError)) == 1


def test_nothing_reaches_a_host_without_power(pair):
    pair.there.transport.write(b"last words")
    pair.other.crash()
    pair.here.transport.write(b"hello?")
    pair.wait()
    assert pair.here.heard == b"last words"  # they were under way
    assert pair.there.heard == b""
    assert pair.here.lost == pair.there.lost == []
    pair.other.reboot()
    pair.wait()
    assert pair.here.lost == [ConnectionLost]  # nobody there knows of the connection
    assert pair.there.lost == []


def test_a_crash_forgets_what_could_not_leave(pair):
    pair.simulation.cut(pair.one, pair.other)
    pair.here.transport.write(b"never")
    pair.wait(5)
    pair.one.crash()
    pair.wait(5)
    pair.simulation.heal()
    pair.wait(GIVE_UP * 2)
    assert pair.there.heard == b""
    assert pair.here.lost == pair.there.lost == []


def test_a_host_without_power_gives_nothing_up(pair):
    pair.here.transport.write(b"x")
    pair.other.crash()
    pair.wait(2)
    pair.one.crash()
    pair.here.transport.timed_out()
    pair.here.transport.arrived(b"x")
    pair.wait(GIVE_UP * 2)
    assert pair.here.lost == []
