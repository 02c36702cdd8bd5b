"""The seams between this package and the applications built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

from bitpeer.messages.locator import NO_STOP

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

    from twisted.internet.defer import Deferred

    from bitpeer.config import BlockPosition
    from bitpeer.dialect import VersionLike
    from bitpeer.errors import BitpeerError, Disconnected, DisconnectReason, RemoteError
    from bitpeer.messages.inventory import InvVect
    from bitpeer.peer.stats import PeerSnapshot
    from bitpeer.wire.message import Malformed, Message, Unknown


class IPeer(Interface):
    """A connected peer, as listeners see it.

    Every method may be called at any time, after the loss too.
    """

    id = Attribute("Counts the connections of a node, from 1; 0 before there is one.")
    address = Attribute("Where the peer is: the text that was dialled, or host and port.")
    local_address = Attribute("Host and port of this end.")
    inbound = Attribute("Whether the peer dialled us.")
    established = Attribute("Whether the handshake is complete and the connection not gone.")
    version = Attribute("The peer's `version` message; `None` until it came.")
    negotiated_version = Attribute("The lower of both sides' highest protocol versions.")
    services = Attribute("Service bits that the peer offers.")
    user_agent = Attribute("As the peer wrote it, in bytes: escape it before showing it.")
    wants_headers = Attribute("Whether new blocks should be announced by `headers` (BIP 130).")
    fee_filter = Attribute("The least a transaction must pay to interest the peer (BIP 133).")
    known_height = Attribute("Height of the peer's newest block, as far as is known, or -1.")
    payload = Attribute("The bytes of the message that is being delivered, as they came.")
    bytes_received = Attribute("Bytes read from the peer so far.")
    bytes_sent = Attribute("Bytes that the network has taken so far.")
    queued = Attribute("Bytes waiting to be sent.")
    redirect_requested = Attribute("Whether the peer sent us elsewhere, by way of introduction.")
    new_address = Attribute("Where it sent us: a `NetAddress`, or `None`.")
    facts = Attribute("Notes about the peer, for applications: a dictionary, empty at first.")

    def send(message: Message | Unknown) -> None:
        """Queue *message*; the fast way, which tells nothing about its fate.

        After the loss of the peer this does nothing.

        Raises:
            NotEstablished: the handshake is not complete.
            NotNegotiated: the negotiated version has no such message.
            Unencodable: a field does not fit.
        """

    def deliver(message: Message | Unknown) -> Deferred[None]:
        """Queue *message*; the Deferred fires when the network has taken its last byte.

        It fails with `Disconnected` if that never happens, and with the errors of
        `send`, which this never raises, or any other if what is given is no message.
        """

    def announce(item: InvVect) -> bool:
        """Mention *item* in one of the next `inv` messages; blocks are mentioned at once.

        Returns:
            Whether it will be mentioned: not if the peer knows it already.

        Raises:
            Unencodable: *item* can be no part of a message.
        """

    def add_known(item: InvVect) -> None:
        """Note that the peer knows *item*, so that it is not announced."""

    def knows(item: InvVect) -> bool:
        """Return whether the peer is known to know *item*."""

    def preference(kind: type[Message]) -> Message | None:
        """Return the peer's latest wish of this *kind*, such as `FeeFilter`, if it sent one."""

    def push_addresses(addresses: Sequence[object]) -> Sequence[object]:
        """Send *addresses*, at most 1,000 of them drawn at random; return those sent."""

    def push_get_blocks(locator: Sequence[bytes], stop: bytes) -> bool:
        """Send `getblocks`; return `False` if it would repeat the one before."""

    def push_get_headers(locator: Sequence[bytes], stop: bytes) -> bool:
        """Send `getheaders`; return `False` if it would repeat the one before."""

    def push_reject(
        command: str, code: int, reason: str, rejected: bytes | None, *, wait: bool
    ) -> Deferred[None] | None:
        """Send `reject`, if the peer's version has it, as `send` does; as `deliver`, to *wait*."""

    def serves(topic: str) -> bool:
        """Whether the peer can be asked about a topic of the dialect, such as ``block``."""

    def ask(topic: str, *args: Any, timeout: float | None = None) -> Deferred[Any]:
        """Ask about a topic of the dialect, for which there may be no method here."""

    def get_block(name: bytes, *, timeout: float | None = None) -> Deferred[Any]:
        """Ask for the block with this hash, in wire order.

        This method, and those below up to `request`, never raise.  The Deferred fires with
        the answer, which listeners do not hear unless it could have come unasked, or fails
        with `Absent`, `Unanswered` after *timeout* seconds, `PeerGone`, `TooManyRequests`, or
        what `send` raises.  Cancel it to take the question back.
        """

    def get_blocks(names: Iterable[bytes], *, timeout: float | None = None) -> Deferred[list[Any]]:
        """Ask for several blocks; all come, in this order, or none."""

    def blocks(
        names: Iterable[bytes],
        *,
        window: int = 16,
        max_bytes: int = 16_000_000,
        timeout: float | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Yield the blocks in order, asking for a few ahead: see `blocks_in_order`."""

    def get_tx(
        name: bytes, *, by_wtxid: bool = False, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for a transaction by its id, or by that of it and its witnesses."""

    def get_headers(
        locator: Sequence[bytes], stop: bytes = NO_STOP, *, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for the `headers` behind the first hash of *locator* that the peer knows."""

    def get_cfilters(
        start: int | bytes, stop: bytes, *args: int, timeout: float | None = None
    ) -> Deferred[list[Any]]:
        """Ask for the filters of a range of blocks."""

    def get_cfheaders(
        start: int, stop: bytes, *args: int, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for the filter hashes of a range of blocks."""

    def get_cfcheckpt(stop: bytes, *args: int, timeout: float | None = None) -> Deferred[Any]:
        """Ask for every thousandth filter header up to a block."""

    def get_addresses(*, timeout: float | None = None) -> Deferred[Sequence[Any]]:
        """Ask where other nodes are."""

    def get_mempool(*, timeout: float | None = None) -> Deferred[list[Any]]:
        """Ask what is unconfirmed: a list of `InvVect`."""

    def ping(*, timeout: float = 30.0) -> Deferred[float]:
        """Measure how many seconds the peer takes to answer."""

    def request(
        message: Message | Unknown,
        answered_by: type[Message | Unknown] | Iterable[type[Message | Unknown]],
        *,
        where: Callable[[Any], bool] | None = None,
        timeout: float = 30.0,
    ) -> Deferred[Any]:
        """Send *message*, and wait for the first answer of these kinds, perhaps one of many."""

    def update_last_block(height: int) -> None:
        """Note that the peer has a block of this *height*; lower ones change nothing."""

    def update_last_announced_block(block: bytes) -> None:
        """Note the hash, in wire order, of the block that the peer announced last."""

    def snapshot() -> PeerSnapshot:
        """Return everything that can be told about the peer now."""

    def when_established() -> Deferred[IPeer]:
        """Return a Deferred that fires with the peer once the handshake is complete.

        It fails with `Disconnected` if the connection ends before.
        """

    def when_lost() -> Deferred[Disconnected]:
        """Return a Deferred that fires with the reason once the connection is gone."""

    def disconnect() -> None:
        """Send what is queued, as far as it leaves within five seconds, then close.

        Deadlines, this one and all in `PeerConfig`, are looked at a few times a second:
        what is to end may last as much longer.
        """

    def fail(reason: RemoteError) -> None:
        """End the connection at once, because of what the peer did."""


class IPeerListener(Interface):
    """Something that wants to know what peers say.

    Methods are called in the order of events, one at a time for each peer.  A
    `Deferred` or a coroutine as the answer pauses reading from this peer until
    it is done; after `PeerConfig.listener_timeout` the peer is given up.  An
    exception is logged and counted and harms nobody else, except a `RemoteError`:
    raise one to end the connection for it.
    """

    def peer_established(peer: IPeer, version: VersionLike) -> object:
        """The handshake with *peer* is complete."""

    def message_received(peer: IPeer, message: Message | Unknown | Malformed) -> object:
        """*peer* sent *message*, be it known, unknown or, if tolerated, malformed."""

    def peer_lost(peer: IPeer, reason: Disconnected) -> object:
        """The connection to *peer* is gone.  Told once for each connection, established or not."""


class IVersionListener(Interface):
    """Something that may refuse a peer for what it says of itself."""

    def version_received(peer: IPeer, version: VersionLike) -> object:
        """*peer* introduced itself; nothing has been answered yet.

        Return `None` to accept it, or a message to refuse it with these last words,
        usually a `Reject`; raise `Refused` to refuse it without a word.  A `Deferred`
        or coroutine of either holds the handshake, but not its deadline.

        Whatever else is raised or answered is logged and counted, and the peer is
        refused: a guard that stumbles lets nobody in.
        """


class ITrafficListener(Interface):
    """Something that counts or records all that is read and written.

    Sizes are in bytes and include the frame's header.  Having one costs time on
    every message.
    """

    def message_read(
        peer: IPeer,
        command: str,
        size: int,
        message: Message | Unknown | None,
        error: BitpeerError | None,
    ) -> None:
        """A message was read, or *error* says why what was read is none."""

    def message_written(
        peer: IPeer, command: str, size: int, message: Message | Unknown, error: BitpeerError | None
    ) -> None:
        """A message was handed to the network, or *error* says why it never will be."""


class IDialListener(Interface):
    """Something that wants to know whom a service dials, and in vain."""

    def dialling(address: str) -> None:
        """This side begins to make a connection to *address*, for a peer to be kept."""

    def unreachable(address: str, reason: DisconnectReason) -> None:
        """There is no connection to *address*; if there is one, `IPeerListener` hears of it."""


class INewestBlock(Interface):
    """Something that knows the newest block of the chain."""

    def newest_block() -> BlockPosition:
        """Return hash and height of the newest block known."""
