"""Tests of `bitpeer.testing.lane`: how long bytes travel, in which pieces, and what stops them."""

from math import inf, nan

import pytest
from twisted.internet.error import TCPTimedOutError

from bitpeer.errors import InvalidSetting
from bitpeer.testing import Link
from bitpeer.testing.lane import FULL_READ, GIVE_UP
from tests.testing.stage import Pair, Talkers


@pytest.mark.parametrize(
    "settings",
    [
        {"latency": -1},
        {"latency": inf},
        {"jitter": -1},
        {"jitter": nan},
        {"bandwidth": 0},
        {"bandwidth": nan},
        {"segment": 0},
        {"segment": FULL_READ + 1},
        {"window": 0},
    ],
)
def test_a_link_that_makes_no_sense_is_refused(settings):
    with pytest.raises(InvalidSetting):
        Link(**settings)


def test_bytes_take_as_long_as_the_way_is():
    pair = Pair()
    here, there = pair.meet()
    assert (there.made, here.made) == (1.0, 2.0)
    here.transport.write(b"to")
    there.transport.write(b"fro")
    pair.wait()
    assert there.pieces == [(3.0, b"to")]
    assert here.pieces == [(3.0, b"fro")]


def test_each_direction_can_be_different():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.set_link(pair.one, pair.other, Link(latency=5), one_way=True)
    here.transport.write(b"to")
    there.transport.write(b"fro")
    pair.wait()
    assert there.pieces == [(7.0, b"to")]
    assert here.pieces == [(3.0, b"fro")]


def test_nothing_arrives_before_the_connection_is_there():
    pair = Pair(there=None)
    pair.listening.kind = type(
        "Eager", (Talkers(pair.one).kind,), {"connectionMade": lambda self: self.greet()}
    )
    pair.listening.kind.greet = lambda self: (
        super(pair.listening.kind, self).connectionMade(),
        self.transport.write(b"hello"),
    )
    pair.wait()
    assert pair.here.pieces == [(2.0, b"hello")]


def test_bandwidth_makes_bytes_wait_for_each_other():
    pair = Pair(bandwidth=1_000)
    here, there = pair.meet()
    for _ in range(3):
        here.transport.write(bytes(500))
    pair.wait()
    assert [at for at, _ in there.pieces] == [3.5, 4.0, 4.5]
    here.transport.write(bytes(500))
    pair.wait()
    assert there.pieces[-1][0] == 13.5


def test_what_is_large_arrives_in_several_reads():
    pair = Pair()
    here, there = pair.meet()
    here.transport.write(bytes(2 * FULL_READ + 1))
    pair.wait()
    assert [len(data) for _, data in there.pieces] == [FULL_READ, FULL_READ, 1]


def test_small_segments_are_of_any_size_up_to_theirs():
    pair = Pair(segment=5)
    here, there = pair.meet()
    text = bytes(range(250))
    here.transport.write(text)
    pair.wait()
    assert there.heard == text
    assert {len(data) for _, data in there.pieces} == {1, 2, 3, 4, 5}


def test_bytes_dribble():
    pair = Pair(segment=1, bandwidth=1)
    here, there = pair.meet()
    here.transport.write(b"abc")
    pair.wait()
    assert there.pieces == [(4.0, b"a"), (5.0, b"b"), (6.0, b"c")]


def test_connections_overtake_each_other_but_never_themselves():
    pair = Pair(jitter=10)
    pair.wait(100)
    others = Talkers(pair.one)
    for _ in range(20):
        pair.one.connectTCP("20.0.0.2", 8333, others)
    pair.wait(100)
    for number, talker in enumerate(others.made):
        for part in range(5):
            talker.transport.write(b"%d.%d " % (number, part))
    pair.wait(100)
    arrived = sorted(
        (piece for there in pair.listening.made for piece in there.pieces), key=lambda p: p[0]
    )
    order = [int(data.split(b".")[0]) for _, data in arrived]
    assert sorted(order) != order
    for there in pair.listening.made[1:]:
        parts = [data.split(b".")[1] for _, data in there.pieces]
        assert parts == [b"0 ", b"1 ", b"2 ", b"3 ", b"4 "]


def test_who_does_not_read_is_not_sent_more_than_the_window():
    pair = Pair(window=1_000)
    here, there = pair.meet()
    there.transport.pauseProducing()
    here.transport.write(bytes(2_500))
    pair.wait()
    assert there.heard == b""
    there.transport.resumeProducing()
    pair.wait(0.5)
    assert len(there.heard) == 1_000
    pair.wait()
    assert len(there.heard) == 2_500
    assert [at for at, _ in there.pieces] == [12.0, 14.0, 16.0]  # there and back each time


def test_room_that_comes_too_late_is_of_no_use():
    pair = Pair(window=1_000)
    here, there = pair.meet()
    here.transport.write(bytes(2_500))
    pair.wait(1)
    here.transport.abortConnection()
    pair.wait()
    assert here.lost
    assert len(there.heard) == 1_000


def test_what_is_cut_off_waits():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other)
    here.transport.write(b"a")
    pair.wait(5)
    here.transport.write(b"b")
    pair.wait(5)
    assert there.pieces == []
    pair.simulation.heal()
    pair.wait(5)
    assert there.pieces == [(13.0, b"a"), (13.0, b"b")]
    assert not pair.simulation.stalled


def test_a_cut_that_heals_before_anything_was_sent_is_not_noticed():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other)
    pair.simulation.heal()
    here.transport.write(b"a")
    pair.wait()
    assert there.pieces == [(3.0, b"a")]


def test_a_one_way_cut_stops_one_way():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other, one_way=True)
    here.transport.write(b"to")
    there.transport.write(b"fro")
    pair.wait()
    assert (here.heard, there.heard) == (b"fro", b"")


def test_after_a_long_silence_the_sender_gives_up():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other)
    here.transport.write(b"lost")
    pair.wait(GIVE_UP)
    assert here.lost == []
    pair.wait(2)
    assert here.lost == [TCPTimedOutError]
    assert there.lost == []
    pair.simulation.heal()
    pair.wait(2_000)
    assert there.pieces == []
    assert there.lost == []  # it has half a connection now


def test_patience_begins_anew_with_each_cut():
    pair = Pair()
    here, there = pair.meet()
    for _ in range(3):
        pair.simulation.cut(pair.one, pair.other)
        here.transport.write(b"x")
        pair.wait(GIVE_UP * 0.6)
        pair.simulation.heal()
        pair.wait(2)
    assert here.lost == []
    assert there.heard == b"xxx"


def test_a_reset_is_lost_in_a_cut():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other)
    here.transport.abortConnection()
    pair.wait(5)
    pair.simulation.heal()
    pair.wait(2_000)
    assert here.lost
    assert there.lost == []


def test_a_reset_takes_with_it_what_was_stalled():
    pair = Pair()
    here, there = pair.meet()
    pair.simulation.cut(pair.one, pair.other)
    here.transport.write(b"never")
    pair.wait(5)
    here.transport.abortConnection()
    pair.wait(5)
    pair.simulation.heal()
    pair.wait(2_000)
    assert there.pieces == []
    assert there.lost == []
