"""Tests of bitpeer.service.staleness."""

from math import inf

from bitpeer.config import BlockPosition
from bitpeer.service.merits import Merits
from bitpeer.service.staleness import Staleness, least_useful
from tests.service.fakes import Reactor, make_node, visit


def test_a_tip_is_stale_when_it_has_been_the_same_for_long():
    tip = BlockPosition(bytes(32), 5)
    staleness = Staleness(lambda: tip, 100.0, 1_000.0)
    assert not staleness.is_stale(1_000.0)
    assert not staleness.is_stale(1_099.0)
    assert staleness.is_stale(1_100.0)
    tip = BlockPosition(bytes(32), 6)
    assert not staleness.is_stale(1_200.0)
    assert staleness.is_stale(1_300.0)


def test_the_first_look_counts_from_the_start():
    staleness = Staleness(lambda: BlockPosition(bytes(32), 5), 100.0, 0.0)
    assert not staleness.is_stale(500.0)
    assert staleness.is_stale(600.0)


def test_where_nobody_follows_the_chain_nobody_is_asked():
    def newest_block():
        raise AssertionError

    assert not Staleness(newest_block, inf, 0.0).is_stale(1e9)


def test_who_was_useful_least_lately_would_be_missed_least():
    reactor = Reactor()
    node = make_node(reactor)
    merits = Merits(reactor.seconds)
    low, high, new, useful = (visit(node).shake_hands(height).peer for height in (5, 9, 9, 1))
    merits.note(useful)
    since = {useful: 1.0, low: 1.0, high: 1.0, new: 2.0}
    gone = []
    while since:
        gone.append(least_useful(since, merits.at))
        del since[gone[-1]]
    assert gone == [low, new, high, useful]
    node.stop()
