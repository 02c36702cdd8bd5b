"""A Tor to dial through and to be dialled through, found or started, and found again when lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from ipaddress import ip_address
from secrets import SystemRandom
from typing import NamedTuple, cast

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.task import deferLater
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import DisconnectReason, InvalidSetting, TorUnavailable
from bitpeer.net.journal import Journal
from bitpeer.net.onion import LOOPBACK, Onion
from bitpeer.net.places import is_socket_path, split_host_port
from bitpeer.net.socks import Proxy, resolve
from bitpeer.net.text import printable
from bitpeer.net.torcontrol import Control, connect_control, new_talker
from bitpeer.net.torlaunch import TorProcess

CONTROL_PORT = 9051
"""Where Tor takes commands, unless it is told otherwise."""
USUAL_PLACES = ("unix:/run/tor/control", "127.0.0.1:9051", "127.0.0.1:9151")
"""Where a Tor that runs already may take commands: Debian's, anybody's, Tor Browser's."""
SOON, AT_MOST = 1.0, 60.0
"""Seconds, at first and at most, before a Tor is looked for again."""

_PROGRESS = re.compile(r"PROGRESS=([0-9]{1,3})\b")
_SUMMARY = re.compile(r'SUMMARY="([^"]*)"')
_RETRY = backoffPolicy(SOON / 2, AT_MOST, 2.0, SystemRandom().random)


class TorState(Enum):
    """What there is of a Tor.  The value is the phrase shown to people."""

    OFF = "not started"
    SOUGHT = "looking for a Tor"
    BOOTSTRAPPING = "on its way into the Tor network"
    UP = "up"
    GONE = "gone"


class ControlPlace(NamedTuple):
    """Where a Tor takes commands."""

    name: str
    """As people write it."""
    endpoint: IStreamClientEndpoint


def control_place(reactor: object, text: str) -> ControlPlace:
    """Return the control port that *text* means.

    Args:
        reactor: Twisted's.
        text: ``port``, ``host:port`` or ``unix:/path``; without a port it is 9051.

    Raises:
        InvalidSetting: it is none of these.
    """
    if text.startswith("unix:") and is_socket_path(path := text.removeprefix("unix:")):
        return ControlPlace(text, UNIXClientEndpoint(reactor, path))
    bare = text.removeprefix("tcp:")
    try:
        host, port = split_host_port(
            f"{LOOPBACK}:{bare}" if bare.isdecimal() else bare, CONTROL_PORT
        )
    except InvalidSetting:
        expected = "a port, host:port or unix:/path"
        raise InvalidSetting("tor control port", text, expected) from None
    host = LOOPBACK if host == "localhost" else host
    return ControlPlace(f"{host}:{port}", _tcp(reactor, host, port))


def usual_places(reactor: object) -> list[ControlPlace]:
    """Return where a Tor that runs already may take commands."""
    return [control_place(reactor, text) for text in USUAL_PLACES]


class Tor(Service):
    """Keeps a Tor at hand: joins one that runs, or starts one, and does so again when it is lost.

    While there is none, whoever wants to dial hears at once why.  While one is on its
    way, they wait.

    Args:
        reactor: Twisted's.
        journal: is told what becomes of the Tor.
        places: control ports of Tors that may run already, asked in this order.
        password: for their control ports, if they want one; they may have a cookie instead.
        process: a Tor to start if none of the places has one.
        retry: returns the seconds to wait after so many failures in a row.

    Raises:
        MissingExtra: txtorcon is not installed.
    """

    def __init__(
        self,
        reactor: object,
        journal: Journal,
        *,
        places: Sequence[ControlPlace] = (),
        password: str | None = None,
        process: TorProcess | None = None,
        retry: Callable[[int], float] = _RETRY,
    ) -> None:
        new_talker(None)  # better to hear of a missing package now than when it is needed
        self._reactor = reactor
        self._clock = cast(IReactorTime, reactor)
        self._journal = journal
        self._places = list(places)
        self._password = password
        self._process = process
        self._retry = retry
        self._keeping: Deferred[None] | None = None
        self._control: Control | None = None
        self._socks: IStreamClientEndpoint | None = None
        self._starting: list[Deferred[None]] = []
        self._waiting: list[Deferred[IStreamClientEndpoint]] = []
        self._onions: dict[Onion, Deferred[None]] = {}
        self._lost = TorUnavailable("Tor", TorState.OFF.value)
        self._complaint = ""
        self.state = TorState.OFF
        """What there is now."""
        self.progress = 0
        """Per cent of Tor's way into its network."""
        self.version = ""
        """Of the Tor in use."""
        self.proxy = Proxy(endpoint=_SocksPort(self), is_tor=True)
        """Tor's SOCKS port, wherever that is when somebody dials; each peer gets a circuit."""

    def startService(self) -> None:
        Service.startService(self)
        self._keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.addErrback(lambda failure: failure.trap(CancelledError) and None)
        starting, self._starting = self._starting, []
        for waiter in starting:
            waiter.callback(None)

    def stopService(self) -> Deferred[None]:
        """Let go of the Tor; the Deferred fires when it has ended, if it was started here."""
        Service.stopService(self)
        keeping, self._keeping = self._keeping, None
        return Deferred.fromCoroutine(self._part(keeping))

    async def _part(self, keeping: Deferred[None] | None) -> None:
        if keeping is not None:
            # Who stops this may have been called by what is to end, which must be waiting then.
            await deferLater(self._clock, 0)
            parted = None if self._control is None else self._control.when_lost()
            keeping.cancel()
            if parted is not None:
                await parted
        self._ended(TorState.OFF, TorUnavailable("Tor", "this program ends"))
        if self._process is not None:
            await self._process.stop()

    @property
    def why(self) -> str:
        """What is the matter, while there is no Tor."""
        return str(self._lost) if self.state is TorState.GONE else ""

    @property
    def onions(self) -> list[tuple[str, int]]:
        """Names and ports of the onion services that a Tor has taken on."""
        return [(onion.name, onion.port) for onion in self._onions if onion.name]

    def when_started(self) -> Deferred[None]:
        """Return a Deferred that fires once this service runs, or at once if it does."""
        if self.running:
            return succeed(None)
        self._starting.append(Deferred())
        return self._starting[-1]

    def when_up(self) -> Deferred[IStreamClientEndpoint]:
        """Return a Deferred that fires with the SOCKS port once Tor is in its network.

        It fails with `TorUnavailable` as soon as it is known that there is no Tor.
        """
        if self.state is TorState.UP:
            return succeed(cast(IStreamClientEndpoint, self._socks))
        if self.state is TorState.GONE:
            return fail(self._lost)
        waiter: Deferred[IStreamClientEndpoint] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def resolve(self, name: str) -> Deferred[str]:
        """Return a Deferred that fires with an address of *name*, looked up by an exit of Tor's.

        It fails as `bitpeer.net.socks.resolve` does.
        """
        return resolve(self._reactor, self.proxy, name)

    # Onion services

    def add_onion(self, onion: Onion) -> Deferred[None]:
        """Publish an onion service now, or as soon as there is a Tor, and with each new one.

        Returns:
            A Deferred that fires when the first Tor knows it, and fails with
            `TorUnavailable` if that refuses.
        """
        published: Deferred[None] = Deferred()
        self._onions[onion] = published
        if self._control is not None:
            self._publish(onion, self._control)
        return published

    def remove_onion(self, onion: Onion) -> Deferred[None]:
        """Withdraw an onion service; the Deferred fires when that is done."""
        self._onions.pop(onion, None)
        return succeed(None) if self._control is None else onion.withdraw(self._control)

    def _publish(self, onion: Onion, control: Control) -> None:
        first = self._onions[onion]

        def refused(failure: Failure) -> None:
            if control.failure is not None:
                return  # the next Tor will be asked
            if not first.called:
                first.errback(failure)
                return
            text = "Tor does not publish {name} again: {why}"
            self._journal.emit(LogLevel.error, text, name=onion.name, why=str(failure.value))

        def published(_: None) -> None:
            if not first.called:
                first.callback(None)

        onion.publish(control).addCallbacks(published, refused)

    # Finding, following, losing

    async def _keep(self) -> None:
        failures = 0
        while True:
            self._enter(TorState.SOUGHT)
            try:
                lost = await self._follow(await self._join())
            except TorUnavailable as error:
                lost = error
            except CancelledError:
                raise
            except Exception as error:
                self._journal.failure("the search for a Tor failed; it goes on", error)
                lost = TorUnavailable("Tor", DisconnectReason.INTERNAL.value)
            failures = 1 if self.state is TorState.UP else failures + 1
            wait = self._retry(failures)
            self._mourn(lost, wait)
            await deferLater(self._clock, wait)

    async def _join(self) -> Control:
        """Return the connection to the first Tor that lets us in, or to one that is started."""
        problems: list[TorUnavailable] = []
        for name, endpoint in self._places:
            try:
                return await connect_control(endpoint, name, self._password, self._clock)
            except TorUnavailable as error:
                problems.append(error)
        if self._process is not None:
            try:
                place = await self._process.start()
                endpoint = control_place(self._reactor, place).endpoint
                return await connect_control(endpoint, "our own Tor", None, self._clock)
            except TorUnavailable as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        raise TorUnavailable("no Tor", "; ".join(map(str, problems)) or "nowhere to look for one")

    async def _follow(self, control: Control) -> TorUnavailable:
        """Use a Tor until it is lost; return why that is."""
        try:
            self.version = printable(await control.ask("version"), 40)
            name, self._socks = self._socks_port(control, await control.ask("net/listeners/socks"))
            self._enter(TorState.BOOTSTRAPPING)
            self._journal.emit(
                LogLevel.info,
                "Tor {version} found at {where}, with SOCKS at {socks}",
                version=self.version,
                where=control.where,
                socks=name,
            )
            await control.hear("STATUS_CLIENT", self._advanced)
            self._advanced(await control.ask("status/bootstrap-phase"))
            self._control = control
            for onion in tuple(self._onions):
                self._publish(onion, control)
            return await control.when_lost()
        finally:
            self._control = None
            control.close()

    def _socks_port(self, control: Control, listeners: str) -> tuple[str, IStreamClientEndpoint]:
        """Return name and endpoint of the first SOCKS port of those that Tor tells of."""
        for text in re.split(r'"\s+"', listeners.strip('"')):
            if text.startswith("unix:"):
                return text, UNIXClientEndpoint(self._reactor, text.removeprefix("unix:"))
            try:
                host, port = split_host_port(text, 0)
                ip_address(host)  # Tor tells no names, and none is to be looked up (R-F7)
            except ValueError:
                continue
            if host in _EVERYWHERE:
                here = cast(ITCPTransport, control.transport).getPeer()
                host = getattr(here, "host", LOOPBACK)
            return text, _tcp(self._reactor, host, port)
        raise TorUnavailable(control.where, "this Tor has no SOCKS port")

    def _advanced(self, event: str) -> None:
        """Take note of how far Tor has come."""
        found = _PROGRESS.search(event)
        if " BOOTSTRAP " not in f" {event} " or found is None:
            return
        progress = min(int(found[1]), 100)
        summary = _SUMMARY.search(event)
        if progress == 100:
            if self.state is not TorState.UP:
                self._journal.emit(LogLevel.info, "Tor is up")
            self._enter(TorState.UP)
            self.progress = progress
            self._complaint = ""
            for waiter in self._released():
                waiter.callback(cast(IStreamClientEndpoint, self._socks))
        elif progress != self.progress:
            quarter = progress // 25 > self.progress // 25
            self.progress = progress
            self._journal.emit(
                LogLevel.info if quarter else LogLevel.debug,
                "Tor is on its way: {progress} %, {summary}",
                progress=progress,
                summary=printable(summary[1], 100) if summary else "",
            )

    def _enter(self, state: TorState) -> None:
        self.state = state
        self.progress = 0

    def _mourn(self, lost: TorUnavailable, wait: float) -> None:
        """Tell everybody that there is no Tor."""
        self._ended(TorState.GONE, lost)
        level = LogLevel.debug if str(lost) == self._complaint else LogLevel.warn
        self._complaint = str(lost)
        text = "without Tor: {why}; looking for one again in {seconds} s"
        self._journal.emit(level, text, why=str(lost), seconds=round(wait))

    def _ended(self, state: TorState, lost: TorUnavailable) -> None:
        self._enter(state)
        self._lost = lost
        self._socks = None
        for waiter in self._released():
            waiter.errback(lost)

    def _released(self) -> Iterator[Deferred[IStreamClientEndpoint]]:
        """Yield those who wait, but for any whom what others do makes give up."""
        for waiter in tuple(self._waiting):
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                yield waiter


@implementer(IStreamClientEndpoint)
class _SocksPort:
    """The SOCKS port of whatever Tor there is."""

    def __init__(self, tor: Tor) -> None:
        self._tor = tor

    def __repr__(self) -> str:
        return "Tor"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Connect to it once Tor is up; fail with `TorUnavailable` if there is no Tor."""
        return self._tor.when_up().addCallback(lambda socks: socks.connect(protocolFactory))


_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to


def _tcp(reactor: object, host: str, port: int) -> IStreamClientEndpoint:
    kind = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
    return cast(IStreamClientEndpoint, kind(reactor, host, port))
