"""All that the page, the JSON and the metrics have to say, from wherever it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bitpeer.config import VERSION
from bitpeer.service.events import Event, Events
from bitpeer.service.overview import Facts, Overview
from bitpeer.service.status.history import History
from bitpeer.service.status.lag import LagMeter
from bitpeer.service.status.usage import usage

API = 1
"""Version of the names in `/status`, `/peers`, `/events` and `/history`."""


class Board:
    """Puts together what is shown.

    Args:
        overviews: of the nodes, one for each network.
        events: what happened.
        lag: of the reactor.
        seconds: tells the time, in seconds since 1970.
    """

    def __init__(
        self,
        overviews: Sequence[Overview],
        events: Events,
        lag: LagMeter,
        seconds: Callable[[], float],
    ) -> None:
        self.overviews = overviews
        self.events = events
        self.lag = lag
        self.past = History(overviews, lag)
        self._seconds = seconds
        self._since = seconds()

    def status(self) -> Facts:
        """Return how everything stands, but for the peers."""
        return {
            "api": API,
            "bitpeer": VERSION,
            "time": round(self._seconds(), 3),
            "since": int(self._since),
            "process": usage(),
            "reactor_lag": {"latest": round(self.lag.latest, 6), "worst": round(self.lag.worst, 6)},
            "networks": [overview.status() for overview in self.overviews],
        }

    def peers(self) -> list[Facts]:
        """Return all peers of all networks."""
        return [peer for overview in self.overviews for peer in overview.peers()]

    def latest(self) -> list[Event]:
        """Return the latest events, oldest first."""
        return self.events.latest()

    def history(self) -> list[Facts]:
        """Return the last hour, oldest first."""
        return self.past.samples()

    def everything(self) -> Facts:
        """Return what a page needs that knows nothing yet."""
        return {**self.news(), "events": self.latest(), "history": self.history()}

    def news(self) -> Facts:
        """Return what a page needs from time to time."""
        return {"status": self.status(), "peers": self.peers()}

    def sample(self) -> Facts:
        """Take a sample of the numbers whose past is drawn."""
        return self.past.sample(self._seconds())
