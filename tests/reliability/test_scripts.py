"""What a script does by hand beside a service stays its own."""

from twisted.internet.task import Clock

from bitpeer.config import PeerConfig
from bitpeer.net.connect import connect
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.seeds import Address
from bitpeer.service.wishes import Wishes
from tests.service.fakes import NETWORK, Reactor, accept, make_node


def contents(service: NodeService) -> list[tuple[Address, float, float | None]]:
    """Return all that the book of a service says."""
    return sorted((known.address, known.time, known.success_at) for known in service.book)


def test_r_f6_a_connection_of_its_own_leaves_no_trace_in_the_book() -> None:
    reactor = Reactor()
    assert isinstance(reactor, Clock)
    node = make_node(reactor)
    service = NodeService(node, Wishes(gossip=True, listen=["7"]), reactor=reactor)
    service.privilegedStartService()
    service.startService()
    service.introduce([Address("20.1.0.1", 7)])
    before = contents(service)
    dialled = connect(reactor, "20.2.0.1:7", PeerConfig(network=NETWORK))
    line = accept(reactor).shake_hands()
    assert dialled.called
    reactor.advance(60)
    line.hang_up()
    assert contents(service) == before
    assert not node.peers
    service.stopService()
