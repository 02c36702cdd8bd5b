"""Who hears what: dispatch of events to listeners, and to their methods, by class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import Any, ClassVar, TypeVar

from zope.interface import implementer

from bitpeer.config import BlockPosition
from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, InvalidSetting
from bitpeer.net.interfaces import (
    IDialListener,
    INewestBlock,
    IPeer,
    IPeerListener,
    ITrafficListener,
    IVersionListener,
)
from bitpeer.peer.events import Answered, Established, VersionReceived
from bitpeer.wire.message import Malformed, Message, Unknown

M = TypeVar("M", bound="Message | Unknown | Malformed")
L = TypeVar("L", bound="PeerListener")
Method = Callable[[L, IPeer, M], object]

Receiver = Callable[[Any, Any], object]
"""Takes a peer and one kind of event."""


def on(*kinds: type[M]) -> Callable[[Method[L, M]], Method[L, M]]:
    """Mark a `PeerListener` method as the receiver of one or more kinds of message.

    `Unknown` and `Malformed` are kinds, too.  A method that overrides a marked
    one takes its place, marked or not.

    Raises:
        TypeError: what is named is no kind of message, as `Message` itself is none.
    """
    for kind in kinds:
        if not hasattr(kind, "command"):
            raise TypeError(f"{kind!r} is no kind of message")

    def mark(method: Method[L, M]) -> Method[L, M]:
        marked = getattr(method, "__listens_to__", ())
        method.__listens_to__ = (*marked, *kinds)  # type: ignore[attr-defined]
        return method

    return mark


@implementer(IPeerListener)
class PeerListener:
    """A listener whose ``@on(Kind)`` methods receive the messages they name.

    A subclass that overrides `message_received` itself gets every message there.

    Raises:
        TypeError: two methods of one subclass are marked for the same kind.
    """

    _methods: ClassVar[dict[type, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        mine: dict[type, str] = {}
        for kind, name in _marks(cls):
            if kind in mine:
                raise TypeError(f"both {mine[kind]} and {name} listen to {kind.__name__}")
            mine[kind] = name
        lineage = reversed(cls.__mro__)
        cls._methods = {kind: name for each in lineage for kind, name in _marks(each)}

    def peer_established(self, peer: IPeer, version: VersionLike) -> object:
        """The handshake with *peer* is complete."""

    def message_received(self, peer: IPeer, message: Message | Unknown | Malformed) -> object:
        method = self._methods.get(type(message))
        return None if method is None else getattr(self, method)(peer, message)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> object:
        """The connection to *peer* is gone."""

    def receiver(self, kind: type) -> Receiver | None:
        """Return what to call with messages of *kind*; `None` if nothing wants them."""
        if type(self).message_received is not PeerListener.message_received:
            return self.message_received
        method = self._methods.get(kind)
        return None if method is None else getattr(self, method)


def _marks(cls: type) -> Iterator[tuple[type, str]]:
    """Yield the kinds that methods of *cls* itself are marked for, and their names."""
    for name, method in vars(cls).items():
        for kind in getattr(method, "__listens_to__", ()):
            yield kind, name


class Audience(dict[type, tuple[Receiver, ...]]):
    """All listeners of a node: for each kind of event, what to call with it, in order.

    A table that fills itself: who asks for a kind for the first time makes the
    audience look for those who want it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._listeners: tuple[Any, ...] = ()
        self.traffic: tuple[Any, ...] = ()
        """Those that want to know of all that is read and written."""
        self.dials: tuple[Any, ...] = ()
        """Those that want to know whom this side dials."""
        self.newest_block: Callable[[], BlockPosition] | None = None
        """Asks the first of them that knows the newest block."""

    def add(self, listener: object) -> None:
        """Let *listener* hear of everything from now on, after those who do already.

        Raises:
            InvalidSetting: it provides none of the interfaces.
        """
        interfaces = (
            *(IPeerListener, IVersionListener, ITrafficListener, IDialListener),
            INewestBlock,
        )
        if not any(interface.providedBy(listener) for interface in interfaces):
            names = ", ".join(interface.__name__ for interface in interfaces)
            raise InvalidSetting("listener", listener, f"something that provides one of {names}")
        self._listeners = (*self._listeners, listener)
        self.clear()
        if ITrafficListener.providedBy(listener):
            self.traffic = (*self.traffic, listener)
        if IDialListener.providedBy(listener):
            self.dials = (*self.dials, listener)
        if INewestBlock.providedBy(listener) and self.newest_block is None:
            self.newest_block = listener.newest_block

    def remove(self, listener: object) -> None:
        """Let *listener* hear of nothing any more."""
        self._listeners = tuple(each for each in self._listeners if each is not listener)
        self.clear()
        self.traffic = tuple(each for each in self.traffic if each is not listener)
        self.dials = tuple(each for each in self.dials if each is not listener)
        knowing = (each for each in self._listeners if INewestBlock.providedBy(each))
        first = next(knowing, None)
        self.newest_block = None if first is None else first.newest_block

    def __missing__(self, kind: type) -> tuple[Receiver, ...]:
        found = self[kind] = tuple(self._find(kind))
        return found

    def _find(self, kind: type) -> Iterator[Receiver]:
        if kind is Answered:
            yield _answer
            return
        wanted = IVersionListener if kind is VersionReceived else IPeerListener
        for listener in self._listeners:
            if wanted.providedBy(listener):
                yield from _receivers(listener, kind)
        if kind is Established:
            yield _introduce


def _receivers(listener: Any, kind: type) -> Iterator[Receiver]:
    """Yield what to call of one *listener*."""
    if kind is VersionReceived:
        judge = listener.version_received
        yield _named(lambda peer, event: peer.judged_by(judge, event.version), judge)
    elif kind is Established:
        welcome = listener.peer_established
        yield _named(lambda peer, event: welcome(peer, event.version), welcome)
    elif kind is Disconnected:
        yield listener.peer_lost
    elif not isinstance(listener, PeerListener):
        yield listener.message_received
    elif (receiver := listener.receiver(kind)) is not None:
        yield receiver


def _named(receiver: Receiver, method: Receiver) -> Receiver:
    """Return *receiver* under the name of the *method* that it calls."""
    update_wrapper(receiver, method)
    return receiver


def _answer(peer: Any, event: Answered) -> None:
    """Tell those who asked *peer*; listeners are not concerned."""
    peer.answered(event)


def _introduce(peer: Any, _: Established) -> None:
    """Tell those who wait for *peer*, after all listeners."""
    peer.introduced()
