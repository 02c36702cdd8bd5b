"""Tests of bitpeer.service.status.history."""

from bitpeer.messages.control import Ping
from bitpeer.service.overview import Overview
from bitpeer.service.status.history import KEPT, History
from bitpeer.service.status.lag import LagMeter
from tests.service.fakes import Reactor, make_node, visit


def test_a_sample_adds_up_all_nodes():
    reactor = Reactor()
    nodes = [make_node(reactor), make_node(reactor)]
    history = History([Overview(node) for node in nodes], LagMeter(reactor))
    assert history.samples() == []
    empty = history.sample(5.0)
    assert empty["bytesrecv"] == 0
    assert empty["ping_median"] is None
    for node, pause in zip(nodes, (0.2, 0.4), strict=True):
        line = visit(node).shake_hands()
        reactor.advance(pause)
        line.say(b"pong", Ping(line.protocol.snapshot().last_ping_nonce).encode())
    sample = history.sample(6.0)
    assert sample["time"] == 6.0
    assert sample["bytesrecv"] == sum(node.totals[0] for node in nodes)
    assert sample["bytessent"] == sum(node.totals[1] for node in nodes)
    assert (sample["connections_in"], sample["connections_out"]) == (2, 0)
    pings = [round(float(sample[f"ping_{name}"]), 6) for name in ("min", "median", "max")]
    assert pings == [0.2, 0.3, 0.4]
    assert history.samples() == [empty, sample]
    for node in nodes:
        node.stop()


def test_an_hour_is_remembered():
    history = History([], LagMeter(Reactor()))
    for number in range(KEPT + 5):
        history.sample(number)
    assert len(history.samples()) == KEPT
    assert history.samples()[0]["time"] == 5
