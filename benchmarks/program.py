"""A whole `twistd bitpeer`, with a past, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SHUT_RDWR, create_connection
from tempfile import TemporaryDirectory
from threading import Thread
from time import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from twisted.internet.task import Clock
from twisted.logger import Logger

from benchmarks.processes import PROJECT, ActorFailed
from benchmarks.rows.headers import LATER, mined
from benchmarks.stage import CONFIG
from bitpeer.bitcoin.consensus import REGTEST as RULES
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.net.journal import Journal
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.addresskeeper import AddressKeeper
from bitpeer.service.datadir import DataDirectory
from bitpeer.service.headers import HeaderChain
from bitpeer.service.seeds import Address

_RUN = "from twisted.scripts.twistd import run; run()"
_TWISTD = (sys.executable, "-c", _RUN, "--nodaemon", "--pidfile=", "bitpeer")


class Program:
    """The program, as far as its page and its first lines tell.

    Args:
        process: runs it.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._said("listening on ").rpartition(":")[2])
        """Where it accepts peers."""
        self._page = self._said("status page at ").rpartition(" ")[2]

    def status(self) -> dict[str, Any]:
        """Return all that it tells of itself."""
        with urlopen(f"{self._page}status") as answer:  # noqa: S310  # it is our own
            status: dict[str, Any] = json.load(answer)
        return status

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Look at the page, as a browser does, as long as the block lasts."""
        place = urlsplit(self._page)
        with create_connection((place.hostname, place.port)) as browser:
            browser.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            read = iter(lambda: browser.recv(65_536), b"")
            reader = Thread(target=deque, args=(read, 0))
            reader.start()
            try:
                yield
            finally:
                browser.shutdown(SHUT_RDWR)
                reader.join()

    def _said(self, what: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if what in line:
                return line.strip()
        raise ActorFailed(f"twistd ended with status {self._process.wait()}")


@contextmanager
def program(headers: int, addresses: int) -> Iterator[Program]:
    """Run one that knows so many headers and addresses."""
    with TemporaryDirectory() as folder:
        _remember(Path(folder), headers, addresses)
        places = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir", folder)
        process = subprocess.Popen(  # noqa: S603  # the command is our own
            [*_TWISTD, "--network", "regtest", *places],
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            text=True,
        )
        try:
            yield Program(process)
        finally:
            process.terminate()
            assert process.stdout is not None
            process.stdout.read()
            process.stdout.close()
            process.wait()


def _remember(folder: Path, headers: int, addresses: int) -> None:
    """Fill a data directory."""
    data = DataDirectory(folder)
    chain = HeaderChain.open(REGTEST, data.path(REGTEST, "headers.sqlite"))
    chain.extend([RULES.link(raw) for raw in mined(headers)], LATER)
    chain.close()
    book = AddressBook()
    clock = Clock()
    keeper = AddressKeeper(
        book,
        data.path(REGTEST, "addresses.sqlite"),
        network=CONFIG.network.title,
        clock=clock,
        journal=Journal(Logger(), clock.seconds),
    )
    keeper.startService()
    for number in range(addresses):
        high, low = divmod(number, 250)
        address = Address(f"{20 + high % 60}.{low}.{high // 60}.1", 18_444)
        book.learn([address], f"{100 + low % 90}.{high % 250}.0.1", time())
    keeper.stopService()
