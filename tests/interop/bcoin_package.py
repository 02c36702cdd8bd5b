"""bcoin, a Bitcoin full node from npm, installed once into a cache inside the project."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
CACHE = PROJECT / ".interop"
RECIPE = HERE / "bcoin"
PATIENCE = 600
"""How long the registry and the disk may take together, in seconds."""


class NotInstallable(Exception):
    """bcoin cannot be had on this machine; the message says why and what would help."""


def install(say: Callable[[str], object]) -> Path:
    """Make sure that bcoin is there.

    No compiler is needed and no package's install script is run: what would be compiled has
    a replacement in JavaScript, and the one that must be asked for it is asked by our driver.

    Args:
        say: told each thing that is done, in one line.

    Returns:
        The directory to set as `NODE_PATH`.

    Raises:
        NotInstallable: Node.js or npm is missing, or npm failed.
    """
    _need("node")
    home = CACHE / f"bcoin-{_fingerprint()}"
    modules = home / "node_modules"
    if modules.is_dir():
        return modules
    _need("npm")
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    workshop = CACHE / f"installing-{os.getpid()}"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(RECIPE / name, workshop)
        say(f"installing bcoin with npm into {home.relative_to(PROJECT)} (once)")
        _npm(workshop)
        _move(workshop, home)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return modules


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise NotInstallable(
            f"`{program}` is not on the PATH; install Node.js (14 or newer) and npm"
        )


def _fingerprint() -> str:
    """A name that changes whenever what is to be installed does."""
    recipe = (RECIPE / "package.json").read_bytes() + (RECIPE / "package-lock.json").read_bytes()
    return hashlib.sha256(recipe).hexdigest()[:12]


def _npm(directory: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"`npm ci` was not done after {PATIENCE} seconds") from None
    if done.returncode != 0:
        raise NotInstallable(f"`npm ci` failed ({done.returncode}):\n{done.stdout.strip()}")


def _move(workshop: Path, home: Path) -> None:
    try:
        workshop.rename(home)
    except OSError:
        # Another run was faster; what it installed is the same.
        if not (home / "node_modules").is_dir():
            raise
