"""What makes one network's language different from another's: two values, no code elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol as Shape

from bitpeer.errors import InvalidSetting
from bitpeer.messages.addresses import MAX_ADDRESSES, NOWHERE, Addr, NetAddress
from bitpeer.messages.inquiry import Topic
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.messages.rules import HeaderRules
from bitpeer.wire.message import Message, Registry

Question = tuple[str, bytes]
"""What a request waits for: a kind of object, and the hash that names it (wire order)."""


class ToldAddress(Shape):
    """What every dialect's addresses have."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def services(self) -> int: ...
    @property
    def time(self) -> int: ...


class VersionLike(Shape):
    """What every dialect's `version` message has."""

    @property
    def command(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def services(self) -> int: ...
    @property
    def time(self) -> int: ...
    @property
    def nonce(self) -> int: ...
    @property
    def user_agent(self) -> bytes: ...
    @property
    def height(self) -> int: ...
    @property
    def relay(self) -> bool: ...
    def encode(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a node says of itself when it introduces itself to one peer."""

    version: int
    """The highest protocol version it speaks."""
    services: int = 0
    """Service bits it offers."""
    time: int
    """Seconds since 1970."""
    nonce: int
    """0 <= nonce < 2**64; betrays a connection to oneself."""
    user_agent: bytes
    """BIP 14."""
    height: int = 0
    """Of the newest block it knows."""
    work: int = 0
    """Of the chain up to that block, where the dialect tells it."""
    relay: bool = True
    """Whether it wants to hear of transactions."""
    receiver: NetAddress = NOWHERE
    """Where the peer is, as far as it may be said."""
    outbound: bool = False
    """Whether the peer was dialled."""


@dataclass(frozen=True, slots=True)
class ServiceGate:
    """A message that is only for those who were offered a service."""

    service: int
    """The service bit."""
    hang_up_from: int
    """From this negotiated version on both sides know who offers the service: a peer that
    was not offered it is hung up on, and nothing is sent to one that does not offer it.
    Below, what such a peer sends is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the nodes of a dialect do what nobody asked them for.  In seconds."""

    ping_interval: float = 120.0
    """Between two pings."""
    idle_timeout: float = 300.0
    """Without a byte, before a peer is given up."""
    trickle_interval: tuple[float, float] = (10.0, 10.0)
    """The least and the most that an announcement waits for others to go with it."""
    known_for: float = inf
    """How long it is remembered that a peer knows of an object."""


def _no_messages(*_: object) -> tuple[Message, ...]:
    return ()


def _no_address(host: str, *_: int) -> Any:
    raise ValueError(f"there is no form for {host:.64}")


def _no_limit(_: int) -> int | None:
    return None


Preference = Callable[[type[Message]], Message | None]
"""Returns the peer's latest wish of a kind."""


def _all(addresses: Sequence[Any], _: Preference, __: int = 0) -> Sequence[Any]:
    return addresses


def _addr(addresses: Sequence[Any], _: Preference, __: int = 0) -> Message:
    return Addr(tuple(addresses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The messages, hash and manners of one family of networks."""

    name: str
    registry: Registry
    checksum: Callable[[bytes], bytes]
    """Hash whose first four bytes protect every payload."""
    protocol_version: int
    """The highest version this side speaks."""
    min_version: int
    """The lowest version a peer may speak."""
    max_payload: int = 4_000_000
    """The largest payload of any message, in bytes."""
    wanted_services: int = 0x1
    """Service bits that a peer should offer to be of use; in all dialects the first is blocks."""
    service_bits: Mapping[int, str] = field(default_factory=dict)
    """What its documents call the service bits."""
    greet: Callable[[Greeting], Message]
    """Build this dialect's `version`."""
    review: Callable[[Any, Greeting], Iterable[Message]] = _no_messages
    """Judge the peer's `version`, beside one's own greeting: yield what to answer, raise a
    `HandshakeError` to refuse."""
    redirects: Mapping[type[Message], Callable[[Any], NetAddress]] = field(default_factory=dict)
    """Messages with which a peer that was dialled may send this side elsewhere instead of
    introducing itself, and the address that they name."""
    announce: Callable[[int], tuple[Message, ...]] = _no_messages
    """Given the common version, the features to announce before `verack`."""
    pace: Pace = Pace()
    """What programs of this dialect do unless their operators want something else."""
    welcome: Callable[[int], tuple[Message, ...]] = _no_messages
    """Given the common version, the wishes to send once the handshake is complete."""
    negotiation: frozenset[type[Message]] = frozenset()
    """Messages that may come between `version` and `verack`, and never again.  Others may
    come there, too, but are passed over."""
    preferences: frozenset[type[Message]] = frozenset()
    """Messages by which a peer states a wish; the latest of each kind is kept."""
    urgent: frozenset[int] = frozenset()
    """Kinds of inventory that are announced at once."""
    gates: Mapping[type[Message], tuple[int, int | None]] = field(default_factory=dict)
    """First version of a message, and first version without it, where the class says nothing."""
    strict_versions: bool = False
    """Whether a message that the negotiated version does not have ends the connection."""
    strict_commands: bool = False
    """Whether a command that is in no registry ends the connection."""
    early_messages: Callable[[int], int | None] = _no_limit
    """Given the common version, how many messages that are no `verack` may come between
    `version` and it; `None` leaves that to the settings of the program."""
    service_gates: Mapping[type[Message], ServiceGate] = field(default_factory=dict)
    questions: Mapping[type[Message], Callable[[Any], Iterable[Question]]] = field(
        default_factory=dict
    )
    """What a message asks for, where the peer owes an answer."""
    answers: Mapping[type[Message], Callable[[Any], Iterable[Question]]] = field(
        default_factory=dict
    )
    """Which questions a message answers."""
    topics: Mapping[str, Topic] = field(default_factory=dict)
    """What peers can be asked for, by name: see `IPeer.get_block` and its like."""

    get_blocks: Callable[[int, Sequence[bytes], bytes], Message] = GetBlocks
    """Given our version, a locator and a stop, builds the request."""
    get_headers: Callable[[int, Sequence[bytes], bytes], Message] = GetHeaders
    """Given our version, a locator and a stop, builds the request."""
    max_addresses: int = MAX_ADDRESSES
    """Most addresses in one message."""
    get_addresses: type[Message] | None = None
    """The request for addresses, to be made without arguments."""
    told: Mapping[type[Message], Callable[[Any], Sequence[ToldAddress]]] = field(
        default_factory=dict
    )
    """Messages that tell addresses, and those that they tell."""
    address: Callable[[str, int, int, int], Any] = _no_address
    """Given host, port, services and time, returns an address for `tellable` and `tell`.

    It raises `ValueError` if the dialect has no form for such a host."""
    tellable: Callable[[Sequence[Any], Preference, int], Sequence[Any]] = _all
    """Given addresses, the peer's wishes and the common version, returns those that can be told
    to it."""
    tell: Callable[[Sequence[Any], Preference, int], Message] = _addr
    """Given tellable addresses, the peer's wishes and the common version, builds the message."""

    def speaks(self, kind: type[Message], version: int) -> bool:
        """Return whether *version* of the protocol has messages of *kind*."""
        since, until = self.gates.get(kind, (kind.since, kind.until))
        return version >= since and (until is None or version < until)


@dataclass(frozen=True, slots=True)
class DnsSeed:
    """A name that resolves to addresses of nodes."""

    host: str
    filters: bool = False
    """Whether ``x<services in hex>.<host>`` asks for nodes with these services."""


@dataclass(frozen=True, slots=True)
class HttpsSeed:
    """A host that tells addresses of nodes to whoever asks for ``/api/addrs`` by HTTPS.

    The answer is a row of JSON objects, without an array around them:
    ``{"host": "1.2.3.4:9108", "services": 1, "pver": 11}`` (dcrd addrmgr.SeedAddrs).
    """

    host: str

    def url(
        self, *, services: int = 0, ip_version: int | None = None, version: int | None = None
    ) -> str:
        """Return what to ask for.

        Args:
            services: bits that the nodes must offer.
            ip_version: 4 or 6 for addresses of this kind only.
            version: for nodes of exactly this protocol version only.
        """
        wanted = {"services": services or None, "ipversion": ip_version, "pver": version}
        query = "&".join(f"{key}={value}" for key, value in wanted.items() if value is not None)
        return f"https://{self.host}/api/addrs" + (f"?{query}" if query else "")


def _check_seeds(setting: str, seeds: object, kind: type) -> None:
    if not isinstance(seeds, tuple) or not all(isinstance(seed, kind) for seed in seeds):
        raise InvalidSetting(setting, seeds, f"a tuple of {kind.__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One chain that speaks a dialect.

    Raises:
        InvalidSetting: the name cannot be shown, the magic is not four bytes, the port no
            port, or something is not of its kind.
    """

    name: str
    dialect: Dialect
    magic: bytes
    """Four bytes, in wire order."""
    port: int
    """Where nodes listen unless they say otherwise."""
    genesis: bytes = bytes(32)
    """Hash of the first block, wire order."""
    seeds: tuple[DnsSeed, ...] = ()
    https_seeds: tuple[HttpsSeed, ...] = ()
    rules: HeaderRules | None = None
    """Which headers the chain may have; `None` if nobody wrote the rules down."""

    def __post_init__(self) -> None:
        name, port = self.name, self.port
        if not isinstance(name, str) or not name or not name.isprintable():
            raise InvalidSetting("name", name, "printable text")
        if not isinstance(self.dialect, Dialect):
            raise InvalidSetting("dialect", self.dialect, "a Dialect")
        if not isinstance(self.magic, bytes) or len(self.magic) != 4:
            raise InvalidSetting("magic", self.magic, "four bytes")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
            raise InvalidSetting("port", port, "a number from 1 to 65535")
        if not isinstance(self.genesis, bytes) or len(self.genesis) != 32:
            raise InvalidSetting("genesis", self.genesis, "a hash of 32 bytes")
        _check_seeds("seeds", self.seeds, DnsSeed)
        _check_seeds("https_seeds", self.https_seeds, HttpsSeed)

    @property
    def title(self) -> str:
        """Dialect and network, as in ``bitcoin-mainnet``."""
        return f"{self.dialect.name}-{self.name}"
