"""Who must leave when the house is full: nobody whom an attacker could not be better than.

Theory of operation (Bitcoin Core's SelectNodeToEvict, in spirit).  A stranger who
finds the house full gets in only if somebody leaves, so whoever can open many
connections can make honest guests leave, and at last have the house for himself.
What keeps him from it is that each kind of merit protects a few guests, and that
merits are hard to forge all at once: to be near, one needs machines near us; to have
been the first with a block, one needs to be quick; to have been here for long, one
needs to have come before the attack; to belong to one of a few network groups that
a secret picks, one needs luck, or addresses all over the internet.  Of the guests
without merit one leaves who is discouraged, or else the newest of the network group
that has the most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from bitpeer.bitcoin.hosts import NetworkId
from bitpeer.hashes.siphash import siphash

LOCAL = 0
"""The network of those who come from this machine, or through an onion service on it: no
`NetworkId` is zero."""
GROUPS = 4
"""Most guests protected because a secret picked their network groups."""
NEAR = 8
"""Most protected because their pings return quickest."""
USEFUL = 8
"""Most protected because they were the latest to tell us something new."""
PART = 8
"""In a small house each of these kinds protects one in so many, and no more."""

_COMMON = frozenset({NetworkId.IPV4, NetworkId.IPV6})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What counts of a peer that dialled us."""

    id: int
    """Counts the guests: whoever has been here for longer has a lower one."""
    group: bytes
    """Equal for guests who are probably in the same hands; see `network_group`."""
    network: int = NetworkId.IPV4
    """A `NetworkId`, or `LOCAL`."""
    latency: float = inf
    """Seconds of its quickest answer to a ping; infinity if there was none yet."""
    useful_at: float = -inf
    """When it last told us something new; minus infinity if it never did."""
    discouraged: bool = False
    """Whether somebody at its address has broken the rules."""


def guest_to_evict(guests: Iterable[Guest], secret: bytes) -> Guest | None:
    """Return who must leave so that somebody else can come in; `None` if nobody must.

    Args:
        guests: all who could.
        secret: 16 bytes that nobody else knows, the same each time.
    """
    rest = sorted(guests, key=lambda guest: guest.id)  # and so it stays, the oldest first
    total = len(rest)
    lucky = _one_of_each_group(rest, lambda guest: siphash(secret, guest.group))
    rest = _without(rest, lucky, min(GROUPS, total // PART))
    near = sorted((each for each in rest if each.latency < inf), key=lambda guest: guest.latency)
    rest = _without(rest, near, min(NEAR, total // PART))
    useful = [each for each in rest if each.useful_at > -inf]
    useful.sort(key=lambda guest: -guest.useful_at)
    rest = _without(rest, useful, min(USEFUL, total // PART))
    rest = _without_faithful(rest)
    rest = [each for each in rest if each.discouraged] or rest
    return _newest_of_largest_group(rest)


def _without(rest: list[Guest], best: list[Guest], count: int) -> list[Guest]:
    """Return *rest* without the first *count* of the *best*."""
    protected = set(best[:count])
    return [each for each in rest if each not in protected]


def _one_of_each_group(rest: list[Guest], rank: Callable[[Guest], int]) -> list[Guest]:
    """Return the one of each network group who has been here for longest, by *rank*."""
    first: dict[bytes, Guest] = {}
    for guest in rest:
        first.setdefault(guest.group, guest)
    return sorted(first.values(), key=rank)


def _without_faithful(rest: list[Guest]) -> list[Guest]:
    """Return *rest* without the half that has been here for longest.

    Half of those places are for guests of scarce networks, as far as there are any:
    an overlay is slow, so they hardly ever win by being near or first.
    """
    places = (len(rest) + 1) // 2
    scarce = _of_scarce_networks(rest, places // 2)
    rest = _without(rest, scarce, len(scarce))
    return rest[places - len(scarce) :]


def _of_scarce_networks(rest: list[Guest], places: int) -> list[Guest]:
    """Return whom to give *places* that are for all networks but IPv4 and IPv6.

    The network with the fewest guests is served first; what it does not need is left
    for the others.
    """
    networks: defaultdict[int, list[Guest]] = defaultdict(list)
    for guest in rest:
        if guest.network not in _COMMON:
            networks[guest.network].append(guest)
    chosen: list[Guest] = []
    for served, guests in enumerate(sorted(networks.values(), key=len)):
        chosen += guests[: (places - len(chosen)) // (len(networks) - served)]
    return chosen


def _newest_of_largest_group(rest: list[Guest]) -> Guest | None:
    """Return the newest guest of the largest group; of equal groups, of the one last joined."""
    sizes = Counter(guest.group for guest in rest)
    return max(rest, key=lambda guest: (sizes[guest.group], guest.id), default=None)
