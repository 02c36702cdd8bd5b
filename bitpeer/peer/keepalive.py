"""Ping when it is time, measure the answer, give up on the silent (BIP 31)."""

from __future__ import annotations

from collections.abc import Callable

from bitpeer.errors import DisconnectReason, TimedOut
from bitpeer.messages.control import Ping
from bitpeer.peer.part import NEVER


class Keepalive:
    """Decides when to ping and when to give up.

    One ping is outstanding at a time.  The first leaves at once.

    Args:
        interval: seconds between pings, give or take a tenth.
        idle_timeout: seconds without a byte after which the peer is dead.
        ping_timeout: seconds a pong may take.
        draw_nonce: returns an unpredictable number, 0 < n < 2**64.
        now: the time of the first ping.
    """

    __slots__ = (
        "_draw_nonce",
        "_heard_at",
        "_idle_timeout",
        "_interval",
        "_ping_at",
        "_ping_timeout",
        "latency",
        "min_latency",
        "nonce",
        "pinged_at",
    )

    def __init__(
        self,
        interval: float,
        idle_timeout: float,
        ping_timeout: float,
        draw_nonce: Callable[[], int],
        now: float,
    ) -> None:
        self._interval = interval
        self._idle_timeout = idle_timeout
        self._ping_timeout = ping_timeout
        self._draw_nonce = draw_nonce
        self._ping_at = now
        self._heard_at = now
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
        pong_due = NEVER if self.nonce is None else (self.pinged_at or 0.0) + self._ping_timeout
        return min(self._ping_at, self._heard_at + self._idle_timeout, pong_due)

    def wake(self, now: float) -> tuple[Ping, ...]:
        if now >= self._heard_at + self._idle_timeout:
            raise TimedOut(DisconnectReason.IDLE, "word", self._idle_timeout)
        if self.nonce is not None and now >= (self.pinged_at or 0.0) + self._ping_timeout:
            raise TimedOut(DisconnectReason.PING_TIMEOUT, "pong", self._ping_timeout)
        if now < self._ping_at:
            return ()
        draw = self._draw_nonce()
        self._ping_at = now + self._interval * (0.9 + 0.2 * (draw % 1024) / 1024)
        if self.nonce is not None:
            return ()
        self.nonce, self.pinged_at = draw, now
        return (Ping(draw),)

    def postpone(self, seconds: float) -> None:
        self._heard_at += seconds
        if self.pinged_at is not None:
            self.pinged_at += seconds

    def heard(self, now: float) -> None:
        """Note that the peer is alive."""
        self._heard_at = now

    def pong_received(self, nonce: int, now: float) -> bool:
        """Match a pong to the ping it answers; return whether it answers any (R-B10)."""
        if self.nonce is None or nonce != self.nonce or self.pinged_at is None:
            return False
        self.latency = max(0.0, now - self.pinged_at)
        self.min_latency = min(self.latency, self.min_latency or self.latency)
        self.nonce = None
        return True
