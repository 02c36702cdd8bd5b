"""What is known of a peer."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IAddress, ITransport

from bitpeer.dialect import VersionLike
from bitpeer.errors import Disconnected, Redirected
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.control import FeeFilter, SendHeaders
from bitpeer.net.text import printable
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.stats import PeerSnapshot
from bitpeer.wire.message import Message

if TYPE_CHECKING:
    from bitpeer.net.local import LocalNode

PURPOSE = "connection_type"
"""The key of `IPeer.facts` under which whoever dials may note what for, in Bitcoin Core's words."""


class PeerRecord:
    """The part of a peer that moves no bytes.

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
    _cut = False
    _facts: dict[str, Any] | None = None
    _local_address: str | None = None

    def __str__(self) -> str:
        way = "inbound" if self.inbound else self._purpose.removesuffix("-full-relay")
        return f"peer {self.id} {self.address} ({way})"

    @property
    def passing(self) -> bool:
        """Whether the connection is there to see whether somebody answers, and no more."""
        return self._purpose == "feeler"

    @property
    def _purpose(self) -> str:
        """What the connection is for, as Bitcoin Core calls it, if somebody noted that."""
        return "outbound" if self._facts is None else str(self._facts.get(PURPOSE, "outbound"))

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
        """What was dialled, or host and port of the other end.

        Asked for each time: behind a load balancer it is known only after the first
        bytes have come.
        """
        return self.dialled or where(self.transport.getPeer() if self.transport else None)

    @property
    def local_address(self) -> str:
        """Host and port of this end."""
        if self._local_address is not None:
            return self._local_address
        try:
            return where(self.transport.getHost() if self.transport else None)
        except (AttributeError, OSError):  # the socket is closed, and nobody asked before
            return where(None)

    def _remember_local_address(self) -> None:
        """Keep what the transport cannot tell any more once the connection is gone."""
        self._local_address = intern(self.local_address)  # the same for all that dialled us

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
        """Bytes waiting to be sent; none any more once the connection is cut."""
        return 0 if self._cut else self._machine.bytes_produced - self.bytes_sent

    @property
    def facts(self) -> dict[str, Any]:
        """Notes about the peer, for applications; empty at first."""
        if self._facts is None:
            self._facts = {}
        return self._facts

    @property
    def redirect_requested(self) -> bool:
        """Whether the peer sent us elsewhere instead of introducing itself."""
        return self.new_address is not None

    @property
    def new_address(self) -> NetAddress | None:
        """Where it sent us, if it did.

        Whatever a stranger likes to name: look at it before dialling it.
        """
        failure = self._machine.failure
        if not isinstance(failure, Redirected):
            return None
        return NetAddress.of(failure.host, failure.port)

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


def where(address: IAddress | None) -> str:
    """Return a transport's address as people write it."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is not None and port is not None:
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    name = getattr(address, "name", None)
    return "nowhere" if address is None else printable(name or str(address))
