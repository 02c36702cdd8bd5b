"""`twistd bitpeer`: its options, and the service they describe."""

from __future__ import annotations

import platform
import re
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any, ClassVar, NoReturn, cast

from twisted.application.service import IService, MultiService
from twisted.copyright import version as twisted_version
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads, IReactorTime
from twisted.logger import (
    FilteringLogObserver,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogPublisher,
)
from twisted.python.usage import Options as UsageOptions, UsageError

from bitpeer.bitcoin.constants import Services
from bitpeer.bitcoin.networks import NETWORKS as BITCOIN
from bitpeer.config import VERSION, PeerConfig, user_agent
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting
from bitpeer.hashes.blake256 import BLAKE256_BACKEND, blake256
from bitpeer.jaxnet import networks as jaxnet
from bitpeer.net.journal import Journal
from bitpeer.net.local import LocalNode
from bitpeer.net.text import printable
from bitpeer.service.admission import MAX_INBOUND, MAX_PER_HOST
from bitpeer.service.clash import foreign_modules, warning
from bitpeer.service.compose import node_service
from bitpeer.service.descriptors import check_room
from bitpeer.service.doors import Doors
from bitpeer.service.endpoints import client_endpoint, server_endpoint

_OTHERS = [*DECRED.values(), *jaxnet.NETWORKS.values()]
NETWORKS = {**BITCOIN, **{network.title: network for network in _OTHERS}}
"""What `--network` may be; Bitcoin's networks need not be called so."""
DEFAULT_OUTBOUND = 8
"""Peers to find and keep, unless the operator names some."""
MAX_OUTBOUND = 1_000
_NUMBER = re.compile("[0-9]{1,10}")
LEVELS = {
    "error": LogLevel.error,
    "warn": LogLevel.warn,
    "info": LogLevel.info,
    "debug": LogLevel.debug,
    "trace": LogLevel.debug,
}
"""What `--log-level` may be, and the least level of the events that are logged then."""


class Options(UsageOptions):
    """The command line of ``twistd bitpeer``.

    After parsing, the attributes say what is wanted.
    """

    synopsis = "[options]"
    longdesc = (
        "A peer of Bitcoin's network, of Decred's or of Jax.Network's. Without options it joins "
        "Bitcoin's mainnet: it asks the network's DNS seeds for addresses and keeps "
        f"{DEFAULT_OUTBOUND} connections. "
        "ENDPOINT is host, host:port or whatever Twisted understands, as tcp:127.0.0.1:8333; "
        "to listen, a port, an address or address:port."
    )
    optParameters: ClassVar[list[list[Any]]] = [
        ["network", None, "mainnet", f"Network to join: {', '.join(NETWORKS)}."],
        ["chain", None, "0", "Chain of Jax.Network to join: 0, the beacon, or the id of a shard."],
        [
            "address",
            None,
            None,
            "IP address at which peers are told to find the chains served with --serve.",
        ],
        [
            "outbound",
            None,
            None,
            "Peers to find and keep, besides those named with --connect. "
            f"[default: {DEFAULT_OUTBOUND}, or 0 with --connect]",
        ],
        [
            "max-inbound",
            None,
            str(MAX_INBOUND),
            "Most peers to accept; 0 for as many as there can be.",
        ],
        [
            "max-per-host",
            None,
            str(MAX_PER_HOST),
            "Most peers to accept from one host other than this one; 0 for no limit.",
        ],
        [
            "user-agent",
            None,
            None,
            "What to call this node: name:version, or all of it, as /name:version(comment)/ "
            f"(BIP 14). [default: {user_agent().decode()}]",
        ],
        [
            "services",
            None,
            "0",
            "Services to offer, joined by commas: "
            f"{', '.join(str(each.name).lower() for each in Services)}, or numbers as 0x409.",
        ],
        [
            "log-level",
            None,
            "info",
            f"How much to log: {', '.join(LEVELS)}. debug has a line for each message, trace "
            "shows what is in it, too.",
        ],
    ]
    optFlags: ClassVar[list[list[Any]]] = [  # noqa: N815  # Twisted's name
        ["no-relay", None, "Ask peers not to announce transactions."],
        ["follow-redirects", None, "Dial where peers send us: once, to no private network."],
    ]

    def __init__(self) -> None:
        UsageOptions.__init__(self)
        self.connect: list[str] = []
        """Peers to dial, as they were written."""
        self.listen: list[str] = []
        """Where to accept peers, as it was written."""
        self.serve: dict[int, str] = {}
        """Where to accept peers of other chains of the network, by their ids."""
        self.chain = 0
        """Which chain of the network to join."""
        self.doors = Doors()
        """Where each chain is served, once it is."""
        self.outbound = 0
        """Peers to find and keep."""
        self.max_inbound = MAX_INBOUND
        """Most peers to accept; 0 for no limit of ours."""
        self.max_per_host = MAX_PER_HOST
        """Most peers to accept from one host; 0 for no limit."""
        self.level = "info"
        """One of `LEVELS`."""
        self.config: PeerConfig

    def opt_connect(self, endpoint: str) -> None:
        """Dial ENDPOINT, and again whenever it is lost. May be repeated."""
        if endpoint not in self.connect:
            self.connect.append(endpoint)

    def opt_listen(self, endpoint: str) -> None:
        """Accept peers at ENDPOINT. May be repeated."""
        if endpoint not in self.listen:
            self.listen.append(endpoint)

    def opt_serve(self, place: str) -> None:
        """Accept peers of another chain, too, as in 1=18445, and redirect them there. May be
        repeated.
        """  # noqa: D205  # twistd shows it all
        chain, equals, endpoint = place.partition("=")
        if not equals or not endpoint:
            raise _wrong("serve", place, "ID=ENDPOINT, as 1=18445")
        self.serve[_chain("serve", chain)] = endpoint

    def opt_version(self) -> NoReturn:
        """Show versions and exit."""
        python = platform.python_version()
        sys.stdout.write(f"bitpeer {VERSION} (Twisted {twisted_version}, Python {python})\n")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:  # noqa: N802
        """Read the command line.

        Raises:
            SystemExit: with one line for whoever wrote it. (A `UsageError` would make
                twistd show all of its help first.)
        """
        try:
            UsageOptions.parseOptions(self, options)
        except UsageError as error:
            raise SystemExit(f"bitpeer: {error}; see twistd bitpeer --help") from None

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802
        """Refuse what is not an option."""
        if arguments:
            raise UsageError(f"{arguments[0]!r} belongs to no option")

    def postOptions(self) -> None:
        network = self._chain_of(_network(self["network"]))
        self.level = self["log-level"]
        if self.level not in LEVELS:
            raise _wrong("log-level", self.level, f"one of {', '.join(LEVELS)}")
        self.outbound = self._outbound(network)
        self.max_inbound = _limit("max-inbound", self["max-inbound"])
        self.max_per_host = _limit("max-per-host", self["max-per-host"])
        self.config = PeerConfig(
            network=network,
            user_agent=_user_agent(self["user-agent"]),
            services=_services(self["services"]),
            relay=not self["no-relay"],
            follow_redirects=bool(self["follow-redirects"]),
            log_messages=self.level == "debug",
            log_bytes=self.level == "trace",
        )

    def _chain_of(self, network: Network) -> Network:
        """Return the chain that is wanted of *network*."""
        self.chain = _chain("chain", self["chain"])
        if network not in jaxnet.NETWORKS.values():
            if self.chain or self.serve:
                raise UsageError(f"{network.title} has a single chain")
            return network
        if self.chain in self.serve:
            raise _wrong("serve", self.chain, "another chain than that of --chain")
        return self.chain_of_network(network, self.chain)

    def chain_of_network(self, network: Network, chain_id: int) -> Network:
        """Return a chain of one of Jax.Network's networks, whose peers know of the others here.

        Raises:
            UsageError: the address is none.
        """
        ports = self.doors.port if self.serve else None
        try:
            return jaxnet.chain(network, chain_id, ports=ports, address=self["address"])
        except InvalidSetting as error:
            raise _wrong("address", self["address"], error.expected) from None

    def _outbound(self, network: Network) -> int:
        said = self["outbound"]
        if said is None:
            count = 0 if self.connect or not network.seeds else DEFAULT_OUTBOUND
        elif not _NUMBER.fullmatch(said) or int(said) > MAX_OUTBOUND:
            raise _wrong("outbound", said, f"a number from 0 to {MAX_OUTBOUND}")
        else:
            count = int(said)
        if count and not network.seeds:
            raise _wrong("outbound", said, f"0, as {network.name} has no seeds to find peers by")
        if not (count or self.connect or self.listen):
            why = f"{network.name} has no seeds" if said is None else "--outbound is 0"
            raise UsageError(f"{why}, so name peers with --connect or a place with --listen")
        return count


class CannotStart(SystemExit, Exception):
    """Ends the program at its start, with status 1 and without a traceback.

    Being an `Exception` as well, it makes a twistd in the background tell the one
    that was called, which would wait for ever otherwise, and remove its pid file.
    """

    def __init__(self, why: str) -> None:
        super().__init__(1)
        self.why = why

    def __str__(self) -> str:
        return self.why


class Program(MultiService):
    """The service as a program of its own.

    What cannot be opened at the start ends it, without a traceback; SIGTERM ends
    it with success.

    Args:
        reactor: Twisted's.
        journal: is told why it stops.
        on_signal: installs a handler, as `signal.signal` does.
    """

    def __init__(
        self,
        reactor: object,
        journal: Journal,
        on_signal: Callable[[int, Any], object] = signal.signal,
    ) -> None:
        MultiService.__init__(self)
        self._reactor = reactor
        self._journal = journal
        self._on_signal = on_signal

    def privilegedStartService(self) -> None:  # noqa: N802
        """Open the doors, or give up: the log has said why.

        Raises:
            CannotStart: a door cannot be opened.
        """
        try:
            MultiService.privilegedStartService(self)
        except InvalidSetting as error:
            raise CannotStart(str(error)) from None

    def startService(self) -> None:
        # Twisted takes the signals over when it begins to run, so this comes after it.
        cast(IReactorCore, self._reactor).callWhenRunning(
            self._on_signal, signal.SIGTERM, self._terminate
        )
        try:
            MultiService.startService(self)
        except InvalidSetting as error:  # under `twist`, which knows nothing of privileges
            raise CannotStart(str(error)) from None

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        """Stop gracefully; twistd itself would then die of the signal.  A second one kills."""
        self._on_signal(signal.SIGTERM, signal.SIG_DFL)
        cast(IReactorFromThreads, self._reactor).callFromThread(self._stop)

    def _stop(self) -> None:
        self._journal.emit(LogLevel.info, "told to stop by SIGTERM: saying goodbye to all peers")
        cast(IReactorCore, self._reactor).stop()


class OperatorsNode(LocalNode):
    """A node that logs only what its operator wants to see.

    Args:
        config: the settings.
        level: the least level of the events that are logged.
        clock: the reactor.
    """

    def __init__(self, config: PeerConfig, level: LogLevel, *, clock: IReactorTime) -> None:
        wanted = LogLevelFilterPredicate(defaultLogLevel=level)
        observer = FilteringLogObserver(globalLogPublisher, [wanted])
        self.log = Logger("bitpeer", observer=observer)
        super().__init__(config, clock=clock)


def makeService(options: Options) -> IService:
    """Return the service that *options* describe.

    Raises:
        SystemExit: with one line, if an endpoint cannot be read, or another distribution
            has put its modules among ours.
    """
    from twisted.internet import reactor

    return _make_service(options, reactor)


def _make_service(options: Options, reactor: object) -> MultiService:
    config = options.config
    try:
        _check_places(options, reactor)
    except UsageError as error:
        raise SystemExit(f"bitpeer: {error}; see twistd bitpeer --help") from None
    if foreign := foreign_modules():
        raise SystemExit(f"bitpeer: {warning(foreign)}")
    node = OperatorsNode(config, LEVELS[options.level], clock=cast(IReactorTime, reactor))
    node.journal.emit(
        LogLevel.info,
        "bitpeer {version} joins {network} as {agent}",
        version=VERSION,
        network=config.network.title,
        agent=printable(config.user_agent),
    )
    if config.network.dialect.checksum is blake256:
        fast = BLAKE256_BACKEND == "c"
        node.journal.emit(
            LogLevel.info if fast else LogLevel.warn,
            "BLAKE-256 runs in {backend}" + ("" if fast else ", 200 times slower than in C"),
            backend=BLAKE256_BACKEND,
        )
    service = node_service(
        node,
        connect=options.connect,
        listen=options.listen,
        outbound=options.outbound,
        max_inbound=options.max_inbound,
        max_per_host=options.max_per_host,
        reactor=reactor,
    )
    options.doors.add(options.chain, service)
    program = Program(reactor, node.journal)
    service.setServiceParent(program)
    for chain_id, place in options.serve.items():
        _serve(options, chain_id, place, reactor).setServiceParent(program)
    return program


def _serve(options: Options, chain_id: int, place: str, reactor: object) -> MultiService:
    """Return the service that accepts peers of one more chain."""
    network = options.chain_of_network(_network(options["network"]), chain_id)
    config = replace(options.config, network=network)
    node = OperatorsNode(config, LEVELS[options.level], clock=cast(IReactorTime, reactor))
    service = node_service(
        node,
        listen=[place],
        max_inbound=options.max_inbound,
        max_per_host=options.max_per_host,
        reactor=reactor,
    )
    options.doors.add(chain_id, service)
    return service


def _check_places(options: Options, reactor: object) -> None:
    port = options.config.network.port
    for option, places, read in (
        ("connect", options.connect, client_endpoint),
        ("listen", options.listen, server_endpoint),
        ("serve", list(options.serve.values()), server_endpoint),
    ):
        for place in places:
            try:
                read(reactor, place, port)
            except InvalidSetting as error:
                raise _wrong(option, place, error.expected) from None
    try:
        check_room(options.outbound, len(options.connect) + len(options.listen))
    except InvalidSetting as error:
        raise UsageError(str(error)) from None


def _wrong(option: str, value: object, expected: str) -> UsageError:
    return UsageError(f"--{option} is {value!r:.200}, expected {expected}")


def _limit(option: str, said: str) -> int:
    if not _NUMBER.fullmatch(said):
        raise _wrong(option, said, "a number, or 0 for no limit")
    return int(said)


def _network(name: str) -> Network:
    """Return the network of this *name* or title."""
    for network in NETWORKS.values():
        if name.lower() in (network.name, network.title):
            return network
    raise _wrong("network", name, f"one of {', '.join(NETWORKS)}")


def _chain(option: str, said: str) -> int:
    if not _NUMBER.fullmatch(said) or int(said) >= 1 << 32:
        raise _wrong(option, said, "a number from 0 to 2**32 - 1")
    return int(said)


def _user_agent(said: str | None) -> bytes:
    if said is None:
        return user_agent()
    expected = "name:version, or /name:version(comment)/, in printable ASCII and not too long"
    name, colon, number = said.partition(":")
    try:
        if said.startswith("/"):
            agent = said.encode("ascii")
            return PeerConfig(network=NETWORKS["mainnet"], user_agent=agent).user_agent
        if colon:
            return user_agent(name, number)
    except (InvalidSetting, UnicodeEncodeError):
        pass
    raise _wrong("user-agent", said, expected)


def _services(said: str) -> int:
    total = 0
    for part in said.split(","):
        name = part.strip().replace("-", "_").upper()
        try:
            number = (
                int(Services[name])
                if name in Services.__members__
                else int(name.encode("ascii"), 0)
            )
        except ValueError:
            number = -1
        if not 0 <= number < 1 << 64:
            known = ", ".join(str(each.name).lower() for each in Services)
            raise _wrong("services", said, f"numbers up to 64 bits, or of {known}, with commas")
        total |= number
    return total
