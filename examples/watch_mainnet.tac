"""Watch what is announced on Bitcoin's mainnet.

    twistd -ny examples/watch_mainnet.tac

A `.tac` file is an application of Twisted's: copy this one and change the listener.  It finds
eight peers through the DNS seeds; with BITPEER_CONNECT="127.0.0.1:8333" in the environment it
keeps to that node.
"""

from os import environ

from twisted.application.service import Application
from twisted.internet import reactor
from twisted.logger import Logger

from bitpeer import IPeer, PeerConfig, PeerListener, on, peer_service
from bitpeer.bitcoin import MAINNET, Headers, Inv, InvType


class Watcher(PeerListener):
    """Logs every block once, and counts transactions."""

    log = Logger()

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.transactions = 0

    @on(Inv)
    def announced(self, peer: IPeer, inv: Inv) -> None:
        for item in inv.items:
            if item.kind == InvType.BLOCK:
                self.block_seen(peer, item.hash)
            else:
                self.transactions += 1

    @on(Headers)
    def headers_came(self, peer: IPeer, message: Headers) -> None:
        for header in message.headers:
            self.block_seen(peer, header.hash)

    def block_seen(self, peer: IPeer, block_hash: bytes) -> None:
        if block_hash in self.blocks:
            return
        self.blocks = [*self.blocks[-100:], block_hash]
        self.log.info(
            "block {hash} from {peer}; {count} announcements of transactions so far",
            hash=block_hash[::-1].hex(),
            peer=str(peer),
            count=self.transactions,
        )


named = environ.get("BITPEER_CONNECT", "").split()
application = Application("watch-mainnet")
peer_service(
    PeerConfig(network=MAINNET),
    [Watcher()],
    connect=named,
    outbound=0 if named else 8,
    reactor=reactor,
).setServiceParent(application)
