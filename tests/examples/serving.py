"""A node with a few blocks to give, for the examples to talk to: `twistd -ny` runs it.

It listens on a loopback port that the system picks, on the network that BITPEER_NETWORK names,
announces the network's genesis block to whoever comes, and hands it out.  On regtest three
blocks follow it.  For a network of Decred, DIALECT is ``decred``.
"""

from os import environ

from twisted.application.service import Application
from twisted.internet import reactor

from bitpeer import PeerConfig, PeerListener, decred, on, peer_service
from bitpeer.bitcoin import (
    NETWORKS,
    Block,
    BlockHeader,
    GetData,
    GetHeaders,
    Headers,
    InvType,
    InvVect,
    NotFound,
)
from tests.bitcoin.vectors import GENESIS

network = environ.get("BITPEER_NETWORK", "regtest")
of_decred = environ.get("DIALECT") == "decred"


def mine(parent: Block) -> Block:
    """Return a block that follows *parent*; every other nonce will do on regtest."""
    root, bits = parent.header.merkle_root, parent.header.bits
    header = BlockHeader(1, parent.hash, root, parent.header.time + 600, bits, 0)
    while not header.meets_target():
        header = BlockHeader(*header[:5], header.nonce + 1)
    return Block(header, parent.transactions)


class Giver(PeerListener):
    def __init__(self):
        if of_decred:
            self.chain = [decred.GENESIS_BLOCKS[network]]
            return
        self.chain = [Block.decode(GENESIS[network].raw)]
        while network == "regtest" and len(self.chain) < 4:
            self.chain.append(mine(self.chain[-1]))

    def peer_established(self, peer, version):
        peer.announce(InvVect(InvType.BLOCK, self.chain[0].hash))

    @on(GetHeaders)
    def asked_for_headers(self, peer, getheaders):
        kind = decred.Headers if of_decred else Headers
        peer.send(kind([block.header for block in self.chain[1:]]))

    @on(GetData)
    def asked(self, peer, getdata):
        for item in getdata.items:
            found = [block for block in self.chain if block.hash == item.hash]
            peer.send(found[0] if found else NotFound((item,)))


application = Application("serving")
config = PeerConfig(network=(decred.NETWORKS if of_decred else NETWORKS)[network])
giver = peer_service(config, [Giver()], listen=["127.0.0.1:0"], reactor=reactor)
giver.setServiceParent(application)
