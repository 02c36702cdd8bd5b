"""Tests of bitpeer.service.status.stream."""

import pytest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from bitpeer.service.status.stream import MAX_WAITING, PATIENCE
from tests.service.fakes import visit
from tests.service.status.browsing import Browser, World, events_in


class Joining(Resource):
    """Lets everybody join a stream."""

    isLeaf = True  # noqa: N815  # Twisted's name

    def __init__(self, stream):
        Resource.__init__(self)
        self._stream = stream

    def render(self, request):
        self._stream.join(request)
        return NOT_DONE_YET


class Watcher(Browser):
    """A client of a stream."""

    def __init__(self, world):
        super().__init__(world.site(Joining(world.stream)))
        self.hello = events_in(self.send(b"GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n"))
        self.wire.clear()

    def heard(self):
        events = events_in(self.wire.value())
        self.wire.clear()
        return events

    def stop_reading(self):
        self.wire.producer.pauseProducing()

    def read_on(self):
        self.wire.producer.resumeProducing()


@pytest.fixture
def world():
    world = World()
    world.stream.startService()
    yield world
    world.close()


def names(events):
    return [name for name, _ in events]


def test_a_new_client_hears_everything(world):
    watcher = Watcher(world)
    ((name, everything),) = watcher.hello
    assert name == "hello"
    assert set(everything) == {"status", "peers", "events", "history"}
    assert len(everything["history"]) == 1
    watcher.leave()
    assert world.stream.clients == 0


def test_events_come_at_once_news_every_second_and_a_sample_every_five(world):
    watcher = Watcher(world)
    visit(world.node).shake_hands()
    heard = watcher.heard()
    assert [content["event"] for _, content in heard] == ["peer.established"]
    world.reactor.pump([1] * 5)
    heard = watcher.heard()
    assert sorted(names(heard)) == ["news"] * 5 + ["sample"]
    assert [len(content["peers"]) for name, content in heard if name == "news"] == [1] * 5
    watcher.leave()


def test_samples_are_taken_when_nobody_looks(world):
    world.reactor.pump([5] * 3)
    assert len(world.board.history()) == 4


def test_a_slow_client_misses_news_and_no_event(world):
    watcher = Watcher(world)
    watcher.stop_reading()
    watcher.stop_reading()
    world.events.emit("one")
    world.reactor.pump([1] * 5)
    world.events.emit("two")
    assert watcher.heard() == []
    watcher.read_on()
    assert names(watcher.heard()) == ["event", "sample", "event"]
    world.reactor.advance(1)
    assert names(watcher.heard()) == ["news"]
    watcher.leave()


def test_a_client_that_reads_on_and_stops_at_once_gets_the_rest_later(world):
    watcher = Watcher(world)
    watcher.stop_reading()
    world.events.emit("one")
    world.events.emit("two")
    write = watcher.wire.write

    def full(data):
        write(data)
        if b"event: event" in data:
            watcher.stop_reading()

    watcher.wire.write = full
    watcher.wire.writeSequence = lambda parts: full(b"".join(parts))
    watcher.read_on()
    assert len(watcher.heard()) == 1
    watcher.read_on()
    assert len(watcher.heard()) == 1
    watcher.leave()


def test_a_client_that_reads_nothing_for_long_is_dropped(world):
    watcher = Watcher(world)
    watcher.stop_reading()
    world.reactor.pump([1] * int(PATIENCE))
    assert not watcher.wire.cut
    world.reactor.advance(1)
    assert watcher.wire.cut
    watcher.leave()


def test_a_client_for_whom_too_much_waits_is_dropped(world):
    watcher = Watcher(world)
    watcher.stop_reading()
    text = "x" * 500
    for _ in range(MAX_WAITING // 600):
        world.events.emit("peer.spoke", text=text)
    assert not watcher.wire.cut
    for _ in range(200):
        world.events.emit("peer.spoke", text=text)
    assert watcher.wire.cut
    watcher.wire.producer.stopProducing()
    watcher.leave()


def test_in_the_end_all_are_dropped(world):
    watcher = Watcher(world)
    world.stream.stopService()
    assert watcher.wire.cut
    watcher.leave()
    world.events.emit("one")
