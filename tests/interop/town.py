"""A town of `twistd bitpeer` processes on regtest, each at an address of its own on this machine.

Linux gives a process all of 127.0.0.0/8 without asking; elsewhere the addresses have to be set up.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from secrets import randbits
from threading import Event
from time import monotonic, time
from typing import Any, TypeVar
from urllib.request import urlopen

from bitpeer.bitcoin.messages import Version
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.messages.addresses import NOWHERE
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.testing.frames import Frames, frame
from bitpeer.wire.message import Message
from tests.twistd import PATIENCE, TWISTD, Running

T = TypeVar("T")

PORT = 18_444
"""Where everybody listens."""
_MINE = f"127.{64 + os.getpid() % 128}.{os.getpid() // 128 % 256}."
"""Begins the addresses of this process's towns, so that two of them do not meet."""


def until(ask: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask until the answer is one, and return it."""
    pause, end = Event(), monotonic() + patience
    while not (answer := ask()):
        assert monotonic() < end, f"it stayed {answer!r}"
        pause.wait(0.05)
    return answer


class Resident:
    """One of them.

    Args:
        town: ends it.
        number: the last part of its address.
        folder: where it keeps what it learns.
        options: those of ``twistd bitpeer``, beside what all have.
    """

    def __init__(self, town: ExitStack, number: int, folder: Path, *options: str) -> None:
        self.host = f"{_MINE}{number}"
        self.place = f"{self.host}:{PORT}"
        self.folder = folder / str(number)
        self._town = town
        self._options = options
        self.start()

    def start(self, *options: str) -> None:
        """Start it, again maybe, with some more *options*."""
        places = ("--listen", self.place, "--address", self.host, "--http", f"{self.host}:0")
        common = ("--network", "regtest", "--data-dir", str(self.folder), *places)
        command = (*TWISTD, "--nodaemon", "--pidfile=", "bitpeer")
        self.process = Running((*command, *common, *self._options, *options))
        self._town.callback(self.process.close)
        self.url = self.process.wait_for("status page at ").rpartition(" ")[2]

    def stop(self) -> int:
        """End it as an operator would; return its status."""
        return self.process.terminate()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.signal(signal.SIGKILL)
        assert self.process.status() == -signal.SIGKILL

    def kept(self, what: str, query: str) -> set[tuple[Any, ...]]:
        """Return what a *query* finds in one of the files that it keeps."""
        file = self.folder / "bitcoin-regtest" / f"{what}.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return set(database.execute(query))

    # What its page says

    def says(self, what: str) -> str:
        """Return what is at a path of its page."""
        with urlopen(self.url + what, timeout=PATIENCE) as answer:
            text: str = answer.read().decode()
        return text

    @property
    def status(self) -> dict[str, Any]:
        """How it is doing."""
        (status,) = json.loads(self.says("status"))["networks"]
        found: dict[str, Any] = status
        return found

    @property
    def peers(self) -> list[dict[str, Any]]:
        """Its established peers."""
        return [peer for peer in json.loads(self.says("peers")) if peer["established"]]

    @property
    def dialled(self) -> set[str]:
        """Where the peers are that it has dialled, feelers not included."""
        found = (peer for peer in self.peers if not peer["inbound"])
        return {peer["addr"] for peer in found if peer["connection_type"] != "feeler"}

    @property
    def tip(self) -> tuple[bytes, int]:
        """The hash of its newest block, wire order, and its height."""
        chain = self.status["blockchain"]
        return bytes.fromhex(chain["bestblockhash"])[::-1], chain["headers"]

    @property
    def known(self) -> int:
        """How many addresses it knows."""
        return sum(network["total"] for network in self.status["addresses"].values())


class Stranger:
    """A peer who says hello, and whatever else a test makes it say.

    Args:
        place: whom to dial: host and port.
        origin: where it comes from, as a load balancer would tell of it.
    """

    def __init__(self, place: tuple[str, int], origin: str = "") -> None:
        self._socket = socket.create_connection(place, PATIENCE)
        self._frames = Frames(REGTEST)
        if origin:
            self._socket.sendall(b"PROXY TCP4 %s 127.0.0.1 4711 18444\r\n" % origin.encode())
        hello = Version(70016, 0, int(time()), NOWHERE, NOWHERE, randbits(63), b"/stranger/", 0)
        self.say(hello, VerAck())

    def say(self, *messages: Message) -> None:
        """Send some messages."""
        self._socket.sendall(b"".join(frame(REGTEST, message) for message in messages))

    def is_welcome(self) -> bool:
        """Return whether it is answered; otherwise the connection has been ended."""
        number = randbits(63)
        try:
            self.say(Ping(number))
            while data := self._socket.recv(65_536):
                if Pong(number) in self._frames.feed(data):
                    return True
        except ConnectionError:
            pass
        return False

    def leave(self) -> None:
        """Hang up."""
        self._socket.close()
