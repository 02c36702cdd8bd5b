"""From the application and the machine to the network: every byte counted until it is taken."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from socket import socket

from twisted.internet.defer import Deferred, fail

from bitpeer.errors import Disconnected, DisconnectReason, OverBudget, Unencodable
from bitpeer.messages.inventory import InvVect
from bitpeer.net.outbox import Outbox, send_through
from bitpeer.net.reader import QUEUE, PeerReader
from bitpeer.wire.message import Message, Unknown

CORK = 65_536
"""While messages are being delivered, replies are held back until so many bytes can leave
together."""

Mark = tuple[int, Callable[[Disconnected | None], object]]
"""A count of bytes, and whom to tell once so many are taken by the network, or never will be."""


class PeerWriter(PeerReader):
    """The part of a peer that speaks.

    What is sent goes straight to the kernel, if the transport is a plain socket
    and nothing is waiting; only what the kernel does not take makes an `Outbox`.
    """

    _outbox: Outbox | None = None
    _direct: socket | None = None
    _charged = 0
    _marks: deque[Mark] | None = None

    @abstractmethod
    def _emptied(self) -> None:
        """Nothing is waiting to be sent any more."""

    def send(self, message: Message | Unknown) -> None:
        if self._ending is not None:
            return
        self._machine.send(message, self._node.clock.seconds())
        self._said()

    def share(self, message: Message | Unknown, frame: bytes, now: float) -> bool:
        """Send *message*, of which others get the same *frame*: the short way, where it is open.

        Returns:
            `False` if the connection is gone, or going.

        Raises:
            NotEstablished, NotNegotiated: as `send` does.
        """
        direct, outbox, size = self._direct, self._outbox, len(frame)
        if (
            direct is None
            or self._corked
            or self._ending is not None
            or (outbox is not None and outbox.queued)
            or not self._machine.share(message, size, now)
        ):
            self.send(message)
            return self._ending is None
        try:
            count = direct.send(frame)
        except OSError:
            count = 0
        if count == size:
            self.bytes_sent += count
            self.last_send = now
            return True
        try:
            self._queue([memoryview(frame)[count:]], count)
        except Exception as error:
            self._went_wrong(error)
        self._settle()
        return True

    def deliver(self, message: Message | Unknown) -> Deferred[None]:
        if self._ending is not None:
            return fail(self._ending)
        try:
            self._machine.send(message, self._node.clock.seconds())
        except Exception as error:  # what is no message has its own way to say so
            return fail(error)
        done: Deferred[None] = Deferred()

        def settled(error: Disconnected | None) -> None:
            if error is None:
                done.callback(None)
            else:
                done.errback(error)

        self.mark(settled)
        self._said()
        return done

    def announce(self, item: InvVect) -> bool:
        if self._ending is not None:
            return False
        if len(item.hash) != 32 or not 0 <= item.kind < 1 << 32:
            # Now, not when the batch leaves: the mistake is the caller's, not the batch's.
            raise Unencodable("an announcement", "it needs a 32-bit kind and 32 bytes of hash")
        needed = self._machine.announce(item, self._node.clock.seconds())
        self._said()
        return needed

    def add_known(self, item: InvVect) -> None:
        if self._ending is None:
            self._machine.add_known(item)

    def knows(self, item: InvVect) -> bool:
        return self._ending is None and self._machine.knows(item)

    def _said(self) -> None:
        """See to what was just said: at once, or soon while messages are being delivered."""
        machine = self._machine
        if self._corked and machine.bytes_produced - self.bytes_sent <= CORK:
            return
        if self._outbox is None and self._direct is not None and machine.has_data_to_send:
            self._flush()
            if self._outbox is None and not machine.stirred:
                return  # the kernel has taken it all, as it nearly always does
        self._settle()

    def mark(self, settled: Callable[[Disconnected | None], object]) -> None:
        """Call *settled* once everything queued so far is taken by the network, or lost."""
        if self._marks is None:
            self._marks = deque()
        self._marks.append((self._machine.bytes_produced, settled))

    def _flush(self) -> None:
        """Hand to the network what the machine has to say."""
        try:
            self._pass_on(self._machine.data_to_send())
        except Exception as error:
            self._went_wrong(error)

    def _pass_on(self, chunks: list[bytes]) -> None:
        outbox = self._outbox
        if self._direct is not None and (outbox is None or not outbox.queued):
            count, rest = send_through(self._direct, chunks)
            if rest:
                self._queue(rest, count)
            else:
                self._taken(count, self._machine.now)
        else:
            self._queue(chunks)

    def _queue(self, chunks: Sequence[bytes | memoryview], taken: int = 0) -> None:
        """Keep *chunks* until the network has room; *taken* bytes before them it has just taken."""
        outbox = self._outbox
        if outbox is None:
            outbox = self._outbox = self._new_outbox()
        outbox.put(chunks)  # first: who hears that something was taken may send more
        if taken:
            self._taken(taken, self._machine.now)
        outbox.push()
        config = self._node.config
        if outbox.queued > config.max_queue:
            reason = DisconnectReason.SEND_QUEUE_FULL
            self.fail(OverBudget(reason, outbox.queued, config.max_queue))
        elif outbox.queued > config.pause_queue:
            self._hold(QUEUE)

    def _new_outbox(self) -> Outbox:
        assert self.transport is not None  # nothing is written to nowhere
        return Outbox(self.transport, self._direct, self._node.clock.seconds, self._progressed)

    def _progressed(self, count: int) -> None:
        """The network has taken *count* bytes out of the outbox."""
        self._taken(count, self._node.clock.seconds())
        if not self._corked:
            self._settle()

    def _taken(self, count: int, now: float) -> None:
        """The network has taken *count* more bytes."""
        self.bytes_sent += count
        self.last_send = now
        marks = self._marks
        while marks and marks[0][0] <= self.bytes_sent:
            marks.popleft()[1](None)
        if not self._holds:
            return
        if self._holds & QUEUE and self.queued <= self._node.config.pause_queue // 2:
            self._release(QUEUE)
        if self._ending is not None and not self.queued:
            self._emptied()

    @property
    def _send_deadline(self) -> float:
        """When the peer must have read what was waiting when the outbox's clock was started."""
        outbox, config = self._outbox, self._node.config
        if outbox is None:
            return inf
        return outbox.began + config.transfer_grace + outbox.lot / config.transfer_rate

    def _charge(self, held: int) -> None:
        """Tell the node how many bytes it holds for this peer now."""
        change, self._charged = held - self._charged, held
        self._node.charge(change)

    @property
    def held(self) -> int:
        """Bytes kept for this peer: waiting to be sent or to be delivered, or incomplete."""
        return self._charged
