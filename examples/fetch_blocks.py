"""Fetch the first blocks of a node's chain, several at a time, and say what is in them.

python examples/fetch_blocks.py 127.0.0.1:8333                        (mainnet, ten blocks)
python examples/fetch_blocks.py 127.0.0.1:18444 regtest 100
"""

import sys

from twisted.internet.task import react

from bitpeer import BitpeerError, PeerConfig, connect
from bitpeer.bitcoin import NETWORKS, hash_to_text


async def fetch(reactor: object, place: str, network: str, count: int) -> None:
    config = PeerConfig(network=NETWORKS[network])
    peer = await connect(reactor, place, config)
    headers = await peer.get_headers([config.network.genesis])
    wanted = headers.hashes()[:count]
    height = 0
    async for block in peer.blocks(wanted):
        # A peer may send any transactions behind a header; the first blocks have no witnesses.
        block.check(witnesses=False)
        height += 1
        size = f"{block.size} bytes, {len(block.transactions)} transactions"
        print(f"{height} {hash_to_text(block.hash)} {size}")
    print(f"{height} of {len(headers.headers)} blocks, {await peer.ping() * 1000:.1f} ms away")
    peer.disconnect()
    await peer.when_lost()


async def main(reactor: object, place: str, network: str = "mainnet", count: str = "10") -> None:
    try:
        await fetch(reactor, place, network, int(count))
    except BitpeerError as error:
        raise SystemExit(f"{place}: {error}") from error


def usable(place: str = "", network: str = "mainnet", count: str = "10", *more: str) -> bool:
    return bool(place) and network in NETWORKS and count.isdecimal() and not more


if __name__ == "__main__":
    if not usable(*sys.argv[1:]):
        raise SystemExit(f"usage: fetch_blocks.py HOST:PORT [{'|'.join(NETWORKS)} [COUNT]]")
    react(main, sys.argv[1:])
