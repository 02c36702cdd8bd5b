"""Ping when it is time, measure the answer, give up on the silent (BIP 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bitpeer.errors import DisconnectReason, TimedOut
from bitpeer.messages.control import Ping
from bitpeer.peer.part import NEVER


class Rhythm(NamedTuple):
    """How all peers of a node are kept alive.  Times are in seconds."""

    interval: float
    """Between two pings, give or take a tenth."""
    idle_timeout: float
    """Without a byte, after which a peer is dead."""
    ping_timeout: float
    """For a pong to arrive."""
    draw_nonce: Callable[[], int]
    """Returns an unpredictable number, 0 < n < 2**64."""


class Keepalive:
    """Decides when to ping one peer and when to give it up.

    One ping is outstanding at a time.  The first is due at once; one that was
    due while another was outstanding is due as soon as that is answered, so
    that a slow peer is not taken for a dead one (R-C8).

    Args:
        rhythm: how often, and for how long.
        now: the time.
    """

    __slots__ = (
        "_lot",
        "_pong_due",
        "_rhythm",
        "heard_at",
        "latency",
        "min_latency",
        "nonce",
        "pinged_at",
    )

    def __init__(self, rhythm: Rhythm, now: float) -> None:
        self._rhythm = rhythm
        self._lot = 0  # small, so that it is no object of its own, as the time would be
        self._pong_due = NEVER
        self.heard_at = now
        """When the peer last gave a sign of life; later, if reading was paused since."""
        self.nonce: int | None = None
        """That of the ping that waits for its pong."""
        self.pinged_at: float | None = None
        """When the latest ping left."""
        self.latency: float | None = None
        """Seconds between the latest answered ping and its pong."""
        self.min_latency: float | None = None
        """The smallest latency so far."""

    @property
    def next_wake(self) -> float:
        silent_at = self.heard_at + self._rhythm.idle_timeout
        return min(silent_at, self._ping_at if self.nonce is None else self._pong_due)

    @property
    def _ping_at(self) -> float:
        """When the next ping is due, unless one is outstanding."""
        if self.pinged_at is None:
            return self.heard_at
        return self.pinged_at + self._rhythm.interval * (0.9 + 0.2 * self._lot / 255)

    def wake(self, now: float) -> tuple[Ping, ...]:
        rhythm = self._rhythm
        if now >= self.heard_at + rhythm.idle_timeout:
            raise TimedOut(DisconnectReason.IDLE, "word", rhythm.idle_timeout)
        if now >= self._pong_due:
            raise TimedOut(DisconnectReason.PING_TIMEOUT, "pong", rhythm.ping_timeout)
        if self.nonce is not None or now < self._ping_at:
            return ()
        nonce = rhythm.draw_nonce()
        self._lot = nonce % 256
        self._pong_due = now + rhythm.ping_timeout
        self.nonce, self.pinged_at = nonce, now
        return (Ping(nonce),)

    def postpone(self, seconds: float) -> None:
        self.heard_at += seconds
        self._pong_due += seconds

    def pong_received(self, nonce: int, now: float) -> bool:
        """Match a pong to the ping it answers; return whether it answers any (R-B10)."""
        if self.nonce is None or nonce != self.nonce or self.pinged_at is None:
            return False
        self.latency = max(0.0, now - self.pinged_at)
        if self.min_latency is None or self.latency < self.min_latency:
            self.min_latency = self.latency
        self.nonce, self._pong_due = None, NEVER
        return True
