"""A door for peers, open while the service runs."""

from __future__ import annotations

from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from bitpeer.errors import InvalidSetting
from bitpeer.net.journal import Journal
from bitpeer.net.peer import where
from bitpeer.service.reasons import reason_of


class Listening(Service):
    """Accepts connections on one endpoint.

    Args:
        name: the endpoint, as people write it.
        endpoint: where to listen.
        factory: builds a protocol for each connection.
        journal: is told where the door is, or why there is none.
    """

    def __init__(
        self,
        name: str,
        endpoint: IStreamServerEndpoint,
        factory: IProtocolFactory,
        journal: Journal,
    ) -> None:
        self.endpoint_name = name
        self.port: IListeningPort | None = None
        """The port, while it is open."""
        self._endpoint = endpoint
        self._factory = factory
        self._journal = journal
        self._opening: Deferred[None] | None = None
        self._failures: list[Failure] = []

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port where it listens now; `None` while it does not, or not by IP."""
        here: IAddress | None = None if self.port is None else self.port.getHost()
        host, port = getattr(here, "host", None), getattr(here, "port", None)
        return None if host is None or port is None else (host, port)

    def privilegedStartService(self) -> None:  # noqa: N802
        """Open the port: before `twistd` gives up the right to open low ones.

        Raises:
            InvalidSetting: it cannot be opened, and that is known at once.
        """
        Service.privilegedStartService(self)
        failures = self._failures = []
        self._opening = self._endpoint.listen(self._factory).addCallback(self._opened)
        self._opening.addErrback(self._failed).addErrback(failures.append)
        self._check()

    def startService(self) -> None:
        """Open the port unless it is.

        Raises:
            InvalidSetting: it cannot be opened, and that is known by now.  An onion service
                learns only when Tor is started that its key cannot be read.
        """
        Service.startService(self)
        if self._opening is None:  # whoever started this knows nothing of privileges
            self.privilegedStartService()
        self._check()

    def stopService(self) -> Deferred[None]:
        """Close the port; the Deferred fires when it is closed."""
        Service.stopService(self)
        opening, self._opening = self._opening, None
        port, self.port = self.port, None
        if opening is not None:
            opening.cancel()
        if port is None:
            return succeed(None)
        closed: Deferred[None] = Deferred()
        cast(Deferred[object], port.stopListening() or succeed(None)).addBoth(
            lambda _: closed.callback(None)
        )
        return closed

    def _check(self) -> None:
        if self._failures:
            self._opening = None
            failure = self._failures[0]
            expected = f"an endpoint that can be opened ({reason_of(failure)})"
            raise InvalidSetting("listen", self.endpoint_name, expected) from failure.value

    def _opened(self, port: IListeningPort) -> None:
        self.port = port
        self._journal.emit(LogLevel.info, "listening on {address}", address=where(port.getHost()))

    def _failed(self, failure: Failure) -> Failure | None:
        if failure.check(CancelledError):
            return None
        self._journal.emit(
            LogLevel.critical,
            "cannot listen on {endpoint}: {why}",
            endpoint=self.endpoint_name,
            why=reason_of(failure),
        )
        return failure
