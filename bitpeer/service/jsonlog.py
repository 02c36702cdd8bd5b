"""Events in a file, one JSON object a line: for programs that read logs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from twisted.application.service import Service
from twisted.logger import LogLevel

from bitpeer.errors import InvalidSetting
from bitpeer.net.journal import Journal
from bitpeer.service.events import Event, Events

MAX_BYTES = 16_777_216
"""Bytes in one file, unless somebody says otherwise."""
MAX_FILES = 5
"""Files in all, unless somebody says otherwise."""


class JsonLog(Service):
    """Writes all events to a file while it runs.

    The file never has more than so many bytes: when it is full it becomes ``FILE.1``, what was
    that becomes ``FILE.2``, and the oldest goes (R-I4).  A disk that is full costs lines and
    nothing else; the first line after it says how many.  A line is written whole or not at all,
    and handed to the system at once.

    Args:
        path: the file; only its owner may read it, if this creates it.
        events: what to write.
        journal: is told, once each time, that the file cannot be written.
        max_bytes: in one file.
        max_files: in all, the one that is being written included.

    Raises:
        InvalidSetting: a limit makes no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        events: Events,
        journal: Journal,
        *,
        max_bytes: int = MAX_BYTES,
        max_files: int = MAX_FILES,
    ) -> None:
        if max_bytes < 4_096:
            raise InvalidSetting("max_bytes", max_bytes, "4096 or more")
        if max_files < 1:
            raise InvalidSetting("max_files", max_files, "1 or more")
        self.path = Path(path)
        self.lost = 0
        """Lines that could not be written, ever."""
        self._events = events
        self._journal = journal
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._file: BinaryIO | None = None
        self._size = 0
        self._gap = 0
        """Lines lost since the last one that was written."""
        self._hush: Callable[[], object] = lambda: None

    def privilegedStartService(self) -> None:  # noqa: N802
        """Open the file, before `twistd` gives up its rights.

        Raises:
            InvalidSetting: it cannot be opened.
        """
        Service.privilegedStartService(self)
        if self._file is None:
            try:
                self._open()
            except OSError as error:
                expected = f"a file that can be written ({error.strerror})"
                raise InvalidSetting("log-json", str(self.path), expected) from error

    def startService(self) -> None:
        self.privilegedStartService()
        Service.startService(self)
        self._hush = self._events.subscribe(self.write)

    def stopService(self) -> None:
        Service.stopService(self)
        self._hush()
        self._close()

    def reopen(self) -> None:
        """Close the file and open whatever has its name now: for SIGHUP, after a logrotate."""
        self._close()
        with suppress(OSError):  # the next line tries again, and tells
            self._open()

    def write(self, event: Event) -> None:
        """Write one line, or count it as lost."""
        try:
            if self._file is None:
                self._open()
            if self._gap:
                self._append({"event": "events.unwritten", "version": 1, "count": self._gap})
            self._append(event)
        except OSError as error:
            self._lose(error)
        else:
            self._gap = 0

    def _append(self, event: Event) -> None:
        line = json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
        if self._size and self._size + len(line) > self._max_bytes:
            self._rotate()
        file = self._file
        assert file is not None  # both callers have seen to it
        written = file.write(line)
        if written != len(line):
            file.truncate(self._size)  # half a line is worse than none
            raise OSError("no space left for a whole line")
        self._size += len(line)

    def _lose(self, error: OSError) -> None:
        self.lost += 1
        self._gap += 1
        self._close()
        if self._gap == 1:
            self._journal.emit(
                LogLevel.error,
                "{path} cannot be written, so events are not: {why}",
                path=str(self.path),
                why=error.strerror or str(error),
            )

    def _open(self) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # Unbuffered, so that a full disk is noticed by the line that does not fit.
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        self._size = os.fstat(descriptor).st_size

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _rotate(self) -> None:
        self._close()
        older = [self.path.with_name(f"{self.path.name}.{n}") for n in range(1, self._max_files)]
        names = [self.path, *older]
        for newer, name in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(name)
        if not older:
            self.path.unlink(missing_ok=True)
        self._open()
