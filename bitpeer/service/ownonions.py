"""Our onion services, and who may be told of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bitpeer.net.interfaces import IPeer
from bitpeer.net.onion import OnionPort
from bitpeer.service.listening import Listening
from bitpeer.service.seeds import Address

_ONION = re.compile(r"\b[a-z2-7]{56}\.onion(?![\w.-])", re.IGNORECASE)


def onion_ports(doors: Iterable[object]) -> Iterator[OnionPort]:
    """Yield the onion services that are open now.

    Args:
        doors: services among which are the `Listening` ones, such as a `node_service`.
    """
    for door in doors:
        port: object = door.port if isinstance(door, Listening) else None
        if isinstance(port, OnionPort):
            yield port


def onions_to_tell(peer: IPeer, ports: Iterable[OnionPort]) -> list[Address]:
    """Return the addresses of those of our onion services that *peer* may know of.

    That is the one through which it came, or, if its own is where it was dialled, all.
    Anybody else would learn that the node at this IP address and the one behind that
    name are the same (Core does not tell them, either).
    """
    here = [(port.getHost(), port.local) for port in ports]
    if peer.inbound:
        here = [each for each in here if peer.local_address == f"{each[1][0]}:{each[1][1]}"]
    elif not _ONION.search(peer.address):
        return []
    return [Address(place.host, place.port) for place, _ in here]
