import pytest
from twisted.internet.task import Clock

from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import BlockPosition, PeerConfig
from bitpeer.net.local import LocalNode
from bitpeer.service.headerprogress import Progress, Reports
from bitpeer.service.headers import Extension
from tests.service.fakes import LogLines

TIME = 1_700_000_000


def at(height, *, best=9_000, current=False, weighed=None):
    return Progress(height, best, TIME, 0.0, weighed, current)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return []


@pytest.fixture
def reports(clock, events):
    node = LocalNode(PeerConfig(network=REGTEST), clock=clock)
    return Reports(node, lambda name, **fields: events.append((name, fields)), 100)


def test_progress_is_told_now_and_then(reports, clock, events):
    with LogLines() as lines:
        reports.progressed(at(2_100))
        clock.advance(10)
        reports.progressed(at(4_100))
        reports.progressed(at(6_100))
    assert lines == [
        "bitcoin-regtest: headers up to 4100 of 9000, 2023-11-14 22:13 UTC; 400.0 a second"
    ]
    assert reports.rate == 400
    assert events == [
        (
            "headers.progress",
            {
                "chain": "bitcoin-regtest",
                "height": 4_100,
                "best_known": 9_000,
                "tip_time": TIME,
                "rate": 400.0,
                "weighed": None,
                "current": False,
            },
        )
    ]


def test_every_new_block_of_a_current_chain_is_told(reports, clock, events):
    with LogLines() as lines:
        reports.progressed(at(101, best=101, current=True))
        clock.advance(600)
        reports.progressed(at(102, best=102, current=True))
        reports.progressed(at(103, best=104, current=True))
        reports.progressed(at(105, best=105, current=True))
    assert [fields["height"] for _, fields in events] == [101, 102, 103, 105]
    day = "2023-11-14 22:13 UTC"
    assert lines == [
        *(f"bitcoin-regtest: new block {height}, of {day}" for height in (101, 102)),
        f"bitcoin-regtest: headers up to 103 of 104, {day}; 1.0 a second",
        f"bitcoin-regtest: headers up to 105 of 105, {day}; 2.0 a second",
    ]


def test_weighing_is_told_now_and_then(reports, clock, events):
    with LogLines() as lines:
        reports.weighing(at(0, weighed=2_000))
        clock.advance(10)
        reports.weighing(at(0, weighed=50_000))
        reports.weighing(at(0, weighed=52_000))
        clock.advance(10)
        reports.weighing(at(0))
    assert lines == [
        "bitcoin-regtest: looked at headers up to 50000 of 9000, to see whether they have the "
        "work of this network"
    ]
    assert events[0][0] == "headers.weighing"


def test_reorganisations_are_told(reports, events):
    with LogLines() as lines:
        reports.reorganised(Extension(5, 3, BlockPosition(bytes(32), 77)))
    assert lines == ["bitcoin-regtest: 3 blocks withdrawn, another chain has more work; height 77"]
    assert events == [
        ("headers.reorganised", {"chain": "bitcoin-regtest", "withdrawn": 3, "height": 77})
    ]
