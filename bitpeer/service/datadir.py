"""The directory in which a node keeps everything between two runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

from twisted.application.service import Service

from bitpeer.dialect import Network
from bitpeer.errors import StorageUnusable

LOCK = "lock"
"""The file that is locked while somebody uses the directory; says who."""
PRIVATE = 0o700
"""Nobody but its owner has business in it: it tells whom this node knows."""


def default_place(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the data of this user belongs: ``~/.local/share/bitpeer``, if nobody objects.

    `XDG_DATA_HOME` in the environment objects, if it is an absolute path (XDG Base
    Directory Specification).
    """
    home = Path(environment.get("XDG_DATA_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "share") / "bitpeer"


class DataDirectory(Service):
    """A directory of one's own: made if it is not there, and shared with no other process.

    It is taken when the service starts, not when it is made: `twistd` goes into the
    background, and sheds its privileges, between the two.  Let it start first, and stop
    last, of all that uses it.

    Args:
        place: the directory; `default_place` if it is not said.
    """

    def __init__(self, place: Path | None = None) -> None:
        self.place = default_place() if place is None else place
        self._lock: int | None = None
        """Descriptor of the lock file, while this process has the directory."""

    def path(self, network: Network, name: str) -> Path:
        """Return where the file *name* of a *network* is: in a folder of that network's own."""
        return self.place / quote(network.title, safe="") / name

    def startService(self) -> None:
        """Make the directory if it is not there, and lock it.

        Raises:
            StorageUnusable: it cannot be made or written to, or another process has it.
        """
        try:
            self.place.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            self._lock = _locked(self.place)
        except FileExistsError:
            raise StorageUnusable(str(self.place), "it is not a directory") from None
        except OSError as error:
            raise StorageUnusable(str(self.place), os.strerror(error.errno or 0)) from error
        Service.startService(self)

    def stopService(self) -> None:
        """Leave the directory to whoever wants it next."""
        Service.stopService(self)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(place: Path) -> int:
    """Lock the directory; return the descriptor with which the lock lives and dies."""
    lock = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl = _fcntl()
        if fcntl is not None:
            # Not lockf: its locks belong to a process, and vanish with any descriptor of the file.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StorageUnusable(str(place), f"it is in use by process {holder}") from None
    except OSError:
        os.close(lock)
        raise
    return lock


def _fcntl() -> ModuleType | None:
    """Return what can lock files; `None` where nothing can, as on Windows."""
    try:
        return import_module("fcntl")
    except ImportError:
        return None
