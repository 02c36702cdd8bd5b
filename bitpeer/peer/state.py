"""What is known in a conversation: its parts, its counters, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bitpeer.dialect import VersionLike
from bitpeer.errors import RemoteError
from bitpeer.messages.addresses import NetAddress
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.handshake import Handshake, Phase
from bitpeer.peer.inquiries import Inquiries
from bitpeer.peer.keepalive import Keepalive
from bitpeer.peer.part import NEVER, Part
from bitpeer.peer.speaker import Speaker
from bitpeer.peer.terms import Terms
from bitpeer.peer.trickle import Trickle
from bitpeer.wire.framing import Framing
from bitpeer.wire.message import Message


class ConversationState(Speaker):
    """Everything that a `PeerMachine` knows; to be read by anybody, and changed by it alone.

    Parts are made when they are needed, and what is the same for all peers is
    borrowed: an idle peer should cost little more than its socket.

    Args:
        terms: what the node lends to all its machines.
        framing: what cuts the peer's bytes into frames.
        outbound: whether this side dialled.
        receiver: what may be said of the peer's address.
    """

    __slots__ = (
        "_early",
        "_frame_began",
        "_handshake",
        "_manners",
        "_terms",
        "_version",
        "_wishes",
        "bytes_received",
        "closed",
        "deadlines",
        "failure",
        "inquiries",
        "keepalive",
        "last_receive",
        "malformed",
        "messages_received",
        "negotiated_version",
        "now",
        "outbound",
        "over",
        "payload",
        "stirred",
        "time_offset",
        "trickle",
    )

    def __init__(
        self, terms: Terms, framing: Framing, *, outbound: bool, receiver: NetAddress
    ) -> None:
        super().__init__(framing)
        self._terms = terms
        self._handshake: Handshake | None = Handshake(terms, outbound=outbound, receiver=receiver)
        self._manners = terms.etiquette.at(0)
        self._version: bytes | None = None
        self._wishes: tuple[Message, ...] = ()
        self._early: tuple[tuple[Message, bytes], ...] = ()
        self._frame_began = NEVER
        self.keepalive: Keepalive | None = None
        """Pings and latency, once established."""
        self.trickle: Trickle | None = None
        """Announcements, once there were any."""
        self.deadlines: Deadlines | None = None
        """Answers that are due, while there are any."""
        self.inquiries: Inquiries | None = None
        """What was asked and is not answered, while there is any."""
        self.now = 0.0
        """When something happened last, as far as the machine was told."""
        self.outbound = outbound
        """Whether this side dialled."""
        self.failure: RemoteError | None = None
        """Why the connection must be closed, once it must."""
        self.closed = False
        """Whether the connection is gone."""
        self.over = False
        """Whether nothing more will happen: for a failure, or because the connection is gone."""
        self.stirred = True
        """Whether something happened that may have to be seen to earlier than was known."""
        self.payload = b""
        """The bytes of the message that is being delivered."""
        self.bytes_received = 0
        self.messages_received = 0
        self.malformed = 0
        """Messages that could not be decoded and were tolerated."""
        self.last_receive: float | None = None
        self.negotiated_version = 0
        """The lower of both sides' highest versions; 0 until the peer's is known."""
        self.time_offset = 0
        """Seconds by which the peer's clock was ahead at the handshake."""

    @property
    def phase(self) -> Phase:
        """How far the handshake has come."""
        return Phase.DONE if self._handshake is None else self._handshake.phase

    @property
    def established(self) -> bool:
        """Whether the handshake is complete, and the conversation not over."""
        return self._handshake is None and not self.over

    @property
    def version(self) -> VersionLike | None:
        """What the peer said of itself, once that was accepted; decoded anew each time."""
        if self._version is None:
            return None
        return cast(VersionLike, self._terms.dialect.registry.decode("version", self._version))

    def preference(self, kind: type[Message]) -> Message | None:
        """Return the peer's latest wish of this *kind*, such as `FeeFilter`."""
        for wish in self._wishes:
            if type(wish) is kind:
                return wish
        return None

    def wish_received(self, wish: Message) -> None:
        """Remember a wish of the peer's, in place of an earlier one of its kind."""
        others = (other for other in self._wishes if type(other) is not type(wish))
        self._wishes = (*others, wish)

    def new_trickle(self) -> Trickle:
        """Begin to keep track of announcements."""
        self.trickle = Trickle(self._terms.relay, None if self.outbound else self._terms.door)
        return self.trickle

    @property
    def held(self) -> int:
        """Bytes of a message that is not complete."""
        return self._framing.held

    @property
    def expected(self) -> int:
        """Bytes that the message in progress will have."""
        return self._framing.expected

    @property
    def next_wake(self) -> float:
        """When to call `PeerMachine.wake`; infinity for never."""
        if self.over:
            return NEVER
        return min(self._frame_deadline, *(part.next_wake for part in self._parts()))

    @property
    def handshake_deadline(self) -> float:
        """When to call `PeerMachine.wake` even if reading is paused; infinity for never."""
        return NEVER if self._handshake is None or self.over else self._handshake.next_wake

    @property
    def recognised(self) -> bool:
        """Whether the other end turned out to be ourselves; not known any more once closed."""
        handshake = self._handshake
        return handshake is not None and not self.closed and handshake.recognised

    @property
    def next_flush(self) -> float:
        """When to call `PeerMachine.flush`; infinity for never."""
        return NEVER if self.trickle is None or self.over else self.trickle.flush_at

    def _parts(self) -> Iterator[Part]:
        if self._handshake is not None:
            yield self._handshake
        if self.keepalive is not None:
            yield self.keepalive
        if self.deadlines is not None:
            yield self.deadlines

    def _watch_frame(self, completed: bool) -> None:
        """Note when the message in progress began, if any, so that it cannot take for ever (R-C1).

        Args:
            completed: whether the one before came to its end just now.
        """
        if not self._framing.expected:
            self._frame_began = NEVER
        elif self._frame_began == NEVER:
            self._frame_began = self.now
            self.stirred = True
        elif completed:
            self._frame_began = self.now

    @property
    def _frame_deadline(self) -> float:
        """When the message in progress must be complete."""
        if self._frame_began == NEVER:
            return NEVER
        needed = self._framing.expected / self._terms.transfer_rate
        return self._frame_began + self._terms.transfer_grace + needed
