"""Tests of bitpeer.service.merits."""

import gc
from math import inf

from bitpeer.service.merits import Merits
from tests.service.fakes import Reactor, make_node, visit


def test_the_latest_good_deed_counts():
    reactor = Reactor()
    node = make_node(reactor)
    merits = Merits(reactor.seconds)
    first, second = visit(node), visit(node)
    assert merits.at(first.peer) == -inf
    reactor.advance(5)
    merits.note(first.peer)
    reactor.advance(1)
    merits.note(first.peer)
    assert merits.at(first.peer) == reactor.seconds()
    assert merits.at(second.peer) == -inf
    node.stop()


def test_nothing_is_kept_of_peers_that_are_gone():
    reactor = Reactor()
    node = make_node(reactor)
    merits = Merits(reactor.seconds)
    line = visit(node)
    merits.note(line.peer)
    line.hang_up()
    del line
    gc.collect()
    assert len(merits._noted) == 0
