"""Ask a node who it is, and measure how long it takes to answer.

python examples/ping.py 127.0.0.1:8333                        (mainnet, four pings)
python examples/ping.py 127.0.0.1:18444 regtest 10
"""

import secrets
import sys
from time import perf_counter
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from bitpeer import BitpeerError, IPeer, PeerConfig, PeerListener, connect, on
from bitpeer.bitcoin import NETWORKS, Ping, Pong


class Pongs(PeerListener):
    """Says when the answer to a ping has come."""

    def __init__(self) -> None:
        self._waiting: dict[int, Deferred[float]] = {}

    def expect(self, nonce: int) -> Deferred[float]:
        self._waiting[nonce] = Deferred()
        return self._waiting[nonce]

    @on(Pong)
    def came(self, peer: IPeer, pong: Pong) -> None:
        waiting = self._waiting.pop(pong.nonce, None)
        if waiting is not None:  # the service's own pings are answered here, too
            waiting.callback(perf_counter())


async def ping(reactor: Any, place: str, network: str, count: int) -> None:
    pongs = Pongs()
    peer = await connect(reactor, place, PeerConfig(network=NETWORKS[network]), [pongs])
    told = peer.version
    print(f"{place} is {ascii(told.user_agent)[2:-1]}, protocol version {told.version},")
    print(f"offers services {told.services:#x} and knows {told.height} blocks")
    times = []
    for number in range(count):
        nonce = secrets.randbits(64)
        began = perf_counter()
        peer.send(Ping(nonce=nonce))
        ended = await pongs.expect(nonce).addTimeout(10, reactor)
        times.append((ended - began) * 1000)
        print(f"pong {number + 1}: {times[-1]:.2f} ms")
        await deferLater(reactor, 0.2)
    print(f"at best {min(times):.2f} ms, on average {sum(times) / count:.2f} ms")
    peer.disconnect()
    await peer.when_lost()


async def main(reactor: Any, place: str, network: str = "mainnet", count: str = "4") -> None:
    try:
        await ping(reactor, place, network, int(count))
    except BitpeerError as error:
        raise SystemExit(f"{place}: {error}") from error


def usable(place: str = "", network: str = "mainnet", count: str = "4", *more: str) -> bool:
    known = bool(place) and network in NETWORKS
    return known and count.isdecimal() and int(count) > 0 and not more


if __name__ == "__main__":
    if not usable(*sys.argv[1:]):
        raise SystemExit(f"usage: ping.py HOST:PORT [{'|'.join(NETWORKS)} [COUNT]]")
    react(main, sys.argv[1:])
