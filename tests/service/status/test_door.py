"""Tests of bitpeer.service.status.door."""

import sys

import pytest
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError

from bitpeer.errors import InvalidSetting
from bitpeer.service.events import Events
from bitpeer.service.overview import Overview
from bitpeer.service.status.door import StatusPage, http_place, metrics_of
from tests.service.fakes import LogLines, Reactor, make_node
from tests.service.status.browsing import Browser


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("8380", "tcp:8380:interface=127.0.0.1"),
        (":8380", "tcp:8380:interface=127.0.0.1"),
        ("tcp:8380", "tcp:8380:interface=127.0.0.1"),
        ("tcp:port=8380", "tcp:port=8380:interface=127.0.0.1"),
        ("tcp:8380:interface=192.0.2.1", "tcp:8380:interface=192.0.2.1"),
        ("tcp:8380:192.0.2.1", "tcp:8380:192.0.2.1"),
        ("tcp:8380:backlog=50", "tcp:8380:backlog=50:interface=127.0.0.1"),
        ("tcp6:8380", r"tcp6:8380:interface=\:\:1"),
        ("ssl:8380:key.pem", "ssl:8380:key.pem:interface=127.0.0.1"),
        ("haproxy:tcp:8380", "haproxy:tcp:8380:interface=127.0.0.1"),
        ("0.0.0.0:8380", "0.0.0.0:8380"),
        ("[::1]:8380", "[::1]:8380"),
        ("unix:/run/bitpeer", "unix:/run/bitpeer"),
        ("localhost", "localhost"),
    ],
)
def test_only_this_machine_may_look_unless_told_otherwise(text, place):
    assert http_place(text) == place


class World:
    def __init__(self, **settings):
        self.reactor = Reactor()
        self.browsers = []
        self.node = make_node(self.reactor)
        self.events = Events(self.reactor.seconds)
        overviews = [Overview(self.node)]
        journal = self.node.journal
        self.page = StatusPage(
            overviews, self.events, reactor=self.reactor, journal=journal, **settings
        )

    def browser(self):
        """Return a client of the first port that was opened."""
        self.browsers.append(Browser(self.reactor.tcpServers[0][1]))
        return self.browsers[-1]

    def close(self):
        self.page.stopService()
        for browser in self.browsers:
            assert browser.wire.cut
            browser.leave()
        assert self.reactor.getDelayedCalls() == []


def test_the_page_is_there_while_the_service_runs():
    world = World(names=["Node.LAN"], max_clients=5)
    with LogLines() as lines:
        world.page.startService()
    assert lines == ["status page at http://0.0.0.0:8380/"]  # the reactor in memory knows no more
    assert world.reactor.tcpServers[0][0] == 8380
    assert world.reactor.tcpServers[0][3] == "127.0.0.1"
    assert world.browser().ask("/").code == 200
    assert world.browser().ask("/peers", host="node.lan").json == []
    assert world.browser().ask("/metrics").code == 200
    world.browser()
    world.close()


def test_an_endpoint_is_taken_as_it_is():
    reactor = Reactor()
    node = make_node(reactor)
    endpoint = TCP4ServerEndpoint(reactor, 80, interface="192.0.2.1")
    events = Events(reactor.seconds)
    page = StatusPage([], events, reactor=reactor, journal=node.journal, endpoint=endpoint)
    page.startService()
    assert reactor.tcpServers[0][0] == 80
    page.stopService()


def test_an_endpoint_that_makes_no_sense_is_refused():
    with pytest.raises(InvalidSetting, match="http is 'nonsense:::'"):
        World(endpoint="nonsense:::")


def test_an_endpoint_that_is_taken_is_refused():
    world = World(endpoint="8380")

    def taken(*_, **__):
        raise CannotListenError("127.0.0.1", 8380, OSError(98, "Address already in use"))

    world.reactor.listenTCP = taken
    with pytest.raises(InvalidSetting, match=r"http is '8380', .*Address already in use"):
        world.page.door.privilegedStartService()


def test_without_the_library_there_are_no_metrics(monkeypatch):
    monkeypatch.delitem(sys.modules, "bitpeer.service.status.metrics", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    world = World()
    assert metrics_of(world.page.board) is None
    world.page.startService()
    assert world.browser().ask("/metrics").code == 501
    assert world.browser().ask("/").code == 200
    world.close()
