"""Real `twistd bitpeer` processes, for the few tests that need one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
PATIENCE = 30.0
"""Seconds that a loaded machine may take for what takes a healthy one no time."""


def environment(**extra: str) -> dict[str, str]:
    """Return the environment in which the checkout, and no installed copy, is found."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **extra}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``twistd -n bitpeer`` with *arguments* until it ends by itself."""
    command = (*TWISTD, "--nodaemon", "--pidfile=", "bitpeer", *arguments)
    with TemporaryDirectory() as home:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment(XDG_DATA_HOME=home),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


class Running:
    """A process whose lines are read while it runs.  Both its outputs are one.

    What it keeps is kept in a directory of its own, and goes with it, unless it is told another.
    """

    def __init__(self, command: tuple[str, ...], **extra: str) -> None:
        self.lines: list[str] = []
        self._home = TemporaryDirectory()
        self._queue: Queue[str | None] = Queue()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(XDG_DATA_HOME=self._home.name, **extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(line.rstrip())
        self._queue.put(None)

    def wait_for(self, text: str) -> str:
        """Return the next line with *text* in it."""
        while True:
            try:
                line = self._queue.get(timeout=PATIENCE)
            except Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {text!r} in:\n" + "\n".join(self.lines))
            self.lines.append(line)
            if text in line:
                return line

    def terminate(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.signal(signal.SIGTERM)
        return self.status()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def status(self, patience: float = PATIENCE) -> int:
        """Return the exit status, and have read all lines, once it has ended."""
        status = self._process.wait(patience)
        self._reader.join(patience)
        while (line := self._queue.get(timeout=patience)) is not None:
            self.lines.append(line)
        return status

    def close(self) -> None:
        """End it, if it has not ended yet."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._home.cleanup()


@contextmanager
def running(*command: str, **extra: str) -> Iterator[Running]:
    """Run any *command* while the block lasts."""
    process = Running(command, **extra)
    try:
        yield process
    finally:
        process.close()


@contextmanager
def bitpeer(*arguments: str) -> Iterator[Running]:
    """Run ``twistd -n bitpeer`` with *arguments* while the block lasts."""
    with running(*TWISTD, "--nodaemon", "--pidfile=", "bitpeer", *arguments) as process:
        yield process


def port_of(process: Running) -> str:
    """Return the port that *process* says it listens on."""
    return process.wait_for("listening on ").rpartition(":")[2]
