"""What a machine does by itself with each kind of message, and what it may send."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol as Shape

from bitpeer.dialect import Dialect, Question
from bitpeer.errors import RemoteError, Unexpected, Unwanted
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inventory import Inv
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.keepalive import Keepalive
from bitpeer.peer.speaker import Speaker
from bitpeer.peer.trickle import Trickle
from bitpeer.wire.message import Malformed, Message, Unknown


class Conversation(Shape):
    """An established machine, as far as a reaction may reach into it."""

    now: float
    negotiated_version: int
    keepalive: Keepalive | None
    trickle: Trickle | None
    deadlines: Deadlines | None
    stirred: bool

    def new_trickle(self) -> Trickle: ...
    def wish_received(self, wish: Message) -> None: ...
    def fail(self, reason: RemoteError) -> None: ...


Reaction = Callable[[Any, Any, bytes, bytes], bool]
"""Given the `Conversation`, a message, its payload and checksum, does what is to be done; returns
whether the application is to hear of the message."""

Questions = Callable[[Any], Iterable[Question]]


class Rule(NamedTuple):
    """What is to be heeded before a message of one kind is sent, and after."""

    needs: str = ""
    """What this conversation lacks, in words; then it cannot be sent."""
    service: int = 0
    """Bits of which the peer must offer one, if there are any."""
    questions: Questions | None = None
    """What the peer will owe an answer to."""
    limit: int | None = None
    """Most bytes of its payload, where its fields alone could make more."""


class Manners:
    """How to treat each kind of message at one negotiated version.

    Args:
        dialect: the language.
        services: bits that this side offers.
        version: the negotiated version, or any other that has the same messages.
    """

    __slots__ = ("early", "reactions", "rules")

    def __init__(self, dialect: Dialect, services: int, version: int) -> None:
        self.early: frozenset[type] = frozenset(
            {Unknown, Malformed}.union(
                kind
                for kind in dialect.negotiation | dialect.preferences
                if dialect.speaks(kind, version)
            )
        )
        """What an application may hear of between `version` and `verack`."""
        self.reactions = _reactions(dialect, services, version)
        """What to do with each kind of message after `verack`; `None` is to pass it on."""
        self.rules = {
            kind: rule
            for kind in {*dialect.registry, *dialect.gates, *dialect.questions}
            if (rule := _rule(dialect, kind, version)) != Rule()
        }
        """What to heed when sending, for each kind of message that has such a rule."""


class Etiquette:
    """The manners of one node at every version, worked out when they are first needed.

    Versions between which no message appears or disappears share theirs: what
    versions peers make up costs nothing.

    Args:
        dialect: the language.
        services: bits that this side offers.
    """

    __slots__ = ("_dialect", "_known", "_services", "_turns")

    def __init__(self, dialect: Dialect, services: int) -> None:
        gates = [
            *((kind.since, kind.until) for kind in dialect.registry),
            *dialect.gates.values(),
            *((gate.hang_up_from, None) for gate in dialect.service_gates.values()),
        ]
        self._turns = sorted({version for gate in gates for version in gate if version is not None})
        self._dialect = dialect
        self._services = services
        self._known: dict[int, Manners] = {}

    def at(self, version: int) -> Manners:
        """Return the manners at the negotiated *version*."""
        era = bisect_right(self._turns, version)
        manners = self._known.get(era)
        if manners is None:
            manners = self._known[era] = Manners(self._dialect, self._services, version)
        return manners


def _rule(dialect: Dialect, kind: type[Message], version: int) -> Rule:
    needs = ""
    if kind in dialect.negotiation or kind.command in ("version", "verack"):
        needs = "a handshake under way"
    elif not dialect.speaks(kind, version):
        needs = "another protocol version"
    gate = dialect.service_gates.get(kind)
    service = gate.service if gate is not None and version >= gate.hang_up_from else 0
    limit = dialect.registry.limits.get(kind)
    return Rule(needs, service, dialect.questions.get(kind), limit)


def _reactions(dialect: Dialect, services: int, version: int) -> dict[type, Reaction | None]:
    table: dict[type, Reaction | None] = dict.fromkeys((*dialect.registry, Unknown, Malformed))
    table |= {Ping: Speaker.answer_ping, Pong: _ponged, Inv: _announced}
    for kind in dialect.preferences:
        table[kind] = _after(table.get(kind), _preferred)
    for kind, answers in dialect.answers.items():
        table[kind] = _after(table.get(kind), _answering(answers))
    for kind in dialect.registry:
        gate = dialect.service_gates.get(kind)
        if kind in dialect.negotiation or kind.command in ("version", "verack"):
            table[kind] = _too_late
        elif dialect.strict_versions and not dialect.speaks(kind, version):
            table[kind] = _not_spoken
        elif gate is not None and not services & gate.service:
            table[kind] = _unwanted if version >= gate.hang_up_from else _ignored
    if dialect.strict_commands:
        table[Unknown] = _not_known
    return table


def _after(first: Reaction | None, second: Reaction) -> Reaction:
    """Return the reaction that consists of both."""
    if first is None:
        return second

    def both(machine: Conversation, message: Message, payload: bytes, checksum: bytes) -> bool:
        first(machine, message, payload, checksum)
        return second(machine, message, payload, checksum)

    return both


def _ponged(machine: Conversation, pong: Pong, _: bytes, __: bytes) -> bool:
    keepalive = machine.keepalive
    if keepalive is not None and keepalive.pong_received(pong.nonce, machine.now):
        machine.stirred = True  # the next ping may have waited for this
    return True


def _announced(machine: Conversation, inv: Inv, _: bytes, __: bytes) -> bool:
    (machine.trickle or machine.new_trickle()).learned(inv.items)
    return True


def _preferred(machine: Conversation, wish: Message, _: bytes, __: bytes) -> bool:
    machine.wish_received(wish)
    return True


def _answering(answers: Questions) -> Reaction:
    def answered(machine: Conversation, answer: Message, _: bytes, __: bytes) -> bool:
        deadlines = machine.deadlines
        if deadlines is None:
            return True
        try:
            deadlines.answered(answers(answer))
        except RemoteError as reason:  # a view that was never looked into may be no answer
            machine.fail(reason)
            return False
        if not deadlines:
            machine.deadlines = None
        return True

    return answered


def _too_late(machine: Conversation, message: Message, _: bytes, __: bytes) -> bool:
    machine.fail(Unexpected(message.command, "came after verack"))
    return False


def _not_spoken(machine: Conversation, message: Message, _: bytes, __: bytes) -> bool:
    version = machine.negotiated_version
    machine.fail(Unexpected(message.command, f"is not part of version {version}"))
    return False


def _not_known(machine: Conversation, message: Unknown, _: bytes, __: bytes) -> bool:
    machine.fail(Unexpected(message.command, "is not a message of this network"))
    return False


def _unwanted(machine: Conversation, message: Message, _: bytes, __: bytes) -> bool:
    machine.fail(Unwanted(message.command))
    return False


def _ignored(*_: object) -> bool:
    return False
