"""Tor's control port: whoever sits there, nothing is left behind and nothing goes wrong unseen.

An input says what is answered to each command, what is said unasked, and how the time passes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator
from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, Logger, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.net.journal import Journal
from bitpeer.net.onion import Onion
from bitpeer.net.tor import ControlPlace, Tor
from bitpeer.net.torcontrol import MAX_REPLY
from fuzz.node import built_by
from fuzz.script import Script
from fuzz.target import Target, expect

NAME = b"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
"""A service's, without its ending: that of the Tor Project's own site (from its documents)."""
REPLIES = {
    b"PROTOCOLINFO": b"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n",
    b"GETINFO signal/names": b"250-signal/names=RELOAD\r\n250 OK\r\n",
    b"GETINFO version": b"250-version=0.4.9.11\r\n250 OK\r\n",
    b"GETINFO events/names": b"250-events/names=STATUS_CLIENT CIRC\r\n250 OK\r\n",
    b"GETINFO net/listeners/socks": b'250-net/listeners/socks="127.0.0.1:9050"\r\n250 OK\r\n',
    b"GETINFO status/bootstrap-phase": b"250-status/bootstrap-phase=NOTICE BOOTSTRAP "
    b'PROGRESS=5 TAG=conn SUMMARY="Connecting"\r\n250 OK\r\n',
    b"ADD_ONION": b"250-ServiceID=" + NAME + b"\r\n250 OK\r\n",
    b"": b"250 OK\r\n",
}
"""What a Tor says to commands that begin so."""
WORDS = (
    b'650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"\r\n',
    b"650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=50 TAG=x\r\n",
    b'250-AUTH METHODS=SAFECOOKIE,HASHEDPASSWORD COOKIEFILE="/nowhere/cookie"\r\n',
    b"250-AUTH METHODS=COOKIE\r\n",
    b"250+data=\r\nline\r\n.\r\n250 OK\r\n",
    b"650+CIRC\r\nline\r\n.\r\n650 OK\r\n",
    b"650-CIRC 1\r\n650 OK\r\n",
    b"515 Bad authentication\r\n",
    b"552 Unrecognized\r\n",
    b"250 OK\r\n",
    b"250-AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=00\r\n",
    b"x" * (MAX_REPLY + 1),
)
"""What somebody may say at any moment."""
MAX_STEPS = 40
MAX_COMMANDS = 60
SECONDS = (0, 1, 29, 31, 3_600)


def try_one(data: bytes) -> Hashable:
    """Play one script."""
    unseen: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            unseen.append(failure.getTraceback())

    globalLogPublisher.addObserver(observe)
    try:
        outcome = Play(Script(data)).play()
        gc.collect(1)  # a failure that nobody has looked at is logged when it is collected
    finally:
        globalLogPublisher.removeObserver(observe)
    expect(not unseen, "".join(unseen))
    return outcome


class Play:
    """A Tor as a script wants it, and what is made of it here."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.clock = Clock()
        self.wires: list[Wire] = []
        self.commands = 0
        self.waiting: list[object] = []
        self.fired: list[object] = []
        self.states: set[str] = set()
        self.tor = Tor(
            self.clock,
            Journal(Logger(), self.clock.seconds),
            places=[ControlPlace("here", Place(self))],
            password=script.pick((None, "secret")),
            retry=lambda failures: 5.0 * failures,
        )
        self.steps: tuple[Callable[[], None], ...] = (
            self.say, self.say, self.say, self.let_time_pass, self.wait_for_it, self.publish,
            self.withdraw, self.hang_up,
        )  # fmt: skip

    def play(self) -> Hashable:
        """Do all of it; return what was seen."""
        self.tor.startService()
        for _ in range(MAX_STEPS):
            if not self.script:
                break
            self.script.pick(self.steps)()
            self.states.add(self.tor.state.name)
            expect(0 <= self.tor.progress <= 100, "it has come further than one can")
            expect(len(self.tor.version) <= 100, "its version has no end")
        stopped: list[object] = []
        self.tor.stopService().addBoth(stopped.append)
        self.clock.pump([0, 0, 0, 61])
        expect(stopped == [None], f"it is not stopped: {stopped}")
        expect(len(self.fired) == len(self.waiting), "somebody waits for ever")
        expect(not self.clock.getDelayedCalls(), "a timer is left")
        expect(all(wire.lost for wire in self.wires), "a connection is left")
        return tuple(sorted(self.states)), self.commands, len(self.wires)

    def say(self) -> None:
        if self.wires:
            said = self.script.pick(WORDS)
            if self.script.flag():
                at = self.script.number(len(said))
                said = said[:at] + self.script.blob(40) + said[at + self.script.number(9) :]
            for piece in self.script.cut(said[:1_000]) if len(said) < 1_000 else [said]:
                self.wires[-1].hear(piece)

    def let_time_pass(self) -> None:
        self.clock.advance(self.script.pick(SECONDS))

    def wait_for_it(self) -> None:
        up = self.tor.when_up()
        self.waiting.append(up)
        up.addBoth(self.fired.append)
        if self.script.flag():
            up.cancel()

    def publish(self) -> None:
        self.tor.add_onion(Onion("ED25519-V3:key", 8_333, ("127.0.0.1", 1))).addErrback(
            lambda _: None
        )

    def withdraw(self) -> None:
        for onion in list(self.tor.onions)[:1]:
            expect(onion[0].endswith(".onion"), "it has a name that is none")

    def hang_up(self) -> None:
        if self.wires:
            self.wires[-1].lose()

    def answer(self, wire: Wire, command: bytes) -> None:
        """Answer one command, or not."""
        self.commands += 1
        if self.commands > MAX_COMMANDS:
            return
        reply = next(reply for start, reply in REPLIES.items() if command.startswith(start))
        how = self.script.number(8)
        if how == 5:
            at = self.script.number(len(reply))
            reply = reply[:at] + self.script.blob(30) + reply[at + self.script.number(20) :]
        elif how == 6:
            reply = self.script.pick(WORDS)
        elif how == 7:
            reply = self.script.blob(40) + b"\r\n"
        wire.hear(reply)


@implementer(IStreamClientEndpoint)
class Place:
    """A control port."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Be there at once."""
        wire = Wire(self._play, built_by(protocolFactory))
        self._play.wires.append(wire)
        wire.protocol.makeConnection(wire)
        return succeed(cast(IProtocol, wire.protocol))


class Wire(StringTransport):
    """A connection to a control port."""

    def __init__(self, play: Play, protocol: Protocol) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.lost = False
        self.protocol = protocol
        self._play = play

    def write(self, data: bytes) -> None:
        """Let a command be answered."""
        if not self.lost and not self.disconnecting:
            self._play.answer(self, data)

    def hear(self, data: bytes) -> None:
        """Let something be said to our side."""
        if not self.lost and not self.disconnecting:
            self.protocol.dataReceived(data)

    def abortConnection(self) -> None:  # noqa: N802
        """Be closed in a moment."""
        self.disconnecting = True
        self._play.clock.callLater(0, self.lose)

    def lose(self) -> None:
        """Be gone, once."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


def seeds() -> Iterator[bytes]:
    """Return talks that begin well."""
    for password in range(2):
        begin = bytes((password,))
        for good in range(12):
            for bad in (5, 6, 7):
                yield begin + bytes(7) + bytes(good) + bytes((bad, 3)) + b"abc" * 3 + bytes(8)
        for step in range(8):
            for word in range(len(WORDS)):
                yield begin + bytes(2) + bytes((step, word, 0, 0)) * 4


TOR_CONTROL = Target(
    name="tor-control",
    says="what Tor says at its control port",
    try_one=try_one,
    seeds=seeds,
    max_size=1_024,
)
