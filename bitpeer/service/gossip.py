"""Hearsay: the addresses that peers tell each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from heapq import nlargest
from secrets import SystemRandom, token_bytes
from typing import Any

from twisted.application.service import Service

from bitpeer.dialect import ToldAddress, VersionLike
from bitpeer.errors import Disconnected
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener, Receiver
from bitpeer.net.local import LocalNode
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.answers import AddressAnswers, Told
from bitpeer.service.circle import Circle
from bitpeer.service.every import Every
from bitpeer.service.knownaddress import DAY, MINUTE, KnownAddress
from bitpeer.service.seeds import Address
from bitpeer.service.slots import speaks_of_addresses
from bitpeer.wire.message import Malformed, Message, Unknown

PERIOD = 1.0
"""Seconds between two looks for what should be told."""
FEW = 10
"""Most addresses in a message that looks like news, and not like a part of a book."""
FRESH = 10 * MINUTE
"""Most seconds since somebody heard of an address that is worth passing on."""
LISTENERS = 2
"""Peers that are told of such an address."""

_RANDOM = SystemRandom()


class Gossip(Service, PeerListener):
    """Learns addresses from peers, passes on what is news, and answers who asks.

    A listener to be added to a node, and a service.  Its manners are those of Bitcoin
    Core:

    * Peers that were dialled are asked for addresses, once.
    * Of each peer, one address in ten seconds is heeded, and as many more as an answer
      to that request may hold; which of them, if there are more, is decided at random.
    * What comes in a small message, and is fresh, is passed on to two others, always the
      same for a day, half a minute later on average.
    * Peers that dialled us, and ask, get one answer: see `AddressAnswers`.  Peers that we
      dialled get none, so that nobody can find out whom we know by being dialled.
    * Peers that dialled us hear nothing until they have spoken of addresses themselves.

    Args:
        node: whose peers.
        book: where addresses are learned, and found.
        serve: whether to answer who asks.
        frank: whether with all that is known, see `AddressAnswers`.
        reaches: tells whether a host can be dialled from here.  What cannot is passed on
            to one peer or two.
        own: given a peer, returns the addresses at which it may be told that this node
            can be reached: none, unless somebody says otherwise.
        takes_part: tells whether addresses are spoken of with a peer at all: not with feelers,
            nor with peers for blocks only.
        below: given n, returns a random number, 0 <= x < n.
        draw: returns a random number, 0 <= x < 1.
    """

    def __init__(
        self,
        node: LocalNode,
        book: AddressBook,
        *,
        serve: bool = True,
        frank: bool = False,
        reaches: Callable[[str], bool] = lambda _: True,
        own: Callable[[IPeer], Iterable[Address]] = lambda _: (),
        takes_part: Callable[[IPeer], bool] = speaks_of_addresses,
        below: Callable[[int], int] = _RANDOM.randrange,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self.serve = serve
        self.takes_part = takes_part
        self.heeded = 0
        """Addresses that were looked at, of all peers, ever."""
        self.ignored = 0
        """Addresses that were not, because their peer had told too many."""
        self._node = node
        self._dialect = node.config.network.dialect
        self._book = book
        self._reaches = reaches
        self._own = own
        self._below = below
        self._draw = draw
        self._secret = token_bytes(32)
        self._answers = AddressAnswers(book, self._dialect.max_addresses, draw, frank=frank)
        self._circles: dict[IPeer, Circle] = {}
        self._rounds = Every(node.clock, PERIOD, self.tell_what_is_due, node.journal)

    def startService(self) -> None:
        Service.startService(self)
        self._rounds.start()

    def stopService(self) -> None:
        Service.stopService(self)
        self._rounds.stop()

    # What listeners are told

    def receiver(self, kind: type) -> Receiver | None:
        """Return what to call with messages of *kind*: those of this dialect about addresses."""
        if kind in self._dialect.told:
            return self._addresses_told
        return self._addresses_wanted if kind is self._dialect.get_addresses else None

    def message_received(self, peer: IPeer, message: Message | Unknown | Malformed) -> object:
        receive = self.receiver(type(message))
        return None if receive is None else receive(peer, message)

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        """Ask a peer that was dialled for addresses."""
        if self._dialect.get_addresses is None or not self.takes_part(peer):
            return
        circle = self._circles[peer] = Circle(self._now(), self._draw)
        if not peer.inbound:
            self._begin(circle)
            circle.awaiting = True
            circle.bucket.grant(self._dialect.max_addresses)
            peer.send(self._dialect.get_addresses())

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Forget what it told us, and what it would have been told."""
        self._circles.pop(peer, None)

    def _addresses_wanted(self, peer: IPeer, _: object) -> None:
        circle = self._circles.get(peer)
        if circle is None or not peer.inbound or circle.answered:
            return
        self._begin(circle)
        circle.answered = True
        if self.serve:
            answer = self._answers.at(peer.local_address, self._now())
            peer.push_addresses(self._forms(answer))

    def _addresses_told(self, peer: IPeer, message: Any) -> None:
        circle = self._circles.get(peer)
        if circle is None:
            return
        self._begin(circle)
        told, now = self._dialect.told[type(message)](message), self._now()
        news = len(told) <= FEW and not circle.awaiting
        if len(told) < self._dialect.max_addresses:
            circle.awaiting = False
        count = circle.bucket.take(len(told), now)
        self.heeded += count
        self.ignored += len(told) - count
        heeded = [told[index] for index in self._node.sample(range(len(told)), count)]
        for each in heeded:
            circle.known.add(_name(each))
        self._book.learn(heeded, _host(peer.address), now)
        if news:
            self._pass_on(peer, heeded, now)

    # What is told

    def _begin(self, circle: Circle) -> None:
        """Let a peer hear of addresses from now on, our own first."""
        if not circle.gossips:
            circle.gossips = True
            circle.introduce_at = self._now()

    def _pass_on(self, source: IPeer, addresses: Sequence[ToldAddress], now: float) -> None:
        for each in addresses:
            if abs(now - each.time) > FRESH:
                continue
            known = KnownAddress.of(each.host, each.port, self._book.fit)
            if known is None or self._book.is_own(known.address):
                continue
            for form in self._forms((each,)):
                for peer in self._chosen(source, each, now):
                    self._circles[peer].add(_name(each), form, self._below)

    def _chosen(self, source: IPeer, address: ToldAddress, now: float) -> list[IPeer]:
        """Return whom to tell of an address: the same peers for a day, and not who told it."""
        day = _number(self._secret, _name(address))
        day += int((now + day % DAY) // DAY)  # not for all addresses at the same time
        count = LISTENERS if self._reaches(address.host) else 1 + day % 2
        others = (
            peer for peer, circle in self._circles.items() if circle.gossips and peer is not source
        )
        return nlargest(
            count, others, key=lambda peer: _number(self._secret, b"%d %d" % (day, peer.id))
        )

    def tell_what_is_due(self) -> None:
        """Tell every peer what it should be told by now."""
        now = self._now()
        for peer, circle in tuple(self._circles.items()):
            if circle.introduce_at <= now:
                self._introduce(peer, circle, now)
            if circle.queue:
                due = circle.due(now)
                if due:
                    peer.push_addresses(due)

    def _introduce(self, peer: IPeer, circle: Circle, now: float) -> None:
        """Tell a peer our own addresses, as far as it may know them."""
        services = self._node.config.services
        own = [Told(*address, services, int(now)) for address in self._own(peer)]
        circle.introduce_at = circle.soon(now, DAY) if own else now + FRESH
        if own:
            peer.push_addresses(self._forms(own))

    def _forms(self, addresses: Iterable[ToldAddress]) -> list[Any]:
        """Return addresses in the form that the dialect tells; without those that have none."""
        forms = []
        for each in addresses:
            try:
                forms.append(self._dialect.address(each.host, each.port, each.services, each.time))
            except ValueError:
                continue
        return forms

    def _now(self) -> float:
        return self._node.clock.seconds()


def _name(address: ToldAddress) -> bytes:
    return b"%s %d" % (address.host.encode(), address.port)


def _host(place: str) -> str:
    """Return the host of a peer's address."""
    return place.rpartition(":")[0].strip("[]")


def _number(secret: bytes, text: bytes) -> int:
    """Return 64 bits that follow from *text*, for those who know the *secret*."""
    return int.from_bytes(blake2b(text, digest_size=8, key=secret).digest(), "big")
