"""What the service of a node is to do, beside what the settings of its peers say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

from bitpeer.dialect import Network
from bitpeer.errors import InvalidSetting
from bitpeer.net.routes import Routes
from bitpeer.service.admission import MAX_INBOUND, MAX_PER_HOST, MAX_PER_PREFIX
from bitpeer.service.bans import BAN_TIME
from bitpeer.service.endpoints import check_several
from bitpeer.service.seeds import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The numbers, places and habits of one node.

    What has several items may be anything that yields them.

    Raises:
        InvalidSetting: one of them makes no sense.
    """

    connect: Iterable[str | IStreamClientEndpoint] = ()
    """Peers to dial, and to dial again whenever they are lost."""
    listen: Iterable[str | IStreamServerEndpoint] = ()
    """Where to accept peers."""

    # Peers to find

    outbound: int = 0
    """How many to keep for everything."""
    block_only: int = 0
    """How many more to keep for blocks only."""
    feelers: bool = False
    """Whether to see, now and then, who answers at an address that was only heard of."""
    wanted_services: int = 0
    """Bits that each of them must offer."""
    add_peer: Iterable[Address] = ()
    """Addresses to consider from the start."""
    private_addresses: bool = False
    """Whether addresses that lead to no public network are as good as any: where all nodes are
    one's own."""

    # Peers to accept; 0 for no limit

    max_inbound: int = MAX_INBOUND
    max_per_host: int = MAX_PER_HOST
    max_per_prefix: int = MAX_PER_PREFIX

    ban: Iterable[str] = ()
    """Hosts and prefixes to turn away from the start; earlier wishes of this kind are void."""
    ban_time: float = BAN_TIME
    """For how many seconds."""

    nodes: int = 1
    """How many nodes there are in this process, which share its sockets."""

    # Habits

    gossip: bool = False
    """Whether to speak of addresses with peers."""
    serve_addresses: bool = True
    """Whether to answer those who ask for addresses, if so."""
    own_address: str | None = None
    """Host at which peers may be told to find this node."""
    headers: bool = False
    """Whether to follow the chain of headers, and to serve it."""
    folder: Path | None = None
    """Where to keep what is learned; `None` keeps nothing."""

    def __post_init__(self) -> None:
        for several in ("connect", "listen", "add_peer", "ban"):
            value = getattr(self, several)
            check_several(several, value)
            object.__setattr__(self, several, tuple(value))  # they are needed at each start
        for setting in ("outbound", "block_only"):
            value = getattr(self, setting)
            if not isinstance(value, int) or value < 0:
                raise InvalidSetting(setting, value, "0 or more")
        for setting in ("max_inbound", "max_per_host", "max_per_prefix"):
            value = getattr(self, setting)
            if not isinstance(value, int) or value < 0:
                raise InvalidSetting(setting, value, "a number, or 0 for no limit")

    def check(self, network: Network, routes: Routes) -> None:
        """Refuse to look for peers where none can be found.

        Raises:
            InvalidSetting: there is no way.
        """
        setting = "outbound" if self.outbound else "block_only"
        count = getattr(self, setting)
        if not count:
            return
        hearsay = self.gossip and (self.connect or self.listen or self.add_peer)
        if not (network.seeds or network.https_seeds or hearsay):
            expected = f"0, because {network.title} has no seeds to find peers by"
            raise InvalidSetting(setting, count, expected)
        if routes.proxied and routes.proxy is None:  # R-F7
            expected = "0, because nothing may be dialled directly and there is no proxy to do it"
            raise InvalidSetting(setting, count, expected)
