"""What a node knows of all others: the book that it picks from when it wants a peer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import ceil
from secrets import SystemRandom
from typing import Protocol as Shape

from bitpeer.bitcoin.reach import is_routable
from bitpeer.service.buckets import (
    NEW_BUCKETS,
    PROVEN_BUCKETS,
    Buckets,
    Place,
    draw_secret,
    new_place,
    proven_place,
)
from bitpeer.service.knownaddress import (
    HOUR,
    MINUTE,
    Fit,
    KnownAddress,
    believed,
    origin_of,
)
from bitpeer.service.seeds import Address

SHARE = 0.23
"""How much of the book is told to one who asks."""
MAX_DRAWS = 500
"""How often `pick` draws before it gives up."""
MORE_PER_DRAW = 1.2
"""By which factor each draw that came to nothing makes the next likelier to be taken."""
MAX_RIVALRIES = 10
"""How many addresses that have answered may wait for the place of another."""
PROOF_LASTS = 4 * HOUR
"""Seconds for which an address need not prove itself again."""
ANSWER_TIME = MINUTE
"""Seconds that an address that is being tested has to answer."""
RIVALRY_LASTS = 40 * MINUTE
"""Seconds after which the newcomer gets the place, though nobody has tested the other."""

_RANDOM = SystemRandom()


class AddressLike(Shape):
    """A host and a port; perhaps with `services` and a `time`, as messages carry them."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


def _anything(_: KnownAddress) -> bool:
    return True


class AddressBook:
    """Addresses of one network: those that have only been heard of, and those that have answered.

    Both tables are bounded, and keyed by a secret; `docs/addresses.md` says what that
    is good for.  Everything is in memory; `AddressKeeper` puts it on a disk.

    Args:
        fit: tells which addresses may be dialled on hearsay; all others are passed over.
            Those of the public network, unless somebody says otherwise (R-E2).
        is_own: tells whether an address is this program's own: those are passed over, too.
        new_buckets: how many, of 64 addresses each, for those that have been heard of.
        proven_buckets: how many for those that have answered.
        secret: 32 bytes that nobody else knows.
        below: given n, returns a random number, 0 <= x < n.
        draw: returns a random number, 0 <= x < 1.
        sample: draws so many items of a list.
    """

    def __init__(
        self,
        *,
        fit: Fit = is_routable,
        is_own: Callable[[Address], bool] = lambda _: False,
        new_buckets: int = NEW_BUCKETS,
        proven_buckets: int = PROVEN_BUCKETS,
        secret: bytes | None = None,
        below: Callable[[int], int] = _RANDOM.randrange,
        draw: Callable[[], float] = _RANDOM.random,
        sample: Callable[[list[KnownAddress], int], list[KnownAddress]] = _RANDOM.sample,
    ) -> None:
        self.fit = fit
        self.is_own = is_own
        self.secret = secret or draw_secret()
        self.changed: dict[Address, KnownAddress | None] = {}
        """What is new since somebody looked and cleared it: `None` for what was forgotten."""
        self._below = below
        self._draw = draw
        self._sample = sample
        self._known: dict[Address, KnownAddress] = {}
        self._new = Buckets(new_buckets)
        self._proven = Buckets(proven_buckets)
        self._counts: Counter[tuple[str, bool]] = Counter()
        self._rivals: dict[Address, float] = {}
        """Those that answered and whose place another has, and since when."""
        self._online_at = float("-inf")
        """When any address answered last."""

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, address: Address) -> bool:
        return address in self._known

    def __iter__(self) -> Iterator[KnownAddress]:
        return iter(self._known.values())

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many addresses there are of each network, such as ``onion``.

        Of each, how many have only been heard of, and how many have answered.
        """
        kinds = sorted({kind for (kind, _), count in self._counts.items() if count})
        return {kind: (self._counts[kind, False], self._counts[kind, True]) for kind in kinds}

    def look_up(self, address: Address) -> KnownAddress | None:
        """Return what is known of an address."""
        return self._known.get(address)

    def learn(self, addresses: Iterable[AddressLike], source: str, now: float) -> int:
        """Take note of *addresses*; return how many were not in the book and now are.

        Whose place is taken, by one that is worth it, is not.  So one group of sources
        can fill 64 buckets of 1,024, and one group of addresses one bucket of those.

        Args:
            addresses: of any form that messages know.  Their services are no more than a
                hint (R-E3), their times are not taken at face value.
            source: who tells of them: a host, or a word such as the name of a seed.
            now: seconds since 1970.
        """
        origin = origin_of(source)
        return sum(self._learn(each, source, origin, now) for each in addresses)

    def pick(
        self,
        now: float,
        *,
        only_new: bool = False,
        accept: Callable[[KnownAddress], bool] = _anything,
    ) -> KnownAddress | None:
        """Return an address to dial, at random; `None` if none was found.

        First a table is drawn, then a bucket that is not empty, then an address of it,
        which is taken with its `KnownAddress.chance`; or else another is drawn, whose
        chance is a fifth larger.  So every address can be picked, and none must (R-E4).

        Args:
            now: seconds since 1970.
            only_new: whether it should be one that has never answered, for a feeler.
            accept: tells which addresses are wanted.  If they are but a few in a
                thousand, none may be found at first; they are next time.
        """
        tables = [table for table in (self._new, self._proven) if len(table)]
        if only_new:
            tables = [table for table in tables if table is self._new]
        if not tables:
            return None
        boost = 1.0
        for _ in range(MAX_DRAWS):
            known = tables[self._below(len(tables))].draw(self._below)
            if accept(known):
                if self._draw() < known.chance(now) * boost:
                    return known
                boost *= MORE_PER_DRAW
        return None

    def sample(self, now: float, most: int, share: float = SHARE) -> list[KnownAddress]:
        """Return a *share* of the book, at random and rounded up, but at most so many."""
        fit = [known for known in self._known.values() if not known.is_terrible(now)]
        return self._sample(fit, min(most, ceil(share * len(fit))))

    def attempted(self, address: Address, now: float) -> None:
        """Take note that *address* is dialled."""
        known = self._known.get(address)
        if known is not None:
            known.tried_at = now
            self.changed[address] = known

    def failed(self, address: Address, now: float) -> None:
        """Take note that nobody answered, or nobody whom we could talk to.

        It counts once for each time that somebody else did: without internet, every
        address fails, and none is to blame.
        """
        known = self._known.get(address)
        if known is None or (known.counted_at is not None and known.counted_at >= self._online_at):
            return
        known.counted_at = now
        known.failures += 1
        self.changed[address] = known

    def connected(self, address: Address, now: float, services: int | None = None) -> None:
        """Take note that *address* answered, and move it to those that have.

        If its place there is taken, the two are rivals: see `doubtful`.

        Args:
            address: one of the book; of others no note is taken.
            now: seconds since 1970.
            services: those that it offered, if it said so.
        """
        known = self._known.get(address)
        if known is None:
            return
        self._online_at = known.tried_at = known.success_at = known.time = now
        known.failures = 0
        if services is not None:
            known.services, known.services_seen = services, True
        self.changed[address] = known
        if known.proven:
            return
        if self._proven.at(self._proven_place(known)) is None:
            self._promote(known)
        elif len(self._rivals) < MAX_RIVALRIES:
            self._rivals.setdefault(address, now)

    def doubtful(self, now: float) -> KnownAddress | None:
        """Return an address that should be dialled to see if it still deserves its place.

        Nobody loses a place among those that have answered to a newcomer without being
        tested: otherwise whoever has many addresses could push out all others.  Who
        dials it says `attempted`, and `connected` or `failed`, as always.  What has been
        decided meanwhile is done first.
        """
        undecided = []
        for address, since in tuple(self._rivals.items()):
            if address not in self._rivals:
                continue  # one of the decisions before this one cost it its place
            occupant = self._judge(address, since, now)
            if occupant is not None:
                undecided.append(occupant)
        return undecided[self._below(len(undecided))] if undecided else None

    def restore(self, secret: bytes, addresses: Iterable[KnownAddress]) -> None:
        """Put back what was known when the program last ended, beside what is known already.

        Args:
            secret: the one that it was kept with.
            addresses: those for whose place there is no other are in the book then.
        """
        known = [*addresses, *self._known.values()]
        self.secret = secret
        self._known, self._rivals = {}, {}
        self._new, self._proven = Buckets(self._new.count), Buckets(self._proven.count)
        self._counts.clear()
        for each in known:
            table = self._proven if each.proven else self._new
            place = self._proven_place(each) if each.proven else self._new_place(each)
            if each.address not in self._known and table.at(place) is None:
                self._enter(each, place, proven=each.proven)

    def _learn(self, told: AddressLike, source: str, origin: bytes, now: float) -> bool:
        host, port = told.host, told.port
        known = self._known.get(Address(host, port)) or KnownAddress.of(host, port, self.fit)
        if known is None or self.is_own(known.address):
            return False
        services = getattr(told, "services", 0)
        time = believed(getattr(told, "time", 0), now, of_itself=host == source)
        old = self._known.get(known.address)
        if old is not None:
            if old.heard(services, time, now):
                self.changed[old.address] = old
            return False
        known.services, known.time, known.origin = services, time, origin
        place = self._new_place(known)
        occupant = self._new.at(place)
        if occupant is not None:
            if not occupant.is_terrible(now):
                return False
            self._forget(occupant)
        self._enter(known, place, proven=False)
        self.changed[known.address] = known
        return True

    def _new_place(self, known: KnownAddress) -> Place:
        return new_place(self.secret, known, self._new.count)

    def _proven_place(self, known: KnownAddress) -> Place:
        return proven_place(self.secret, known, self._proven.count)

    def _enter(self, known: KnownAddress, place: Place, *, proven: bool) -> None:
        known.proven = proven
        (self._proven if proven else self._new).put(known, place)
        self._known[known.address] = known
        self._counts[known.kind, proven] += 1

    def _forget(self, known: KnownAddress) -> None:
        (self._proven if known.proven else self._new).take(known)
        del self._known[known.address]
        self._rivals.pop(known.address, None)
        self._counts[known.kind, known.proven] -= 1
        self.changed[known.address] = None

    def _promote(self, known: KnownAddress) -> None:
        """Move an address to those that have answered; its place there is free."""
        self._forget(known)
        self._enter(known, self._proven_place(known), proven=True)
        self.changed[known.address] = known

    def _demote(self, known: KnownAddress) -> None:
        """Move an address back to those that have been heard of, in place of another if need be."""
        self._forget(known)
        place = self._new_place(known)
        other = self._new.at(place)
        if other is not None:
            self._forget(other)
        self._enter(known, place, proven=False)
        self.changed[known.address] = known

    def _judge(self, address: Address, since: float, now: float) -> KnownAddress | None:
        """Return who has the place of the newcomer *address*, unless it can be decided who does."""
        newcomer = self._known[address]
        occupant = self._proven.at(self._proven_place(newcomer))
        if occupant is None:
            self._promote(newcomer)
        elif occupant.success_at is not None and now - occupant.success_at < PROOF_LASTS:
            del self._rivals[address]
        elif occupant.tried_at is not None and occupant.tried_at >= since:
            if now - occupant.tried_at > ANSWER_TIME:
                self._succeed(newcomer, occupant)
        elif now - since > RIVALRY_LASTS:
            self._succeed(newcomer, occupant)
        else:
            return occupant
        return None

    def _succeed(self, newcomer: KnownAddress, occupant: KnownAddress) -> None:
        """Give the newcomer the place of the occupant, who goes back to where he came from."""
        self._forget(newcomer)
        self._demote(occupant)
        self._enter(newcomer, self._proven_place(newcomer), proven=True)
        self.changed[newcomer.address] = newcomer
