"""Where a peer may send us: the address that it names, or a better one, or nowhere."""

from __future__ import annotations

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.bitcoin.reach import is_routable
from bitpeer.net.peer import PeerRecord
from bitpeer.service.seeds import Address


def detour(peer: PeerRecord) -> Address | None:
    """Return the address to dial in place of *peer*'s; `None` if it sent us nowhere.

    The port is the peer's to choose; the host only if it is one of the public
    network, for nobody may send us into networks of our own (R-E2).  In place of any
    other stands the host that we are talking to already: a node behind a NAT knows no
    better of itself.
    """
    named = peer.new_address
    if named is None or not named.port:
        return None
    if is_routable(*parse_host(named.host)):
        return Address(named.host, named.port)
    here = getattr(peer.transport and peer.transport.getPeer(), "host", None)
    return None if here is None else Address(here, named.port)
