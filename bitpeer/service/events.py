"""What happens, told to programs: one structured event for every change of state."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from math import isfinite

from twisted.logger import Logger, LogLevel
from twisted.python.reflect import safe_str
from zope.interface import implementer

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, DisconnectReason
from bitpeer.net.interfaces import IDialListener, IPeer, IVersionListener
from bitpeer.net.journal import SITE_BUDGET, WINDOW, Journal
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode
from bitpeer.net.text import printable

VERSION = 1
"""Of the events' names and fields; counts up when one of them changes its meaning or goes."""
KEPT = 200
"""Events that are remembered."""
MAX_TEXT = 512
"""Most characters of one text in an event."""
MAX_ITEMS = 64
"""Most items of one list or mapping in an event."""
MAX_DEPTH = 3
"""Most lists and mappings within each other."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What an event's fields are made of: nothing that JSON does not have."""
Event = dict[str, Plain]
"""``event``, its name; ``version``; ``number``; ``time``, in seconds since 1970; and its fields."""

_TWISTEDS = frozenset({"level", "format", "fields"})
"""Names that cannot be a field of an event in Twisted's log."""
_TURNED_DOWN = frozenset(
    {
        DisconnectReason.WRONG_NETWORK,
        DisconnectReason.SELF_CONNECTION,
        DisconnectReason.OBSOLETE,
        DisconnectReason.REFUSED,
        DisconnectReason.REDIRECTED,
    }
)


def plain(value: object, depth: int = MAX_DEPTH) -> Plain:
    """Return *value* as JSON has it, with every text escaped, and none of it large (R-I2).

    Args:
        value: anything.
        depth: how many more lists and mappings may lie within each other.
    """
    if isinstance(value, Enum):
        return value.name.lower().replace("_", "-")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if depth and isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {printable(str(key), 64): plain(item, depth - 1) for key, item in items}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth - 1) for item in list(value)[:MAX_ITEMS]]
    text = value if isinstance(value, str | bytes) else safe_str(value)
    return printable(text, MAX_TEXT)


class Events:
    """Tells of everything that changes: to Twisted's log, to whoever listens, and to latecomers.

    The log gets an event with these fields and no text, so that it shows in structured logs
    and in no others: people read the sentences that the same changes cause anyway.  Events of
    one name have a budget, as every other place that logs (R-I1); beyond it they are only
    counted, and one event a window says how many there were.

    Args:
        seconds: tells the time, in seconds since 1970.
        log: where to.
        kept: how many of the latest to remember.
        budget: bytes, as JSON, for events of one name and direction in one window.
        window: seconds.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        *,
        log: Logger | None = None,
        kept: int = KEPT,
        budget: int = SITE_BUDGET,
        window: float = WINDOW,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """How many there were of each name, those beyond the budget included."""
        self._seconds = seconds
        self._log = log or Logger()
        self._journal = Journal(self._log, seconds)
        self._latest: deque[Event] = deque(maxlen=kept)
        self._audience: list[tuple[Callable[[Event], object], bool]] = []
        """Who hears, and whether of murmurs, too."""
        self._number = 0
        self._budget = budget
        self._window = window
        self._began = seconds()
        self._spent: Counter[tuple[str, bool]] = Counter()
        self._suppressed: Counter[str] = Counter()

    def emit(self, name: str, /, **fields: object) -> None:
        """Tell of a change.

        Args:
            name: which one, such as ``peer.lost``.
            fields: numbers, texts, or lists and mappings of those; texts may be a peer's, and
                are escaped here.  What is called event, version, number or time gives way to
                the event's own.
        """
        self._tell(LogLevel.info, name, fields)

    def murmur(self, name: str, /, **fields: object) -> None:
        """Tell of something that strangers can cause: at level debug, and not among the latest.

        Otherwise whoever knocks often enough would wash everything else away.
        """
        self._tell(LogLevel.debug, name, fields)

    def latest(self) -> list[Event]:
        """Return the latest events, oldest first."""
        return list(self._latest)

    def subscribe(
        self, hear: Callable[[Event], object], *, murmurs: bool = True
    ) -> Callable[[], None]:
        """Call *hear* with every event from now on; return what ends that.

        Args:
            hear: is given the event.
            murmurs: whether it wants to hear of what strangers do.
        """
        entry = (hear, murmurs)
        self._audience.append(entry)

        def end() -> None:
            with suppress(ValueError):
                self._audience.remove(entry)

        return end

    def follow(self, node: LocalNode) -> None:
        """Tell of everything that happens to the peers of *node* from now on."""
        node.add_listener(PeerEvents(self, node.config.network.title))

    def _tell(self, level: LogLevel, name: str, fields: Mapping[str, object]) -> None:
        self._turn_window()
        self.counts[name] += 1
        event = self._event(name, fields)
        share = (name, event.get("inbound") is True)
        self._spent[share] += len(json.dumps(event))
        if self._spent[share] > self._budget:
            self._suppressed[name] += 1
            if self._suppressed[name] == 1:
                self._publish(LogLevel.warn, self._event("events.suppressed", {"name": name}))
            return
        self._publish(level, event)

    def _event(self, name: str, fields: Mapping[str, object]) -> Event:
        self._number += 1
        stamp: Event = {
            "event": name,
            "version": VERSION,
            "number": self._number,
            "time": round(self._seconds(), 3),
        }
        return {**stamp, **{key: plain(value) for key, value in fields.items()}, **stamp}

    def _publish(self, level: LogLevel, event: Event) -> None:
        murmured = level is LogLevel.debug
        if not murmured:
            self._latest.append(event)
        # As one mapping, too: Twisted has a use of its own for names such as "format".
        fields = {name: value for name, value in event.items() if name not in _TWISTEDS}
        self._log.emit(level, None, **fields, fields=event)
        for hear, murmurs in tuple(self._audience):
            if murmured and not murmurs:
                continue
            try:
                hear(event)
            except Exception as error:
                self._journal.failure("{hear} failed at an event", error, hear=hear)

    def _turn_window(self) -> None:
        now = self._seconds()
        if self._began <= now < self._began + self._window:
            return
        self._began = now
        self._spent.clear()
        suppressed, self._suppressed = self._suppressed, Counter()
        for name, count in suppressed.items():
            summary = self._event("events.suppressed", {"name": name, "count": count})
            self._publish(LogLevel.warn, summary)


@implementer(IVersionListener, IDialListener)
class PeerEvents(PeerListener):
    """Turns what happens to peers into events.

    Args:
        events: are told.
        chain: the network's title.
    """

    def __init__(self, events: Events, chain: str) -> None:
        self._events = events
        self._chain = chain
        self._established: set[int] = set()

    def dialling(self, address: str) -> None:
        self._events.murmur("peer.dialled", chain=self._chain, addr=address)

    def unreachable(self, address: str, reason: DisconnectReason) -> None:
        self._events.murmur("peer.unreachable", chain=self._chain, addr=address, reason=reason)

    def version_received(self, peer: IPeer, version: VersionLike) -> None:
        """*peer* introduced itself: accept it, as far as this is concerned."""
        self._events.murmur(
            "peer.introduced",
            **self._who(peer),
            subver=version.user_agent,
            protocol=version.version,
            services=f"{version.services:016x}",
            height=version.height,
        )

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        self._established.add(peer.id)
        self._events.emit(
            "peer.established",
            **self._who(peer),
            subver=version.user_agent,
            protocol=peer.negotiated_version,
            services=f"{version.services:016x}",
            height=version.height,
        )

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        snapshot = peer.snapshot()
        name = self._ending(peer, reason)
        stranger = peer.inbound and name != "peer.lost"
        tell = self._events.murmur if stranger else self._events.emit
        tell(
            name,
            **self._who(peer),
            reason=reason.reason,
            detail=str(reason),
            connected_at=round(snapshot.connected_at, 3),
            bytesrecv=snapshot.bytes_received,
            bytessent=snapshot.bytes_sent,
        )

    def _ending(self, peer: IPeer, reason: Disconnected) -> str:
        if peer.id in self._established:
            self._established.discard(peer.id)
            return "peer.lost"
        return "peer.refused" if reason.reason in _TURNED_DOWN else "peer.failed"

    def _who(self, peer: IPeer) -> dict[str, object]:
        return {
            "chain": self._chain,
            "peer": peer.id,
            "addr": peer.address,
            "inbound": peer.inbound,
        }
