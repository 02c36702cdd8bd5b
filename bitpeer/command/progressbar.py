"""A bar on the terminal while a chain catches up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Protocol as Shape, TextIO

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime

from bitpeer.net.journal import Journal
from bitpeer.service.every import Every
from bitpeer.service.headerprogress import Progress

PERIOD = 1.0
"""Seconds between two looks."""
FAR_BEHIND = 2_000
"""Headers that must be missing to be worth a bar."""


class Catching(Shape):
    """Something that follows a chain."""

    def progress(self) -> Progress:
        """Return how far it is."""


class ProgressBar(Service):
    """Draws how far chains are, as long as one of them is far behind; tqdm does the drawing.

    Args:
        chains: what follows each chain, by its name.
        clock: the reactor.
        journal: where failures are logged.
        terminal: where to draw.
        draw: makes a bar, as `tqdm.tqdm` does.
    """

    def __init__(
        self,
        chains: dict[str, Catching],
        *,
        clock: IReactorTime,
        journal: Journal,
        terminal: TextIO,
        draw: Callable[..., Any],
    ) -> None:
        self._chains = chains
        self._terminal = terminal
        self._draw = draw
        self._bars: dict[str, Any] = {}
        self._looks = Every(clock, PERIOD, self.look, journal)

    def startService(self) -> None:
        Service.startService(self)
        self._looks.start()

    def stopService(self) -> None:
        """Wipe the bars away."""
        Service.stopService(self)
        self._looks.stop()
        self._wipe(self._chains)

    def look(self) -> None:
        """Draw what there is now."""
        for name, chain in self._chains.items():
            progress = chain.progress()
            if progress.current or progress.best_known - progress.height < FAR_BEHIND:
                self._wipe([name])
                continue
            if name not in self._bars:
                self._bars[name] = self._draw(
                    desc=f"{name} headers",
                    initial=progress.height,
                    unit="",
                    file=self._terminal,
                    leave=False,
                    dynamic_ncols=True,
                )
            bar = self._bars[name]
            bar.total = progress.best_known
            bar.n = progress.height
            bar.refresh()

    def _wipe(self, names: Iterable[str]) -> None:
        for name in names:
            bar = self._bars.pop(name, None)
            if bar is not None:
                bar.close()


def drawing(terminal: TextIO = sys.stderr) -> Callable[..., Any] | None:
    """Return what draws bars on *terminal*; `None` if it is none, or tqdm is not installed."""
    if not terminal.isatty():
        return None
    try:
        draw: Callable[..., Any] = import_module("tqdm").tqdm
    except ImportError:
        return None
    return draw
