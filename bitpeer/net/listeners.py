"""Dispatch of messages to methods, by message class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from zope.interface import implementer

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected
from bitpeer.net.interfaces import IPeer, IPeerListener
from bitpeer.wire.message import Malformed, Message, Unknown

M = TypeVar("M", bound="Message | Unknown | Malformed")
L = TypeVar("L", bound="PeerListener")
Method = Callable[[L, IPeer, M], object]

Receiver = Callable[[IPeer, Any], object]
"""A bound method that takes a peer and one kind of message."""


def on(*kinds: type[M]) -> Callable[[Method[L, M]], Method[L, M]]:
    """Mark a `PeerListener` method as the receiver of one or more kinds of message.

    `Unknown` and `Malformed` are kinds, too.
    """

    def mark(method: Method[L, M]) -> Method[L, M]:
        method.__listens_to__ = kinds  # type: ignore[attr-defined]
        return method

    return mark


@implementer(IPeerListener)
class PeerListener:
    """A listener whose ``@on(Kind)`` methods receive the messages they name.

    A subclass that overrides `message_received` itself gets every message there.
    """

    _methods: ClassVar[dict[type, Callable[..., object]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        mine = {
            kind: method
            for method in vars(cls).values()
            for kind in getattr(method, "__listens_to__", ())
        }
        cls._methods = {**cls._methods, **mine}

    def peer_established(self, peer: IPeer, version: VersionLike) -> object:
        """The handshake with *peer* is complete."""

    def message_received(self, peer: IPeer, message: Message | Unknown | Malformed) -> object:
        method = self._methods.get(type(message))
        return None if method is None else method(self, peer, message)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> object:
        """The connection to *peer* is gone."""

    def receiver(self, kind: type) -> Receiver | None:
        """Return what to call with messages of *kind*; `None` if nothing wants them."""
        if type(self).message_received is not PeerListener.message_received:
            return self.message_received
        method = self._methods.get(kind)
        bound: Receiver | None = None if method is None else method.__get__(self)
        return bound
