"""The last hour, in numbers: what the page draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from bitpeer.service.overview import Facts, Overview
from bitpeer.service.status.lag import LagMeter

PERIOD = 5.0
"""Seconds between two samples."""
KEPT = 720
"""Samples that are remembered: an hour of them."""


class History:
    """Remembers a sample of a few numbers every few seconds, and the oldest no longer.

    Args:
        overviews: of the nodes, whose numbers are added up.
        lag: of the reactor.
    """

    def __init__(self, overviews: Sequence[Overview], lag: LagMeter) -> None:
        self._overviews = overviews
        self._lag = lag
        self._samples: deque[Facts] = deque(maxlen=KEPT)

    def samples(self) -> list[Facts]:
        """Return the samples, oldest first."""
        return list(self._samples)

    def sample(self, now: float) -> Facts:
        """Take one more sample; return it."""
        moved = [overview.node.totals for overview in self._overviews]
        peers = [peer for overview in self._overviews for peer in overview.node.established()]
        inbound = sum(peer.inbound for peer in peers)
        pings = sorted(ping for overview in self._overviews for ping in overview.latencies())
        sample: Facts = {
            "time": round(now, 3),
            "bytesrecv": sum(received for received, _ in moved),
            "bytessent": sum(sent for _, sent in moved),
            "connections_in": inbound,
            "connections_out": len(peers) - inbound,
            "ping_min": pings[0] if pings else None,
            "ping_median": median(pings) if pings else None,
            "ping_max": pings[-1] if pings else None,
            "reactor_lag": round(self._lag.latest, 6),
        }
        self._samples.append(sample)
        return sample
