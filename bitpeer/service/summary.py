"""A line in the log, now and then, that says how things stand."""

from __future__ import annotations

from collections.abc import Callable, Sized

from twisted.application.service import Service
from twisted.logger import LogLevel

from bitpeer.net.local import LocalNode
from bitpeer.service.every import Every

PERIOD = 60.0
"""Seconds between two looks."""
SELDOM = 10
"""Looks after which there is a line though no peer has come or gone."""


def size(count: int) -> str:
    """Return a number of bytes as people like to read it."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


class Summary(Service):
    """Logs how many peers there are and what has moved.

    Every minute in which that number has changed, and otherwise every ten.

    Args:
        node: whose peers.
        wanted: how many peers should be found; 0 if nobody said.
        named: those that are to be kept besides, as the operator named them.
        known: tells how many addresses are known.
    """

    def __init__(
        self,
        node: LocalNode,
        *,
        wanted: int = 0,
        named: Sized = (),
        known: Callable[[], int] = lambda: 0,
    ) -> None:
        self._node = node
        self._wanted = wanted
        self._named = named
        self._known = known
        self._seen: tuple[int, int] | None = None
        self._skipped = 0
        self._looks = Every(node.clock, PERIOD, self.look, node.journal)

    def startService(self) -> None:
        Service.startService(self)
        self._looks.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._looks.stop()

    def look(self) -> None:
        """Log the line, if it is time for it."""
        seen, self._seen = self._seen, self._count()
        self._skipped += 1
        if seen != self._seen or self._skipped >= SELDOM:
            self._skipped = 0
            self.log_line()

    def _count(self) -> tuple[int, int]:
        """Return how many peers there are that were dialled, and how many that dialled us."""
        peers = self._node.established()
        inbound = sum(peer.inbound for peer in peers)
        return len(peers) - inbound, inbound

    def log_line(self) -> None:
        """Log the line now."""
        node = self._node
        peers = node.established()
        outbound, inbound = self._count()
        wanted = self._wanted + len(self._named)
        received, sent = node.totals
        height = max((peer.known_height for peer in peers), default=-1)
        node.journal.emit(
            LogLevel.info,
            "{network}: {outbound} peers out, {inbound} in; {received} received, {sent} sent; "
            "best height {height}; {known} addresses known",
            network=node.config.network.title,
            outbound=f"{outbound} of {wanted}" if wanted else outbound,
            inbound=inbound,
            received=size(received),
            sent=size(sent),
            height=max(height, node.newest_block().height) if peers else "unknown",
            known=self._known(),
        )
