"""What this program is to all of its peers on one network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from secrets import SystemRandom, randbelow
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from bitpeer.config import BlockPosition, PeerConfig
from bitpeer.dialect import Greeting
from bitpeer.errors import Disconnected, DisconnectReason, LocalError, OverBudget
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.net.interfaces import ITrafficListener
from bitpeer.net.journal import Journal
from bitpeer.net.listeners import Audience
from bitpeer.net.room import keep_room
from bitpeer.net.text import name_of, printable
from bitpeer.net.ticker import Ticker
from bitpeer.net.traffic import MessageLog
from bitpeer.peer.keepalive import Rhythm
from bitpeer.peer.reactions import Etiquette
from bitpeer.peer.relay import RelayTable
from bitpeer.peer.terms import Terms
from bitpeer.peer.trickle import FlushTimes, Relay
from bitpeer.wire.framing import Envelope, Framing
from bitpeer.wire.message import Message, Unknown

if TYPE_CHECKING:
    from bitpeer.net.peer import PeerRecord
    from bitpeer.net.protocol import PeerProtocol

FLUSH_PERIOD = 0.1
"""Seconds between two looks for announcements that are due."""
WAKE_PERIOD = 0.25
"""Seconds between two looks for pings and deadlines that are due."""
COARSE = 600
"""Seconds to which the time is rounded that peers behind a proxy are told."""
MAX_AGENT = 64
"""Most characters logged of a user agent."""


_RANDOM = SystemRandom()


def draw_nonce() -> int:
    """Return an unpredictable number, 0 < n < 2**64."""
    return randbelow((1 << 64) - 1) + 1


class LocalNode:
    """Settings, listeners, clock and memory that all peers of one network share.

    One for each network in the program: inbound and outbound factories share it,
    because a connection to oneself leaves through one and arrives through the
    other.

    Args:
        config: the settings.
        listeners: each provides one or more of `IPeerListener`, `IVersionListener`,
            `ITrafficListener`, `IDialListener` and `INewestBlock`; they are told in this order.
        clock: the reactor, or a `Clock`.
        draw_nonce: returns an unpredictable number, 0 < n < 2**64.
        draw: returns a random number, 0 <= x < 1.

    Raises:
        InvalidSetting: a listener provides none of the interfaces.
    """

    log = Logger()

    def __init__(
        self,
        config: PeerConfig,
        listeners: Sequence[object] = (),
        *,
        clock: IReactorTime,
        draw_nonce: Callable[[], int] = draw_nonce,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        keep_room()
        self.config = config
        self.clock = clock
        self.journal = Journal(self.log, clock.seconds)
        self.peers: set[PeerProtocol] = set()
        """Every connection that is open, established or not."""
        self.lost: Counter[DisconnectReason] = Counter()
        """How many connections have ended, and why."""
        self.bytes_received = 0
        """From peers that are gone; see `totals`."""
        self.bytes_sent = 0
        """To peers that are gone; see `totals`."""
        self.listener_failures = 0
        """Exceptions that listeners have raised."""
        self.sample: Callable[[Sequence[Any], int], list[Any]] = _RANDOM.sample
        """Draws so many items at random."""
        self.audience = Audience()
        """Who hears what."""
        self._last_id = 0
        self._held = 0
        self.terms = self._make_terms(draw_nonce, draw)
        self.flushes: Ticker[PeerProtocol] = Ticker(clock, FLUSH_PERIOD, _flush, self.journal)
        self.wakes: Ticker[PeerProtocol] = Ticker(clock, WAKE_PERIOD, _wake, self.journal)
        for listener in listeners:
            self.add_listener(listener)
        if config.log_messages or config.log_bytes:
            self.add_listener(MessageLog(self.journal, bytes_too=config.log_bytes))

    def add_listener(self, listener: object) -> None:
        """Tell *listener*, too, of everything that happens from now on.

        Raises:
            InvalidSetting: it provides none of the interfaces.
        """
        self.audience.add(listener)
        if ITrafficListener.providedBy(listener):
            for peer in self.peers:
                peer.observe()

    def remove_listener(self, listener: object) -> None:
        """Tell *listener* of nothing any more."""
        self.audience.remove(listener)

    def dialling(self, address: str) -> None:
        """Tell those who want to know that this side begins to dial *address*."""
        for listener in self.audience.dials:
            self._inform(listener.dialling, address)

    def unreachable(self, address: str, reason: DisconnectReason) -> None:
        """Tell them that there is no connection to *address*."""
        for listener in self.audience.dials:
            self._inform(listener.unreachable, address, reason)

    def _inform(self, receive: Callable[..., object], *what: object) -> None:
        try:
            receive(*what)
        except Exception as error:
            self.listener_failures += 1
            self.journal.failure("{listener} failed", error, listener=name_of(receive))

    def newest_block(self) -> BlockPosition:
        """Return hash and height of the newest block known; the genesis block if nobody knows."""
        ask = self.config.newest_block or self.audience.newest_block
        if ask is not None:
            try:
                return _checked_position(ask())
            except Exception as error:
                self.listener_failures += 1
                text = "{provider} could not tell the newest block, so height 0 is told"
                self.journal.failure(text, error, provider=name_of(ask))
        return BlockPosition(self.config.network.genesis, 0)

    @property
    def protocol_version(self) -> int:
        """The highest version of the protocol that this node speaks."""
        return self.config.protocol_version or self.config.network.dialect.protocol_version

    @property
    def held(self) -> int:
        """Bytes held for all peers together: waiting to be sent or delivered, or incomplete."""
        return self._held

    def established(self) -> list[PeerProtocol]:
        """Return the peers whose handshake is complete."""
        return [peer for peer in self.peers if peer.established]

    def broadcast(self, message: Message | Unknown) -> int:
        """Send *message* to every established peer whose version has it.

        It is encoded once, and costs for each little more than the kernel takes for it.
        For inventory prefer `IPeer.announce`, which spares those who know it.

        Returns:
            To how many peers it was sent.

        Raises:
            Unencodable: a field does not fit.
        """
        frame = b"".join(self.terms.envelope.wrap(message))
        now, count = self.clock.seconds(), 0
        for peer in tuple(self.peers):
            try:
                count += peer.share(message, frame, now)
            except LocalError:  # not established, or of a version without such messages
                continue
        return count

    @property
    def totals(self) -> tuple[int, int]:
        """Bytes received from and sent to all peers, those that are gone included."""
        return (
            self.bytes_received + sum(peer.bytes_received for peer in self.peers),
            self.bytes_sent + sum(peer.bytes_sent for peer in self.peers),
        )

    def disconnect_all(self) -> Deferred[None]:
        """Close every connection; the Deferred fires when all are gone."""
        gone: Deferred[None] = Deferred()
        waiting = len(self.peers)
        if not waiting:
            gone.callback(None)
            return gone

        def one_less(_: object) -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                gone.callback(None)

        for peer in tuple(self.peers):
            peer.when_lost().addCallback(one_less)
            peer.disconnect()
        return gone

    # For the protocols

    def new_framing(self) -> Framing:
        """Return the framing of one new connection."""
        return Framing(self.terms.envelope, self.terms.max_handshake_payload)

    def receiver_address(self, host: str, port: int) -> NetAddress:
        """Return what a peer at *host* may be told of its own address.

        Nothing if it is reached through a proxy, or is not to be reached from
        everywhere (R-F3).
        """
        if self.config.proxied:
            return NOWHERE
        ask = self.config.address_of
        if ask is not None:
            try:
                return _checked_address(ask(host, port, 0))
            except Exception as error:
                text = "{provider} could not tell the address of {host}, so none is told"
                self.journal.failure(text, error, provider=name_of(ask), host=host)
                return NOWHERE
        try:
            public = ip_address(host).is_global
        except ValueError:
            return NOWHERE
        return NetAddress.of(host, port) if public else NOWHERE

    def joined(self, peer: PeerProtocol) -> int:
        """Take note of a new connection; return its number."""
        self.peers.add(peer)
        self._last_id += 1
        return self._last_id

    def welcomed(self, peer: PeerProtocol) -> None:
        """Log that a handshake is complete, at level debug if that was all that was wanted."""
        self.journal.emit(
            LogLevel.debug if peer.passing else LogLevel.info,
            "{peer} established: {agent}, version {version}",
            _side(peer),
            peer=str(peer),
            agent=printable(peer.user_agent, MAX_AGENT),
            version=peer.negotiated_version,
        )

    def left(self, peer: PeerProtocol, reason: Disconnected, *, established: bool) -> None:
        """Take note of the end of a connection, log it, and tell the listeners.

        Strangers who never got through the handshake are worth a line at level debug
        only: they must not use up what may be logged of the others.
        """
        self.peers.discard(peer)
        self.lost[reason.reason] += 1
        self.bytes_received += peer.bytes_received
        self.bytes_sent += peer.bytes_sent
        why = printable(str(reason))
        if established:
            level, text = LogLevel.info, "{peer} lost: {reason}"
        else:
            stranger = peer.inbound or reason.reason is DisconnectReason.SELF_CONNECTION
            level = LogLevel.debug if stranger else LogLevel.info
            text = "{peer} not won: {reason}"
        if peer.passing:
            level = LogLevel.debug
        self.journal.emit(level, text, _side(peer), peer=str(peer), reason=why)
        for receive in self.audience[Disconnected]:
            peer.tell(receive, reason)
        if not self.peers:
            self.stop()

    def listener_failed(self, peer: PeerRecord, error: BaseException) -> None:
        """Take note of an exception that a listener raised over *peer*."""
        self.listener_failures += 1
        self.journal.failure("a listener failed at {peer}", error, peer=str(peer))

    def charge(self, count: int) -> None:
        """Account for *count* more bytes held for peers, or fewer; over budget, drop the worst."""
        self._held += count
        limit = self.config.max_total
        while self._held > limit:
            worst = max(self.peers, key=lambda peer: peer.held, default=None)
            if worst is None or not worst.held:
                return
            worst.fail(OverBudget(DisconnectReason.MEMORY_BUDGET, self._held, limit))

    def stop(self) -> None:
        """Wake no peer any more."""
        self.flushes.stop()
        self.wakes.stop()

    # Within

    def _greeting(self, now: float, nonce: int, receiver: NetAddress) -> Greeting:
        config, newest = self.config, self.newest_block()
        return Greeting(
            version=self.protocol_version,
            services=config.services,
            time=self._told_time(now),
            nonce=nonce,
            user_agent=config.user_agent,
            height=newest.height,
            work=newest.work,
            relay=config.relay,
            receiver=receiver,
        )

    def _told_time(self, now: float) -> int:
        """Return the time that `version` tells.

        Behind a proxy it is rounded to ten minutes: peers only want to know whose clock is off by
        more than an hour, and the seconds by which this one is off would give us away (R-F3).
        """
        return round(now / COARSE) * COARSE if self.config.proxied else int(now)

    def _make_terms(self, draw_nonce: Callable[[], int], draw: Callable[[], float]) -> Terms:
        config, network = self.config, self.config.network
        dialect, pace = network.dialect, config.pace
        limit = config.max_payload or dialect.max_payload
        return Terms(
            dialect=dialect,
            envelope=Envelope(network.magic, dialect.checksum, dialect.registry, limit),
            etiquette=Etiquette(dialect, config.services),
            relay=Relay(
                table=RelayTable(config.relay_window),
                flush_times=FlushTimes(None if config.poisson else pace.trickle_interval, draw),
                batch=config.max_announcements,
                pending=config.max_pending_announcements,
                total=config.max_total_announcements,
                known=config.known_inventory,
                known_for=pace.known_for,
            ),
            rhythm=Rhythm(pace.ping_interval, pace.idle_timeout, config.ping_timeout, draw_nonce),
            draw_nonce=draw_nonce,
            greeting=self._greeting,
            own_nonces=set(),
            preferences=config.preferences,
            min_version=config.min_version or dialect.min_version,
            allow_self_connections=config.allow_self_connections,
            tolerate_malformed=config.tolerate_malformed,
            handshake_timeout=config.handshake_timeout,
            max_handshake_payload=min(config.max_handshake_payload, limit),
            max_handshake_messages=config.max_handshake_messages,
            max_requests=config.max_requests,
            stall_timeout=config.stall_timeout,
            transfer_grace=config.transfer_grace,
            transfer_rate=config.transfer_rate,
        )


def _side(peer: PeerProtocol) -> str:
    """Return whose budget of the log *peer* uses: who dials us must not use up that of others."""
    return "inbound" if peer.inbound else "outbound"


def _checked_position(answer: object) -> BlockPosition:
    """Return what a program says of the newest block, if `version` can carry it."""
    if not isinstance(answer, BlockPosition):
        raise TypeError(f"expected a BlockPosition, not {answer!r:.100}")
    if not isinstance(answer.height, int) or not 0 <= answer.height < 1 << 31:
        raise ValueError(f"expected a height from 0 to 2**31 - 1, not {answer.height!r:.100}")
    return answer


def _checked_address(answer: object) -> NetAddress:
    """Return what a program says of an address, if `version` can carry it."""
    if not isinstance(answer, NetAddress):
        raise TypeError(f"expected a NetAddress, not {answer!r:.100}")
    answer.encode()
    return answer


def _flush(peer: PeerProtocol, now: float) -> None:
    peer.flush_due(now)


def _wake(peer: PeerProtocol, now: float) -> None:
    peer.wake_due(now)
