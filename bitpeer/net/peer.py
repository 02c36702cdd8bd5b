"""What is known of a peer, and the messages that are worth a helper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, ITransport

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected
from bitpeer.messages.control import FeeFilter, Reject, SendHeaders
from bitpeer.net.text import printable
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.requests import LastRequest
from bitpeer.peer.stats import PeerSnapshot
from bitpeer.wire.message import Message, Unknown

if TYPE_CHECKING:
    from bitpeer.net.local import LocalNode

NO_HASH = bytes(32)


class PeerRecord:
    """The part of a peer that moves no bytes by itself.

    Everything that is the same for most peers is a default of the class, so
    that an idle peer stays small.
    """

    id = 0
    dialled: str | None = None
    connected_at = 0.0
    bytes_sent = 0
    last_send: float | None = None
    listener_failures = 0
    last_block: int | None = None
    last_announced_block: bytes | None = None
    transport: ITransport | None

    _node: LocalNode
    _machine: PeerMachine
    _ending: Disconnected | None = None
    _facts: dict[str, Any] | None = None
    _requests: dict[str, LastRequest] | None = None

    def __str__(self) -> str:
        return f"peer {self.id} {self.address} ({'inbound' if self.inbound else 'outbound'})"

    @property
    def node(self) -> LocalNode:
        """What all peers of this network share."""
        return self._node

    @property
    def machine(self) -> PeerMachine:
        """The conversation, for those who look closer."""
        return self._machine

    @property
    def address(self) -> str:
        """What was dialled, or host and port of the other end."""
        return self.dialled or where(self.transport.getPeer() if self.transport else None)

    @property
    def local_address(self) -> str:
        """Host and port of this end."""
        return where(self.transport.getHost() if self.transport else None)

    @property
    def inbound(self) -> bool:
        """Whether the peer dialled us."""
        return not self._machine.outbound

    @property
    def established(self) -> bool:
        """Whether the handshake is complete and the connection neither gone nor going."""
        return self._machine.established and self._ending is None

    @property
    def version(self) -> VersionLike | None:
        """The peer's `version`, once it has come."""
        return self._machine.version

    @property
    def negotiated_version(self) -> int:
        """The lower of both sides' highest protocol versions; 0 before the peer's is known."""
        return self._machine.negotiated_version

    @property
    def services(self) -> int:
        """Service bits that the peer offers; 0 before they are known."""
        version = self._machine.version
        return 0 if version is None else version.services

    @property
    def user_agent(self) -> bytes:
        """As the peer wrote it: escape it before showing it."""
        version = self._machine.version
        return b"" if version is None else version.user_agent

    @property
    def wants_headers(self) -> bool:
        """Whether the peer wants new blocks announced by `headers` (BIP 130)."""
        return self.preference(SendHeaders) is not None

    @property
    def fee_filter(self) -> int:
        """The least a transaction must pay to interest the peer (BIP 133)."""
        wish = self.preference(FeeFilter)
        return wish.fee_rate if isinstance(wish, FeeFilter) else 0

    @property
    def payload(self) -> bytes:
        """The bytes of the message that is being delivered, as they came."""
        return self._machine.payload

    @property
    def bytes_received(self) -> int:
        """Bytes read from the peer so far."""
        return self._machine.bytes_received

    @property
    def queued(self) -> int:
        """Bytes waiting to be sent."""
        return self._machine.bytes_produced - self.bytes_sent

    @property
    def facts(self) -> dict[str, Any]:
        """Notes about the peer, for applications; empty at first."""
        if self._facts is None:
            self._facts = {}
        return self._facts

    def preference(self, kind: type[Message]) -> Message | None:
        """Return the peer's latest wish of this *kind*, if it sent one."""
        return self._machine.preference(kind)

    def update_last_block(self, height: int) -> None:
        """Note that the peer has a block of this *height*; lower ones change nothing."""
        if height > self.known_height:
            self.last_block = height

    def update_last_announced_block(self, block: bytes) -> None:
        """Note the hash, in wire order, of the block that the peer announced last."""
        self.last_announced_block = block

    @property
    def known_height(self) -> int:
        """Height of the peer's newest block, as far as is known; -1 if nothing is."""
        version = self._machine.version
        starting = -1 if version is None else version.height
        return starting if self.last_block is None else max(starting, self.last_block)

    def snapshot(self) -> PeerSnapshot:
        """Return everything that can be told about the peer now."""
        machine, version = self._machine, self._machine.version
        keepalive, trickle = machine.keepalive, machine.trickle
        return PeerSnapshot(
            id=self.id,
            address=self.address,
            local_address=self.local_address,
            network=self._node.config.network.title,
            inbound=self.inbound,
            connected=self._ending is None,
            established=self.established,
            transport="v1",
            services=self.services,
            version=0 if version is None else version.version,
            negotiated_version=machine.negotiated_version,
            user_agent=self.user_agent,
            relay=False if version is None else version.relay,
            starting_height=-1 if version is None else version.height,
            last_block=self.known_height,
            last_announced_block=self.last_announced_block,
            time_offset=machine.time_offset,
            connected_at=self.connected_at,
            last_send=self.last_send,
            last_receive=machine.last_receive,
            bytes_sent=self.bytes_sent,
            bytes_received=machine.bytes_received,
            messages_received=machine.messages_received,
            malformed=machine.malformed,
            queued_bytes=self.queued,
            announcements_dropped=0 if trickle is None else trickle.dropped,
            listener_failures=self.listener_failures,
            last_ping_nonce=0 if keepalive is None else keepalive.nonce or 0,
            last_ping_at=None if keepalive is None else keepalive.pinged_at,
            latency=None if keepalive is None else keepalive.latency,
            min_latency=None if keepalive is None else keepalive.min_latency,
            disconnect_reason=None if self._ending is None else self._ending.reason,
        )

    # Messages that are worth a helper

    def send(self, message: Message | Unknown) -> None:
        """Queue *message*: see `IPeer`."""
        raise TypeError("a PeerRecord alone moves no bytes")

    def deliver(self, message: Message | Unknown) -> Deferred[None]:
        """Queue *message* and say when it has left: see `IPeer`."""
        raise TypeError("a PeerRecord alone moves no bytes")

    def push_addresses(self, addresses: Sequence[Any]) -> Sequence[Any]:
        """Send *addresses*, as many as one message may have, drawn at random.

        Nothing is sent if none of them can be told to this peer.

        Returns:
            Those that were sent.
        """
        dialect = self._node.config.network.dialect
        fit = dialect.tellable(addresses, self.preference)
        if len(fit) > dialect.max_addresses:
            fit = self._node.sample(fit, dialect.max_addresses)
        if fit:
            self.send(dialect.tell(fit, self.preference))
        return fit

    def push_get_blocks(self, locator: Sequence[bytes], stop: bytes = NO_HASH) -> bool:
        """Send `getblocks`, unless it would repeat the one before.

        Args:
            locator: hashes in wire order, the newest block's first.
            stop: the last block wanted; zeros for as many as possible.

        Returns:
            Whether it was sent.
        """
        return self._push("getblocks", locator, stop)

    def push_get_headers(self, locator: Sequence[bytes], stop: bytes = NO_HASH) -> bool:
        """Send `getheaders`, unless it would repeat the one before.

        Arguments and result as for `push_get_blocks`.
        """
        return self._push("getheaders", locator, stop)

    def push_reject(
        self, command: str, code: int, reason: str, rejected: bytes | None = None
    ) -> Deferred[None]:
        """Send `reject`, if the negotiated version has it (BIP 61).

        Args:
            command: that of the rejected message.
            code: a `RejectCode`.
            reason: for people.
            rejected: hash of the rejected `tx` or `block`, wire order; ignored for
                others, zeros if missing.

        Returns:
            A Deferred that fires when the network has taken it; at once if the
            peer's version knows no `reject`.
        """
        dialect = self._node.config.network.dialect
        if not dialect.speaks(Reject, self.negotiated_version):
            return succeed(None)
        extra = (rejected or NO_HASH) if command in ("tx", "block") else b""
        return self.deliver(Reject(command.encode(), code, reason.encode(), extra))

    def _push(self, command: str, locator: Sequence[bytes], stop: bytes) -> bool:
        if self._requests is None:
            self._requests = {}
        latest = self._requests.setdefault(command, LastRequest())
        if latest.repeated_by(locator, stop):
            return False
        dialect = self._node.config.network.dialect
        build = dialect.get_blocks if command == "getblocks" else dialect.get_headers
        self.send(build(dialect.protocol_version, tuple(locator), stop))
        latest.sent(locator, stop)
        return True


def where(address: IAddress | None) -> str:
    """Return a transport's address as people write it."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is not None and port is not None:
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    name = getattr(address, "name", None)
    return "nowhere" if address is None else printable(name or str(address))
