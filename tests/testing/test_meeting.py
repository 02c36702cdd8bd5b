"""Tests of `bitpeer.testing.meeting`, on imaginary hosts and on a real one."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.error import ConnectionRefusedError as Refused

from bitpeer.errors import InvalidSetting
from bitpeer.messages.control import Ping
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.testing import Missing, ScriptedDoor, ScriptedPeer, Simulation, dial, listen
from tests import toy
from tests.net.stage import config


@pytest.fixture
def hosts():
    simulation = Simulation(seed=1)
    return simulation.host("20.0.0.1"), simulation.host("20.0.0.2")


def test_they_meet_by_texts(hosts):
    one, other = hosts
    run = one.simulation.run
    door = run(listen(other, "7", toy.NETWORK))
    assert isinstance(door, ScriptedDoor)
    assert door.address == "20.0.0.2:7"
    waiting = door.accept()
    here = run(dial(one, "20.0.0.2", toy.NETWORK))  # port 7 is that of the network
    there = run(waiting)
    assert (here.outbound, there.outbound) == (True, False)
    assert isinstance(there, ScriptedPeer)
    here.send(Ping(1))
    assert run(there.expect(Ping)) == Ping(1)


def test_they_meet_by_endpoints(hosts):
    one, other = hosts
    run = one.simulation.run
    door = run(listen(other, other.server(9), toy.NETWORK))
    run(dial(one, one.client(other.address, 9), toy.NETWORK))
    assert run(door.accept()).network is toy.NETWORK


def test_nobody_may_come(hosts):
    _, other = hosts
    run = other.simulation.run
    door = run(listen(other, "0", toy.NETWORK))
    assert door.address.startswith("20.0.0.2:")
    with pytest.raises(Missing, match="nobody came within 5 seconds"):
        run(door.accept(timeout=5))


def test_a_closed_door_is_closed(hosts):
    one, other = hosts
    run = one.simulation.run
    door = run(listen(other, "7", toy.NETWORK))
    run(door.close())
    with pytest.raises(Refused):
        run(dial(one, "20.0.0.2", toy.NETWORK))


def test_places_must_make_sense(hosts):
    with pytest.raises(InvalidSetting):
        dial(hosts[0], "no place at all", toy.NETWORK)
    with pytest.raises(InvalidSetting):
        listen(hosts[0], "no place at all", toy.NETWORK)


@pytest.mark.timeout(20)
@pytest_twisted.ensureDeferred
async def test_they_meet_a_real_node_over_a_real_socket():
    node = LocalNode(config(), clock=reactor)
    peers = PeerFactory(node, outbound=False)
    port = reactor.listenTCP(0, peers, interface="127.0.0.1")
    peer = await dial(reactor, f"127.0.0.1:{port.getHost().port}", node.config.network)
    await peer.shake_hands()
    await peer.sync(timeout=5)
    peer.lie(Ping(1), checksum=b"good")
    await peer.expect_lost(timeout=5)
    await port.stopListening()
    await node.disconnect_all()


@pytest.mark.timeout(20)
@pytest_twisted.ensureDeferred
async def test_a_door_opens_on_a_real_socket():
    door = await listen(reactor, "127.0.0.1:0", toy.NETWORK)
    assert door.address.startswith("127.0.0.1:")
    here = await dial(reactor, door.address, toy.NETWORK)
    there = await door.accept()
    there.answer_pings()
    here.read_slowly(1_000)
    await here.sync(timeout=5)
    here.close()
    await there.expect_lost(timeout=5)
    await here.expect_lost(timeout=5)
    await door.close()
