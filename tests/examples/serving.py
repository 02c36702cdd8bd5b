"""A node with one block to give, for the examples to talk to: `twistd -ny` runs it.

It listens on a loopback port that the system picks, on the network that BITPEER_NETWORK names,
announces the network's genesis block to whoever comes, and hands it out.
"""

from os import environ

from twisted.application.service import Application
from twisted.internet import reactor

from bitpeer import PeerConfig, PeerListener, on, peer_service
from bitpeer.bitcoin import NETWORKS, Block, GetData, InvType, InvVect
from tests.bitcoin.vectors import GENESIS

network = environ.get("BITPEER_NETWORK", "regtest")


class Giver(PeerListener):
    block = Block.decode(GENESIS[network].raw)

    def peer_established(self, peer, version):
        peer.announce(InvVect(InvType.BLOCK, self.block.hash))

    @on(GetData)
    def asked(self, peer, getdata):
        peer.send(self.block)


application = Application("serving")
peer_service(
    PeerConfig(network=NETWORKS[network]), [Giver()], listen=["127.0.0.1:0"], reactor=reactor
).setServiceParent(application)
