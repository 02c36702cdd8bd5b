"""Ends all connections of a node in good time."""

from __future__ import annotations

from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError as TooLate
from twisted.internet.interfaces import ITCPTransport
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from bitpeer.net.local import LocalNode

PATIENCE = 3.0
"""Seconds that peers have to take what was queued for them."""
LIMIT = 4.5
"""Seconds after which stopping is over, whatever the network does."""


class Farewell(Service):
    """Says goodbye to every peer when it is stopped.

    Args:
        node: whose peers.
    """

    def __init__(self, node: LocalNode) -> None:
        self._node = node

    def stopService(self) -> Deferred[None]:
        """Disconnect all; the Deferred fires when they are gone, within five seconds."""
        Service.stopService(self)
        node = self._node
        cut = node.clock.callLater(PATIENCE, self._cut)
        gone = node.disconnect_all().addTimeout(LIMIT, node.clock)

        def done(result: Failure | None) -> None:
            if cut.active():
                cut.cancel()
            if result is not None:
                result.trap(TooLate)
                text = "{count} connections would not close"
                node.journal.emit(LogLevel.warn, text, count=len(node.peers))

        return gone.addBoth(done)

    def _cut(self) -> None:
        """Wait no longer for those who do not read."""
        for peer in tuple(self._node.peers):
            cast(ITCPTransport, peer.transport).abortConnection()
