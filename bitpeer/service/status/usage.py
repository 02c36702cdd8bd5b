"""What this process uses of its machine."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from time import process_time

from bitpeer.service.overview import Facts

_STATM = Path("/proc/self/statm")


def usage(statm: Path = _STATM) -> Facts:
    """Return seconds of CPU time, and bytes of memory that are in use now, if that can be told.

    Args:
        statm: where the kernel tells how much memory.
    """
    return {"cpu_seconds": round(process_time(), 3), "memory_bytes": _memory(statm)}


def _memory(statm: Path) -> int | None:
    try:
        pages = int(statm.read_text().split()[1])
        return pages * int(import_module("resource").getpagesize())
    except (OSError, ImportError):  # where there is no Linux
        return None
