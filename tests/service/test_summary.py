"""Tests of bitpeer.service.summary."""

import pytest

from bitpeer.config import BlockPosition
from bitpeer.service.summary import SELDOM, Summary, size
from tests.service.fakes import LogLines, Reactor, make_node, visit


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (7_300_000_000_000, "7300.0 GB"),
    ],
)
def test_sizes_are_readable(count, text):
    assert size(count) == text


def test_a_line_comes_when_peers_have_come_or_gone_and_otherwise_now_and_then():
    reactor = Reactor()
    node = make_node(reactor)
    summary = Summary(node)
    summary.startService()
    with LogLines() as lines:
        reactor.pump([30] * 4)
        assert len(lines) == 1
        visit(node).shake_hands()
        del lines[:]
        reactor.pump([60] * (1 + SELDOM))
        assert len(lines) == 2
        summary.stopService()
        reactor.pump([60] * SELDOM)
    assert len(lines) == 2
    node.stop()


def test_without_peers_nobody_knows_the_height():
    with LogLines() as lines:
        Summary(make_node(Reactor()), wanted=8, named=["a"], known=lambda: 40).log_line()
    assert lines == [
        "toy-nursery: 0 of 9 peers out, 0 in; 0 bytes received, 0 bytes sent; "
        "best height unknown; 40 addresses known"
    ]


def test_the_line_counts_established_peers_both_ways_and_what_moved():
    reactor = Reactor()
    node = make_node(reactor)
    visit(node).shake_hands(height=700)
    visit(node).shake_hands(height=800)
    visit(node)
    with LogLines() as lines:
        Summary(node).log_line()
    received, sent = node.totals
    assert lines == [
        f"toy-nursery: 0 peers out, 2 in; {received} bytes received, {sent} bytes sent; "
        "best height 800; 0 addresses known"
    ]
    node.stop()


def test_what_this_side_knows_counts_as_well():
    node = make_node(Reactor(), newest_block=lambda: BlockPosition(bytes(32), 900))
    visit(node).shake_hands(height=700)
    with LogLines() as lines:
        Summary(node).log_line()
    assert "best height 900" in lines[0]
    node.stop()
