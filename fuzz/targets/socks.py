"""The client of a SOCKS5 proxy: whatever a proxy says, a dial ends once, and in good order.

An input says what is dialled and with which credentials; all that is left is what the proxy says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import ProxyFailed, ProxyRefused, TimedOut
from bitpeer.net.socks import Proxy, Socks5Endpoint, resolve
from bitpeer.net.socks5 import MAX_FIELD, Command, Credentials, Negotiation
from fuzz.node import built_by
from fuzz.script import Script
from fuzz.target import Target, expect

HOSTS = ("192.0.2.1", "2001:db8::1", "seed.example", "a" * 56 + ".onion")
CREDENTIALS = (None, Credentials("u", "p"))
LONGEST = 2 + MAX_FIELD
"""Bytes of the longest piece of an answer."""
Outcome = tuple[str, bytes, bytes, str | None]
"""How a negotiation ended, what was said, what was left, and the address."""


def try_one(data: bytes) -> Hashable:
    """Talk to one proxy: first in our own words, then as Twisted does."""
    script = Script(data)
    command, host = script.pick(list(Command)), script.pick(HOSTS)
    credentials, insist, by_name = script.pick(CREDENTIALS), script.flag(), script.flag()
    cancel, lose = script.flag(), script.flag()
    cuts = Script(script.take(8))
    said = script.rest()

    def negotiation() -> Negotiation:
        return Negotiation(command, host, 8_333, credentials, insist=insist, by_name=by_name)

    outcome = negotiate(negotiation(), [said])
    pieces = cuts.cut(said)
    in_pieces = negotiate(negotiation(), pieces)
    expect(in_pieces == outcome, "in pieces it means something else")
    proxy = Proxy(endpoint=Wire(), credentials=credentials, isolate=insist, is_tor=by_name)
    dial(proxy, command, host, pieces, cancel=cancel, lose=lose)
    return outcome[0], len(outcome[1]), bool(outcome[2]), outcome[3] is None


def negotiate(negotiation: Negotiation, pieces: list[bytes]) -> Outcome:
    """Let a proxy say *pieces*; return what comes of it."""
    answered = b""
    for at, piece in enumerate(pieces):
        try:
            answered += negotiation.receive(piece)
        except (ProxyFailed, ProxyRefused) as error:
            expect(len(str(error)) < 200, "a complaint has no end")
            return str(error), b"", b"", None
        if negotiation.done:
            rest = negotiation.rest + b"".join(pieces[at + 1 :])
            return "done", answered, rest, negotiation.address
        expect(len(negotiation.rest) < LONGEST, "it keeps what it should look at")
    return "waits", answered, b"", None


class Line(StringTransport):
    """A connection, which has a protocol, as those of Twisted's reactors do."""

    protocol: Protocol


@implementer(IStreamClientEndpoint)
class Wire:
    """The way to a proxy."""

    def __init__(self) -> None:
        self.transport = Line()  # type: ignore[no-untyped-call]  # Twisted's

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Be there at once."""
        protocol = self.transport.protocol = built_by(protocolFactory)
        protocol.makeConnection(self.transport)
        return succeed(cast(IProtocol, protocol))


class Told(Protocol):
    """What a connection is wanted for."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost = 0

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.lost += 1


def dial(
    proxy: Proxy, command: Command, host: str, pieces: list[bytes], *, cancel: bool, lose: bool
) -> None:
    """Dial through a proxy that says *pieces*, until it ends one way or the other."""
    clock, told, wire = Clock(), Told(), proxy.endpoint
    assert isinstance(wire, Wire)
    found: list[object] = []
    wanted: Deferred[Any]
    if command is Command.CONNECT:
        factory = Factory.forProtocol(lambda: told)
        wanted = Socks5Endpoint(clock, proxy, host, 8_333, timeout=60).connect(factory)
    else:
        wanted = resolve(clock, proxy, host, timeout=60)
    wanted.addBoth(found.append)
    for piece in pieces:
        if wire.transport.disconnecting or wire.transport.disconnected:
            break
        wire.transport.protocol.dataReceived(piece)
    if cancel:
        wanted.cancel()
    if lose:
        wire.transport.protocol.connectionLost(Failure(ConnectionDone()))
    clock.advance(61)
    expect(len(found) == 1, f"it has {len(found)} ends")
    expect(not clock.getDelayedCalls(), "a timer is left")
    (end,) = found
    if isinstance(end, Failure):
        known = ("ProxyFailed", "ProxyRefused", "TimedOut", "ConnectingCancelledError")
        expect(type(end.value).__name__ in known, f"it fails with {end.value!r:.200}")
        expect(not told.heard, "one hears what is not meant for it")
        if not end.check(TimedOut):
            return
    elif command is Command.CONNECT:
        expect(end is told, "it is another protocol")
        expect(b"".join(pieces).endswith(told.heard), "it hears something else")
        expect(told.lost == lose, "it is lost so many times")


def seeds() -> Iterator[bytes]:
    """Return what proxies say."""
    replies = (
        b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50",
        b"\x05\x00\x00\x04" + bytes(16) + b"\x00\x50",
        b"\x05\x00\x00\x03\x04name\x00\x50",
        b"\x05\xf6\x00\x01" + bytes(6),
    )
    for head in range(128):
        settings = bytes(head >> bit & 1 for bit in range(7)) + bytes(8)
        for reply in replies:
            yield settings + b"\x05\x00" + reply + b"hello"
            yield settings + b"\x05\x02\x01\x00" + reply + b"hello"


SOCKS = Target(
    name="socks", says="what a SOCKS5 proxy answers", try_one=try_one, seeds=seeds, max_size=700
)
