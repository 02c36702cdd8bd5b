"""Room for sockets: the system allows a process so many descriptors and no more."""

from __future__ import annotations

from importlib import import_module
from math import inf

from bitpeer.errors import InvalidSetting

SPARE = 64
"""Descriptors left for everything that is no peer: the log, the resolver, the program around."""

SPARE_DIALS = 2
"""Connections that are made beside those that are kept: a feeler, and a peer on trial."""


def descriptor_limit() -> float:
    """Return how many descriptors this process may have; infinity if nobody says.

    That is what ``ulimit -n`` shows.
    """
    try:
        resource = import_module("resource")
    except ImportError:  # on Windows
        return inf
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return inf if soft == resource.RLIM_INFINITY else int(soft)


def most_dialled(full: int, block_only: int) -> int:
    """Return how many connections an `Outbound` makes at most at a time."""
    return full + block_only + SPARE_DIALS if full or block_only else 0


def check_room(outbound: int, places: int, nodes: int = 1) -> None:
    """Refuse to want more connections than there can be (R-J8).

    Otherwise every dial beyond the limit would fail, and so would whatever else the
    program wants to open.

    Args:
        outbound: how many peers are to be found and kept, those of `most_dialled` included.
        places: how many more are dialled by name or listened on.
        nodes: how many nodes of this process share what there is, each having as much.

    Raises:
        InvalidSetting: they need more descriptors than the limit less `SPARE`.
    """
    share = _share(nodes)
    if outbound + places > share:
        expected = f"at most {share}, as this process may open {descriptor_limit()} files"
        expected += " (ulimit -n)" if nodes == 1 else f" (ulimit -n) for {nodes} nodes"
        raise InvalidSetting("number of peers and places", outbound + places, expected)


def room_left(outbound: int, places: int, nodes: int = 1) -> float:
    """Return how many peers can be accepted beside those of `check_room` (R-J8)."""
    return _share(nodes) - outbound - places


def _share(nodes: int) -> float:
    limit = descriptor_limit()
    return limit if limit == inf else max(int(limit) - SPARE, 0) // nodes
