"""A Tor that is only a control port, and says whatever a test wants it to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

NAME = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
"""A service's, without its ending: that of the Tor Project's own site (from its documents)."""
SOCKS = '"127.0.0.1:9050"'
READY = 'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"'
STARTING = 'NOTICE BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay"'


def progress(percent: int, summary: str = "Loading") -> str:
    """Return the event that tells how far Tor has come."""
    return f'650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS={percent} TAG=some SUMMARY="{summary}"\r\n'


class Wire(StringTransport):
    """The way to the fake Tor, and back."""

    def __init__(self, tor: FakeTor) -> None:
        super().__init__()
        self.protocol: Any = None
        self.lost = False
        self._tor = tor

    def write(self, data: bytes) -> None:
        self._tor.commanded(self, data.decode("ascii").removesuffix("\r\n"))

    def abortConnection(self) -> None:  # noqa: N802
        self.disconnecting = True
        self._tor.clock.callLater(0, self.lose)

    def lose(self) -> None:
        """End the connection, if that has not happened."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


@implementer(IStreamClientEndpoint)
class FakeTor:
    """Answers commands at once.

    Args:
        clock: for what happens a moment later.
        methods: how to authenticate, and where the cookie is.
        phase: how far it has come into its network.
        socks: its SOCKS ports, as it would tell them.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        methods: str = "METHODS=NULL",
        phase: str = READY,
        socks: str = SOCKS,
    ) -> None:
        self.clock = clock
        self.commands: list[str] = []
        self.wires: list[Wire] = []
        self.refuses: Exception | None = None
        """What a connection fails with, if it does."""
        self.replies: dict[str, str | Callable[[str], str] | None] = {
            "PROTOCOLINFO": f"250-PROTOCOLINFO 1\r\n250-AUTH {methods}\r\n250 OK",
            "AUTHENTICATE": "250 OK",
            "GETINFO signal/names": "250-signal/names=RELOAD\r\n250 OK",
            "GETINFO version": "250-version=0.4.9.11\r\n250 OK",
            "GETINFO events/names": "250-events/names=STATUS_CLIENT CIRC\r\n250 OK",
            "USEFEATURE": "250 OK",
            "SETEVENTS": "250 OK",
            "GETINFO net/listeners/socks": f"250-net/listeners/socks={socks}\r\n250 OK",
            "GETINFO status/bootstrap-phase": f"250-status/bootstrap-phase={phase}\r\n250 OK",
            "ADD_ONION": f"250-ServiceID={NAME}\r\n250 OK",
            "DEL_ONION": "250 OK",
        }
        """What it says to commands that begin so; nothing, if that is `None`."""

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect at once."""
        if self.refuses is not None:
            return fail(self.refuses)
        wire = Wire(self)
        self.wires.append(wire)
        wire.protocol = factory.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        return succeed(wire.protocol)

    def commanded(self, wire: Wire, command: str) -> None:
        """Answer one command."""
        self.commands.append(command)
        reply = next(reply for start, reply in self.replies.items() if command.startswith(start))
        if callable(reply):
            reply = reply(command)
        if reply is not None:
            wire.protocol.dataReceived(reply.encode("ascii") + b"\r\n")

    def say(self, text: str | bytes) -> None:
        """Say something to whoever connected last."""
        data = text.encode("ascii") if isinstance(text, str) else text
        self.wires[-1].protocol.dataReceived(data)

    def said(self, start: str) -> list[str]:
        """Return the commands so far that begin so."""
        return [command for command in self.commands if command.startswith(start)]

    def die(self) -> None:
        """End every connection, as a Tor does that is killed."""
        for wire in self.wires:
            wire.lose()
