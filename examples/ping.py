"""Ask a node who it is, and measure how long it takes to answer.

python examples/ping.py 127.0.0.1:8333                        (mainnet, four pings)
python examples/ping.py 127.0.0.1:18444 regtest 10
"""

import sys
from typing import Any

from twisted.internet.task import deferLater, react

from bitpeer import BitpeerError, PeerConfig, connect
from bitpeer.bitcoin import NETWORKS


async def ping(reactor: Any, place: str, network: str, count: int) -> None:
    peer = await connect(reactor, place, PeerConfig(network=NETWORKS[network]))
    told = peer.version
    print(f"{place} is {ascii(told.user_agent)[2:-1]}, protocol version {told.version},")
    print(f"offers services {told.services:#x} and knows {told.height} blocks")
    times = []
    for number in range(count):
        times.append(await peer.ping(timeout=10) * 1000)
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
