"""A conversation with Tor's control port, in which the other side can fill no memory.

txtorcon does the talking: it introduces itself, authenticates, and matches replies with
commands.  What it reads passes through here first, because it trusts the other side: it
keeps a reply of any length, opens whatever file is called the cookie, and takes any
stumbling for a mistake of its own.  Whoever sits at a control port by accident, or poses
as a Tor, comes no further than `Control` lets them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol as Shape, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred, TimeoutError as TooLate, fail
from twisted.internet.error import ConnectError, ConnectionRefusedError as NobodyThere
from twisted.internet.interfaces import (
    IAddress,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from bitpeer.errors import MissingExtra, TorUnavailable
from bitpeer.net.text import printable

MAX_REPLY = 65_536
"""Most bytes of one reply or event, all its lines together (R-H2)."""
PATIENCE = 30.0
"""Seconds within which Tor must answer."""
COOKIE_SIZE = 32
"""Bytes of the file that proves who may command Tor."""

_LINE = re.compile(rb"[2-6][0-9]{2}[ +-]")
_METHODS = re.compile(r" METHODS=(\S+)")
_COOKIE_FILE = re.compile(r' COOKIEFILE=("(?:[^"\\]|\\.)*")')
_REFUSED = 515
"""Tor's code for a wrong password or cookie."""


T = TypeVar("T")


class Talker(Shape):
    """What is used of txtorcon's ``TorControlProtocol``."""

    post_bootstrap: Deferred[object]
    on_disconnect: Deferred[object] | None

    def makeConnection(self, transport: object) -> None: ...  # noqa: N802
    def lineReceived(self, line: bytes) -> None: ...  # noqa: N802
    def connectionLost(self, reason: Failure) -> None: ...
    def queue_command(self, cmd: str) -> Deferred[str]: ...
    def get_info_single(self, key: str) -> Deferred[str]: ...
    def add_event_listener(self, evt: str, callback: Callable[[str], None]) -> Deferred[object]: ...


def new_talker(password: str | None) -> Talker:
    """Return what txtorcon has for one connection.

    Raises:
        MissingExtra: txtorcon is not installed.
    """
    try:
        module = import_module("txtorcon.torcontrolprotocol")
    except ImportError:
        raise MissingExtra("Tor", "txtorcon", "tor") from None
    talker = cast(Talker, module.TorControlProtocol(None if password is None else lambda: password))
    talker.on_disconnect = None  # it warns of its own
    return talker


class Control(LineOnlyReceiver):
    """One connection to a control port.

    Args:
        where: the control port, as people write it.
        password: if the operator gave one; it is preferred to a cookie.
        clock: measures Tor's patience.
    """

    MAX_LENGTH = MAX_REPLY

    def __init__(self, where: str, password: str | None, clock: IReactorTime) -> None:
        self.where = where
        self.failure: TorUnavailable | None = None
        """Why this can be used no more, once that is so."""
        self._password = password
        self._clock = clock
        self._talker = new_talker(password)
        self._proof = "cookie"
        self._held = 0
        self._in_data = False
        self._gone = False
        self._lost: list[Deferred[TorUnavailable]] = []

    # What its owner asks

    def when_ready(self) -> Deferred[object]:
        """Return a Deferred that fires once Tor has let us in; it fails as `ask` does."""
        return self._answer(self._talker.post_bootstrap)

    def when_lost(self) -> Deferred[TorUnavailable]:
        """Return a Deferred that fires with the reason once the connection is gone."""
        lost: Deferred[TorUnavailable] = Deferred()
        if self._gone:
            lost.callback(cast(TorUnavailable, self.failure))
        else:
            self._lost.append(lost)
        return lost

    def ask(self, key: str) -> Deferred[str]:
        """Return a Deferred that fires with what GETINFO says of *key*.

        It fails with `TorUnavailable` if Tor says no, or nothing in time; after
        silence the connection is ended.
        """
        return self._answer(self._talker.get_info_single(key))

    def command(self, text: str) -> Deferred[str]:
        """Return a Deferred that fires with the answer to a command; it fails as `ask` does."""
        return self._answer(self._talker.queue_command(text))

    def hear(self, event: str, told: Callable[[str], None]) -> Deferred[object]:
        """Let *told* be called with the text of each *event*; the Deferred fails as `ask` does."""
        try:
            return self._answer(self._talker.add_event_listener(event, told))
        except RuntimeError:
            return fail(TorUnavailable(self.where, f"this Tor has no event {event}"))

    def close(self, why: str = "closed by this side") -> None:
        """End the connection at once; without effect if that has happened."""
        if self.failure is None:
            self.failure = TorUnavailable(self.where, why)
            cast(ITCPTransport, self.transport).abortConnection()

    # What the transport brings

    def connectionMade(self) -> None:
        """Let txtorcon introduce itself."""
        self._talker.makeConnection(self.transport)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Hand one line to txtorcon, if it is fit for that."""
        self._held += len(line)
        if self._held > MAX_REPLY:
            return self.close(f"what it says does not end within {MAX_REPLY} bytes")
        if self._in_data:
            self._in_data = line.strip() != b"."
        elif not _LINE.match(line):
            return self.close(f"no Tor control port: it says {printable(line, 60)}")
        elif line[3:4] == b"+":
            self._in_data = True
        elif line[3:4] == b" ":
            self._held = 0
        try:
            self._talker.lineReceived(self._with_one_method(line))
        except TorUnavailable as error:
            self.close(error.why)
        except Exception as error:  # txtorcon has many ways to be surprised
            self.close(f"it says what no Tor says: {printable(str(error), 200)}")
        return None

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        """Give up on somebody whose line has no end."""
        self.close(f"what it says does not end within {MAX_REPLY} bytes")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell everybody who waits."""
        if self.failure is None:
            self.failure = TorUnavailable(self.where, "it closed the connection")
        self._gone = True
        self._talker.connectionLost(reason)
        waiting, self._lost = self._lost, []
        for lost in waiting:
            lost.callback(self.failure)

    # Within

    def _answer(self, answer: Deferred[T]) -> Deferred[T]:
        def failed(failure: Failure) -> T:
            if failure.check(CancelledError):
                failure.raiseException()
            if failure.check(TooLate):
                self.close(f"no answer within {PATIENCE:.0f} seconds")
            raise self.failure or self._refusal(failure.value)

        return answer.addTimeout(PATIENCE, self._clock).addErrback(failed)

    def _refusal(self, error: BaseException | None) -> TorUnavailable:
        if getattr(error, "code", None) == _REFUSED:
            why = f"it refuses our {self._proof}: {printable(str(error))}"
            return TorUnavailable(self.where, why)
        return TorUnavailable(self.where, printable(str(error)))

    def _with_one_method(self, line: bytes) -> bytes:
        """Return *line*; of the ways to authenticate that it offers, only the one to use.

        txtorcon would read whatever file the other side names, be it a device without end.
        """
        if not line.startswith(b"250-AUTH "):
            return line
        text = line.decode("ascii")
        found = _METHODS.search(text)
        offered = set(found[1].split(",")) if found else set()
        if "NULL" in offered:
            return b"250-AUTH METHODS=NULL"
        if "HASHEDPASSWORD" in offered and self._password is not None:
            self._proof = "password"
            return b"250-AUTH METHODS=HASHEDPASSWORD"
        if "COOKIE" in offered and "SAFECOOKIE" not in offered:
            # No Tor since 2012 does, but whoever wants to see what some file holds.
            raise TorUnavailable(
                self.where, "it wants to see the cookie, and proves nothing itself"
            )
        if "SAFECOOKIE" not in offered:
            raise TorUnavailable(self.where, "it wants a password, and none was given")
        named = _COOKIE_FILE.search(text)
        path = _unquoted(named[1]) if named else ""
        if problem := cookie_problem(path):
            why = f"its cookie {printable(path, 100)} cannot be read ({problem})"
            if "HASHEDPASSWORD" in offered:
                why += ", and no password was given"
            raise TorUnavailable(self.where, why)
        assert named is not None
        return f"250-AUTH METHODS=SAFECOOKIE{named[0]}".encode("ascii")


def _unquoted(text: str) -> str:
    """Return the path behind a quoted string, as txtorcon will read it."""
    return cast(str, import_module("txtorcon.util").unescape_quoted_string(text))


def cookie_problem(path: str) -> str:
    """Return what keeps us from reading the cookie; nothing if it can be read."""
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != COOKIE_SIZE:
            return "it is no cookie"
        with Path(path).open("rb"):
            return ""
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "it is no path"


def connect_control(
    endpoint: IStreamClientEndpoint, where: str, password: str | None, clock: IReactorTime
) -> Deferred[Control]:
    """Return a Deferred that fires with a `Control` that Tor has let in.

    It fails with `TorUnavailable`, which says exactly why not.

    Args:
        endpoint: Tor's control port.
        where: the same, as people write it.
        password: if the operator gave one.
        clock: measures Tor's patience.

    Raises:
        MissingExtra: txtorcon is not installed.
    """
    control = Control(where, password, clock)
    return Deferred.fromCoroutine(_let_in(endpoint, control))


class _Only(Factory):
    """Lends one connection its protocol."""

    noisy = False

    def __init__(self, control: Control) -> None:
        self._control = control

    def buildProtocol(self, addr: IAddress | None) -> Control:
        return self._control


async def _let_in(endpoint: IStreamClientEndpoint, control: Control) -> Control:
    try:
        await endpoint.connect(_Only(control))
    except (ConnectError, OSError) as error:
        raise TorUnavailable(control.where, _nobody(error)) from error
    try:
        await control.when_ready()
    except BaseException:
        control.close()
        raise
    return control


def _nobody(error: BaseException) -> str:
    """Return why nothing answers, in words."""
    if isinstance(error, NobodyThere):
        return "nobody listens there"
    code = getattr(error, "osError", None)
    return printable(os.strerror(code) if isinstance(code, int) else str(error))
