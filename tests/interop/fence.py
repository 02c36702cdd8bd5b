"""A fence around a process: it may reach Tor, and ask or tell the rest of the world nothing.

Every look-up of a name and every connection of the process goes through Python's audit
hooks, whoever begins it.  What leads elsewhere than to the places allowed is written down
and refused.

Run as ``python -m tests.interop.fence RECORD PLACES COMMAND...`` this starts twistd behind
the fence: PLACES are ``host:port`` with commas, and RECORD is the file that has one line
for each transgression.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_CONTACTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_standing: list[Fence] = []


class Fence:
    """Stands while its block runs.

    Args:
        places: where connections may go, as ``host:port``.
        record: a file for transgressions, besides the list.
    """

    def __init__(self, places: Iterable[str], record: Path | None = None) -> None:
        self.places = set(places)
        self.transgressions: list[str] = []
        self._record = record

    def __enter__(self) -> Fence:
        _watch()
        _standing.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _standing.remove(self)

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse what leads elsewhere.

        Raises:
            gaierror: it is a look-up.
            PermissionError: it leads elsewhere.
        """
        if event in _LOOK_UPS:
            what = f"{event} {arguments[0]!r}"
        elif event in _CONTACTS and self._leads_out(arguments[1]):
            what = f"{event} {arguments[1]!r}"
        else:
            return
        self.transgressions.append(what)
        if self._record is not None:
            with self._record.open("a") as file:
                file.write(f"{what}\n")
        if event in _LOOK_UPS:  # as where there is no internet
            raise socket.gaierror(socket.EAI_AGAIN, what)
        raise PermissionError(what)

    def _leads_out(self, address: object) -> bool:
        return isinstance(address, tuple) and f"{address[0]}:{address[1]}" not in self.places


@cache
def _watch() -> None:
    """Begin to be asked; that has no end."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        for fence in _standing:
            fence.check(event, arguments)


def main() -> None:
    """Start twistd behind a fence that stands until the end."""
    from twisted.scripts.twistd import run  # noqa: PLC0415  # not needed by those who import us

    _, record, places, *command = sys.argv
    sys.argv = ["twistd", *command]
    with Fence(places.split(","), Path(record)):
        run()


if __name__ == "__main__":
    main()
