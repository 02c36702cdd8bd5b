"""Many idle peers in one process, and what they cost."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall

from benchmarks.actors import say
from benchmarks.actors.stage import listen, perform, reactor
from benchmarks.stage import greeting
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import PeerConfig
from bitpeer.dialect import VersionLike
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode

PROBE = 0.02
"""Seconds between two looks at how long the reactor was busy."""


def resident() -> int:
    """Return the bytes of memory that this process really has."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


class _Host:
    """Counts guests in, and says how much each of them takes up."""

    def __init__(self, guests: int) -> None:
        self._guests = guests
        self._there = 0
        self._before = 0
        self._began = 0.0

    def open(self) -> None:
        """Everything is imported and listening: from now on memory belongs to the guests."""
        gc.collect()
        self._before, self._began = resident(), process_time()

    def welcome(self) -> None:
        self._there += 1
        if self._there == self._guests:
            took = process_time() - self._began
            reactor.callLater(0.2, self._count, took / self._guests)

    def _count(self, handshake: float) -> None:
        gc.collect()
        size = (resident() - self._before) / self._guests
        began = process_time()
        gc.collect()
        collection = process_time() - began
        gc.freeze()
        say(bytes=size, handshake=handshake, collection=collection)


class _Watch:
    """Watches for a while how busy this process is, and how long at a time."""

    def __init__(self) -> None:
        self._loop = LoopingCall(self._look)
        self._last = 0.0
        self._worst = 0.0

    def __call__(self, *, seconds: float) -> None:
        began, self._worst = process_time(), 0.0
        self._last = began
        self._loop.start(PROBE)
        reactor.callLater(seconds, self._report, began, seconds)

    def _look(self) -> None:
        now = process_time()
        self._worst = max(self._worst, now - self._last)
        self._last = now

    def _report(self, began: float, seconds: float) -> None:
        self._loop.stop()
        say(share=(process_time() - began) / seconds, pause=self._worst)


def _play(factory: Any, host: _Host) -> None:
    factory.noisy = False
    port = listen(factory)
    host.open()
    watch = _Watch()
    perform(watch, port=port)


class _Listener(PeerListener):
    def __init__(self, established: Callable[[], None]) -> None:
        self._established = established

    def peer_established(self, peer: IPeer, version: VersionLike) -> None:
        self._established()


def bitpeer(guests: int, ping_interval: float) -> None:
    """Play a bitpeer node."""
    host = _Host(guests)
    config = PeerConfig(network=REGTEST, ping_interval=ping_interval)
    node = LocalNode(config, [_Listener(host.welcome)], clock=reactor)
    _play(PeerFactory(node, outbound=False), host)


def bare(guests: int) -> None:
    """Play what Twisted needs for as many connections, and nothing else."""
    host = _Host(guests)

    class Bare(Protocol):
        def __init__(self) -> None:
            self.greeted = False

        def dataReceived(self, data: bytes) -> None:
            if not self.greeted:
                self.greeted = True
                self.transport.write(greeting())  # type: ignore[union-attr]  # connected
                host.welcome()

    _play(Factory.forProtocol(Bare), host)
