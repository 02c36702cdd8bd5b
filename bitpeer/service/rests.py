"""Addresses that are left alone for a while, the longer the more often they failed."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from secrets import SystemRandom

from bitpeer.errors import DisconnectReason
from bitpeer.service.backoff import Backoff
from bitpeer.service.seeds import Address

SOON, SOON_AT_MOST = 60.0, 14_400.0
"""Seconds, at first and at most, before an address that failed is dialled again."""
NOT_TODAY = 86_400.0
"""Seconds before an address is dialled again whose owner cannot be talked to."""
MAX_RESTING = 2_000
"""Most addresses remembered; of more, the one that failed longest ago is forgotten."""

_RANDOM = SystemRandom()


class Rests:
    """Remembers when each address may be dialled again.

    Args:
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(self, draw: Callable[[], float] = _RANDOM.random) -> None:
        self._draw = draw
        self._rests: dict[Address, tuple[float, Backoff]] = {}

    def over(self, address: Address, now: float) -> bool:
        """Whether *address* may be dialled."""
        rest = self._rests.get(address)
        return rest is None or rest[0] <= now

    def begin(self, address: Address, reason: DisconnectReason, now: float) -> None:
        """Leave *address* alone for as long as *reason* suggests: for ever if it is our own."""
        _, backoff = self._rests.pop(address, (0.0, Backoff(SOON, SOON_AT_MOST, self._draw)))
        if reason is DisconnectReason.SELF_CONNECTION:
            wait = inf
        else:
            wait = backoff.failed() if reason.transient else NOT_TODAY
        self._rests[address] = now + wait, backoff
        if len(self._rests) > MAX_RESTING:
            del self._rests[next(iter(self._rests))]

    def forgive(self, address: Address) -> None:
        """Forget how often *address* failed."""
        self._rests.pop(address, None)
