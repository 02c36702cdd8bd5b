"""A Tor of our own, as a child of this process."""

from __future__ import annotations

import os
import re
import shutil
from collections import deque
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from bitpeer.errors import TorUnavailable
from bitpeer.net.text import printable

LOOK_PERIOD = 0.2
"""Seconds between two looks for the control port that Tor has opened."""
PATIENCE = 30.0
"""Seconds within which a Tor that was started has opened its control port."""
GRACE = 5.0
"""Seconds that it has to end before it is killed."""
MAX_SAID = 16_384
"""Bytes of its output that are kept, to tell why it ended."""

_PLACE = re.compile(r"PORT=(127\.0\.0\.1:[0-9]{1,5})\s*")
_COMPLAINT = re.compile(r"\[(?:warn|err)\] (.*)")
_WHO = "our own Tor"


class TorProcess:
    """Starts a Tor that keeps its state in a folder of ours, and ends with this process.

    It opens a SOCKS port and a control port on 127.0.0.1, both chosen by the system.  A
    file ``torrc`` in the folder may have settings of the operator's, such as bridges.

    Args:
        reactor: Twisted's.
        directory: for what Tor wants to remember; created for this user only.  `None` for
            one that goes when Tor does.
        program: the executable.
    """

    def __init__(self, reactor: object, directory: Path | None, program: str = "tor") -> None:
        self._reactor = reactor
        # Tor runs there, and would take a relative path for one that begins there.
        self._directory = None if directory is None else directory.absolute()
        self._scratch: Path | None = None
        """The one that goes, while there is one."""
        self._program = program
        self._child: _Child | None = None

    async def start(self) -> str:
        """Start Tor unless it runs; return the host and port where it takes commands.

        Raises:
            TorUnavailable: it does not start, for the reason told.
        """
        clock = cast(IReactorTime, self._reactor)
        place = self._home() / "control-port"
        if self._child is None or self._child.ended is not None:
            self._spawn(place)
        child = cast(_Child, self._child)
        until = clock.seconds() + PATIENCE
        while child.ended is None:
            if found := _PLACE.fullmatch(_read(place)):
                return found[1]
            if clock.seconds() > until:
                raise TorUnavailable(_WHO, f"no control port within {PATIENCE:.0f} seconds")
            await deferLater(clock, LOOK_PERIOD)
        raise TorUnavailable(_WHO, child.ended)

    def stop(self) -> Deferred[None]:
        """End it; the Deferred fires when it is gone."""
        child, self._child = self._child, None
        ended = succeed(None) if child is None else child.end(cast(IReactorTime, self._reactor))
        return ended.addCallback(self._forget)

    def _home(self) -> Path:
        """Return the folder to use, which need not be there."""
        if self._directory is not None:
            return self._directory
        if self._scratch is None:
            try:
                self._scratch = Path(mkdtemp(prefix="bitpeer-tor-"))
            except OSError as error:
                raise TorUnavailable(_WHO, f"no folder can be made for it: {error}") from error
        return self._scratch

    def _forget(self, _: None) -> None:
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)

    def _spawn(self, place: Path) -> None:
        program = shutil.which(self._program)
        if program is None:
            raise TorUnavailable(_WHO, f"there is no program {self._program} on PATH to start")
        home = place.parent
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
        except OSError as error:
            why = f"{error.filename} cannot be used: {error.strerror}"
            raise TorUnavailable(_WHO, why) from error
        settings = {
            "DataDirectory": home,
            "SocksPort": "127.0.0.1:auto ExtendedErrors",  # why an onion service cannot be had
            "ControlPort": "127.0.0.1:auto",
            "ControlPortWriteToFile": place,
            "CookieAuthentication": "1",
            "__OwningControllerProcess": os.getpid(),
            "RunAsDaemon": "0",
            "Log": "notice stdout",
        }
        arguments = [program, "-f", str(home / "torrc"), "--ignore-missing-torrc"]
        for name, value in settings.items():
            arguments += [f"--{name}", str(value)]
        self._child = _Child()
        cast(IReactorProcess, self._reactor).spawnProcess(
            self._child, program, arguments, env=None, path=str(home)
        )


class _Child(ProcessProtocol):
    """The process: what it says last, and how it ends."""

    def __init__(self) -> None:
        self.ended: str | None = None
        """Why, once it has."""
        self._said: deque[bytes] = deque(maxlen=MAX_SAID // 1024)
        self._waiting: list[Deferred[None]] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803
        """Keep the end of what it says."""
        self._said.append(data[-1024:])

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        """Find out why from its last complaint."""
        complaints = _COMPLAINT.findall(b"".join(self._said).decode("utf-8", "replace"))
        code = getattr(reason.value, "exitCode", None)
        self.ended = f"it ended with status {code}"
        if complaints:
            self.ended += f", saying: {printable(complaints[-1], 250)}"
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def end(self, clock: IReactorTime) -> Deferred[None]:
        """Tell it to end, and kill it if it does not."""
        if self.ended is not None:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._waiting.append(gone)
        self._signal("TERM")
        kill = clock.callLater(GRACE, self._signal, "KILL")

        def done(_: None) -> None:
            if kill.active():
                kill.cancel()

        return gone.addCallback(done)

    def _signal(self, name: str) -> None:
        with suppress(ProcessExitedAlready):
            cast(IProcessTransport, self.transport).signalProcess(name)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
