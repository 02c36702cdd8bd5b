"""The service as a program of its own: its signals, its log, and how it fails to start."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads, IReactorTime
from twisted.logger import (
    FilteringLogObserver,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogPublisher,
)

from bitpeer.command.values import LEVELS
from bitpeer.config import PeerConfig
from bitpeer.errors import InvalidSetting, LocalError
from bitpeer.net.journal import Journal
from bitpeer.net.local import LocalNode
from bitpeer.net.traffic import MessageLog
from bitpeer.service.grounded import Grounded

LIMIT = 5.0
"""Seconds after which stopping is over, whatever has not stopped by then."""

_ENDS = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "SIGINT"}


class CannotStart(SystemExit, Exception):
    """Ends the program at its start, with status 1 and without a traceback.

    Being an `Exception` as well, it makes a twistd in the background tell the one
    that was called, which would wait for ever otherwise, and remove its pid file.
    """

    # That one shows a hundred bytes of what it is told, the name of the class included.
    __module__ = "builtins"

    def __init__(self, why: str) -> None:
        super().__init__(1)
        self.why = why

    def __str__(self) -> str:
        return self.why


class OperatorsLog:
    """A log of what its operator wants to see.

    Args:
        level: one of `LEVELS`.
    """

    def __init__(self, level: str) -> None:
        self._wanted = LogLevelFilterPredicate()
        self._observer = FilteringLogObserver(globalLogPublisher, [self._wanted])
        self.log = Logger("bitpeer", observer=self._observer)
        self.set_level(level)

    def about(self, chain: str) -> Logger:
        """Return what logs as well, and says of each event that it is about this *chain*."""
        return Logger(f"bitpeer.{chain}", observer=self._observer)

    def set_level(self, level: str) -> None:
        """Log from now on what is at least of this level."""
        self.level = level
        self._wanted.setLogLevelForNamespace("", LEVELS[level])


class OperatorsNode(LocalNode):
    """A node that logs what its operator wants to see.

    Args:
        config: the settings.
        log: where to.
        clock: the reactor.
    """

    def __init__(self, config: PeerConfig, log: OperatorsLog, *, clock: IReactorTime) -> None:
        self.log = log.about(config.network.title)
        super().__init__(config, clock=clock)
        self._messages: MessageLog | None = None
        self.heed(log.level)

    def heed(self, level: str) -> None:
        """Log messages as *level* wants them; a log that has been made stays, and is filtered."""
        if level in ("debug", "trace"):
            if self._messages is None:
                self._messages = MessageLog(self.journal, bytes_too=False)
                self.add_listener(self._messages)
            self._messages.bytes_too = level == "trace"


class Program(Grounded):
    """The service as a program of its own.

    What cannot be opened at the start ends it, without a traceback; SIGTERM and SIGINT end
    it with success; SIGHUP makes it read its settings again.  What its `ground` holds, a Tor
    above all, is there until all peers have heard goodbye.

    Args:
        reactor: Twisted's.
        journal: is told why it stops.
        on_signal: installs a handler, as `signal.signal` does.
    """

    def __init__(
        self,
        reactor: object,
        journal: Journal,
        on_signal: Callable[[int, Any], object] = signal.signal,
    ) -> None:
        Grounded.__init__(self)
        self._reactor = reactor
        self._journal = journal
        self._on_signal = on_signal
        self._stopping = False
        self.reread: Callable[[], None] | None = None
        """Reads the settings again, if there is a way to."""

    def privilegedStartService(self) -> None:  # noqa: N802
        """Open the doors, or give up: the log has said why.

        Raises:
            CannotStart: a door cannot be opened.
        """
        self._listen_to_signals()
        self._start(Grounded.privilegedStartService)

    def startService(self) -> None:
        # Twisted takes some signals over when it begins to run.
        cast(IReactorCore, self._reactor).callWhenRunning(self._listen_to_signals)
        self._start(Grounded.startService)

    def stopService(self) -> Deferred[object]:
        """Stop everything; the Deferred fires when it has stopped, within five seconds."""
        stopped: Deferred[object] = Deferred()
        late = cast(IReactorTime, self._reactor).callLater(LIMIT, stopped.callback, None)

        def in_time(_: object) -> None:
            if late.active():
                late.cancel()
                stopped.callback(None)

        Grounded.stopService(self).addCallback(in_time)
        return stopped

    def _start(self, start: Callable[[Grounded], None]) -> None:
        try:
            start(self)
        except LocalError as error:
            if isinstance(error, InvalidSetting) and error.setting in ("listen", "http"):
                raise CannotStart(str(error)) from None  # the door has said so itself
            self._journal.emit(LogLevel.critical, "cannot start: {why}", why=str(error))
            raise CannotStart(str(error)) from None

    def _listen_to_signals(self) -> None:
        for number in _ENDS:
            self._on_signal(number, self._terminate)
        if hasattr(signal, "SIGHUP"):  # not on Windows
            self._on_signal(signal.SIGHUP, self._hang_up)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        """Stop gracefully; twistd itself would then die of the signal.  A second one kills."""
        self._on_signal(number, signal.SIG_DFL)
        cast(IReactorFromThreads, self._reactor).callFromThread(
            self._stop, _ENDS[signal.Signals(number)]
        )

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        cast(IReactorFromThreads, self._reactor).callFromThread(self._reread)

    def _stop(self, name: str) -> None:
        if self._stopping:
            return  # one of each, as from Ctrl-C and whoever sees to it
        self._stopping = True
        text = "told to stop by {signal}: saying goodbye to all peers"
        self._journal.emit(LogLevel.info, text, signal=name)
        cast(IReactorCore, self._reactor).stop()

    def _reread(self) -> None:
        self._journal.emit(LogLevel.info, "told by SIGHUP to read the settings again")
        if self.reread is not None:
            self.reread()
