"""Services that stand on others."""

from __future__ import annotations

from typing import cast

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred


class Grounded(MultiService):
    """Services above, and a ground on which they stand: files, a proxy, a log.

    A `MultiService` stops all that it has at once.  Here the ground starts first, and stops
    when everything above it has stopped: whoever says goodbye still has a proxy to say it
    through, and whoever learns something meanwhile a file to write it to.

    Who starts it again before it has stopped finds the ground as it was.
    """

    def __init__(self) -> None:
        MultiService.__init__(self)
        self.ground = MultiService()
        """What carries the rest."""
        self.ground.setServiceParent(self)

    def startService(self) -> None:
        Service.startService(self)
        for service in self:
            if service is not self.ground or not self.ground.running:
                service.startService()

    def stopService(self) -> Deferred[object]:
        """Stop what is above, the latest first, then the ground.

        Returns:
            A Deferred that fires when all of it has stopped.
        """
        Service.stopService(self)
        above = [maybeDeferred(service.stopService) for service in reversed(self._above())]
        return DeferredList(above).addCallback(self._stop_ground)

    def _above(self) -> list[IService]:
        return [service for service in self if service is not self.ground]

    def _stop_ground(self, _: object) -> Deferred[object] | None:
        if self.running or not self.ground.running:
            return None
        return cast("Deferred[object]", self.ground.stopService())
