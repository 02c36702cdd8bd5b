"""Metrics for Prometheus; needs ``prometheus-client``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from statistics import median

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bitpeer.config import VERSION
from bitpeer.service.status.board import Board
from bitpeer.service.status.lag import BOUNDS, LagMeter


class Metrics(Collector):
    """Counts and gauges, in a registry of their own.

    No label holds what a peer wrote: each has few values, which this program chose.

    Args:
        board: knows the numbers.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def page(self) -> tuple[str, bytes]:
        """Return the type of the content, and the content."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; see prometheus_client."""
        version = GaugeMetricFamily("bitpeer_info", "Always 1.", labels=["version"])
        version.add_metric([VERSION], 1)
        yield version
        yield from self._peers()
        yield from self._traffic()
        yield from self._chains()
        yield from self._addresses()
        events = CounterMetricFamily("bitpeer_events", "Events, by name.", labels=["event"])
        for name, count in sorted(self._board.events.counts.items()):
            events.add_metric([name], count)
        yield events
        yield _lag(self._board.lag)

    def _peers(self) -> Iterator[Metric]:
        peers = GaugeMetricFamily(
            "bitpeer_peers",
            "Established peers, by direction and by the network they are reached through.",
            labels=["chain", "direction", "network"],
        )
        connecting = GaugeMetricFamily(
            "bitpeer_connecting", "Connections whose handshake is not complete.", labels=["chain"]
        )
        ping = GaugeMetricFamily(
            "bitpeer_ping_seconds",
            "Latest latency: the least, the median and the most of all peers.",
            labels=["chain", "statistic"],
        )
        for overview in self._board.overviews:
            entries = overview.peers()
            here = [each for each in entries if each["established"]]
            kinds = Counter(
                ("in" if each["inbound"] else "out", str(each["network"])) for each in here
            )
            for (direction, network), count in sorted(kinds.items()):
                peers.add_metric([overview.title, direction, network], count)
            connecting.add_metric([overview.title], len(entries) - len(here))
            pings = overview.latencies()
            if pings:
                for name, value in (
                    ("min", pings[0]),
                    ("median", median(pings)),
                    ("max", pings[-1]),
                ):
                    ping.add_metric([overview.title, name], value)
        yield from (peers, connecting, ping)

    def _traffic(self) -> Iterator[Metric]:
        received = _counter("bitpeer_received_bytes", "Bytes received from peers.")
        sent = _counter("bitpeer_sent_bytes", "Bytes sent to peers.")
        failures = _counter("bitpeer_listener_failures", "Exceptions that listeners raised.")
        held = GaugeMetricFamily(
            "bitpeer_held_bytes", "Bytes held for peers: queued or incomplete.", labels=["chain"]
        )
        lost = CounterMetricFamily(
            "bitpeer_lost", "Connections that ended, by reason.", labels=["chain", "reason"]
        )
        for overview in self._board.overviews:
            node, title = overview.node, overview.title
            totals = node.totals
            received.add_metric([title], totals[0])
            sent.add_metric([title], totals[1])
            failures.add_metric([title], node.listener_failures)
            held.add_metric([title], node.held)
            for reason, count in node.lost.items():
                lost.add_metric([title, reason.name.lower().replace("_", "-")], count)
        yield from (received, sent, failures, held, lost)

    def _chains(self) -> Iterator[Metric]:
        height = GaugeMetricFamily(
            "bitpeer_tip_height", "Height of the newest header known.", labels=["chain"]
        )
        claimed = GaugeMetricFamily(
            "bitpeer_peers_height",
            "Height that half of the peers claim, or more; -1 without.",
            labels=["chain"],
        )
        for overview in self._board.overviews:
            height.add_metric([overview.title], overview.tip.height)
            claimed.add_metric([overview.title], overview.claimed_height)
        yield from (height, claimed)

    def _addresses(self) -> Iterator[Metric]:
        known = GaugeMetricFamily(
            "bitpeer_addresses",
            "Addresses known, by network and table.",
            labels=["chain", "network", "table"],
        )
        unwanted = GaugeMetricFamily(
            "bitpeer_unwanted", "Hosts that are banned or discouraged.", labels=["chain", "how"]
        )
        for overview in self._board.overviews:
            for network, counts in overview.addresses().items():
                for table in ("new", "tried"):
                    known.add_metric([overview.title, network, table], counts[table])
            for how, count in overview.bans().items():
                unwanted.add_metric([overview.title, how], count)
        yield from (known, unwanted)


def _counter(name: str, what: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, what, labels=["chain"])


def _lag(lag: LagMeter) -> Metric:
    counts = list(accumulate(lag.counts))
    ends = [*map(str, BOUNDS), "+Inf"]
    return HistogramMetricFamily(
        "bitpeer_reactor_lag_seconds",
        "How late the reactor calls what it was to call at a certain moment.",
        buckets=list(zip(ends, counts, strict=True)),
        sum_value=lag.total,
    )
