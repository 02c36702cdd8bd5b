import os
import tempfile
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from bitpeer.errors import TorUnavailable
from bitpeer.net.torlaunch import GRACE, LOOK_PERIOD, PATIENCE, TorProcess


class Process:
    """A child that does what the test says."""

    def __init__(self, protocol, arguments, path):
        self.protocol = protocol
        self.arguments = arguments
        self.path = path
        self.signals = []
        self.over = False

    def signalProcess(self, name):  # noqa: N802
        if self.over:
            raise ProcessExitedAlready
        self.signals.append(name)

    def end(self, reason=None):
        self.over = True
        self.protocol.processEnded(Failure(reason or ProcessDone(0)))

    @property
    def settings(self):
        given = self.arguments[4:]
        return dict(zip(given[::2], given[1::2], strict=True))


class Reactor(Clock):
    """Starts nothing."""

    def __init__(self):
        super().__init__()
        self.processes = []

    def spawnProcess(self, protocol, program, arguments, env, path):  # noqa: N802
        assert env is None, "Tor lives in our environment"
        assert program == arguments[0]
        process = Process(protocol, arguments, path)
        protocol.transport = process
        self.processes.append(process)


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "tor"
    path.touch(mode=0o700)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "tor"


@pytest.fixture
def tor(reactor, folder, program):
    return TorProcess(reactor, folder, program)


def started(tor):
    """Begin to start it; what comes of it ends up in the list."""
    outcome = []
    Deferred.fromCoroutine(tor.start()).addBoth(outcome.append)
    return outcome


def opened(folder, text="PORT=127.0.0.1:4321\n"):
    (folder / "control-port").write_text(text)


def complaint(outcome):
    ((failure),) = outcome
    assert failure.check(TorUnavailable)
    return str(failure.value)


def test_tor_is_started_with_all_ports_on_loopback(tor, reactor, folder):
    outcome = started(tor)
    assert not outcome
    (process,) = reactor.processes
    assert process.path == str(folder)
    assert process.arguments[1:4] == ["-f", str(folder / "torrc"), "--ignore-missing-torrc"]
    assert process.settings == {
        "--DataDirectory": str(folder),
        "--SocksPort": "127.0.0.1:auto ExtendedErrors",
        "--ControlPort": "127.0.0.1:auto",
        "--ControlPortWriteToFile": str(folder / "control-port"),
        "--CookieAuthentication": "1",
        "--__OwningControllerProcess": str(os.getpid()),
        "--RunAsDaemon": "0",
        "--Log": "notice stdout",
    }
    opened(folder)
    reactor.advance(LOOK_PERIOD)
    assert outcome == ["127.0.0.1:4321"]


def test_its_folder_may_be_named_relative_to_where_we_are(
    reactor, folder, program, tmp_path, monkeypatch
):
    """Tor runs in it, and must find there the operator's torrc, with bridges perhaps."""
    monkeypatch.chdir(tmp_path)
    started(TorProcess(reactor, folder.relative_to(tmp_path), program))
    (process,) = reactor.processes
    assert process.path == str(folder)
    assert process.arguments[2] == str(folder / "torrc")
    assert process.settings["--DataDirectory"] == str(folder)


def test_its_folder_is_for_this_user_only(tor, folder):
    started(tor)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_is_left_of_an_earlier_tor_is_not_believed(tor, reactor, folder):
    folder.mkdir(parents=True)
    opened(folder, "PORT=127.0.0.1:1\n")
    outcome = started(tor)
    opened(folder, "PORT=127.0.0")
    reactor.advance(LOOK_PERIOD)
    assert not outcome
    opened(folder)
    reactor.advance(LOOK_PERIOD)
    assert outcome == ["127.0.0.1:4321"]


def test_tor_that_runs_is_not_started_again(tor, reactor, folder):
    started(tor)
    opened(folder)
    assert started(tor) == ["127.0.0.1:4321"]
    assert len(reactor.processes) == 1


def test_tor_that_has_ended_is_started_again(tor, reactor, folder):
    started(tor)
    opened(folder)
    reactor.advance(LOOK_PERIOD)
    reactor.processes[0].end()
    assert not started(tor)
    assert len(reactor.processes) == 2
    assert not (folder / "control-port").exists()


def test_tor_that_ends_at_once_is_told_with_its_last_complaint(tor, reactor):
    outcome = started(tor)
    (process,) = reactor.processes
    process.protocol.childDataReceived(1, b"12:00 [notice] hello\n12:00 [warn] first\n")
    process.protocol.childDataReceived(1, b"12:01 [err] No such option \x1b[2J\n12:02 [notice] x\n")
    process.end(ProcessTerminated(1))
    reactor.advance(LOOK_PERIOD)
    said = "our own Tor: it ended with status 1, saying: No such option \\x1b[2J"
    assert complaint(outcome) == said


def test_tor_that_ends_in_silence_is_told_too(tor, reactor):
    outcome = started(tor)
    reactor.processes[0].end()
    reactor.advance(LOOK_PERIOD)
    assert complaint(outcome) == "our own Tor: it ended with status 0"


def test_tor_that_opens_nothing_is_given_up(tor, reactor):
    outcome = started(tor)
    reactor.pump([LOOK_PERIOD] * int(PATIENCE / LOOK_PERIOD + 2))
    assert complaint(outcome) == "our own Tor: no control port within 30 seconds"


def test_missing_program_is_named(reactor, folder):
    outcome = started(TorProcess(reactor, folder, "no-such-tor"))
    said = "our own Tor: there is no program no-such-tor on PATH to start"
    assert complaint(outcome) == said


def test_folder_that_cannot_be_made_is_named(reactor, tmp_path, program):
    (tmp_path / "file").touch()
    outcome = started(TorProcess(reactor, tmp_path / "file" / "tor", program))
    place = Path(tmp_path / "file" / "tor")
    assert complaint(outcome) == f"our own Tor: {place} cannot be used: Not a directory"


def test_tor_ends_when_told_to(tor, reactor):
    started(tor)
    gone = tor.stop()
    (process,) = reactor.processes
    assert process.signals == ["TERM"]
    assert not gone.called
    process.end()
    assert gone.called
    reactor.advance(GRACE)
    assert process.signals == ["TERM"]


def test_tor_that_will_not_end_is_killed(tor, reactor):
    started(tor)
    gone = tor.stop()
    (process,) = reactor.processes
    reactor.advance(GRACE)
    assert process.signals == ["TERM", "KILL"]
    process.end(ProcessTerminated(None, 9))
    assert gone.called


def test_tor_that_is_about_to_be_told_of_as_ended_needs_no_signal(tor, reactor):
    started(tor)
    (process,) = reactor.processes
    process.over = True
    gone = tor.stop()
    process.end()
    assert gone.called
    assert not process.signals


def test_what_does_not_run_has_ended(tor, reactor):
    assert tor.stop().called
    started(tor)
    reactor.processes[0].end()
    assert tor.stop().called


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder of those that go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_tor_that_is_to_keep_nothing_has_a_folder_that_goes_with_it(reactor, program, scratch):
    tor = TorProcess(reactor, None, program)
    assert list(scratch.iterdir()) == []
    for _ in range(2):
        started(tor)
        (folder,) = scratch.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert reactor.processes[-1].settings["--DataDirectory"] == str(folder)
        (folder / "state").touch()
        reactor.processes[-1].end()
        started(tor)
        assert reactor.processes[-1].settings["--DataDirectory"] == str(folder)
        done = tor.stop()
        assert folder.exists()
        reactor.processes[-1].end()
        assert done.called
        assert list(scratch.iterdir()) == []


def test_where_no_folder_can_be_made_there_is_no_tor(reactor, program, scratch):
    scratch.rmdir()
    (failure,) = started(TorProcess(reactor, None, program))
    assert failure.check(TorUnavailable)
    assert "no folder can be made for it: [Errno 2]" in str(failure.value)
