"""`twistd bitpeer` in a process of its own, behind a fence."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from tests.interop.bcoin_package import PROJECT


class Ended(Exception):
    """The program ended while something was expected of it; the message is what it said."""


class Program(ProcessProtocol):
    """The program.

    Args:
        folder: for its record of transgressions, and whatever it writes.
        places: where it may connect to, as ``host:port``; see `Fence`.
        options: those of ``twistd bitpeer``.
    """

    def __init__(self, folder: Path, places: Iterable[str], *options: str) -> None:
        folder.mkdir(exist_ok=True)
        self._record = folder / "transgressions"
        self._said = ""
        self._waiting: list[tuple[re.Pattern[str], Deferred[re.Match[str]]]] = []
        self._ends: list[Deferred[int]] = []
        self.status: int | None = None
        """What it ended with, once it has."""
        fence = [sys.executable, "-m", "tests.interop.fence", str(self._record), ",".join(places)]
        self._process = reactor.spawnProcess(
            self,
            sys.executable,
            [*fence, "--nodaemon", "--pidfile=", "bitpeer", "--network", "regtest", *options],
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            path=str(PROJECT),
        )

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._said

    @property
    def transgressions(self) -> str:
        """What it has tried past the fence; nothing, if all is well."""
        return self._record.read_text() if self._record.exists() else ""

    def says(self, pattern: str) -> Deferred[re.Match[str]]:
        """Wait for something that it says, or has said already."""
        wanted = re.compile(pattern)
        found = wanted.search(self._said)
        if found is not None:
            return succeed(found)
        waiter: Deferred[re.Match[str]] = Deferred(lambda _: self._waiting.remove(entry))
        entry = (wanted, waiter)
        self._waiting.append(entry)
        return waiter

    def ends(self) -> Deferred[int]:
        """Wait for its end; the result is its status."""
        if self.status is not None:
            return succeed(self.status)
        self._ends.append(Deferred())
        return self._ends[-1]

    def stop(self, name: str = "TERM") -> Deferred[int]:
        """Tell it to end, and wait for that."""
        with suppress(ProcessExitedAlready):
            self._process.signalProcess(name)
        return self.ends()

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803
        self._said += data.decode("utf-8", "replace")
        for entry in tuple(self._waiting):
            found = entry[0].search(self._said)
            if found is not None:
                self._waiting.remove(entry)
                entry[1].callback(found)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        code = getattr(reason.value, "exitCode", None)
        self.status = -1 if code is None else code
        waiting, self._waiting = self._waiting, []
        for _, waiter in waiting:
            waiter.errback(Ended(self._said))
        for end in self._ends:
            end.callback(self.status)
