"""What is known of one address: where it leads, who told of it, how it went with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from bitpeer.bitcoin.hosts import NetworkId, format_host, parse_host
from bitpeer.bitcoin.reach import is_routable, network_group
from bitpeer.service.seeds import Address

KINDS: dict[int, str] = {
    NetworkId.IPV4: "ipv4",
    NetworkId.IPV6: "ipv6",
    NetworkId.TORV3: "onion",
    NetworkId.I2P: "i2p",
    NetworkId.CJDNS: "cjdns",
    NetworkId.YGGDRASIL: "yggdrasil",
}
"""The networks a node can be reached through, as people call them."""

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

HORIZON = 30 * DAY
"""Seconds after which an address that nobody has mentioned is not worth its place."""
MAX_AHEAD = 10 * MINUTE
"""Seconds that the clock of whoever tells of an address may be ahead of ours."""
EARLIEST = 100_000_000
"""Times before this one, in 1973, mean that none was given."""
ASSUMED_AGE = 5 * DAY
"""Age of an address of which no time, or an absurd one, was told."""
HEARSAY = 2 * HOUR
"""Seconds by which others are assumed to exaggerate how fresh an address is."""
RETRIES = 3
"""Failures after which an address that never answered is not worth its place."""
MAX_FAILURES, FAILING_FOR = 10, 7 * DAY
"""Failures after which one is not that has not answered for so many seconds."""
JUST_NOW = MINUTE
"""Seconds after a try in which an address keeps its place, whatever is said of it."""

LESS_PER_FAILURE, COUNTED_FAILURES = 0.66, 8
"""By which factor each failure in a row makes it less likely to be picked; and how many do."""
RECENTLY, LESS_IF_RECENT = 10 * MINUTE, 0.01
"""The same for one that was tried so many seconds ago, or fewer."""

Fit = Callable[[int, bytes], bool]
"""Given a `NetworkId` and an address on that network, tells whether it may be dialled."""


class KnownAddress:
    """What is known of one address.

    Times are in seconds since 1970; `None` is never.  The rules and their numbers
    are those of Bitcoin Core's addrman.
    """

    __slots__ = (
        "address", "counted_at", "failures", "group", "kind", "origin", "place", "proven",
        "services", "services_seen", "success_at", "time", "tried_at",
    )  # fmt: skip

    def __init__(
        self,
        address: Address,
        kind: str,
        group: bytes,
        *,
        origin: bytes = b"",
        services: int = 0,
        time: float = 0.0,
    ) -> None:
        self.address = address
        self.kind = kind
        """One of `KINDS`."""
        self.group = group
        """Equal for addresses that are probably in the same hands."""
        self.origin = origin
        """The group of whoever told of it first."""
        self.services = services
        """Service bits: hearsay, unless `services_seen`."""
        self.services_seen = False
        """Whether the node itself has said which services it offers."""
        self.time = time
        """When somebody last heard of it, as far as that can be believed."""
        self.tried_at: float | None = None
        self.success_at: float | None = None
        self.failures = 0
        """Since the last success."""
        self.counted_at: float | None = None
        """When the last of these failures was counted."""
        self.proven = False
        """Whether it is in the table of those that have answered."""
        self.place = (0, 0)
        """Bucket, and position in it, in that table or the other."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address.host} {self.address.port}>"

    @classmethod
    def of(cls, host: str, port: int, fit: Fit = is_routable) -> Self | None:
        """Return what is known of an address that nobody has told anything of.

        `None` if it is none, or not *fit* to be dialled on hearsay.
        """
        try:
            network, where = parse_host(host)
        except ValueError:
            return None
        if not fit(network, where) or not (port or network == NetworkId.I2P):
            return None
        address = Address(format_host(network, where), port)
        return cls(address, KINDS[network], network_group(network, where))

    def heard(self, services: int, time: float, now: float) -> bool:
        """Take note that somebody tells of it; return whether that is news."""
        changed = False
        if not self.services_seen and services & ~self.services:
            self.services |= services
            changed = True
        if time - self.time >= (HOUR if now - time < DAY else DAY):
            self.time = time
            changed = True
        return changed

    def chance(self, now: float) -> float:
        """Return how likely it is to be taken when it is drawn, 0 < chance <= 1.

        1 for one that has not failed since it answered last, or ever, and was not
        tried recently.  The less, the more failures in a row; a hundredth of that in
        the ten minutes after a try, and while our clock is behind the try.
        """
        chance = LESS_PER_FAILURE ** min(self.failures, COUNTED_FAILURES)
        recent = self.tried_at is not None and now - self.tried_at < RECENTLY
        return chance * LESS_IF_RECENT if recent else chance

    def is_terrible(self, now: float) -> bool:
        """Whether it is not worth its place, nor to be told to others."""
        if self.tried_at is not None and abs(now - self.tried_at) < JUST_NOW:
            return False
        if not now - HORIZON <= self.time <= now + MAX_AHEAD:
            return True
        if self.success_at is None:
            return self.failures >= RETRIES
        return self.failures >= MAX_FAILURES and now - self.success_at > FAILING_FOR


def believed(time: float, now: float, *, of_itself: bool) -> float:
    """Return when an address was heard of, given what is told of it.

    Args:
        time: what is told, in seconds since 1970; 0 if nothing is.
        now: seconds since 1970.
        of_itself: whether it is the node there that tells it.
    """
    if not EARLIEST < time <= now + MAX_AHEAD:
        time = now - ASSUMED_AGE
    return time if of_itself else time - HEARSAY


def origin_of(source: str) -> bytes:
    """Return the group of a *source* of addresses: a host, or the name of something else."""
    try:
        return network_group(*parse_host(source))
    except ValueError:
        return b"\xff" + source.encode()[:63]
