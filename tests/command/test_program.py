"""The service as a program."""

import signal
from functools import partial

import pytest
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs

from bitpeer.bitcoin.networks import REGTEST, SIGNET
from bitpeer.command.program import CannotStart, OperatorsLog, OperatorsNode, Program
from bitpeer.config import PeerConfig
from bitpeer.errors import InvalidSetting, StorageUnusable
from tests.service.fakes import LogLines, Reactor, make_node

LEVELS = ("debug", "info", "warn", "error")
ENDS = [signal.SIGTERM, signal.SIGINT]


def operators_node(level):
    log = OperatorsLog(level)
    return log, OperatorsNode(PeerConfig(network=REGTEST), log, clock=Reactor())


def say_everything(node):
    with LogLines() as lines:
        for name in LEVELS:
            node.journal.emit(LogLevel.levelWithName(name), name)
    return lines


@pytest.mark.parametrize("level", LEVELS)
def test_an_operator_sees_what_is_at_least_of_the_level_asked_for(level):
    _, node = operators_node(level)
    assert say_everything(node) == list(LEVELS[LEVELS.index(level) :])


def test_of_several_networks_an_operator_sees_which_one_a_line_is_about():
    log = OperatorsLog("info")
    nodes = [
        OperatorsNode(PeerConfig(network=network), log, clock=Reactor())
        for network in (REGTEST, SIGNET)
    ]
    with capturedLogs() as events:
        for node in nodes:
            node.journal.emit(LogLevel.info, "news")
        nodes[0].journal.emit(LogLevel.debug, "gossip")
    names = [event["log_namespace"] for event in events]
    assert names == ["bitpeer.bitcoin-regtest", "bitpeer.bitcoin-signet"]


def test_an_operator_may_change_his_mind():
    log, node = operators_node("error")
    log.set_level("warn")
    assert say_everything(node) == ["warn", "error"]


@pytest.mark.parametrize(
    ("level", "logs", "bytes_too"), [("info", 0, False), ("debug", 1, False), ("trace", 1, True)]
)
def test_the_level_decides_what_is_logged_of_messages(level, logs, bytes_too):
    _, node = operators_node(level)
    assert len(node.audience.traffic) == logs
    assert [each.bytes_too for each in node.audience.traffic] == [bytes_too] * logs


def test_messages_may_be_logged_later_and_in_more_detail():
    _, node = operators_node("info")
    for level in ("debug", "trace", "info", "debug"):
        node.heed(level)
    (log,) = node.audience.traffic
    assert not log.bytes_too


class Door(Service):
    """A service that cannot start."""

    def __init__(self, *, privileged, setting="listen"):
        self.privileged = privileged
        self.error = InvalidSetting(setting, "7", "something else")

    def privilegedStartService(self):  # noqa: N802
        if self.privileged:
            raise self.error

    def startService(self):
        if not self.privileged:
            raise self.error


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.stopped = []
        self.reactor.stop = lambda: self.stopped.append(self.reactor.seconds())
        self.reactor.callFromThread = partial(self.reactor.callLater, 0)
        self.handlers = []
        self.program = Program(
            self.reactor,
            make_node(self.reactor).journal,
            lambda number, handler: self.handlers.append((number, handler)),
        )

    def start(self):
        self.program.privilegedStartService()
        self.program.startService()
        self.reactor.run()
        self.stopped.clear()  # that of the fake, which never runs for long
        return dict(self.handlers)


@pytest.mark.parametrize("privileged", [True, False])
@pytest.mark.parametrize(("setting", "lines"), [("listen", 0), ("http", 0), ("log-json", 1)])
def test_what_cannot_be_opened_ends_the_program_and_is_told_once(privileged, setting, lines):
    """Doors have said so themselves."""
    world = World()
    Door(privileged=privileged, setting=setting).setServiceParent(world.program)
    start = world.program.privilegedStartService if privileged else world.program.startService
    with LogLines() as told, pytest.raises(CannotStart, match=f"{setting} is '7'") as caught:
        start()
    assert caught.value.code == 1
    assert len(told) == lines


class Shelf(Service):
    """A service whose files cannot be used."""

    def startService(self):
        raise StorageUnusable("/shelf", "it is full of books")


def test_files_that_cannot_be_used_end_the_program():
    world = World()
    Shelf().setServiceParent(world.program)
    with LogLines() as lines, pytest.raises(CannotStart, match="it is full of books"):
        world.program.startService()
    assert len(lines) == 1
    assert lines[0].startswith("cannot start: ")


def test_signals_are_heard_from_the_start_on_and_once_more_when_twisted_has_taken_them():
    world = World()
    world.program.privilegedStartService()
    first, world.handlers[:] = dict(world.handlers), ()
    assert list(first) == [*ENDS, signal.SIGHUP]
    world.program.startService()
    assert world.handlers == []
    world.reactor.run()
    assert dict(world.handlers) == first


def test_where_there_is_no_sighup_none_is_heard(monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    assert list(World().start()) == ENDS


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_stops_the_reactor_and_a_second_one_kills(number):
    world = World()
    world.start()[number](number, None)
    assert world.handlers[-1] == (number, signal.SIG_DFL)
    assert world.stopped == []
    with LogLines() as lines:
        world.reactor.advance(0)
    assert lines == [f"told to stop by {number.name}: saying goodbye to all peers"]
    assert world.stopped == [0]


def test_two_signals_stop_the_reactor_once():
    world = World()
    handlers = world.start()
    for number in ENDS:
        handlers[number](number, None)
    with LogLines() as lines:
        world.reactor.advance(0)
    assert len(lines) == len(world.stopped) == 1


def test_sighup_makes_it_read_its_settings_again():
    world, times = World(), []
    handler = world.start()[signal.SIGHUP]
    handler(signal.SIGHUP, None)
    with LogLines() as lines:
        world.reactor.advance(0)
    assert lines == ["told by SIGHUP to read the settings again"]
    world.program.reread = lambda: times.append(world.reactor.seconds())
    handler(signal.SIGHUP, None)
    assert times == []
    world.reactor.advance(0)
    assert times == [0]
    assert world.stopped == []


# The end


class Slow(Service):
    """A service that stops when the test says so."""

    def __init__(self):
        self.stopped = Deferred()
        self.told = False

    def stopService(self):
        Service.stopService(self)
        self.told = True
        return self.stopped


def stopping(world):
    done = []
    world.program.stopService().addCallback(done.append)
    return done


def test_what_others_stand_on_stops_last():
    world, peers, tor = World(), Slow(), Slow()
    peers.setServiceParent(world.program)
    tor.setServiceParent(world.program.ground)
    world.start()
    done = stopping(world)
    assert (peers.told, tor.told) == (True, False)
    peers.stopped.callback(None)
    assert tor.told
    assert done == []
    tor.stopped.callback(None)
    assert done == [None]
    assert world.reactor.getDelayedCalls() == []


def test_after_five_seconds_nobody_is_waited_for():
    world, tor = World(), Slow()
    tor.setServiceParent(world.program.ground)
    world.start()
    done = stopping(world)
    world.reactor.advance(4.9)
    assert done == []
    world.reactor.advance(0.1)
    assert done == [None]
    tor.stopped.callback(None)
    assert done == [None]


def test_it_can_be_started_again():
    world, part = World(), Service()
    part.setServiceParent(world.program)
    for _ in range(2):
        world.program.privilegedStartService()
        world.program.startService()
        assert part.running
        assert stopping(world) == [None]
        assert not part.running
