"""How things stand at one moment: plain values for pages, programs and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from enum import Enum
from statistics import median_low
from typing import TYPE_CHECKING, Protocol as Shape

from bitpeer.bitcoin.hosts import NetworkId, parse_host
from bitpeer.bitcoin.reach import is_routable
from bitpeer.config import BlockPosition
from bitpeer.errors import InvalidSetting
from bitpeer.messages.onion import onion_name
from bitpeer.net.local import LocalNode
from bitpeer.net.places import split_host_port
from bitpeer.net.text import printable
from bitpeer.service.listening import Listening

if TYPE_CHECKING:
    from bitpeer.net.protocol import PeerProtocol

Facts = dict[str, object]
"""Names, and what JSON can say of them."""

LONELY = 30.0
"""Seconds without any peer after which that is worth a warning."""
_NAMES = {NetworkId.TORV3: "onion"}
_ELSEWHERE = "not_publicly_routable"
_EXAMPLES = {
    "ipv4": "1.1.1.1",
    "ipv6": "2606:4700::1111",
    "onion": onion_name(bytes(32)),
    "i2p": "a" * 52 + ".b32.i2p",
    "cjdns": "fc00::1",
}
"""One address of each network, to ask whether such can be reached."""


class Book(Shape):
    """What is asked of an address book."""

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Return how many new and how many tried addresses there are of each network."""


class Chain(Shape):
    """What is asked of a header chain."""

    @property
    def tip(self) -> BlockPosition:
        """The newest block."""

    @property
    def tip_time(self) -> int:
        """When it was made, in seconds since 1970."""


class Progress(Shape):
    """How far a chain is."""

    @property
    def rate(self) -> float:
        """Headers a second, lately."""

    @property
    def current(self) -> bool:
        """Whether the newest block is from today."""


class Following(Shape):
    """What is asked of those who make a chain longer."""

    def progress(self) -> Progress:
        """Return how far it is."""


class BanList(Shape):
    """What is asked of those who keep bans."""

    def __len__(self) -> int: ...

    @property
    def discouraged(self) -> int:
        """How many hosts are discouraged."""


class Reaching(Shape):
    """What is asked of routes."""

    @property
    def proxied(self) -> bool:
        """Whether nothing may go direct."""

    def reaches(self, host: str) -> bool:
        """Whether *host* can be dialled."""


class OnionRouter(Shape):
    """What is asked of a Tor."""

    @property
    def state(self) -> Enum:
        """What there is of it."""

    @property
    def progress(self) -> int:
        """Per cent of its way into its network."""

    @property
    def version(self) -> str:
        """Of the program."""

    @property
    def why(self) -> str:
        """What is the matter, while there is none."""

    @property
    def onions(self) -> list[tuple[str, int]]:
        """Names and ports of the onion services that lead here."""


class Overview:
    """Tells how one node is doing.

    Where Bitcoin Core has a name for something, in ``getpeerinfo``, ``getblockchaininfo``,
    ``getnetworkinfo``, ``getnettotals`` or ``getaddrmaninfo``, it is called so here.  Every
    text that a peer may have written is escaped.

    Args:
        node: whose peers.
        book: the addresses that are known.
        chain: the headers.
        sync: makes the chain longer.
        bans: who is not wanted.
        routes: which networks can be reached.
        tor: the Tor that is used.
        doors: services among which are the `Listening` ones, such as a `node_service`.
        wanted: how many peers should be found; 0 if nobody said.
        named: those that are to be kept besides, as the operator named them.
    """

    def __init__(
        self,
        node: LocalNode,
        *,
        book: Book | None = None,
        chain: Chain | None = None,
        sync: Following | None = None,
        bans: BanList | None = None,
        routes: Reaching | None = None,
        tor: OnionRouter | None = None,
        doors: Iterable[object] = (),
        wanted: int = 0,
        named: Sized = (),
    ) -> None:
        self.node = node
        self.wanted = wanted
        self.named = named
        self._book = book
        self._chain = chain
        self._sync = sync
        self._bans = bans
        self._routes = routes
        self._tor = tor
        self._doors = doors
        self._since = node.clock.seconds()

    @property
    def title(self) -> str:
        """Which network: dialect and name, as in ``bitcoin-mainnet``."""
        return self.node.config.network.title

    @property
    def tip(self) -> BlockPosition:
        """The newest block that this side knows."""
        return self.node.newest_block() if self._chain is None else self._chain.tip

    @property
    def claimed_height(self) -> int:
        """What half of the peers claim to have, or more; -1 without peers."""
        heights = [peer.known_height for peer in self.node.established()]
        return median_low(heights) if heights else -1

    def peers(self) -> list[Facts]:
        """Return one entry for each connection, oldest first (``getpeerinfo``)."""
        height = None if self._chain is None else self._chain.tip.height
        every = sorted(self.node.peers, key=lambda peer: peer.id)
        return [self._peer(peer, height) for peer in every]

    def latencies(self) -> list[float]:
        """Return the latest latency of each established peer that has one, in seconds, sorted."""
        known = (peer.machine.keepalive for peer in self.node.established())
        return sorted(each.latency for each in known if each is not None and each.latency)

    def connections(self) -> Facts:
        """Return how many peers are established, and how many connections are not there yet."""
        established = self.node.established()
        inbound = sum(peer.inbound for peer in established)
        return {
            "connections": len(established),
            "connections_in": inbound,
            "connections_out": len(established) - inbound,
            "connections_wanted": self.wanted + len(self.named),
            "connecting": len(self.node.peers) - len(established),
        }

    def addresses(self) -> dict[str, dict[str, int]]:
        """Return how many addresses are known of each network (``getaddrmaninfo``)."""
        counts = {} if self._book is None else self._book.counts()
        return {
            name.lower(): {"new": new, "tried": tried, "total": new + tried}
            for name, (new, tried) in sorted(counts.items())
        }

    def listening(self) -> list[str]:
        """Return the places where peers are accepted now."""
        doors = (door for door in self._doors if isinstance(door, Listening))
        return [_written(*door.address) for door in doors if door.address is not None]

    def bans(self) -> dict[str, int]:
        """Return how many are banned, and how many only discouraged."""
        if self._bans is None:
            return {"banned": 0, "discouraged": 0}
        return {"banned": len(self._bans), "discouraged": self._bans.discouraged}

    def tor(self) -> Facts | None:
        """Return how it stands with Tor; `None` if none is used."""
        tor = self._tor
        if tor is None:
            return None
        return {
            "state": tor.state.name.lower(),
            "progress": tor.progress,
            "version": printable(tor.version),
            "why": printable(tor.why),
            "onions": [f"{name}:{port}" for name, port in tor.onions],
        }

    def blockchain(self) -> Facts:
        """Return how far the chain is known (``getblockchaininfo``)."""
        tip, claimed = self.tip, self.claimed_height
        goal = max(claimed, tip.height)
        progress = None if self._sync is None else self._sync.progress()
        behind = self._chain is not None and (claimed < 0 or tip.height < goal)
        return {
            "chain": self.title,
            "headers": tip.height,
            "bestblockhash": tip.hash[::-1].hex(),
            "peers_height": claimed,
            "verificationprogress": round(tip.height / goal, 6) if goal else 0.0,
            "initialblockdownload": behind if progress is None else not progress.current,
            "time": None if self._chain is None else self._chain.tip_time,
            "headers_per_second": 0.0 if progress is None else round(progress.rate, 1),
            "following": self._chain is not None,
        }

    def network(self) -> Facts:
        """Return what this node is to others (``getnetworkinfo``, ``getnettotals``)."""
        node, config = self.node, self.node.config
        received, sent = node.totals
        return {
            "subversion": printable(config.user_agent),
            "protocolversion": node.protocol_version,
            "localservices": f"{config.services:016x}",
            "localservicesnames": self._service_names(config.services),
            "localrelay": config.relay,
            **self.connections(),
            "networks": self._networks(),
            "listening": self.listening(),
            "totalbytesrecv": received,
            "totalbytessent": sent,
            "listener_failures": node.listener_failures,
            "lost": {
                reason.name.lower().replace("_", "-"): count for reason, count in node.lost.items()
            },
        }

    def warnings(self) -> list[str]:
        """Return what an operator should know, in sentences."""
        said = []
        waited = self.node.clock.seconds() - self._since
        if not self.node.established() and waited >= LONELY:
            said.append(self._lonely())
        return said

    def status(self) -> Facts:
        """Return everything but the peers."""
        return {
            "chain": self.title,
            "since": int(self._since),
            "blockchain": self.blockchain(),
            "network": self.network(),
            "addresses": self.addresses(),
            "bans": self.bans(),
            "tor": self.tor(),
            "warnings": self.warnings(),
        }

    def _lonely(self) -> str:
        known = sum(each["total"] for each in self.addresses().values())
        if not self.wanted:
            return "no peers yet: none came, or those to connect to cannot be reached"
        if self._book is not None and not known:
            return "no peers and no addresses: there may be no internet; it is tried again"
        return "no peers yet, though they are looked for: there may be no internet"

    def _networks(self) -> list[Facts]:
        routes = self._routes
        if routes is None:
            return []
        return [
            {"name": name, "reachable": routes.reaches(host)} for name, host in _EXAMPLES.items()
        ]

    def _peer(self, peer: PeerProtocol, height: int | None) -> Facts:
        seen = peer.snapshot()
        now = self.node.clock.seconds()
        pinged = seen.last_ping_at if seen.last_ping_nonce else None
        return {
            "id": seen.id,
            "chain": seen.network,
            "addr": printable(seen.address),
            "addrbind": seen.local_address,
            "network": self._network_of(peer),
            "services": f"{seen.services:016x}",
            "servicesnames": self._service_names(seen.services),
            "relaytxes": seen.relay,
            "lastsend": int(seen.last_send or 0),
            "lastrecv": int(seen.last_receive or 0),
            "bytessent": seen.bytes_sent,
            "bytesrecv": seen.bytes_received,
            "conntime": int(seen.connected_at),
            "timeoffset": seen.time_offset,
            "pingtime": seen.latency,
            "minping": seen.min_latency,
            "pingwait": None if pinged is None else round(now - pinged, 6),
            "version": seen.version,
            "subver": printable(seen.user_agent),
            "inbound": seen.inbound,
            "startingheight": seen.starting_height,
            "height": seen.last_block,
            "synced_headers": -1 if height is None else min(seen.last_block, height),
            "minfeefilter": peer.fee_filter,
            "connection_type": self._connection_type(peer),
            "transport_protocol_type": seen.transport if seen.established else "detecting",
            "established": seen.established,
            "messages_received": seen.messages_received,
            "queued": seen.queued_bytes,
        }

    def _service_names(self, services: int) -> list[str]:
        names = self.node.config.network.dialect.service_bits
        bits = (1 << each for each in range(services.bit_length()) if services >> each & 1)
        return [names.get(bit, f"UNKNOWN[2^{bit.bit_length() - 1}]") for bit in bits]

    def _network_of(self, peer: PeerProtocol) -> str:
        """Return the network that *peer* is reached through, as its address has it."""
        for host in (_host(peer.address), getattr(_far_end(peer), "host", "")):
            try:
                where = parse_host(host)
            except ValueError:
                continue
            name = _NAMES.get(where[0], where[0].name.lower())
            return name if is_routable(*where) else _ELSEWHERE
        return _ELSEWHERE

    def _connection_type(self, peer: PeerProtocol) -> str:
        if peer.inbound:
            return "inbound"
        noted = peer.facts.get("connection_type")
        if isinstance(noted, str):
            return noted
        return "outbound-full-relay" if peer.dialled is None else "manual"


def _far_end(peer: PeerProtocol) -> object:
    return None if peer.transport is None else peer.transport.getPeer()


def _host(address: str) -> str:
    """Return the host of an address as people write it; nothing if it is no address."""
    try:
        return split_host_port(address, 1)[0]
    except InvalidSetting:
        return ""


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
