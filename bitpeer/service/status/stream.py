"""What changes, as it changes: server-sent events, for the page and for ``curl -N``."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.web.server import Request
from zope.interface import implementer

from bitpeer.net.journal import Journal
from bitpeer.service.events import Event
from bitpeer.service.every import Every
from bitpeer.service.status.board import Board
from bitpeer.service.status.history import PERIOD as SAMPLE_PERIOD

PERIOD = 1.0
"""Seconds between two looks at how things stand."""
MAX_STREAMS = 16
"""Most clients at a time."""
MAX_WAITING = 262_144
"""Bytes that may wait for one client, beyond what the kernel and Twisted hold; more drop it."""
PATIENCE = 30.0
"""Seconds for which a client may read nothing."""


def frame(name: str, content: object) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode("ascii")


@implementer(IPushProducer)
class Client:
    """One who is being told.  Only what is news waits while it does not read.

    Args:
        request: the client's.
        seconds: tells the time.
    """

    def __init__(self, request: Request, seconds: Callable[[], float]) -> None:
        self._request = request
        self._seconds = seconds
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._deaf_since: float | None = None
        request.registerProducer(self, streaming=True)

    def tell(self, data: bytes, *, keep: bool = True) -> None:
        """Send *data*, or keep it for later if the client does not read now.

        Args:
            data: whole events.
            keep: whether it is worth keeping; what will soon be told anew is not.
        """
        if self._deaf_since is None:
            self._request.write(data)
        elif self._seconds() - self._deaf_since > PATIENCE:
            self.drop()
        elif keep:
            self._waiting.append(data)
            self._size += len(data)
            if self._size > MAX_WAITING:
                self.drop()

    def drop(self) -> None:
        """Cut the connection."""
        cast(ITCPTransport, self._request.transport).abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802
        """The client reads too slowly."""
        if self._deaf_since is None:
            self._deaf_since = self._seconds()

    def resumeProducing(self) -> None:  # noqa: N802
        """The client has read what there was."""
        self._deaf_since = None
        while self._waiting and self._deaf_since is None:
            data = self._waiting.popleft()
            self._size -= len(data)
            self._request.write(data)

    def stopProducing(self) -> None:  # noqa: N802
        """The client is gone."""
        self._waiting.clear()


class Stream(Service):
    """Tells all clients of events at once, and of how things stand every second.

    Not of murmurs: strangers shall not fill the page of whoever looks.

    Args:
        board: what there is to tell.
        clock: the reactor.
        journal: is told of mistakes.
    """

    def __init__(self, board: Board, clock: IReactorTime, journal: Journal) -> None:
        self._board = board
        self._seconds = clock.seconds
        self._clients: set[Client] = set()
        self._looks = Every(clock, PERIOD, self._look, journal)
        self._samples = Every(clock, SAMPLE_PERIOD, self._sample, journal)
        self._hush: Callable[[], object] = lambda: None

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def startService(self) -> None:
        Service.startService(self)
        self._hush = self._board.events.subscribe(self._happened, murmurs=False)
        self._looks.start()
        self._samples.start()
        self._board.sample()

    def stopService(self) -> None:
        """Tell nobody anything any more."""
        Service.stopService(self)
        self._hush()
        self._looks.stop()
        self._samples.stop()
        for client in tuple(self._clients):
            client.drop()

    def join(self, request: Request) -> None:
        """Tell the client of *request* everything, and whatever comes from now on."""
        client = Client(request, self._seconds)
        self._clients.add(client)
        request.notifyFinish().addErrback(lambda _: self._clients.discard(client))
        client.tell(frame("hello", self._board.everything()))

    def _happened(self, event: Event) -> None:
        self._tell("event", event)

    def _look(self) -> None:
        if self._clients:
            self._tell("news", self._board.news(), keep=False)

    def _sample(self) -> None:
        self._tell("sample", self._board.sample())

    def _tell(self, name: str, content: object, *, keep: bool = True) -> None:
        if self._clients:
            data = frame(name, content)
            for client in tuple(self._clients):
                client.tell(data, keep=keep)
