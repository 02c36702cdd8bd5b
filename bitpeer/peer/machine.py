"""The conversation with one peer, from the first byte to the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from bitpeer.dialect import VersionLike
from bitpeer.errors import (
    DecodeError,
    DisconnectReason,
    NotEstablished,
    NotNegotiated,
    Refused,
    RemoteError,
    TimedOut,
    Unencodable,
)
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.messages.inventory import InvVect
from bitpeer.peer.asking import AskingMachine
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.events import Answered, Established, VersionReceived
from bitpeer.peer.handshake import Handshake, Phase
from bitpeer.peer.keepalive import Keepalive
from bitpeer.peer.part import NEVER
from bitpeer.peer.terms import Terms
from bitpeer.wire.framing import HEADER_SIZE, Framing
from bitpeer.wire.message import Malformed, Message, Unknown

Event = VersionReceived | Established | Answered | Message | Unknown | Malformed


class PeerMachine(AskingMachine):
    """A peer without I/O.

    Tell it what happened, and when: `start`, `receive_data`, `wake`, `send`,
    `announce`.  After each, write what `data_to_send` returns, hang up if there
    is a `failure`, and see to it that `wake` is called at `next_wake`, and
    `flush` at `next_flush`; both change only when `stirred` is set.

    *Theory of operation.*  `receive_data` returns an iterator of events, and the
    conversation advances as the iterator does: the next message is neither
    decoded nor answered before it is asked for.  Whoever stops iterating has
    paused this peer, at no cost; whoever refuses a `VersionReceived` does so
    before anything else has been said.  Use up one iterator before asking for
    the next.

    Before the handshake is complete, `Handshake` takes every message, and only
    what has its place there is passed on.  After that, the `Manners` of the
    negotiated version say what the machine does by itself, and everything is
    passed on that they do not keep back.

    When the conversation is `over`, every method may still be called: `send`
    raises `NotEstablished`, the others do nothing.

    Args:
        terms: what the node lends to all its machines.
        framing: what cuts the peer's bytes into frames.
        outbound: whether this side dialled.
        receiver: what may be said of the peer's address.
    """

    __slots__ = ()

    def __init__(
        self, terms: Terms, framing: Framing, *, outbound: bool, receiver: NetAddress = NOWHERE
    ) -> None:
        super().__init__(terms, framing, outbound=outbound, receiver=receiver)

    # What happens

    def start(self, now: float) -> None:
        """The transport is connected."""
        self.now = now
        if self._handshake is not None and not self.over:
            self._write(self._handshake.start(now))

    def receive_data(self, data: bytes, now: float) -> Iterator[Event]:
        """Return what *data* from the peer means, as an iterator that drives the conversation.

        Whatever the peer sends, nothing is raised: see `failure`.
        """
        self.now = self.last_receive = now
        self.bytes_received += len(data)
        if self.keepalive is not None:
            self.keepalive.heard_at = now
        if self.over:
            return iter(())
        events = self._conversation(data)
        return events if self.inquiries is None else self._sorted_out(events)

    def wake(self, now: float) -> None:
        """The time given by `next_wake` has come.  Never raises: see `failure`."""
        self.now = now
        if self.over:
            return
        try:
            if self._handshake is not None:  # before what a pause may yet postpone
                self._handshake.wake(now)
            deadline = self._frame_deadline
            if now >= deadline:
                allowed = deadline - self._frame_began
                raise TimedOut(DisconnectReason.FRAME_TIMEOUT, "complete message", allowed)
            for part in self._parts():
                self._write(part.wake(now))
            if self.trickle is not None:
                self.trickle.age(now)
        except RemoteError as reason:
            self.fail(reason)

    def flush(self, now: float) -> None:
        """The time given by `next_flush` has come: announce what is waiting."""
        self.now = now
        if self.trickle is not None and not self.over:
            self._write(self.trickle.flush(now))

    def resume(self, now: float, paused: float) -> None:
        """Reading goes on after *paused* seconds for which the peer is not to blame."""
        self.now = now
        self._frame_began += paused
        for part in self._parts():
            part.postpone(paused)

    def refuse(self, why: str, last_words: Iterable[Message] = ()) -> None:
        """Do not accept the peer, in answer to `VersionReceived`.

        The *last_words* stand where this side's own `version` would: an inbound peer
        hears nothing else.
        """
        if self.over:
            return
        if self._version is not None:
            self._write(last_words)
        self.fail(Refused(why))

    def fail(self, reason: RemoteError) -> None:
        """End the conversation; the first reason counts."""
        if not self.over:
            self.failure, self.over = reason, True

    def close(self) -> None:
        """The connection is gone: give back what was borrowed."""
        if self.closed:
            return
        self.closed = self.over = True
        if self.trickle is not None:
            self.trickle.close()
        if self._handshake is not None:
            self._handshake.close()
        self.deadlines = self.inquiries = None
        self._frame_began = NEVER
        self.payload = b""
        self._framing = Framing(self._terms.envelope, 0)  # what came of a message is of no use now
        self.data_to_send()

    # What the application wants

    def send(self, message: Message | Unknown, now: float, *, watched: bool = True) -> None:
        """Queue *message*; if it asks for something, the answer is due from *now* on.

        Args:
            message: what to say.
            now: the time.
            watched: whether the peer is given up if it owes an answer and stalls.

        Raises:
            NotEstablished: the handshake is not complete, or the conversation is over.
            NotNegotiated: the negotiated version has no such message, or it has its place
                in the handshake, or the peer does not offer the service that it is for.
            Unencodable: a field does not fit, or the network allows fewer bytes.
        """
        self.now = now
        if not self.established:
            raise NotEstablished(message.command)
        rule = self._manners.rules.get(type(message))
        if rule is None:
            self._write((message,))
            return
        if rule.needs:
            raise NotNegotiated(message.command, rule.needs)
        if rule.service and self.version is not None and not self.version.services & rule.service:
            raise NotNegotiated(message.command, "a service that it does not offer")
        if rule.limit is not None and (size := len(message.encode())) > rule.limit:
            raise Unencodable(message.command, f"{size} bytes exceed the limit of {rule.limit}")
        self._write((message,))
        timeout = self._terms.stall_timeout
        if watched and rule.questions is not None and timeout is not None:
            if self.deadlines is None:
                self.deadlines = Deadlines(timeout)
            self.deadlines.asked(rule.questions(message), now)
            self.stirred = True

    def share(self, message: Message | Unknown, size: int, now: float) -> bool:
        """Count *message* as said: the caller writes its frame, to others as well.

        Args:
            message: what is said.
            size: bytes of its frame.
            now: the time.

        Returns:
            Whether that may be done: not if there is anything to be heeded, to be told or
            to be written first.  `send` sees to all that.
        """
        if (
            self._handshake is not None
            or self.over
            or self.observer is not None
            or self._outgoing is not None
            or type(message) in self._manners.rules
        ):
            return False
        self.now = now
        self.bytes_produced += size
        return True

    def announce(self, item: InvVect, now: float) -> bool:
        """Mention *item* in one of the next `inv` messages, or at once if it is urgent.

        Returns:
            Whether it will be mentioned: not if the peer knows it already, if too much
            is waiting, or if the handshake is not complete.
        """
        self.now = now
        if not self.established:
            return False
        trickle = self.trickle or self.new_trickle()
        if item.kind in self._terms.dialect.urgent:
            inv = trickle.announce_now(item)
            if inv is not None:
                self._write((inv,))
            return inv is not None
        before = trickle.flush_at
        queued = trickle.announce(item, now)
        if trickle.flush_at != before:
            self.stirred = True
        return queued

    def add_known(self, item: InvVect) -> None:
        """Note that the peer knows *item*."""
        if not self.over:
            (self.trickle or self.new_trickle()).add_known(item)

    def knows(self, item: InvVect) -> bool:
        """Return whether the peer is known to know *item*."""
        return self.trickle is not None and not self.over and self.trickle.knows(item.hash)

    # Within

    def _conversation(self, data: bytes) -> Iterator[Event]:
        handshake, observer, before = self._handshake, self.observer, self.messages_received
        reactions = self._manners.reactions
        try:
            for frames in self._framing.batches(data):
                for entry, payload, checksum in frames:
                    self.messages_received += 1
                    self.payload = payload
                    decode = entry.decode  # calling it in place would look for a method first
                    try:
                        message: Message = decode(payload)  # type: ignore[assignment]  # or Unknown
                    except DecodeError as error:
                        yield from self._undecodable(Malformed(entry.command, payload, error))
                    else:
                        if observer is not None:
                            size = HEADER_SIZE + len(payload)
                            observer.message_read(entry.command, size, message, None)
                        if handshake is None:
                            reaction = reactions[entry.kind]
                            if reaction is None or reaction(self, message, payload, checksum):
                                yield message
                        else:
                            yield from self._greeted(handshake, message)
                            handshake, reactions = self._handshake, self._manners.reactions
                    if self.over:
                        return
        except RemoteError as reason:  # not even frames
            if observer is not None:
                observer.message_read(getattr(reason, "command", ""), 0, None, reason)
            self.fail(reason)
            return
        self._watch_frame(self.messages_received != before)
        self.payload = b""  # it may be large, and the next message far away

    def _undecodable(self, message: Malformed) -> Iterator[Event]:
        """Put up with what could not be decoded, or do not."""
        if self.observer is not None:
            size = HEADER_SIZE + len(message.payload)
            self.observer.message_read(message.command, size, None, message.error)
        if not self._terms.tolerate_malformed:
            self.fail(message.error)
            return
        self.malformed += 1
        if self._handshake is None:
            yield message
        else:
            yield from self._greeted(self._handshake, message)

    def _greeted(
        self, handshake: Handshake, message: Message | Unknown | Malformed
    ) -> Iterator[Event]:
        """Advance the handshake by one message."""
        try:
            if handshake.phase is Phase.AWAITING_VERSION:
                self._write(handshake.review(message, self.now))
                self._acquainted(handshake)
            elif handshake.received(message):
                self._establish(handshake)
        except RemoteError as reason:
            self.fail(reason)
            return
        version = cast(VersionLike, handshake.version)
        if handshake.phase is Phase.AWAITING_VERSION:
            yield VersionReceived(version)
            if not self.over:
                self._write(handshake.accept(self.now))
                yield cast(Message, message)
        elif handshake.phase is Phase.DONE:
            yield message
            if not self.over:
                yield Established(version)
            yield from self._catch_up()
        elif type(message) in self._manners.early:
            if type(message) in self._terms.dialect.preferences:
                self.wish_received(cast(Message, message))
            yield message
        elif self._terms.dialect.early_messages(self.negotiated_version) is not None:
            self._early += ((cast(Message, message), self.payload),)

    def _catch_up(self) -> Iterator[Event]:
        """Turn to what came before `verack`, where the dialect lets few enough come to keep it."""
        early, self._early = self._early, ()
        for message, payload in early:
            if self.over:
                return
            self.payload = payload
            reaction = self._manners.reactions[type(message)]
            checksum = self._terms.envelope.checksum(payload)[:4]
            if reaction is None or reaction(self, message, payload, checksum):
                yield message

    def _acquainted(self, handshake: Handshake) -> None:
        """Take note of who the peer is."""
        self._version = self.payload
        self._manners = self._terms.etiquette.at(handshake.common_version)
        self.negotiated_version = handshake.common_version
        self.time_offset = cast(VersionLike, handshake.version).time - int(self.now)

    def _establish(self, handshake: Handshake) -> None:
        """Begin what goes on after the handshake; our wishes do not wait for any listener."""
        handshake.close()
        self._handshake = None
        self._framing.limit = self._terms.envelope.limit
        self.keepalive = Keepalive(self._terms.rhythm, self.now)
        self.stirred = True
        self._write(self._welcome())
        self._write(self.keepalive.wake(self.now))

    def _welcome(self) -> Iterator[Message]:
        """Yield the wishes of this side, as far as the negotiated version has them."""
        dialect, wishes = self._terms.dialect, self._terms.preferences
        for wish in dialect.welcome(self.negotiated_version) if wishes is None else wishes:
            if dialect.speaks(type(wish), self.negotiated_version):
                yield wish
