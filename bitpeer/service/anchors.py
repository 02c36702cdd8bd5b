"""Whom to dial first after a restart: peers of before, whom nobody else can have put there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from twisted.logger import LogLevel

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.net.journal import Journal
from bitpeer.service.seeds import Address

MAX_ANCHORS = 2
"""Most addresses kept (Core)."""
_MAX_SIZE = 1_024
"""Bytes beyond which the file is not ours."""
_PORT = re.compile("[0-9]{1,5}")


class Anchors:
    """Keeps a few addresses from a clean stop to the next start.

    Whoever fills the address book of a node and makes it restart has all its peers,
    if it knows no others then (an eclipse attack).  The anchors are peers that only
    ever heard of blocks, so that they are hard to find out.

    They are kept in a file, which is gone once it is read: if it were they that crash
    the program, they would not do so twice.

    Args:
        path: the file, from `DataDirectory.path`; `None` to keep nothing.
        journal: is told what cannot be kept.
    """

    def __init__(self, path: Path | None, journal: Journal) -> None:
        self._path = path
        self._journal = journal

    def take(self) -> list[Address]:
        """Return what was kept, and keep it no more."""
        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                text = file.read(_MAX_SIZE)
            self._path.unlink()
        except FileNotFoundError:
            return []
        except OSError as error:
            self._complain("read", error)
            return []
        lines = text.decode("ascii", "replace").splitlines()
        return [address for line in lines[:MAX_ANCHORS] if (address := _parsed(line)) is not None]

    def keep(self, addresses: Iterable[Address]) -> None:
        """Keep the first few of *addresses*; they appear in the file all at once or not at all."""
        lines = [f"{host} {port}\n" for host, port in list(addresses)[:MAX_ANCHORS]]
        if self._path is None or not lines:
            return
        draft = self._path.with_suffix(".new")
        try:
            with draft.open("w", encoding="ascii") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            self._complain("written", error)
            with suppress(OSError):
                draft.unlink()

    def _complain(self, what: str, error: OSError) -> None:
        text = "{path} cannot be " + what + ": {why}"
        self._journal.emit(LogLevel.warn, text, path=str(self._path), why=error.strerror)


def _parsed(line: str) -> Address | None:
    host, _, port = line.partition(" ")
    try:
        parse_host(host)
    except ValueError:
        return None
    return Address(host, int(port)) if _PORT.fullmatch(port) and int(port) < 65536 else None
