"""Notice when another distribution has put its modules among ours.

PyPI has a `bitpeer.py`, of 2015, whose wheel installs a package `bitpeer`, too.
Whoever installs both gets a mixture, in which each overwrites files of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from pkgutil import iter_modules

OURS = frozenset(
    {
        "bitcoin",
        "command",
        "config",
        "decred",
        "dialect",
        "errors",
        "hashes",
        "jaxnet",
        "messages",
        "net",
        "peer",
        "service",
        "tap",
        "testing",
        "wire",
    }
)
"""Modules and packages right below `bitpeer` that this distribution has, or may come to have."""

_FOLDER = str(Path(__file__).parents[1])


def foreign_modules(folders: Sequence[str] = (_FOLDER,)) -> tuple[str, ...]:
    """Return the names of modules that lie beside ours and are not ours, in order.

    Nothing is imported.

    Args:
        folders: where the package is installed.
    """
    return tuple(sorted({module.name for module in iter_modules(folders)} - OURS))


def warning(foreign: Sequence[str]) -> str:
    """Return a sentence for whoever installed the *foreign* modules, on what to do about them."""
    names = ", ".join(foreign[:5]) + (", ..." if len(foreign) > 5 else "")
    return (
        f"another distribution, probably bitpeer.py, has installed {names} into the package "
        "bitpeer: uninstall both, then install bitpeer again"
    )
