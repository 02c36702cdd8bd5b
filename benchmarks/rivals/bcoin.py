"""bcoin, the full node in JavaScript that npm installs: its peer, its parser, its packets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Contender
from benchmarks.processes import Actor
from tests.interop.bcoin_package import NotInstallable, install

PROGRAMS = Path(__file__).with_name("bcoin")


@cache
def _modules() -> Path | None:
    """Return where bcoin is installed, installing it if need be; `None` if it cannot be."""
    try:
        return install(lambda line: print(line, file=sys.stderr))
    except NotInstallable as reason:
        print(f"Going on without bcoin: {reason}", file=sys.stderr)
        return None


@contextmanager
def program(name: str, *, wanted: bool = True) -> Iterator[Actor | None]:
    """Have one of the programs in ``bcoin/`` run for as long as the context lasts.

    Args:
        name: of its file.
        wanted: whether bcoin is to take part at all.

    Yields:
        `None` if it cannot be had.
    """
    modules = _modules() if wanted else None
    executable = shutil.which("node")
    if modules is None or executable is None:
        yield None
        return
    command = [executable, str(PROGRAMS / name)]
    started = Actor(command, {"NODE_PATH": str(modules)})
    try:
        yield started
    finally:
        started.end()


class Codec:
    """`codec.js` as contenders for a race: each times itself.

    Args:
        program: the process; `None` if bcoin cannot be had, and then it enters no race.
        folder: where files can be written for it to read.
    """

    def __init__(self, program: Actor | None, folder: Path) -> None:
        self._program = program
        self._folder = folder
        if program is not None:
            program.hear()

    def contender(self, order: str, data: bytes) -> dict[str, Contender]:
        """Return a contender named bcoin, or nothing.

        Args:
            order: see `codec.js`.
            data: what it is about.
        """
        program = self._program
        if program is None:
            return {}
        file = self._folder / f"{len(list(self._folder.iterdir()))}"
        file.write_bytes(data)

        def run() -> float:
            program.tell(do=order, file=str(file))
            return float(program.hear()["seconds"])

        return {"bcoin": run}

    def filter_size(self, items: int) -> int | None:
        """Return the bytes of the filter that remembers so many items."""
        if self._program is None:
            return None
        self._program.tell(do="filter", items=items)
        return int(self._program.hear()["bytes"])


@contextmanager
def codec(*, wanted: bool = True) -> Iterator[Codec]:
    """Have `codec.js` run for as long as the context lasts."""
    with TemporaryDirectory() as folder, program("codec.js", wanted=wanted) as process:
        yield Codec(process, Path(folder))
