"""A door that is opened from within the Tor network: an onion service, and its key."""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint, serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import InvalidSetting, TorUnavailable
from bitpeer.messages.onion import ONION, onion_key
from bitpeer.net.socks import NameAddress
from bitpeer.net.text import printable
from bitpeer.net.torcontrol import Control, new_talker

if TYPE_CHECKING:
    from bitpeer.net.tor import Tor

KEY_KIND = "ED25519-V3"
"""What Tor calls the keys of onion services of version 3."""
KEY_SIZE = 64
"""Bytes of such a key: the scalar and the prefix that a seed expands to (RFC 8032)."""

LOOPBACK = "127.0.0.1"
"""Where the port is that Tor connects to: nobody else's business."""

_SERVICE_ID = re.compile(r"^ServiceID=([a-z2-7]{56})$", re.MULTILINE)
_PUZZLE = " PoWDefensesEnabled=1"
_OTHER_VERSION = re.compile(r":version=(?!3(:|$))")
_UNKNOWN_ARGUMENT = "512"
"""How Tor begins to say that it does not know an argument, as those before 0.4.9 do."""


def new_key(random: Callable[[int], bytes] = token_bytes) -> str:
    """Return a new private key as Tor writes it.

    Args:
        random: returns so many unpredictable bytes.
    """
    expanded = bytearray(sha512(random(32)).digest())
    expanded[0] &= 0xF8
    expanded[31] = expanded[31] & 0x3F | 0x40
    return f"{KEY_KIND}:{b64encode(expanded).decode('ascii')}"


def kept_key(path: Path) -> str:
    """Return the private key in a file; if there is no such file, make it, its folder and a key.

    Raises:
        InvalidSetting: the file cannot be read or written, holds something else, or
            may be read by others.
    """
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _checked(path)
        key = new_key()
        with open(made, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        return key
    except OSError as error:
        expected = f"a file to keep a key in ({error.strerror})"
        raise InvalidSetting("onion key", str(path), expected) from error


def _checked(path: Path) -> str:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # reading from a pipe may take for ever
        raise InvalidSetting("onion key", str(path), "a plain file")
    if mode & 0o077:
        raise InvalidSetting("onion key", str(path), "a file that only its owner may read (0600)")
    kind, _, digits = path.read_text("ascii", "replace").strip().partition(":")
    try:
        fit = kind == KEY_KIND and len(b64decode(digits, validate=True)) == KEY_SIZE
    except ValueError:
        fit = False
    if not fit:
        raise InvalidSetting("onion key", str(path), f"a file with a key of kind {KEY_KIND}")
    return f"{kind}:{digits}"


class Onion:
    """One onion service, to be published by each Tor that there is while it lasts.

    Args:
        key: the private key, as Tor writes it.
        port: where the world finds it.
        local: where it leads to: host and port, on this machine.
    """

    def __init__(self, key: str, port: int, local: tuple[str, int]) -> None:
        self.port = port
        self.local = local
        self.name = ""
        """What the world calls it, once a Tor has told."""
        self._key = key

    def publish(self, control: Control) -> Deferred[None]:
        """Let a Tor publish it, with a puzzle for crowds at the door if it knows how.

        The Deferred fails with `TorUnavailable` if it does not want to.
        """
        host, port = self.local

        def ask(option: str) -> Deferred[str]:
            order = f"ADD_ONION {self._key}{option} Port={self.port},{host}:{port}"
            return control.command(order)

        def plainly(failure: Failure) -> Deferred[str]:
            refusal = failure.value
            assert isinstance(refusal, TorUnavailable)
            if control.failure is not None or not refusal.why.startswith(_UNKNOWN_ARGUMENT):
                raise refusal
            return ask("")

        def named(answer: str) -> None:
            found = _SERVICE_ID.search(answer)
            try:
                onion_key(name := f"{found[1]}{ONION}" if found else "")
            except ValueError:
                why = f"it tells no name: {printable(answer, 100)}"
                raise TorUnavailable(control.where, why) from None
            self.name = name

        return ask(_PUZZLE).addErrback(plainly).addCallback(named)

    def withdraw(self, control: Control) -> Deferred[None]:
        """Let a Tor forget it; the Deferred fires when it has, or is gone itself."""
        name, self.name = self.name.removesuffix(ONION), ""
        if not name:
            return succeed(None)
        return control.command(f"DEL_ONION {name}").addBoth(lambda _: None)


@implementer(IListeningPort)
class OnionPort:
    """The open door: a port on this machine, and what the world sees of it.

    Args:
        tor: publishes it.
        onion: what it is to the world.
        inner: the port that Tor connects to.
    """

    def __init__(self, tor: Tor, onion: Onion, inner: IListeningPort) -> None:
        self._tor = tor
        self._onion = onion
        self._inner = inner
        self.local = onion.local
        """Host and port on this machine: what `IPeer.local_address` is of whoever comes by Tor."""

    def getHost(self) -> NameAddress:  # noqa: N802
        """Return where the world finds it."""
        return NameAddress(self._onion.name, self._onion.port)

    def startListening(self) -> None:  # noqa: N802
        """It listens from the beginning."""

    def stopListening(self) -> Deferred[None]:  # noqa: N802
        """Withdraw the service and close the port; the Deferred fires when both are done."""
        return Deferred.fromCoroutine(_closed(self._tor, self._onion, self._inner))


async def _closed(tor: Tor, onion: Onion, inner: IListeningPort) -> None:
    await tor.remove_onion(onion)
    await maybeDeferred(inner.stopListening)


@implementer(IStreamServerEndpoint)
class OnionEndpoint:
    """Listens as an onion service, on 127.0.0.1 behind it.

    Nothing is opened or read before *tor* is started.  The Deferred of `listen` fires when
    Tor knows the service, be it minutes later; some seconds after that the world does.

    Args:
        reactor: Twisted's.
        tor: publishes it, and so does each Tor that comes after it.
        port: where the world finds it.
        key: the file where the private key is kept, so that the name stays; `None` for a
            new name each time.
    """

    def __init__(self, reactor: object, tor: Tor, port: int, key: Path | None = None) -> None:
        self._reactor = reactor
        self._tor = tor
        self._port = port
        self._key = key

    def __repr__(self) -> str:
        return f"onion:{self._port}"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803
        """Open the door; see `IStreamServerEndpoint`.

        It fails with `InvalidSetting` for the key, `TorUnavailable` if Tor refuses.
        """
        return Deferred.fromCoroutine(self._listen(protocolFactory))

    async def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        # Before, `twistd` may still be root, and what it wrote would be root's.
        await self._tor.when_started()
        key = new_key() if self._key is None else kept_key(self._key)
        inner = await TCP4ServerEndpoint(self._reactor, 0, interface=LOOPBACK).listen(factory)
        onion = Onion(key, self._port, (LOOPBACK, inner.getHost().port))
        try:
            await self._tor.add_onion(onion)
        except BaseException:
            await _closed(self._tor, onion, inner)
            raise
        return OnionPort(self._tor, onion, inner)


@implementer(IStreamServerEndpoint)
class TheirOnionEndpoint:
    """Listens as txtorcon's ``onion:`` descriptions say, with a Tor of txtorcon's own choice.

    It starts that Tor, or looks for it, as soon as it reads a description; here that
    is not before `listen`.

    Args:
        reactor: Twisted's.
        description: such as ``onion:8333:controlPort=9051``.

    Raises:
        MissingExtra: txtorcon is not installed.
    """

    def __init__(self, reactor: object, description: str) -> None:
        new_talker(None)
        self._reactor = reactor
        # txtorcon's own default is version 2, which no Tor publishes any more.
        self._description = description if "version=" in description else f"{description}:version=3"

    def __repr__(self) -> str:
        return self._description

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803
        """Open the door; see `IStreamServerEndpoint`."""

        def begin() -> Deferred[IListeningPort]:
            endpoint = serverFromString(self._reactor, self._description)
            return cast("Deferred[IListeningPort]", endpoint.listen(protocolFactory))

        return maybeDeferred(begin)


def onion_endpoint(
    reactor: object, description: str, tor: Tor | None = None, key: Path | None = None
) -> IStreamServerEndpoint:
    """Return the endpoint for a description that begins with ``onion:``.

    Args:
        reactor: Twisted's.
        description: ``onion:port`` for one of ours, on *tor*; with more in it, or without
            *tor*, it is txtorcon's to read.
        tor: if there is one.
        key: see `OnionEndpoint`.

    Raises:
        InvalidSetting: there is no port in it.
        MissingExtra: txtorcon is not installed.
    """
    kind, _, rest = description.partition(":")
    port, colon, _ = rest.removeprefix("public_port=").partition(":")
    if kind.lower() != "onion" or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidSetting("address", description, "onion:port, with a port from 1 to 65535")
    if _OTHER_VERSION.search(description):
        raise InvalidSetting("address", description, "version=3: Tor publishes no others any more")
    if tor is None or colon:
        return TheirOnionEndpoint(reactor, description)
    return OnionEndpoint(reactor, tor, int(port), key)
