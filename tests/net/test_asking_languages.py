"""The same questions in every language: two peers on one stage, and what they say to each other."""

import pytest

from bitpeer import bitcoin, decred, jaxnet
from bitpeer.errors import Absent, NotNegotiated
from bitpeer.messages.addresses import TimedNetAddress
from bitpeer.messages.control import MemPool
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.listeners import PeerListener, on
from tests.bitcoin.vectors import GENESIS
from tests.net.asked import Result
from tests.net.stage import SocketTransport, join, node

NETWORKS = [bitcoin.REGTEST, decred.SIMNET, jaxnet.MAINNET]
BLOCKS = {
    "bitcoin-regtest": bitcoin.Block.decode(GENESIS["regtest"].raw),
    "decred-simnet": decred.GENESIS_BLOCKS["simnet"],
    "jaxnet-mainnet": jaxnet.beacon_genesis("mainnet"),
}
TX = InvVect(1, bytes(32))


class Full(PeerListener):
    """Answers what every language can ask."""

    def __init__(self, network):
        self.network = network
        self.block = BLOCKS[network.title]

    @on(GetData)
    def asked(self, peer, getdata):
        for item in getdata.items:
            peer.send(self.block if item.hash == self.block.hash else NotFound((item,)))

    @on(GetHeaders)
    def asked_for_headers(self, peer, getheaders):
        kind = self.network.dialect.registry.entries[b"headers".ljust(12, b"\0")].kind
        peer.send(kind(()))

    @on(MemPool)
    def asked_for_the_mempool(self, peer, mempool):
        peer.send(Inv((TX,)))

    @on(bitcoin.GetAddr, jaxnet.GetAddr)
    def asked_for_addresses(self, peer, getaddr):
        address = TimedNetAddress(0, 1, bytes(10) + b"\xff\xff\1\2\3\4", 8333)
        peer.push_addresses([address, address])


class Wire:
    """A connection between two nodes of one network."""

    def __init__(self, network):
        settings = {"network": network, "services": 0x1 | 0x4 | 0x8}
        self.asker = node(**settings)
        self.giver = node(Full(network), **settings)
        self.ends = [join(self.asker, SocketTransport(), outbound=True)]
        self.ends.append(join(self.giver, SocketTransport()))
        self.run()
        self.peer = self.ends[0]
        assert self.peer.established

    def run(self):
        one, other = self.ends
        while one.transport.kernel.data or other.transport.kernel.data:
            for source, target in ((one, other), (other, one)):
                data, source.transport.kernel.data = source.transport.kernel.data, b""
                if data:
                    target.dataReceived(data)

    def ask(self, deferred):
        result = Result(deferred)
        self.run()
        return result


@pytest.fixture(params=NETWORKS, ids=lambda network: network.title)
def wire(request):
    return Wire(request.param)


def test_blocks_are_asked_for_in_every_language(wire):
    block = BLOCKS[wire.asker.config.network.title]
    assert wire.peer.serves("block")
    assert wire.ask(wire.peer.get_block(block.hash)).value.hash == block.hash
    [found] = wire.ask(wire.peer.get_blocks([block.hash])).value
    assert found.hash == block.hash
    assert isinstance(wire.ask(wire.peer.get_block(bytes(32))).value, Absent)


def test_transactions_are_asked_for_in_every_language(wire):
    assert isinstance(wire.ask(wire.peer.get_tx(bytes(32))).value, Absent)


def test_pings_addresses_and_the_mempool_are_asked_for_in_every_language(wire):
    assert wire.ask(wire.peer.ping()).value == 0
    assert len(wire.ask(wire.peer.get_addresses()).value) == 2
    assert wire.ask(wire.peer.get_mempool()).value == [TX]


def test_headers_are_asked_for_where_they_may_be(wire):
    result = wire.ask(wire.peer.get_headers([bytes(32)]))
    if wire.asker.config.network is jaxnet.MAINNET:  # where the question would crash jaxnetd
        assert isinstance(result.value, NotNegotiated)
    else:
        assert not result.value.headers


def test_what_a_language_lacks_cannot_be_asked():
    peer = Wire(decred.SIMNET).peer
    assert isinstance(Result(peer.get_cfcheckpt(bytes(32))).value, NotNegotiated)
    assert not peer.serves("cfcheckpt")
