"""The status page as one Twisted service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.logger import LogLevel

from bitpeer.errors import InvalidSetting
from bitpeer.net.journal import Journal
from bitpeer.net.peer import where
from bitpeer.service.endpoints import server_endpoint
from bitpeer.service.events import Events
from bitpeer.service.listening import Listening
from bitpeer.service.overview import Overview
from bitpeer.service.status.board import Board
from bitpeer.service.status.lag import LagMeter
from bitpeer.service.status.pages import Answer, Pages
from bitpeer.service.status.site import MAX_CLIENTS, StatusSite
from bitpeer.service.status.stream import Stream

PORT = 8_380
"""Where the page is unless somebody says otherwise."""
_HERE = {"tcp": "127.0.0.1", "tcp6": r"\:\:1", "ssl": "127.0.0.1"}
"""This machine, in endpoint descriptions of each kind that listens everywhere by itself."""


def http_place(text: str) -> str:
    """Return where to listen for what an operator wrote: on this machine only, unless told so.

    A port alone, or ``tcp:port``, stands for 127.0.0.1; who wants more names an address, as in
    ``0.0.0.0:8380``.
    """
    port = text.removeprefix(":")
    kind, *parts = f"tcp:{port}".split(":") if port.isdecimal() else text.split(":")
    if kind.lower() == "haproxy":
        return f"{kind}:{http_place(':'.join(parts))}"
    here = _HERE.get(kind.lower())
    named = any(part.startswith("interface=") for part in parts)
    second = kind.lower() != "ssl" and len(parts) > 1 and "=" not in parts[1]
    if here is None or named or second:
        return text
    return ":".join((kind, *parts, f"interface={here}"))


class HttpDoor(Listening):
    """Says where the page is, or that there can be none."""

    def privilegedStartService(self) -> None:  # noqa: N802
        """Open the port; see `Listening`.

        Raises:
            InvalidSetting: it cannot be opened.
        """
        try:
            super().privilegedStartService()
        except InvalidSetting as error:
            raise InvalidSetting("http", error.value, error.expected) from error.__cause__

    def _opened(self, port: IListeningPort) -> None:
        self.port = port
        here = where(port.getHost())
        self._journal.emit(LogLevel.info, "status page at http://{address}/", address=here)


class StatusPage(MultiService):
    """Serves page, JSON, events and metrics while it runs.

    Args:
        overviews: of the nodes, one for each network.
        events: what happens to them.
        reactor: Twisted's.
        journal: is told where the page is.
        endpoint: where to listen, as an operator writes it: see `http_place`; or an endpoint.
        names: by which browsers may ask for it, besides IP addresses and ``localhost``.
        max_clients: most connections at a time.

    Raises:
        InvalidSetting: the endpoint cannot be read.
    """

    def __init__(
        self,
        overviews: Sequence[Overview],
        events: Events,
        *,
        reactor: object,
        journal: Journal,
        endpoint: str | IStreamServerEndpoint = str(PORT),
        names: Collection[str] = (),
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        MultiService.__init__(self)
        clock = cast(IReactorTime, reactor)
        self.lag = LagMeter(clock)
        self.board = Board(overviews, events, self.lag, clock.seconds)
        stream = Stream(self.board, clock, journal)
        known = frozenset(name.lower() for name in names)
        pages = Pages(self.board, stream, metrics_of(self.board), known)
        self._site = StatusSite(pages, reactor=reactor, max_clients=max_clients)
        name = endpoint if isinstance(endpoint, str) else repr(endpoint)
        self.door = HttpDoor(name, _endpoint(reactor, endpoint), self._site, journal)
        """Its `address` says where the page is."""
        MultiService.addService(self, self.lag)
        MultiService.addService(self, stream)
        MultiService.addService(self, self.door)

    def stopService(self) -> Deferred[object]:
        """Close the door, and cut those who are there."""
        stopped = cast(Deferred[object], MultiService.stopService(self))
        self._site.hang_up()
        return stopped


def _endpoint(reactor: object, place: str | IStreamServerEndpoint) -> IStreamServerEndpoint:
    wanted = http_place(place) if isinstance(place, str) else place
    try:
        return server_endpoint(reactor, wanted, PORT)
    except InvalidSetting as error:
        raise InvalidSetting("http", place, error.expected) from error


def metrics_of(board: Board) -> Callable[[], Answer] | None:
    """Return what returns the metrics; `None` if `prometheus-client` is missing."""
    try:
        metrics = import_module("bitpeer.service.status.metrics")
    except ImportError:
        return None
    return cast(Callable[[], Answer], metrics.Metrics(board).page)
