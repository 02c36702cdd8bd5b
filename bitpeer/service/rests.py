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

    Failures count once for each time that anybody answered: without internet every address
    fails, and none is to blame.

    Args:
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(self, draw: Callable[[], float] = _RANDOM.random) -> None:
        self._draw = draw
        self._rests: dict[Address, _Rest] = {}
        self._online_at = -inf
        """When anybody answered last."""

    def over(self, address: Address, now: float) -> bool:
        """Whether *address* may be dialled."""
        rest = self._rests.get(address)
        return rest is None or rest.until <= now

    def begin(self, address: Address, reason: DisconnectReason, now: float) -> None:
        """Leave *address* alone for as long as *reason* suggests: for ever if it is our own."""
        rest = self._rests.pop(address, None) or _Rest(Backoff(SOON, SOON_AT_MOST, self._draw))
        if reason is DisconnectReason.SELF_CONNECTION:
            wait = inf
        elif not reason.transient:
            wait = NOT_TODAY
        else:
            if self._online_at < rest.since:
                rest.backoff.failures -= 1
            wait = rest.backoff.failed()
        rest.since, rest.until = now, now + wait
        self._rests[address] = rest
        if len(self._rests) > MAX_RESTING:
            del self._rests[next(iter(self._rests))]

    def forgive(self, address: Address) -> None:
        """Forget how often *address* failed."""
        self._rests.pop(address, None)

    def answered(self, now: float) -> None:
        """Take note that somebody answered, at whatever address."""
        self._online_at = now


class _Rest:
    """How an address rests."""

    __slots__ = ("backoff", "since", "until")

    def __init__(self, backoff: Backoff) -> None:
        self.backoff = backoff
        self.since = self.until = -inf
