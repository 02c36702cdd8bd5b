"""The conversation with one peer, from the first byte to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol as Shape, cast

from bitpeer.dialect import VersionLike
from bitpeer.errors import (
    DecodeError,
    DisconnectReason,
    HandshakeError,
    NotEstablished,
    NotNegotiated,
    Refused,
    RemoteError,
    TimedOut,
    Unexpected,
    Unwanted,
)
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.events import Established, VersionReceived
from bitpeer.peer.handshake import Handshake, Phase
from bitpeer.peer.keepalive import Keepalive
from bitpeer.peer.part import NEVER, Part
from bitpeer.peer.terms import Terms
from bitpeer.peer.trickle import Trickle
from bitpeer.wire.framing import HEADER_SIZE, Framing
from bitpeer.wire.message import Malformed, Message, Unknown

Event = VersionReceived | Established | Message | Unknown | Malformed


class Observer(Shape):
    """Watches the traffic of one machine.  Sizes are in bytes and include the header."""

    def message_read(
        self, command: str, size: int, message: Message | Unknown | None, error: RemoteError | None
    ) -> None:
        """A message came, or bytes that were none."""

    def message_queued(self, message: Message | Unknown, size: int) -> None:
        """A message was put among the bytes to send."""


Reaction = Callable[["PeerMachine", Any, bytes], bool]
"""What the machine itself does with a message, given its checksum; whether to pass it on."""


class PeerMachine:
    """A peer without I/O.

    Tell it what happened, and when: `start`, `receive_data`, `wake`, `send`,
    `announce`.  After each, write what `data_to_send` returns, hang up if there
    is a `failure`, and see to it that `wake` is called at `next_wake`.

    *Theory of operation.*  `receive_data` returns an iterator of events, and the
    conversation advances as the iterator does: the next message is neither
    decoded nor answered before it is asked for.  Whoever stops iterating has
    paused this peer, at no cost; whoever refuses a `VersionReceived` does so
    before anything else has been said.  Use up one iterator before asking for
    the next.

    Before the handshake is complete, `Handshake` takes every message.  After
    that, a table of reactions, one for each negotiated version and shared by all
    peers, says what the machine does by itself; everything is passed on that is
    not marked otherwise.

    Args:
        terms: what the node lends to all its machines.
        outbound: whether this side dialled.
        receiver: what may be said of the peer's address.
    """

    __slots__ = (
        "_deadlines",
        "_frame_began",
        "_framing",
        "_handshake",
        "_keepalive",
        "_now",
        "_outgoing",
        "_preferences",
        "_reactions",
        "_terms",
        "_trickle",
        "_version",
        "bytes_produced",
        "bytes_received",
        "closed",
        "failure",
        "last_receive",
        "malformed",
        "messages_received",
        "negotiated_version",
        "observer",
        "outbound",
        "payload",
        "stirred",
        "time_offset",
    )

    def __init__(
        self, terms: Terms, framing: Framing, *, outbound: bool, receiver: NetAddress = NOWHERE
    ) -> None:
        self._terms = terms
        self._framing = framing
        self._handshake: Handshake | None = Handshake(terms, outbound=outbound, receiver=receiver)
        self._keepalive: Keepalive | None = None
        self._trickle: Trickle | None = None
        self._deadlines: Deadlines | None = None
        self._reactions: dict[type, Reaction] = {}
        self._preferences: dict[type[Message], Message] | None = None
        self._version: bytes | None = None
        self._frame_began = NEVER
        self._outgoing: list[bytes] = []
        self._now = 0.0
        self.closed = False
        self.stirred = True
        """Whether something happened that may have to be seen to earlier than was known."""
        self.outbound = outbound
        """Whether this side dialled."""
        self.failure: RemoteError | None = None
        """Why the connection must be closed, once it must."""
        self.observer: Observer | None = None
        """Is told of every message that is read or queued."""
        self.payload = b""
        """The bytes of the message that came last."""
        self.bytes_received = 0
        self.bytes_produced = 0
        """Bytes handed out by `data_to_send`, or about to be, since the beginning."""
        self.messages_received = 0
        self.malformed = 0
        self.last_receive: float | None = None
        self.negotiated_version = 0
        """The lower of both sides' highest versions; 0 until the peer's is known."""
        self.time_offset = 0
        """Seconds by which the peer's clock was ahead at the handshake."""

    # What happens

    def start(self, now: float) -> None:
        """The transport is connected."""
        self._now = now
        if self._handshake is not None:
            self._write(self._handshake.start(now))

    def receive_data(self, data: bytes, now: float) -> Iterator[Event]:
        """Return what *data* from the peer means, as an iterator that drives the conversation.

        Never raises: see `failure`.
        """
        self._now = self.last_receive = now
        self.bytes_received += len(data)
        if self._keepalive is not None:
            self._keepalive.heard(now)
        return self._conversation(data)

    def wake(self, now: float) -> None:
        """The time given by `next_wake` has come.  Never raises: see `failure`."""
        self._now = now
        if self.failure is not None or self.closed:
            return
        try:
            if now >= self._frame_deadline:
                seconds = now - self._frame_began
                raise TimedOut(DisconnectReason.FRAME_TIMEOUT, "complete message", seconds)
            for part in self._parts():
                self._write(part.wake(now))
        except RemoteError as reason:
            self.fail(reason)

    def flush(self, now: float) -> None:
        """The time given by `next_flush` has come: announce what is waiting."""
        self._now = now
        if self._trickle is not None and self.failure is None and not self.closed:
            self._write(self._trickle.wake(now))

    def resume(self, now: float, paused: float) -> None:
        """Reading goes on after *paused* seconds for which the peer is not to blame."""
        self._now = now
        self._frame_began += paused
        for part in self._parts():
            part.postpone(paused)

    def refuse(self, why: str, last_words: Iterable[Message] = ()) -> None:
        """Do not accept the peer, in answer to `VersionReceived`."""
        self._write(last_words)
        self.fail(Refused(why))

    def fail(self, reason: RemoteError) -> None:
        """End the conversation; the first reason counts."""
        if self.failure is None:
            self.failure = reason

    def close(self) -> None:
        """The connection is gone: give back what was borrowed."""
        if self.closed:
            return
        if self._trickle is not None:
            self._trickle.close()
        if self._handshake is not None:
            self._handshake.close()
        self._handshake = self._deadlines = None
        self._frame_began = NEVER
        self.closed = True
        self._outgoing.clear()

    # What the application wants

    def send(self, message: Message | Unknown, now: float) -> None:
        """Queue *message*; if it asks for something, the answer is due from *now* on.

        Raises:
            NotEstablished: the handshake is not complete, or the connection is gone.
            NotNegotiated: the negotiated version has no such message.
            Unencodable: a field does not fit.
        """
        self._now = now
        if not self.established or self.failure is not None:
            raise NotEstablished(message.command)
        dialect, kind = self._terms.dialect, type(message)
        if isinstance(message, Message) and not dialect.speaks(
            cast(type[Message], kind), self.negotiated_version
        ):
            raise NotNegotiated(message.command, "another protocol version")
        self._write((message,))
        questions = dialect.questions.get(cast(type[Message], kind))
        if questions is not None and self._terms.stall_timeout is not None:
            if self._deadlines is None:
                self._deadlines = Deadlines(self._terms.stall_timeout)
            self.stirred = True
            self._deadlines.asked(questions(message), self._now)

    def announce(self, item: InvVect, now: float) -> bool:
        """Mention *item* in one of the next `inv` messages, or at once if it is urgent.

        Returns:
            Whether the peer needs to be told: `False` if it knows already, or if the
            handshake is not complete.
        """
        self._now = now
        if not self.established or self.failure is not None:
            return False
        self.stirred = True
        trickle = self._trickle or self._new_trickle()
        if item.kind not in self._terms.dialect.urgent:
            return trickle.announce(item, now)
        messages = tuple(trickle.announce_now(item))
        self._write(messages)
        return bool(messages)

    def add_known(self, item: InvVect) -> None:
        """Note that the peer knows *item*."""
        if self.established:
            (self._trickle or self._new_trickle()).add_known(item)

    def knows(self, item: InvVect) -> bool:
        """Return whether the peer is known to know *item*."""
        return self._trickle is not None and self._trickle.knows(item.hash)

    # What is to be done

    def data_to_send(self) -> list[bytes]:
        """Return, and forget, the bytes to write, in pieces."""
        data, self._outgoing = self._outgoing, []
        return data

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` has anything to return."""
        return bool(self._outgoing)

    @property
    def next_wake(self) -> float:
        """When to call `wake`; infinity for never."""
        if self.failure is not None or self.closed:
            return NEVER
        parts = min((part.next_wake for part in self._parts()), default=NEVER)
        return min(parts, self._frame_deadline)

    @property
    def next_flush(self) -> float:
        """When to call `flush`; infinity for never."""
        return NEVER if self._trickle is None or self.closed else self._trickle.next_wake

    # What is known

    @property
    def phase(self) -> Phase:
        """How far the handshake has come."""
        return Phase.DONE if self._handshake is None else self._handshake.phase

    @property
    def established(self) -> bool:
        """Whether the handshake is complete, and the connection not gone."""
        return self._keepalive is not None and not self.closed

    @property
    def version(self) -> VersionLike | None:
        """What the peer said of itself, once that was accepted."""
        if self._version is None:
            return None
        return cast(VersionLike, self._terms.dialect.registry.decode("version", self._version))

    def preference(self, kind: type[Message]) -> Message | None:
        """Return the peer's latest wish of this *kind*, such as `FeeFilter`."""
        return None if self._preferences is None else self._preferences.get(kind)

    @property
    def keepalive(self) -> Keepalive | None:
        """Pings and latency, once established."""
        return self._keepalive

    @property
    def trickle(self) -> Trickle | None:
        """Announcements, once there were any."""
        return self._trickle

    @property
    def held(self) -> int:
        """Bytes of a message that is not complete."""
        return self._framing.held

    @property
    def expected(self) -> int:
        """Bytes that the message in progress will have."""
        return self._framing.expected

    # Within

    def _conversation(self, data: bytes) -> Iterator[Event]:
        completed = False
        try:
            for entry, payload, checksum in self._framing.feed(data):
                completed = True
                self.messages_received += 1
                self.payload = payload
                try:
                    message = cast(Message, entry.decode(payload))
                except DecodeError as error:
                    if self.observer is not None:
                        self._report(entry.command, None, error)
                    if not self._terms.tolerate_malformed:
                        self.fail(error)
                        return
                    self.malformed += 1
                    yield Malformed(entry.command, payload, error)
                    continue
                if self.observer is not None:
                    self._report(entry.command, message, None)
                if self._handshake is not None:
                    yield from self._greeted(message)
                else:
                    reaction = self._reactions.get(entry.kind)
                    if reaction is None or reaction(self, message, checksum):
                        yield message
                if self.failure is not None:
                    return
        except RemoteError as reason:
            if self.observer is not None and not isinstance(reason, HandshakeError | Unwanted):
                self.observer.message_read("", 0, None, reason)
            self.fail(reason)
        self._watch_frame(completed)

    def _report(
        self, command: str, message: Message | Unknown | None, error: DecodeError | None
    ) -> None:
        assert self.observer is not None  # the caller looked
        self.observer.message_read(command, HEADER_SIZE + len(self.payload), message, error)

    def _greeted(self, message: Message) -> Iterator[Event]:
        """Advance the handshake by one message."""
        handshake = self._handshake
        assert handshake is not None  # the caller looked
        if handshake.phase is Phase.AWAITING_VERSION:
            self._write(handshake.review(message))
            version = handshake.version
            assert version is not None  # `review` raises otherwise
            self._version = self.payload
            self.negotiated_version = handshake.common_version
            self.time_offset = version.time - int(self._now)
            yield VersionReceived(version)
            if self.failure is None:
                self._write(handshake.accept())
                yield message
        elif handshake.received(message):
            self._establish(handshake)
            yield message
            yield Established(cast(VersionLike, handshake.version))
            self._write(self._welcome())
        else:
            yield message

    def _establish(self, handshake: Handshake) -> None:
        terms = self._terms
        handshake.close()
        self.stirred = True
        self._handshake = None
        self._preferences = handshake.preferences or None
        self._framing.limit = terms.envelope.limit
        self._reactions = self._reactions_at(self.negotiated_version)
        self._keepalive = Keepalive(
            terms.ping_interval, terms.idle_timeout, terms.ping_timeout, terms.draw_nonce, self._now
        )

    def _welcome(self) -> Iterator[Message]:
        """Yield the wishes of this side, as far as the negotiated version has them."""
        dialect, wishes = self._terms.dialect, self._terms.preferences
        for wish in dialect.welcome(self.negotiated_version) if wishes is None else wishes:
            if dialect.speaks(type(wish), self.negotiated_version):
                yield wish

    def _watch_frame(self, completed: bool) -> None:
        """Note when the message began that is not complete, so that it cannot take for ever (R-C1).

        Args:
            completed: whether any message came to its end just now.
        """
        if not self._framing.expected:
            self._frame_began = NEVER
        elif completed or self._frame_began == NEVER:
            self._frame_began = self._now

    @property
    def _frame_deadline(self) -> float:
        if self._frame_began == NEVER:
            return NEVER
        needed = self._framing.expected / self._terms.transfer_rate
        return self._frame_began + self._terms.transfer_grace + needed

    def _write(self, messages: Iterable[Message | Unknown]) -> None:
        for message in messages:
            chunks = self._framing.wrap(message)
            size = sum(map(len, chunks))
            self._outgoing += chunks
            self.bytes_produced += size
            if self.observer is not None:
                self.observer.message_queued(message, size)

    def _parts(self) -> Iterator[Part]:
        if self._handshake is not None:
            yield self._handshake
        if self._keepalive is not None:
            yield self._keepalive
        if self._deadlines is not None:
            yield self._deadlines

    def _new_trickle(self) -> Trickle:
        terms = self._terms
        self._trickle = Trickle(
            terms.relay_table,
            terms.flush_times,
            outbound=self.outbound,
            batch=terms.max_announcements,
            pending=terms.max_pending_announcements,
            known=terms.known_inventory,
        )
        return self._trickle

    # What the machine does by itself

    def _reactions_at(self, version: int) -> dict[type, Reaction]:
        """Return what to do with each kind of message, made once for each *version*."""
        cache = self._terms.reactions
        if version not in cache:
            dialect = self._terms.dialect
            table: dict[type, Reaction] = {}
            for kinds, reaction in (
                (dialect.answers, PeerMachine._answered),
                (dialect.preferences, PeerMachine._preferred),
                ((Ping,), PeerMachine._pinged),
                ((Pong,), PeerMachine._ponged),
                ((Inv,), PeerMachine._announced),
                (dialect.negotiation, PeerMachine._too_late),
            ):
                table.update(dict.fromkeys(kinds, reaction))
            for kind in dialect.registry:
                gate = dialect.service_gates.get(kind)
                if gate is not None and not self._terms.services & gate.service:
                    knows_better = version >= gate.hang_up_from
                    table[kind] = PeerMachine._unwanted if knows_better else PeerMachine._ignored
                if dialect.strict_versions and not dialect.speaks(kind, version):
                    table[kind] = PeerMachine._not_spoken
                if kind.command in ("version", "verack"):
                    table[kind] = PeerMachine._too_late
            if len(cache) < 1000:
                cache[version] = table
            return table
        return cache[version]

    def _pinged(self, ping: Ping, checksum: bytes) -> bool:
        chunk = self._framing.echo("pong", self.payload, checksum)
        self._outgoing.append(chunk)
        self.bytes_produced += len(chunk)
        if self.observer is not None:
            self.observer.message_queued(Pong(ping.nonce), len(chunk))
        return True

    def _ponged(self, pong: Pong, _: bytes) -> bool:
        if self._keepalive is not None:
            self._keepalive.pong_received(pong.nonce, self._now)
        return True

    def _announced(self, inv: Inv, _: bytes) -> bool:
        (self._trickle or self._new_trickle()).learned(inv.items)
        return True

    def _preferred(self, wish: Message, _: bytes) -> bool:
        if self._preferences is None:
            self._preferences = {}
        self._preferences[type(wish)] = wish
        return True

    def _answered(self, answer: Message, _: bytes) -> bool:
        if self._deadlines:
            self._deadlines.answered(self._terms.dialect.answers[type(answer)](answer))
        return True

    def _too_late(self, message: Message, _: bytes) -> bool:
        raise Unexpected(message.command, "came after verack")

    def _not_spoken(self, message: Message, _: bytes) -> bool:
        raise Unexpected(message.command, f"is not part of version {self.negotiated_version}")

    def _unwanted(self, message: Message, _: bytes) -> bool:
        raise Unwanted(message.command)

    def _ignored(self, _: Message, __: bytes) -> bool:
        return False
