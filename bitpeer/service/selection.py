"""Which addresses of a book may be dialled now, and which of those it will be."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.routes import Routes
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.bans import Bans
from bitpeer.service.knownaddress import KnownAddress
from bitpeer.service.origins import address_of
from bitpeer.service.rests import Rests
from bitpeer.service.seeds import Address
from bitpeer.service.slots import CONNECTION_TYPE, Kind, Slot

Accept = Callable[[KnownAddress], bool]


class _Taken(NamedTuple):
    """Where there are connections already."""

    groups: set[Hashable]
    addresses: set[Address]
    hosts: set[str]
    """Of the public network: elsewhere, several nodes may be at one host."""


class Selection:
    """Picks addresses to dial.

    Never one that rests, that no route leads to, that is our own, that somebody is
    connected to already, or whose host is banned or discouraged.

    Args:
        node: whose peers.
        book: the addresses; tells, too, which may be dialled on hearsay (R-E2).
        routes: where they lead.
        rests: which addresses are left alone.
        wanted: services that are wanted.
        bans: who is not.
        group_of: what must be different for all who are dialled.
        is_own: tells whether an address is this program's own.
    """

    def __init__(
        self,
        node: LocalNode,
        book: AddressBook,
        routes: Routes,
        rests: Rests,
        *,
        wanted: int,
        bans: Bans | None,
        group_of: Callable[[KnownAddress], Hashable],
        is_own: Callable[[Address], bool],
    ) -> None:
        self._node = node
        self._book = book
        self._routes = routes
        self._rests = rests
        self._wanted = wanted
        self._bans = bans
        self._group_of = group_of
        self._is_own = is_own

    def pick(self, slots: Iterable[Slot], first: list[Slot], kind: Kind, now: float) -> Slot | None:
        """Return what to dial next, in a group where nothing else is dialled (R-E1).

        Those that are said to offer what is wanted are picked first.  Others may offer it
        all the same (R-E3), unless they have said themselves that they do not.

        Args:
            slots: what is dialled, or connected.
            first: what to dial before anything is picked; what is of this *kind* is taken out.
            kind: what for.
            now: seconds since 1970.
        """
        taken = self._taken(slots)
        book, wanted = self._book, self._wanted

        def accept(known: KnownAddress) -> bool:
            return self._group_of(known) not in taken.groups and self._may_dial(known, taken, now)

        def hopeful(known: KnownAddress) -> bool:
            return known.services & wanted == wanted and accept(known)

        def possible(known: KnownAddress) -> bool:
            return not known.services_seen and accept(known)

        for slot in [each for each in first if each.kind is kind]:
            first.remove(slot)
            if accept(slot.known):
                return slot
        known = book.pick(now, accept=hopeful)
        if known is None and wanted:
            known = book.pick(now, accept=possible)
        return None if known is None else Slot(kind, known)

    def pick_to_test(self, slots: Iterable[Slot], now: float) -> Slot | None:
        """Return an address that should be tested, and none that is known to be good.

        One that another could take the place of, see `AddressBook.doubtful`, or else one
        at which nobody has answered yet.
        """
        taken = self._taken(slots)

        def accept(known: KnownAddress) -> bool:
            return self._may_dial(known, taken, now)

        known = self._book.doubtful(now)
        if known is None or not accept(known):
            known = self._book.pick(now, only_new=True, accept=accept)
        return None if known is None else Slot(Kind.FEELER, known)

    def _may_dial(self, known: KnownAddress, taken: _Taken, now: float) -> bool:
        address = known.address
        return (
            self._rests.over(address, now)
            and address not in taken.addresses
            and address.host not in taken.hosts
            and self._routes.reaches(address.host)
            and not self._is_own(address)
            and not self._is_unwanted(address.host)
        )

    def _is_unwanted(self, host: str) -> bool:
        bans = self._bans
        return bans is not None and (bans.is_discouraged(host) or bans.is_banned(host))

    def _taken(self, slots: Iterable[Slot]) -> _Taken:
        taken = _Taken(set(), set(), set())
        for slot in slots:
            taken.addresses.add(slot.known.address)
            if slot.kind is not Kind.FEELER:
                taken.groups.add(self._group_of(slot.known))
        for peer in self._node.peers:
            self._take(taken, peer)
        return taken

    def _take(self, taken: _Taken, peer: IPeer) -> None:
        """Count one connection; those that were dialled by the operator's wish have groups too."""
        address = address_of(peer)
        if address is None:
            return
        known = KnownAddress.of(address.host, 1)
        if known is not None:
            taken.hosts.add(known.address.host)
        if not peer.inbound:
            taken.addresses.add(address)
            if known is not None and CONNECTION_TYPE not in peer.facts:
                taken.groups.add(self._group_of(known))
