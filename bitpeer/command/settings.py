"""All that the operator may say, in one table: for the command line, the file and the help."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bitpeer.command import values
from bitpeer.config import user_agent
from bitpeer.service.admission import MAX_INBOUND, MAX_PER_HOST, MAX_PER_PREFIX
from bitpeer.service.bans import BAN_TIME

DEFAULT_OUTBOUND = 8
"""Peers to find and keep, unless the operator names some."""
MAX_OUTBOUND = 1_000
MEMORY = "memory"
"""What `data-dir` is where nothing is to be kept."""


class Shape(Enum):
    """How often a setting may be said, and with what."""

    ONE = "one value; the last one said counts"
    WORDS = "several, with commas between them; the last said count"
    MANY = "any number of values"
    FLAG = "no value"


class Scope(Enum):
    """What a setting is about."""

    PROGRAM = "the whole program"
    NETWORK = "each network that it joins"
    PLACE = "a single network: said of several at once it makes no sense"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that the operator may decide."""

    name: str
    """As on the command line, without the dashes."""
    help: str
    """A sentence or two for `--help`."""
    read: values.Reader[Any] = values.text
    default: Any = None
    """What counts if it is not said: a value, not a text to be read."""
    shape: Shape = Shape.ONE
    scope: Scope = Scope.NETWORK
    is_path: bool = False
    """Whether its value is a path of a file or a directory."""
    word: str = ""
    """What would be a path and is none."""
    reread: bool = False
    """Whether a change takes effect on SIGHUP; otherwise it waits for the next start."""

    @property
    def field(self) -> str:
        """Its name in Python."""
        return self.name.replace("-", "_")

    def located(self, text: str, folder: str) -> str:
        """Return *text* so that it means the same wherever the program goes.

        Args:
            text: what was said.
            folder: where paths that are not absolute begin.
        """
        if not self.is_path or text in ("", self.word):
            return text
        return os.path.join(folder, os.path.expanduser(text))


def _flag(name: str, says: str, scope: Scope = Scope.NETWORK) -> Setting:
    return Setting(
        name=name, help=says, read=values.switch, default=False, shape=Shape.FLAG, scope=scope
    )


SETTINGS = (
    # The program
    Setting(
        name="config",
        help="Read settings from the file PATH too; what the command line says goes before it.",
        scope=Scope.PROGRAM,
        is_path=True,
    ),
    Setting(
        name="data-dir",
        help="Keep what is learned in the directory PATH; 'memory' keeps nothing. [default: "
        "~/.local/share/bitpeer, or where XDG_DATA_HOME says]",
        scope=Scope.PROGRAM,
        is_path=True,
        word=MEMORY,
    ),
    Setting(
        name="http",
        help="Show what goes on at ENDPOINT, a port of this machine or address:port.",
        scope=Scope.PROGRAM,
    ),
    Setting(
        name="http-name",
        help="Name under which browsers may ask for it, besides addresses and localhost. May be "
        "repeated.",
        shape=Shape.MANY,
        scope=Scope.PROGRAM,
    ),
    Setting(
        name="log-level",
        help=f"How much to log: {', '.join(values.LEVELS)}. debug has a line for each message, "
        "trace shows what is in it, too. [default: info]",
        read=values.choice(values.LEVELS),
        default="info",
        scope=Scope.PROGRAM,
        reread=True,
    ),
    Setting(
        name="log-json",
        help="Write every event to the file PATH as well, as a line of JSON.",
        scope=Scope.PROGRAM,
        is_path=True,
    ),
    _flag(
        "tor",
        "Dial through Tor, and nothing past it: one that runs already, or else one of our own.",
        Scope.PROGRAM,
    ),
    Setting(
        name="tor-control",
        help="Use the Tor that takes commands at PLACE: a port, host:port or unix:/path.",
        scope=Scope.PROGRAM,
    ),
    Setting(
        name="tor-password-file",
        help="Where the password for it stands, if it has no cookie for us.",
        scope=Scope.PROGRAM,
        is_path=True,
    ),
    # The network
    Setting(
        name="network",
        help=f"Network to join: {', '.join(values.NETWORKS)}. May be repeated. [default: mainnet]",
        read=values.network,
        shape=Shape.MANY,
        scope=Scope.PROGRAM,
    ),
    Setting(
        name="chain",
        help="Chain of Jax.Network to join: 0, the beacon, or the id of a shard. [default: 0]",
        read=values.chain_id,
        default=0,
        scope=Scope.PLACE,
    ),
    Setting(
        name="serve",
        help="Accept peers of another chain, too, as in 1=18445, and redirect them there. May be "
        "repeated.",
        read=values.other_chain,
        shape=Shape.MANY,
        scope=Scope.PLACE,
    ),
    Setting(
        name="address",
        help="IP address at which peers are told to find this node and the chains it serves.",
        read=values.address,
        scope=Scope.PLACE,
    ),
    # Peers to dial
    Setting(
        name="connect",
        help="Dial ENDPOINT, and again whenever it is lost. May be repeated.",
        shape=Shape.MANY,
        scope=Scope.PLACE,
        reread=True,
    ),
    Setting(
        name="add-peer",
        help="Consider ADDRESS or ADDRESS:PORT, of IP or an onion service, when looking for peers. "
        "May be repeated.",
        read=values.peer_address,
        shape=Shape.MANY,
        scope=Scope.PLACE,
        reread=True,
    ),
    Setting(
        name="outbound",
        help="Peers to find and keep, besides those named with --connect. "
        f"[default: {DEFAULT_OUTBOUND}, or 0 with --connect]",
        read=values.number(0, MAX_OUTBOUND),
    ),
    Setting(
        name="block-only",
        help="Of more peers to find and keep, with whom only blocks are spoken of. "
        "[default: 2, or 0 without --outbound peers]",
        read=values.number(0, MAX_OUTBOUND),
    ),
    Setting(
        name="proxy",
        help="Dial through the SOCKS5 proxy at socks5://user:password@host:port or host:port, and "
        "nothing past it.",
    ),
    Setting(name="onion-proxy", help="Dial onion services, and only those, through this proxy."),
    _flag("cjdns-reachable", "Dial addresses of CJDNS and Yggdrasil, too: there is a router."),
    _flag("follow-redirects", "Dial where peers send us: once, to no private network."),
    _flag(
        "private-addresses",
        "Take addresses of private networks and of this machine as good as any. Usual where a "
        "network has no seeds.",
    ),
    # Peers to accept
    Setting(
        name="listen",
        help="Accept peers at ENDPOINT. May be repeated.",
        shape=Shape.MANY,
        scope=Scope.PLACE,
    ),
    _flag("onion-service", "Accept peers as an onion service of Tor, too, and tell others of it."),
    Setting(
        name="max-inbound",
        help=f"Most peers to accept; 0 for as many as there can be. [default: {MAX_INBOUND}]",
        read=values.limit,
        default=MAX_INBOUND,
        reread=True,
    ),
    Setting(
        name="max-per-host",
        help="Most peers to accept from one host other than this one; 0 for no limit. "
        f"[default: {MAX_PER_HOST}]",
        read=values.limit,
        default=MAX_PER_HOST,
        reread=True,
    ),
    Setting(
        name="max-per-prefix",
        help="Most peers to accept from one part of the internet; 0 for no limit. "
        f"[default: {MAX_PER_PREFIX}]",
        read=values.limit,
        default=MAX_PER_PREFIX,
        reread=True,
    ),
    Setting(
        name="ban",
        help="Turn away HOST or PREFIX, as 192.0.2.7 or 192.0.2.0/24, for --ban-time, or until "
        "it is named no more. May be repeated.",
        shape=Shape.MANY,
        reread=True,
    ),
    Setting(
        name="ban-time",
        help="How long a ban lasts, as 90, 30m, 24h or 7d. [default: 24h]",
        read=values.span,
        default=BAN_TIME,
        reread=True,
    ),
    # What to say
    Setting(
        name="user-agent",
        help="What to call this node: name:version, or all of it, as /name:version(comment)/ "
        f"(BIP 14). [default: {user_agent().decode()}]",
        read=values.agent,
        default=user_agent(),
    ),
    Setting(
        name="services",
        help="Services to offer, joined by commas: names that the network has for them, as "
        "network,witness, or numbers, as 0x409. [default: 0]",
        shape=Shape.WORDS,
    ),
    Setting(
        name="want",
        help="Services that peers who are found must offer, as for --services. [default: what "
        "the network's nodes offer, or 0 where it has no seeds]",
        shape=Shape.WORDS,
    ),
    _flag("no-feelers", "Do not try out addresses before they are needed."),
    _flag("no-relay", "Ask peers not to announce transactions."),
    _flag("no-headers", "Do not follow the chain of headers."),
    _flag("no-addresses", "Answer nobody who asks for addresses of other nodes."),
)
"""Everything there is."""

BY_NAME = {setting.name: setting for setting in SETTINGS}
