"""Where this program serves each chain of a network that has several."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.application.service import IService

from bitpeer.service.listening import Listening


class Doors:
    """The ports at which peers of each chain are accepted: looked up when somebody asks.

    So it can be given to a dialect before anything listens, and tells of no
    door that is closed.
    """

    def __init__(self) -> None:
        self._services: dict[int, Iterable[IService]] = {}

    def add(self, chain_id: int, services: Iterable[IService]) -> None:
        """Look among *services*, such as those in a `node_service`, for the doors of a chain."""
        self._services[chain_id] = services

    def port(self, chain_id: int) -> int | None:
        """Return the first open port of a chain; `None` if there is none."""
        for service in self._services.get(chain_id, ()):
            if isinstance(service, Listening) and service.address is not None:
                return service.address[1]
        return None
