"""Peers that meet through Tor: a real one, in a network of its own."""

import re
import socket
from collections import Counter
from functools import partial

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, LogLevel

from bitpeer import LocalNode, PeerConfig, PeerFactory, peer_service
from bitpeer.bitcoin import REGTEST, AddrV2, GetAddr
from bitpeer.errors import DisconnectReason, ProxyRefused
from bitpeer.net.journal import Journal
from bitpeer.net.onion import OnionEndpoint
from bitpeer.net.routes import Routes
from bitpeer.net.tor import Tor, TorState, control_place
from bitpeer.net.torcontrol import connect_control
from bitpeer.net.torlaunch import TorProcess
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.gossip import Gossip
from bitpeer.service.ownonions import onions_to_tell
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.fence import Fence
from tests.interop.our_side import Ears, Lost, Met

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # txtorcon's cookie

PORT = 18444
CONFIG = PeerConfig(network=REGTEST, proxied=True)


class Diary:
    """All that a `Tor` logs; a test can wait for a line of it."""

    def __init__(self):
        self.journal = Journal(Logger("tor", observer=self._observe), reactor.seconds)
        self.events = []
        self._waiting = []

    def next(self, start):
        """Wait for the next event whose format begins so."""
        found = Deferred(lambda _: self._waiting.remove((start, found)))
        self._waiting.append((start, found))
        return within(PATIENCE, found)

    def _observe(self, event):
        self.events.append(event)
        for entry in [each for each in self._waiting if event["log_format"].startswith(each[0])]:
            self._waiting.remove(entry)
            entry[1].callback(event)


@pytest.fixture
def start():
    """Start services, which the end of the test stops, the newest first."""
    services = []

    def start(service):
        services.append(service)
        service.startService()
        return service

    yield start
    for service in reversed(services):
        pytest_twisted.blockon(within(PATIENCE, maybeDeferred(service.stopService)))


@pytest.fixture
def join(start):
    """Keep a client at hand."""

    def join(client, diary=None):
        place = control_place(reactor, str(client.control_port))
        return start(Tor(reactor, (diary or Diary()).journal, places=[place]))

    return join


@pytest.fixture
def open_door():
    """Let a node listen; returns the port."""
    open_ = []

    async def open_door(endpoint, node):
        port = await within(PATIENCE, endpoint.listen(PeerFactory(node, outbound=False)))
        open_.append((port, node))
        return port

    yield open_door
    for port, node in open_:
        pytest_twisted.blockon(within(PATIENCE, node.disconnect_all()))
        pytest_twisted.blockon(within(PATIENCE, port.stopListening()))


def listener(*listeners):
    return LocalNode(CONFIG, listeners, clock=reactor)


def test_fence_lets_nothing_out_and_tells_of_it():
    with Fence(["127.0.0.1:1"]) as fence:
        with socket.socket() as tcp:
            assert tcp.connect_ex(("127.0.0.1", 1))  # nobody there, but not for the fence
        with pytest.raises(PermissionError), socket.socket() as tcp:
            tcp.connect_ex(("127.0.0.1", 2))
        with pytest.raises(PermissionError), socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.sendto(b"?", ("127.0.0.1", 53))
        with pytest.raises(socket.gaierror):
            socket.gethostbyname("localhost")
    contact, datagram, look_up = fence.transgressions
    assert contact == "socket.connect ('127.0.0.1', 2)"
    assert datagram == "socket.sendto ('127.0.0.1', 53)"
    assert look_up.startswith("socket.gethostbyname")


@pytest_twisted.ensureDeferred
async def test_peers_meet_over_an_onion_service_and_hear_its_address(
    tor_client, join, start, open_door, tmp_path
):
    tor = join(tor_client)
    here, there = Ears(), Ears()
    with Fence(tor_client.places) as fence:
        node = listener(here)
        door = await open_door(OnionEndpoint(reactor, tor, PORT, tmp_path / "onion.key"), node)
        own = partial(onions_to_tell, ports=[door])
        node.add_listener(start(Gossip(node, AddressBook(), own=own)))
        name = door.getHost().host
        dialled = Routes(reactor, proxy=tor.proxy).client(f"tcp:{name}:{PORT}", PORT)
        met = within(PATIENCE, gatherResults([here.next(Met), there.next(Met)]))
        told = within(PATIENCE, there.next(AddrV2))
        start(peer_service(CONFIG, [there], connect=[dialled], reactor=reactor))
        visitor, host = await met
        assert visitor.peer.inbound
        assert not host.peer.inbound
        host.peer.send(GetAddr())
        (address,) = (await told).addresses
        assert (address.host, address.port) == (name, PORT)
    assert fence.transgressions == []


@pytest_twisted.ensureDeferred
async def test_peers_that_are_dialled_through_exits_have_a_circuit_each(tor_client, join):
    tor = join(tor_client)
    targets, ears = [Ears(), Ears()], Ears()
    ports = [
        reactor.listenTCP(0, PeerFactory(listener(each), outbound=False), interface="127.0.0.1")
        for each in targets
    ]
    places = [f"127.0.0.1:{port.getHost().port}" for port in ports]
    try:
        with Fence(tor_client.places) as fence:
            routes = Routes(reactor, proxy=tor.proxy)
            met = within(PATIENCE, gatherResults([each.next(Met) for each in targets]))
            dialled = [routes.client(place, PORT) for place in places]
            service = peer_service(CONFIG, [ears], connect=dialled, reactor=reactor)
            service.startService()
            await met
            circuits = await circuits_of(tor_client, places)
            gone = within(PATIENCE, gatherResults([each.next(Lost) for each in targets]))
            await within(PATIENCE, service.stopService())
            await gone
        assert fence.transgressions == []
    finally:
        for port in ports:
            await within(PATIENCE, port.stopListening())
    assert len(set(circuits.values())) == 2, circuits


async def circuits_of(client, places):
    """Return the circuits by which these places are talked to."""
    place = control_place(reactor, str(client.control_port))
    control = await within(PATIENCE, connect_control(place.endpoint, "the test's", None, reactor))
    told = await within(PATIENCE, control.ask("stream-status"))
    lost = control.when_lost()
    control.close()
    await lost
    streams = re.findall(r"^\d+ SUCCEEDED (\d+) (\S+)", told, re.MULTILINE)
    return {target: circuit for circuit, target in streams if target in places}


@pytest_twisted.ensureDeferred
async def test_door_that_is_not_there_is_told_with_tors_reason(tor_client, join):
    tor = join(tor_client)
    await within(PATIENCE, tor.when_up())
    nowhere = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    with Fence(tor_client.places) as fence:
        endpoint = Routes(reactor, proxy=tor.proxy).endpoint(nowhere, PORT)
        with pytest.raises(ProxyRefused):
            await within(PATIENCE, endpoint.connect(PeerFactory(listener(), outbound=True)))
    assert fence.transgressions == []


@pytest_twisted.ensureDeferred
async def test_killed_tor_is_told_of_and_everything_comes_back_with_the_next(  # noqa: PLR0917
    tor_network, mortal_tor_client, join, start, open_door, tmp_path
):
    client, diary = mortal_tor_client, Diary()
    tor = join(client, diary)
    here, there = Ears(), Ears()
    with Fence(client.places) as fence:
        node = listener(here)
        door = await open_door(OnionEndpoint(reactor, tor, PORT, tmp_path / "onion.key"), node)
        name = door.getHost().host
        dialled = Routes(reactor, proxy=tor.proxy).client(f"{name}:{PORT}", PORT)
        met = within(PATIENCE, there.next(Met))
        start(peer_service(CONFIG, [there], connect=[dialled], reactor=reactor))
        await met
        gone, lost = diary.next("without Tor"), within(PATIENCE, there.next(Lost))
        client.end()
        said = await gone
        assert said["log_level"] is LogLevel.warn
        assert (await lost).reason.reason in (
            DisconnectReason.CONNECTION_BROKEN,
            DisconnectReason.CLOSED_BY_PEER,
        )
        assert tor.state is TorState.GONE
        assert "it closed the connection" in tor.why
        back, met = diary.next("Tor is up"), there.next(Met)
        await within(PATIENCE, deferToThread(tor_network.restart, client))
        await back
        await within(2 * PATIENCE, met)
        assert tor.onions == [(name, PORT)]
    assert fence.transgressions == []
    assert Counter(event["log_level"] for event in diary.events)[LogLevel.warn] <= 3


@pytest_twisted.ensureDeferred
async def test_tor_of_our_own_is_started_with_the_operators_settings_and_ended(
    tor_network, tmp_path
):
    folder = tmp_path / "tor"
    folder.mkdir(mode=0o700)
    (folder / "torrc").write_text(tor_network.client_settings)
    tor = Tor(reactor, Diary().journal, process=TorProcess(reactor, folder))
    tor.startService()
    await within(PATIENCE, tor.when_up())
    assert tor.progress == 100
    await within(PATIENCE, tor.stopService())
    assert tor.state is TorState.OFF


@pytest_twisted.ensureDeferred
async def test_something_else_at_the_control_port_is_called_by_its_name(tor_client, start):
    """A SOCKS port taken for the control port, the mistake that everybody makes once."""
    diary = Diary()
    told = diary.next("without Tor")
    place = control_place(reactor, str(tor_client.socks_port))
    tor = start(Tor(reactor, diary.journal, places=[place]))
    await told
    assert tor.why.startswith(f"127.0.0.1:{tor_client.socks_port}: ")
