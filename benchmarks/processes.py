"""Processes that play a part in a benchmark, and what they report, a line of JSON at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]

Report = dict[str, Any]


class ActorFailed(Exception):
    """A process ended while something was expected of it."""


class Actor:
    """One process: lines of JSON go in and come out; it ends when its input does."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._name = " ".join(command[1:])
        self._process = subprocess.Popen(  # noqa: S603  # the command is our own
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            text=True,
            bufsize=1,
        )

    def tell(self, **order: object) -> None:
        """Give it an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")

    def hear(self) -> Report:
        """Wait for its next report.

        Raises:
            ActorFailed: there will be none.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ActorFailed(f"{self._name} ended with status {self._process.wait()}")
        report: Report = json.loads(line)
        return report

    def fileno(self) -> int:
        """Where its reports come from, for those who wait for several things at once."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def end(self) -> None:
        """Let it end, and wait for that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def actor(name: str, **settings: object) -> Iterator[Actor]:
    """Have one of `benchmarks.actors` play for as long as the context lasts."""
    started = Actor([sys.executable, "-m", "benchmarks.actors", name, json.dumps(settings)])
    try:
        yield started
    finally:
        started.end()
