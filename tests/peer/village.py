"""A language with manners, for machines: what `tests.toy` has, and a case of every rule.

The numbers are small and round, each node's nonces count up, and time stands still unless a test
says otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from bitpeer.dialect import Dialect, Greeting, Question, ServiceGate
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.bloom import FilterAdd
from bitpeer.messages.control import FeeFilter, MemPool, SendHeaders
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.peer.keepalive import Rhythm
from bitpeer.peer.machine import Event, PeerMachine
from bitpeer.peer.reactions import Etiquette
from bitpeer.peer.relay import RelayTable
from bitpeer.peer.terms import Terms
from bitpeer.peer.trickle import FlushTimes, Relay
from bitpeer.wire.fields import Uint8
from bitpeer.wire.framing import Envelope, Framing
from bitpeer.wire.message import Message, Unknown, message
from tests import toy
from tests.toy import Hello, Say

VERSION = 10
TALK, NEWS = 1, 2
"""Kinds of inventory; news cannot wait."""
FILTERS = 4
"""The bit of a service."""
FILTERS_KNOWN = 6
"""From this version on, who offers filters says so."""


@message("sendgifts", since=3)
class SendGifts(Message):
    """Ask for gifts; only during the handshake, and worth remembering."""


@message("feature")
class Feature(Message):
    """Announce something; only during the handshake."""

    number: Uint8


@message("gift", since=5, until=8)
class Gift(Message):
    """Give something, while that is the fashion."""


def said(text: bytes) -> bytes:
    """Return the hash by which a `Say` is asked for."""
    return text[:32].ljust(32, b".")


def named(items: Iterable[InvVect]) -> Iterator[Question]:
    """Yield the questions that *items* stand for."""
    for item in items:
        yield "say", item.hash


DIALECT = replace(
    toy.DIALECT,
    name="village",
    registry=toy.DIALECT.registry.extended(
        SendGifts, Feature, Gift, SendHeaders, FeeFilter, FilterAdd, GetData, NotFound, MemPool
    ),
    protocol_version=VERSION,
    min_version=2,
    announce=lambda version: (SendGifts(), Feature(version)),
    welcome=lambda version: (SendHeaders(), FeeFilter(version)),
    negotiation=frozenset({SendGifts, Feature}),
    preferences=frozenset({SendGifts, SendHeaders, FeeFilter}),
    urgent=frozenset({NEWS}),
    gates={FeeFilter: (4, None)},
    service_gates={FilterAdd: ServiceGate(FILTERS, FILTERS_KNOWN)},
    questions={
        GetData: lambda request: named(request.items),
        MemPool: lambda _: (("inv", b""),),
    },
    answers={
        Say: lambda answer: (("say", said(answer.text)),),
        NotFound: lambda answer: named(answer.items),
        Inv: lambda _: (("inv", b""),),
    },
)


def envelope(dialect: Dialect = DIALECT) -> Envelope:
    """Return what frames the language."""
    return Envelope(toy.MAGIC, dialect.checksum, dialect.registry, dialect.max_payload)


def make_terms(
    dialect: Dialect = DIALECT, *, services: int = 0, first_nonce: int = 1, **changes: Any
) -> Terms:
    """Return a node's terms, with some of them changed."""

    def greeting(now: float, nonce: int, receiver: NetAddress) -> Greeting:
        return Greeting(
            version=dialect.protocol_version,
            services=services,
            time=int(now),
            nonce=nonce,
            user_agent=b"/village:1/",
            receiver=receiver,
        )

    draw_nonce = count(first_nonce).__next__
    settings = {
        "dialect": dialect,
        "envelope": envelope(dialect),
        "etiquette": Etiquette(dialect, services),
        "relay": make_relay(),
        "rhythm": Rhythm(100.0, 300.0, 1_000.0, draw_nonce),
        "draw_nonce": draw_nonce,
        "greeting": greeting,
        "own_nonces": set(),
        "preferences": None,
        "min_version": dialect.min_version,
        "allow_self_connections": False,
        "tolerate_malformed": False,
        "handshake_timeout": 30.0,
        "max_handshake_payload": 1_000,
        "max_handshake_messages": 5,
        "max_requests": 8,
        "stall_timeout": 60.0,
        "transfer_grace": 20.0,
        "transfer_rate": 1_000.0,
    }
    return Terms(**settings | changes)


def make_relay(**changes: Any) -> Relay:
    """Return what the announcements of a node have in common, with some of it changed."""
    settings = {
        "table": RelayTable(1_000),
        "flush_times": FlushTimes((10.0, 10.0), lambda: 0.5),
        "batch": 1_000,
        "pending": 5_000,
        "total": 100_000,
        "known": 100,
    }
    return Relay(**settings | changes)


def make_machine(terms: Terms, *, outbound: bool = True, now: float = 0.0) -> PeerMachine:
    """Return a machine that has been connected."""
    framing = Framing(terms.envelope, terms.max_handshake_payload)
    machine = PeerMachine(terms, framing, outbound=outbound)
    machine.start(now)
    return machine


def hello(version: int = VERSION, **changes: Any) -> Hello:
    """Return a stranger's introduction."""
    return Hello(**{"version": version, "services": 0, "time": 0, "nonce": 1 << 60} | changes)


def framed(*messages: Message | Unknown) -> bytes:
    """Return *messages* as a peer would send them."""
    return b"".join(toy.frame(each.command.encode(), each.encode()) for each in messages)


def hear(machine: PeerMachine, *messages: Message | Unknown, now: float = 0.0) -> list[Event]:
    """Let the peer say *messages*; return what an application hears of it."""
    return list(machine.receive_data(framed(*messages), now))


def commands(data: Iterable[bytes]) -> list[str]:
    """Return the commands of all frames in *data*, taken apart by hand."""
    stream, found = b"".join(data), []
    while stream:
        length = int.from_bytes(stream[16:20], "little")
        assert stream[:4] == toy.MAGIC
        assert len(stream) >= 24 + length
        found.append(stream[4:16].rstrip(b"\0").decode())
        stream = stream[24 + length :]
    return found


def spoken(machine: PeerMachine) -> list[str]:
    """Return the commands of what the machine has to send; it is fetched."""
    return commands(machine.data_to_send())


def establish(
    terms: Terms,
    *,
    outbound: bool = True,
    now: float = 0.0,
    during: Iterable[Message | Unknown] = (),
    **introduction: Any,
) -> PeerMachine:
    """Return a machine whose handshake with a stranger is complete, and who has said its piece."""
    machine = make_machine(terms, outbound=outbound, now=now)
    hear(machine, hello(**introduction), *during, toy.VerAck(), now=now)
    assert machine.established, machine.failure
    machine.data_to_send()
    return machine


def item(number: int, kind: int = TALK) -> InvVect:
    """Return one of many objects."""
    return InvVect(kind, number.to_bytes(32, "little"))


def items(numbers: Iterable[int]) -> tuple[InvVect, ...]:
    """Return several objects."""
    return tuple(item(number) for number in numbers)
