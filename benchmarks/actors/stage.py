"""What every actor that runs on Twisted's reactor needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver

from benchmarks.actors import say

reactor: Any = installed


class Orders(LineOnlyReceiver):
    """Takes orders from standard input, and ends the program when that ends."""

    delimiter = b"\n"

    def __init__(self, obey: Callable[..., object] | None) -> None:
        self._obey = obey

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if self._obey is not None:
            self._obey(**json.loads(line))

    def connectionLost(self, reason: object = None) -> None:
        if reactor.running:
            reactor.stop()


def listen(factory: Any) -> int:
    """Listen on loopback; return the port."""
    port: int = reactor.listenTCP(0, factory, backlog=4096, interface="127.0.0.1").getHost().port
    return port


def perform(obey: Callable[..., object] | None = None, **first_words: object) -> None:
    """Say that everything is ready, then run until the one who watches goes away."""
    StandardIO(Orders(obey))
    say(**first_words)
    reactor.run()
