"""One direction of an imaginary connection, and what it is like to travel there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import TYPE_CHECKING

from bitpeer.errors import InvalidSetting
from bitpeer.testing.chance import Random

if TYPE_CHECKING:
    from bitpeer.testing.host import Host
    from bitpeer.testing.transport import SimulatedTransport

FULL_READ = 65_536
"""Most bytes that arrive together, as with Twisted's own transports."""
GIVE_UP = 900.0
"""Seconds without an acknowledgement after which a connection is given up, about as in Linux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the way from one host to another is like, for each connection on it.

    Raises:
        InvalidSetting: a number makes no sense.
    """

    latency: float = 0.05
    """Seconds from one end to the other."""
    jitter: float = 0.0
    """Most seconds by which a piece may be later than that.  Pieces of one connection stay in
    order; those of different connections overtake each other."""
    bandwidth: float = inf
    """Bytes per second."""
    segment: int = FULL_READ
    """Most bytes that arrive together.  If it is less than the default, each piece has a random
    number of bytes up to it: 1 lets them dribble."""
    window: int = 262_144
    """Bytes that may be under way, or not read at the other end, before the sender must wait."""

    def __post_init__(self) -> None:
        for name in ("latency", "jitter"):
            if not 0 <= getattr(self, name) < inf:
                raise InvalidSetting(name, getattr(self, name), "0 or more seconds")
        if not self.bandwidth > 0:
            raise InvalidSetting("bandwidth", self.bandwidth, "more than 0 bytes per second")
        if not 1 <= self.segment <= FULL_READ:
            raise InvalidSetting("segment", self.segment, f"1 to {FULL_READ} bytes")
        if self.window < 1:
            raise InvalidSetting("window", self.window, "1 byte or more")


class End(Enum):
    """What can come after the last byte."""

    FIN = "finished"
    """The sender has nothing more to say."""
    RST = "reset"
    """The sender knows nothing of the connection any more."""


Piece = bytes | End


class Lane:
    """The bytes that are under way in one direction, in order.

    Args:
        source: the host where they leave.
        target: the host where they arrive.
        seed: decides how they are cut and how long they take.
    """

    __slots__ = (
        "_flight", "_free_at", "_last_at", "_owner", "_random", "_receiver", "_seed", "_sender",
        "_timeline", "_waiting", "source", "stalled_since", "target", "unread",
    )  # fmt: skip

    _sender: SimulatedTransport
    _receiver: SimulatedTransport

    def __init__(self, source: Host, target: Host, seed: str) -> None:
        self.source = source
        self.target = target
        self.unread = 0
        """Bytes sent and not read."""
        self.stalled_since: float | None = None
        """Since when nothing gets through, if nothing does."""
        self._timeline = source.timeline
        self._owner = self._timeline.new_owner()
        self._seed = seed
        self._random: Random | None = None
        self._flight: deque[tuple[float, Piece]] = deque()
        self._free_at = 0.0
        self._last_at = 0.0
        self._waiting = False

    @property
    def link(self) -> Link:
        """What the way is like now."""
        return self.source.simulation.link(self.source, self.target)

    @property
    def room(self) -> int:
        """How many bytes may be sent now."""
        return self.link.window - self.unread

    def connect(self, sender: SimulatedTransport, receiver: SimulatedTransport) -> None:
        """Lay the lane between two ends."""
        self._sender, self._receiver = sender, receiver

    def delay(self) -> float:
        """Return how many seconds a packet of next to no bytes takes."""
        link = self.link
        return link.latency + (self._die.random() * link.jitter if link.jitter else 0.0)

    def begin_at(self, time: float) -> None:
        """Let nothing arrive before *time*."""
        self._last_at = time

    def send(self, data: bytes) -> None:
        """Send *data* on its way."""
        link = self.link
        self.unread += len(data)
        if link.segment == FULL_READ and len(data) <= FULL_READ:
            self._depart(data, len(data), link)
            return
        pos = 0
        while pos < len(data):
            size = link.segment
            if size < FULL_READ:
                size = self._die.randint(1, size)
            piece = data[pos : pos + size]
            self._depart(piece, len(piece), link)
            pos += size

    def end(self, how: End) -> None:
        """Send the end on its way, behind everything else."""
        if how is End.RST and self.stalled_since is not None:
            self.clear()  # whoever is gone sends nothing a second time
            return
        self._depart(how, 0, self.link)

    def clear(self) -> None:
        """Let nothing arrive of what is stalled."""
        self._flight.clear()
        self.stalled_since = None
        self.source.simulation.stalled.pop(self, None)

    def read(self, count: int) -> None:
        """The receiver has read so many bytes: whoever waits for room learns of it in time."""
        self.unread -= count
        if self._sender.blocked and not self._waiting:
            self._waiting = True
            self._timeline.at(self._timeline.now + self.link.latency, self._owner, self._has_room)

    def flow(self) -> None:
        """Nothing is in the way any more: let what is stalled arrive."""
        self.stalled_since = None
        self._plan(max(self._flight[0][0], self._timeline.now + self.link.latency))

    @property
    def _die(self) -> Random:
        if self._random is None:
            self._random = Random(self._seed)
        return self._random

    def _depart(self, piece: Piece, size: int, link: Link) -> None:
        now = self._timeline.now
        self._free_at = max(self._free_at, now) + size / link.bandwidth
        self._last_at = at = max(self._free_at + self.delay(), self._last_at)
        self._flight.append((at, piece))
        if len(self._flight) == 1:
            self._plan(at)

    def _plan(self, at: float) -> None:
        self._timeline.at(at, self._owner, self._arrive)

    def _arrive(self) -> None:
        """The first piece has come to the other end, unless something was in the way."""
        simulation = self.source.simulation
        if not simulation.reaches(self.source, self.target):
            if self._flight[0][1] is End.RST:
                self.clear()
                return
            self.stalled_since = self._timeline.now
            simulation.stalled[self] = None
            self._timeline.at(self._timeline.now + GIVE_UP, self._owner, self._give_up)
            return
        _, piece = self._flight.popleft()
        if self._flight:
            self._plan(max(self._flight[0][0], self._timeline.now))
        self._receiver.arrived(piece)

    def _has_room(self) -> None:
        self._waiting = False
        self._sender.has_room()

    def _give_up(self) -> None:
        since = self.stalled_since
        if since is None or self._timeline.now < since + GIVE_UP:
            return
        self.clear()
        self._sender.timed_out()
