"""Everything a program may decide about its peers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeGuard, get_args, get_type_hints

from bitpeer.dialect import Network, Pace
from bitpeer.errors import InvalidSetting, Unencodable
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.inventory import MAX_INVENTORY
from bitpeer.wire.message import Message

VERSION = "0.1.0"
"""Of this package."""

MAX_USER_AGENT = 256
"""Most bytes of a user agent; peers hang up on more."""
_PART = r"[^/:()\x00-\x1f\x7f-\xff]+"
_AGENT_PART = re.compile(_PART)
_AGENT = re.compile(rf"((/{_PART}:{_PART}(\({_PART}\))?)+/)?".encode("latin-1"))


class BlockPosition(NamedTuple):
    """A block's place in the chain."""

    hash: bytes
    """32 bytes, wire order."""
    height: int
    work: int = 0
    """Of the chain up to the block, for dialects that tell it."""


def user_agent(
    name: str = "bitpeer", version: str = VERSION, comments: tuple[str, ...] = ()
) -> bytes:
    """Return a user agent as BIP 14 wants it, such as ``/bitpeer:0.1.0(a; b)/``.

    Raises:
        InvalidSetting: a part has one of ``/ : ( )`` or a character outside printable
            ASCII, or the whole is longer than 256 bytes.
    """
    for part in (name, version, *comments):
        if not part.isascii() or not _AGENT_PART.fullmatch(part):
            raise InvalidSetting("user agent", part, "printable ASCII without / : ( )")
    comment = f"({'; '.join(comments)})" if comments else ""
    whole = f"/{name}:{version}{comment}/".encode("ascii")
    if len(whole) > MAX_USER_AGENT:
        raise InvalidSetting("user agent", whole, f"at most {MAX_USER_AGENT} bytes")
    return whole


class Rule(NamedTuple):
    """What a setting may be."""

    allows: Callable[[object], bool]
    expected: str
    """The same in words."""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from(low: int, high: int, expected: str) -> Rule:
    def allows(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Rule(allows, expected)


def _up_to(high: float, expected: str) -> Rule:
    return Rule(lambda value: _is_number(value) and 0 < value <= high, expected)


Span = Annotated[float, _up_to(3.2e8, "more than 0 and at most 3.2e8 seconds, ten years")]
Rate = Annotated[float, _up_to(1e15, "more than 0 and at most 1e15")]
Count = Annotated[int, _from(1, 1 << 62, "a whole number from 1 on")]
Room = Annotated[int, _from(1_024, 1 << 62, "a whole number from 1024 on")]
Switch = Annotated[bool, Rule(lambda value: isinstance(value, bool), "True or False")]
_NETWORK = Rule(lambda value: isinstance(value, Network), "a Network")
_FUNCTION = Rule(callable, "a function")
_AGENT_RULE = Rule(
    lambda value: (
        isinstance(value, bytes)
        and len(value) <= MAX_USER_AGENT
        and _AGENT.fullmatch(value) is not None
    ),
    f"at most {MAX_USER_AGENT} bytes in the form of BIP 14",
)
_MESSAGES = Rule(
    lambda value: isinstance(value, tuple) and all(isinstance(each, Message) for each in value),
    "a tuple of messages",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """Settings shared by every connection of one node.  Times are in seconds, sizes in bytes.

    Raises:
        InvalidSetting: two settings contradict each other, or one makes no sense.
    """

    network: Annotated[Network, _NETWORK]
    """The chain to speak for."""

    # What to say of oneself

    user_agent: Annotated[bytes, _AGENT_RULE] = user_agent()
    """The software, as the function of the same name writes it (BIP 14); empty to tell nobody."""

    services: Annotated[int, _from(0, (1 << 64) - 1, "64 bits")] = 0
    """Service bits to offer."""

    protocol_version: Count | None = None
    """The highest version to speak; `None` for the highest that the dialect knows."""

    relay: Switch = True
    """Whether peers should announce transactions.  Core answers no request for an unconfirmed
    transaction to those who say no."""

    newest_block: Annotated[Callable[[], BlockPosition], _FUNCTION] | None = None
    """Tells the newest block this program knows; `None` reports height 0."""

    preferences: Annotated[tuple[Message, ...], _MESSAGES] | None = None
    """Wishes to send once a handshake is complete; `None` for those of the dialect.  Bitcoin's
    are `SendHeaders` and `SendCmpct`; who wants fewer transactions adds a `FeeFilter`."""

    proxied: Switch = False
    """Whether peers are reached through a proxy: then nobody is told where anybody is, nor the
    exact time.  It follows from the `Routes` that are given to whatever dials."""

    address_of: Annotated[Callable[[str, int, int], NetAddress], _FUNCTION] | None = None
    """Turns host, port and services into the address `version` shows the peer of itself;
    `None` takes IP literals as they are and hides everything else."""

    # Whom to put up with

    min_version: Count | None = None
    """The lowest version a peer may speak; `None` for the lowest that the dialect knows."""

    allow_self_connections: Switch = False
    """Whether this program may be its own peer; for tests."""

    follow_redirects: Switch = False
    """Whether a peer that says where else to go is taken at its word: once, to hosts of the
    public network or the peer's own, and never past a proxy."""

    tolerate_malformed: Switch = False
    """Whether a message that cannot be decoded is handed to listeners as `Malformed`, as
    Core ignores it, instead of ending the connection."""

    handshake_timeout: Span = 30.0
    """For the whole handshake, from the first byte to `verack`; no traffic extends it."""

    idle_timeout: Span | None = None
    """Without a byte from the peer; `None` for what is usual in the dialect."""

    ping_interval: Span | None = None
    """Between two pings; each varies by a tenth, so that peers do not march in step.  `None` for
    what is usual in the dialect."""

    ping_timeout: Span = 1200.0
    """For a pong to arrive."""

    stall_timeout: Span | None = 30.0
    """For an answer that the peer owes; `None` never gives up."""

    max_requests: Count = 256
    """Most requests on their way to one peer; see `IPeer.get_block` and its like."""

    listener_timeout: Span | None = 600.0
    """For a listener's `Deferred` or coroutine to be done; meanwhile nothing is read from the
    peer, so nothing else may notice that it is gone.  `None` waits for ever."""

    transfer_grace: Span = 20.0
    """For any one message to arrive or to leave, however small."""

    transfer_rate: Rate = 262_144.0
    """Bytes that must flow each second beyond the grace."""

    # How much to hold

    max_payload: Room | None = None
    """Largest payload accepted; `None` for the dialect's own limit."""

    max_handshake_payload: Room = 16_384
    """Largest payload accepted before the handshake is complete."""

    max_handshake_messages: Annotated[int, _from(8, 1 << 62, "a whole number from 8 on")] = 256
    """Most messages between `version` and `verack`."""

    pause_queue: Count = 1_000_000
    """Bytes waiting to be sent to one peer above which no more is read from it."""

    max_queue: Count = 40_000_000
    """Bytes waiting to be sent to one peer above which the connection is ended."""

    max_total: Count = 400_000_000
    """Bytes held for all peers together, waiting to be sent or incomplete, above which
    those who need most are dropped."""

    # How to announce

    trickle_interval: Span | None = None
    """Between two batches of announcements, when it is fixed; `None` for what is usual in the
    dialect."""

    poisson: Switch = False
    """Whether batches leave at random times, as Core's do, so that they tell less about where
    a transaction came from: on average every 2 s to peers that were dialled, and every 5 s to
    all others together."""

    max_announcements: Annotated[int, _from(1, MAX_INVENTORY, f"1 to {MAX_INVENTORY}")] = 1_000
    """Most items in one `inv`."""

    max_pending_announcements: Count = 5_000
    """Most items waiting for one peer's next batch; the oldest give way."""

    max_total_announcements: Count = 1_000_000
    """Most items waiting for all peers together; above that, too, the oldest give way."""

    known_inventory: Count = 1_000
    """Items remembered that a peer announced, so as not to announce them back."""

    known_for: Span | None = None
    """How long such items, and those announced to the peer, are remembered since they last
    mattered: at least half of this, at most all.  `None` for what is usual in the dialect, which
    may be for ever."""

    relay_window: Count = 50_000
    """Items of our own announcing remembered, for all peers together."""

    # What to log

    log_messages: Switch = False
    """Whether every message is logged in a line, at level debug."""

    log_bytes: Switch = False
    """Whether every message is logged in full, decoded and as a hexdump."""

    def __post_init__(self) -> None:
        for name, (rule, optional) in _RULES.items():
            value = getattr(self, name)
            if not (rule.allows(value) or (optional and value is None)):
                expected = f"{rule.expected}, or None" if optional else rule.expected
                raise InvalidSetting(name, value, expected)
        if self.pause_queue > self.max_queue:
            expected = f"at most max_queue, which is {self.max_queue}"
            raise InvalidSetting("pause_queue", self.pause_queue, expected)
        pace = self.pace
        if pace.idle_timeout <= pace.ping_interval * 1.1:  # R-C8
            expected = f"clearly more than ping_interval, which is {pace.ping_interval:g}"
            raise InvalidSetting("idle_timeout", pace.idle_timeout, expected)
        self._check_versions()
        self._check_preferences()

    @property
    def pace(self) -> Pace:
        """That of the dialect, as far as nothing else is set."""
        usual, trickle = self.network.dialect.pace, self.trickle_interval
        return Pace(
            ping_interval=self.ping_interval or usual.ping_interval,
            idle_timeout=self.idle_timeout or usual.idle_timeout,
            trickle_interval=usual.trickle_interval if trickle is None else (trickle, trickle),
            known_for=self.known_for or usual.known_for,
        )

    def _check_versions(self) -> None:
        low, high = self.network.dialect.min_version, self.network.dialect.protocol_version
        for name in ("protocol_version", "min_version"):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidSetting(name, value, f"a version from {low} to {high}, or None")
            high = value or high

    def _check_preferences(self) -> None:
        dialect = self.network.dialect
        for wish in self.preferences or ():
            known = type(wish) in set(dialect.registry) - dialect.negotiation
            if not known or wish.command in ("version", "verack"):
                expected = f"messages that {dialect.name} has after the handshake"
                raise InvalidSetting("preferences", wish, expected)
            try:
                wish.encode()
            except Unencodable as error:
                raise InvalidSetting("preferences", wish, f"something else: {error}") from None


def _rules() -> dict[str, tuple[Rule, bool]]:
    """Return the rule for each setting, and whether it may be `None` instead."""
    rules = {}
    for name, hint in get_type_hints(PeerConfig, include_extras=True).items():
        choices = get_args(hint)
        optional = type(None) in choices
        annotated = choices[0] if optional else hint
        rules[name] = annotated.__metadata__[0], optional
    return rules


_RULES = _rules()
