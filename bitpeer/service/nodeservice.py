"""The service of one node: finds peers, keeps them, accepts them, follows the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path
from typing import Any

from twisted.application.internet import ClientService
from twisted.application.service import MultiService, Service
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import LogLevel

from bitpeer.bitcoin.reach import is_routable
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.net.onion import OnionPort
from bitpeer.net.routes import Routes, is_direct, routes_for
from bitpeer.net.text import printable
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.addresskeeper import AddressKeeper
from bitpeer.service.admission import Admission, GuardedFactory, Limits
from bitpeer.service.anchors import Anchors
from bitpeer.service.bans import Bans
from bitpeer.service.conduct import Conduct
from bitpeer.service.descriptors import check_room, most_dialled, room_left
from bitpeer.service.endpoints import distinct, server_endpoint
from bitpeer.service.farewell import Farewell
from bitpeer.service.feelers import Feelers
from bitpeer.service.following import Following
from bitpeer.service.gossip import Gossip
from bitpeer.service.grounded import Grounded
from bitpeer.service.knownaddress import KnownAddress
from bitpeer.service.listening import Listening
from bitpeer.service.lookups import look_up_through
from bitpeer.service.merits import Merits
from bitpeer.service.origins import host_of, origin_of
from bitpeer.service.outbound import Outbound
from bitpeer.service.ownonions import onion_ports, onions_to_tell
from bitpeer.service.redial import Elsewhere, fixed_peer
from bitpeer.service.seeds import Address, Seeds
from bitpeer.service.slots import speaks_of_addresses
from bitpeer.service.staleness import STALE_AFTER
from bitpeer.service.summary import Summary
from bitpeer.service.wishes import Wishes

BANS, ADDRESSES, HEADERS, ANCHORS = (
    "bans.sqlite", "addresses.sqlite", "headers.sqlite", "anchors.txt",
)  # fmt: skip
"""The files in the folder of a network."""
WISH = "the operator's wish"
"""Why those are banned whom `Wishes` name."""


def _tell_nobody(_: str, **__: object) -> None:
    """Let events go unheard."""


class NodeService(Grounded):
    """Everything about the peers of one node, while it runs.

    The parts are there to be looked at.  They are services themselves, in an order that
    matters: what keeps files starts first, and stops when all peers are gone.

    Args:
        node: whose peers.
        wishes: what to do.
        routes: how to dial; `None` to dial directly.
        emit: told of what happens: see `Events.emit`.
        reactor: Twisted's.

    Raises:
        InvalidSetting: something of this cannot be understood, or contradicts itself.
    """

    def __init__(
        self,
        node: LocalNode,
        wishes: Wishes,
        *,
        routes: Routes | None = None,
        emit: Callable[..., object] = _tell_nobody,
        reactor: object,
    ) -> None:
        Grounded.__init__(self)
        network = node.config.network
        self.node = node
        self.wishes = wishes
        self.routes = routes_for(node.config, routes, reactor)
        wishes.check(network, self.routes)
        places = len(distinct(wishes.connect, network.port)) + len([*wishes.listen])
        self._room_inside = self._room(places)
        self.merits = Merits(node.clock.seconds)
        self.bans = Bans(self._file(BANS), node.clock.seconds)
        self._add(self.bans, self.ground)
        for subject in wishes.ban:
            self.bans.parse(subject)  # better to hear of a mistake now than at the start
        node.add_listener(Conduct(self.bans, tell=emit))
        self.book = AddressBook(fit=_anything if wishes.private_addresses else is_routable)
        self._emit = emit
        self._keep_addresses()
        self.following = self._follow()
        self._add(_Once(self._tell_what_is_kept), self.ground)
        self.admission = self._admit()
        self.doors = self._open_doors(reactor)
        """Where peers are accepted."""
        self.named: dict[object, ClientService] = {}
        """What keeps the peers that are dialled by name, by where they are."""
        self.dial_only(wishes.connect)
        self.slots = self._find_peers(reactor)
        self.gossip = self._talk()
        found = wishes.outbound + wishes.block_only
        self._add(Summary(node, wanted=found, named=self.named, known=lambda: len(self.book)))
        self._add(Farewell(node))

    def dial_only(self, places: Iterable[str | IStreamClientEndpoint]) -> None:
        """Keep connections to the peers at *places* from now on, and part with others so named.

        Raises:
            InvalidSetting: one of them cannot be read, or would be dialled past the proxy;
                nothing is changed then.
        """
        wanted = distinct(places, self.node.config.network.port)
        new = {at: self._fixed(each) for at, each in wanted.items() if at not in self.named}
        for at in self.named.keys() - wanted.keys():
            self.named.pop(at).disownServiceParent()
        for at, peer in new.items():
            self.named[at] = peer
            self._add(peer)

    def limit(self, most: int, per_host: int, per_prefix: int) -> None:
        """Accept at most so many peers from now on; 0 for no limit.  Nobody has to leave."""
        self.admission.limits = self._limits(most, per_host, per_prefix)

    def ban_only(self, subjects: Iterable[str], seconds: float) -> None:
        """Turn hosts and prefixes away for so many *seconds*; let others in that were so named.

        Who is banned already stays so until the same moment.

        Raises:
            InvalidSetting: one of *subjects* is neither; nothing is changed then.
            StorageUnusable: it cannot be kept.
        """
        wanted = {self.bans.parse(subject)[0] for subject in subjects}
        banned = {ban.subject: ban for ban in self.bans}
        for subject, ban in banned.items():
            if ban.reason == WISH and subject not in wanted:
                self.bans.lift(subject)
        for subject in wanted - banned.keys():
            self.bans.ban(subject, self.node.clock.seconds() + seconds, WISH)

    def introduce(self, addresses: Iterable[Address]) -> int:
        """Consider *addresses*, from now on, when looking for peers; return how many are new."""
        return self.book.learn(addresses, "operator", self.node.clock.seconds())

    def own_addresses(self, peer: IPeer) -> list[Address]:
        """Return where this node can be found, as far as *peer* may know.

        Who is talked to by way of onion services is told of those only, and nobody else is:
        the two must not be known to be the same node.  Who comes from this machine may
        come by an onion service that another program has made.
        """
        onions = onions_to_tell(peer, onion_ports(self.doors))
        by_onion = not peer.inbound and ".onion" in peer.address.lower()
        forwarded = peer.inbound and origin_of(host_of(peer)).local
        if onions or by_onion or (forwarded and not self.wishes.private_addresses):
            return onions
        return self._public_addresses()

    # The parts

    def _add(self, service: Service, parent: MultiService | None = None) -> None:
        service.setServiceParent(self if parent is None else parent)

    def _fixed(self, place: str | IStreamClientEndpoint) -> ClientService:
        config = self.node.config
        endpoint = self.routes.client(place, config.network.port)
        elsewhere = _elsewhere(self.routes, endpoint) if config.follow_redirects else None
        return fixed_peer(_name(place), endpoint, self.node, elsewhere)

    def _file(self, name: str) -> Path | None:
        folder = self.wishes.folder
        return None if folder is None else folder / name

    def _room(self, places: int) -> float:
        """Return how many peers can be accepted beside those that are dialled (R-J8)."""
        wishes = self.wishes
        dialled = wishes.outbound + wishes.block_only
        if wishes.feelers or wishes.headers:
            dialled = most_dialled(wishes.outbound, wishes.block_only)
        check_room(dialled, places, wishes.nodes)
        return room_left(dialled, places, wishes.nodes) if wishes.listen else inf

    def _limits(self, most: int, per_host: int, per_prefix: int) -> Limits:
        limits = Limits(
            most=most or inf, per_host=per_host or inf, per_prefix=per_prefix or inf
        ).within(self._room_inside)
        if limits.most < most:
            text = "accepting at most {room} peers, not {most}: ulimit -n allows no more sockets"
            self.node.journal.emit(LogLevel.warn, text, room=limits.most, most=most)
        return limits

    def _admit(self) -> Admission:
        wishes = self.wishes
        limits = self._limits(wishes.max_inbound, wishes.max_per_host, wishes.max_per_prefix)
        return Admission(self.node, limits, bans=self.bans, merits=self.merits, tell=self._emit)

    def _open_doors(self, reactor: object) -> list[Listening]:
        node, doors = self.node, []
        for place in self.wishes.listen:
            # One for each door: so nothing tells the guests of one that it is the other's, too.
            factory = GuardedFactory(PeerFactory(node, outbound=False), self.admission)
            endpoint = server_endpoint(reactor, place, node.config.network.port)
            doors.append(Listening(_name(place), endpoint, factory, node.journal))
        for door in doors:
            self._add(door)
        if doors:
            self._add(self.admission)
        return doors

    def _keep_addresses(self) -> None:
        node = self.node
        keeper = AddressKeeper(
            self.book,
            self._file(ADDRESSES),
            network=node.config.network.title,
            clock=node.clock,
            journal=node.journal,
        )
        self._add(keeper, self.ground)
        self._add(_Once(self._begin), self.ground)

    def _begin(self) -> None:
        """Tell the book and the list of bans, once they are open, what the operator says."""
        self.introduce(self.wishes.add_peer)
        self.ban_only(self.wishes.ban, self.wishes.ban_time)

    def _tell_what_is_kept(self) -> None:
        """Log how much is known from before, and where that is."""
        folder = self.wishes.folder
        if folder is None:
            return
        self.node.journal.emit(
            LogLevel.info,
            "{network}: {addresses} addresses, headers up to {height}, {bans} bans in {folder}",
            network=self.node.config.network.title,
            addresses=len(self.book),
            height=0 if self.following is None else self.following.tip.height,
            bans=len(self.bans),
            folder=printable(str(folder)),
        )

    def _follow(self) -> Following | None:
        if not self.wishes.headers or self.node.config.network.rules is None:
            return None
        following = Following(
            self.node,
            self._file(HEADERS),
            useful=self.merits.note,
            emit=self._emit,
        )
        self._add(following, self.ground)
        return following

    def _find_peers(self, reactor: object) -> Outbound | None:
        wishes, node = self.wishes, self.node
        if not wishes.outbound + wishes.block_only:
            return None
        look_up = look_up_through(reactor, self.routes, node)
        slots = Outbound(
            node,
            self.book,
            self.routes,
            Seeds(node.config.network, look_up, clock=node.clock, journal=node.journal),
            full=wishes.outbound,
            block_only=wishes.block_only,
            wanted=wishes.wanted_services,
            bans=self.bans,
            merits=self.merits,
            anchors=Anchors(self._file(ANCHORS), node.journal),
            stale_after=inf if self.following is None else STALE_AFTER,
            group_of=_address_of if wishes.private_addresses else _group_of,
            is_own=self._is_own,
            tell=self._emit,
        )
        self._add(slots)
        if wishes.feelers:
            self._add(Feelers(slots.feel, clock=node.clock, journal=node.journal))
        return slots

    def _talk(self) -> Gossip | None:
        if not self.wishes.gossip:
            return None
        gossip = Gossip(
            self.node,
            self.book,
            serve=self.wishes.serve_addresses,
            frank=self.wishes.private_addresses,
            reaches=self.routes.reaches,
            own=self.own_addresses,
            takes_part=speaks_of_addresses,
        )
        self.node.add_listener(gossip)
        self._add(gossip)
        return gossip

    # Our own addresses

    def _public_addresses(self) -> list[Address]:
        own = self.wishes.own_address
        doors = (door for door in self.doors if not isinstance(door.port, OnionPort))
        ports = [door.address[1] for door in doors if door.address is not None]
        return [] if own is None or not ports else [Address(own, ports[0])]

    def _is_own(self, address: Address) -> bool:
        """Whether whoever dials *address* would arrive here."""
        leads_here = (self._leads_to(door, address) for door in self.doors)
        return address in self._public_addresses() or any(leads_here)

    def _leads_to(self, door: Listening, address: Address) -> bool:
        if door.address is None or door.address[1] != address.port:
            return False
        host = door.address[0]
        if host in ("0.0.0.0", "::"):  # noqa: S104  # compared with, not bound to
            ends = (peer.local_address.rpartition(":")[0] for peer in self.node.peers)
            return address.host in {end.strip("[]") for end in ends}
        return host == address.host


class _Once(Service):
    """Does something each time it is started."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def startService(self) -> None:
        Service.startService(self)
        self._act()


def _anything(*_: Any) -> bool:
    return True


def _group_of(known: KnownAddress) -> bytes:
    return known.group


def _address_of(known: KnownAddress) -> Address:
    """Let every address be a network group of its own."""
    return known.address


def _elsewhere(routes: Routes, first: IStreamClientEndpoint) -> Elsewhere:
    """Return how to dial where a peer sends us that was dialled by way of *first*.

    An onion service, or whoever else was not dialled directly, could learn where we are.
    """

    def endpoint(address: Address) -> IStreamClientEndpoint | None:
        if not routes.reaches(address.host):
            return None
        second = routes.endpoint(*address)
        return None if is_direct(second) and not is_direct(first) else second

    return endpoint


def _name(place: str | object) -> str:
    name = place if isinstance(place, str) else repr(place)
    return name if name.isprintable() else printable(name)
