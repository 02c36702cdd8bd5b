"""Print the transactions of the next block that a node announces.

    python examples/print_block.py 127.0.0.1:18444 regtest

The node tells of its block in an `inv`; this asks for the block, prints the ids of its
transactions, and leaves.
"""

import sys

from twisted.internet.task import react

from bitpeer import BitpeerError, IPeer, PeerConfig, PeerListener, connect, on
from bitpeer.bitcoin import NETWORKS, Inv, InvType


class NextBlock(PeerListener):
    @on(Inv)
    async def announced(self, peer: IPeer, inv: Inv) -> None:
        blocks = [item.hash for item in inv.items if item.kind == InvType.BLOCK]
        if blocks:
            block = await peer.get_block(blocks[-1])
            for tx in block.transactions:
                print(tx.txid[::-1].hex(), tx.vsize, "vbytes")
            peer.disconnect()


async def main(reactor: object, place: str, network: str = "mainnet") -> None:
    # Without preferences the node is not asked to announce blocks by their headers.
    config = PeerConfig(network=NETWORKS[network], preferences=())
    try:
        peer = await connect(reactor, place, config, [NextBlock()])
    except BitpeerError as error:
        raise SystemExit(f"{place}: {error}") from error
    await peer.when_lost()


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3} or (sys.argv[2:] and sys.argv[2] not in NETWORKS):
        raise SystemExit(f"usage: print_block.py HOST:PORT [{'|'.join(NETWORKS)}]")
    react(main, sys.argv[1:])
