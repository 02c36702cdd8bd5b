"""Tests of bitpeer.net.socks."""

import pytest
import pytest_twisted
from twisted.internet import reactor as real_reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, fail, gatherResults, succeed
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from twisted.internet.error import ConnectError, ConnectingCancelledError, NoProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from zope.interface import implementer

from bitpeer.errors import InvalidSetting, ProxyFailed, ProxyRefused, TimedOut
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.local import LocalNode
from bitpeer.net.outbox import direct_socket
from bitpeer.net.socks import TIMEOUT, NameAddress, Proxy, Socks5Endpoint, address_of, resolve
from bitpeer.net.socks5 import Credentials
from tests.net.proxy import CONNECT, RESOLVE, ScriptedProxy
from tests.net.stage import PushTransport, Recorder, SocketTransport, config
from tests.toy import Say

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
OPEN = b"\5\0"
DONE = b"\5\0\0\1" + bytes(6)
PATIENCE = 20


@implementer(IStreamClientEndpoint)
class Road:
    """An endpoint that leads to one transport: at once, later, or never."""

    def __init__(self, transport=None, *, error=None, later=False):
        self.transport = PushTransport() if transport is None else transport
        self.error = error
        self.later = later
        self.cancelled = False

    def connect(self, factory):
        self.factory = factory
        if self.error is not None:
            return fail(self.error)
        if self.later:
            return Deferred(self.cancel)
        return succeed(self.arrive())

    def arrive(self):
        protocol = self.factory.buildProtocol(self.transport.getPeer())
        if protocol is not None:
            self.transport.protocol = protocol
            protocol.makeConnection(self.transport)
        return protocol

    def cancel(self, deferred):
        self.cancelled = True


class Target(Protocol):
    """What was dialled for; remembers what happened to it, in order."""

    def __init__(self, log):
        self.log = log

    def connectionMade(self):
        self.log.append("made")

    def dataReceived(self, data):
        self.log.append(data)

    def connectionLost(self, reason):
        self.log.append("lost")


class Trip:
    """A dial through a proxy whose words the test says."""

    def __init__(self, road=None, host="192.0.2.1", port=8333, build=Target, **proxy):
        self.road = road or Road()
        self.clock = Clock()
        self.log = []
        self.factory = Factory()
        self.factory.buildProtocol = self._build
        self.build = build
        proxy = {"isolate": False, **proxy}
        self.proxy = Proxy(endpoint=self.road, **proxy)
        endpoint = Socks5Endpoint(self.clock, self.proxy, host, port)
        self.deferred = endpoint.connect(self.factory)
        self.deferred.addBoth(self._ended)

    def _build(self, address):
        self.log.append(address)
        return self.build(self.log)

    def _ended(self, result):
        self.log.append("won" if isinstance(result, Protocol) else result.value)
        self.result = result

    def hear(self, *pieces):
        for piece in pieces:
            self.road.transport.protocol.dataReceived(piece)

    @property
    def error(self):
        assert self.road.transport.aborted or not hasattr(self.road.transport, "protocol")
        assert not self.clock.getDelayedCalls()
        return self.result.value


HERE = IPv4Address("TCP", "192.0.2.1", 8333)


@pytest.mark.parametrize("kind", [PushTransport, SocketTransport])
def test_once_connected_the_transport_is_the_targets(kind):
    transport = kind()
    trip = Trip(Road(transport))
    trip.hear(OPEN, DONE)
    assert trip.log == [HERE, "made", "won"]
    assert not trip.clock.getDelayedCalls()
    assert trip.result.transport is transport
    assert transport.getPeer() == HERE
    trip.hear(b"hello")
    transport.lose()
    assert trip.log[3:] == [b"hello", "lost"]


def test_nothing_stays_between_a_plain_transport_and_the_protocol():
    transport = SocketTransport()
    trip = Trip(Road(transport))
    trip.hear(OPEN, DONE)
    assert transport.protocol is trip.result
    assert direct_socket(transport) is transport.kernel


@pytest.mark.parametrize("kind", [PushTransport, SocketTransport])
def test_what_comes_with_the_reply_reaches_the_target_at_once(kind):
    trip = Trip(Road(kind()))
    trip.hear(OPEN, DONE + b"hello")
    assert trip.log == [HERE, "made", "won", b"hello"]


def test_every_cut_of_what_the_proxy_says_leads_there():
    for at in range(1, len(OPEN + DONE + b"hello")):
        trip = Trip(Road(SocketTransport()))
        words = OPEN + DONE + b"hello"
        trip.hear(words[:at], words[at:])
        assert trip.log[:3] == [HERE, "made", "won"]
        assert b"".join(trip.log[3:]) == b"hello"


def test_the_greeting_waits_for_the_connection_and_the_request_for_the_greeting():
    trip = Trip(Road(later=True), host=ONION)
    assert trip.road.transport.sent == b""
    trip.road.arrive()
    assert trip.road.transport.sent == b"\5\1\0"
    trip.hear(OPEN)
    assert trip.road.transport.sent[3:] == b"\5\1\0\3\x3e" + ONION.encode() + b"\x20\x8d"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", HERE),
        ("2001:db8::1", IPv6Address("TCP", "2001:db8::1", 8333)),
        (ONION, NameAddress(ONION, 8333)),
    ],
)
def test_the_peer_is_the_target(host, address):
    assert address_of(host, 8333) == address
    trip = Trip(host=host)
    trip.hear(OPEN + DONE)
    assert trip.result.transport.getPeer() == address


# Who we are


def offered(trip):
    return trip.road.transport.sent


def test_r_h2_credentials_are_fresh_for_every_connection():
    seen = set()
    for _ in range(20):
        trip = Trip(isolate=True)
        trip.hear(b"\5\2")
        sent = offered(trip)
        assert sent[:4] == b"\5\2\0\2"
        assert len(sent) == 4 + 3 + 32 + 32
        seen |= {sent[6:38], sent[39:]}
    assert len(seen) == 40


def test_r_h2_one_endpoint_dialled_twice_has_two_circuits():
    road = Road(later=True)
    endpoint = Socks5Endpoint(Clock(), Proxy(endpoint=road), ONION, 8333)
    said = []
    for _ in range(2):
        road.transport = PushTransport()
        dial = endpoint.connect(Factory())
        road.arrive()
        road.transport.protocol.dataReceived(b"\5\2")
        said.append(road.transport.sent)
        dial.addErrback(lambda failure: failure.trap(CancelledError, ConnectingCancelledError))
        dial.cancel()
    assert said[0] != said[1]


def test_tor_must_ask_for_the_credentials_that_isolate():
    trip = Trip(isolate=True, is_tor=True)
    assert offered(trip) == b"\5\1\2"
    trip.hear(b"\5\0")
    assert isinstance(trip.error, ProxyFailed)


def test_tor_is_told_addresses_as_if_they_were_names():
    trip = Trip(host="192.0.2.1", isolate=False, is_tor=True)
    trip.hear(OPEN)
    assert offered(trip).endswith(b"\5\1\0\3\x09192.0.2.1\x20\x8d")


def test_fixed_credentials_are_insisted_on():
    trip = Trip(credentials=Credentials("me", "secret"))
    assert offered(trip) == b"\5\1\2"
    trip.hear(b"\5\2")
    assert offered(trip) == b"\5\1\2\1\2me\6secret"
    assert "secret" not in repr(trip.proxy)


def test_isolation_can_be_done_without():
    assert offered(Trip(isolate=False)) == b"\5\1\0"


@pytest.mark.parametrize("host", ["", "a b", "fe80::1%eth0"])
def test_what_cannot_be_dialled_is_refused_at_once(host):
    with pytest.raises(InvalidSetting):
        Trip(host=host)


def test_an_endpoint_is_known_by_its_target():
    proxy = Proxy(endpoint=Road())
    assert repr(Socks5Endpoint(Clock(), proxy, "2001:db8::1", 7)) == "socks5:[2001:db8::1]:7"
    assert repr(Socks5Endpoint(Clock(), proxy, ONION, 7)) == f"socks5:{ONION}:7"


# How it can fail


def test_r_h2_whoever_fails_is_cut_at_once():
    trip = Trip()
    trip.hear(OPEN, b"\5\xf0\0\1")
    assert isinstance(trip.error, ProxyRefused)
    assert trip.error.code == 0xF0
    assert not trip.road.transport.disconnecting
    trip.road.transport.lose()
    assert len(trip.log) == 1


def test_r_h2_a_proxy_that_hangs_up_is_told_apart_from_a_target_that_does():
    trip = Trip()
    trip.hear(OPEN)
    trip.road.transport.lose()
    assert str(trip.error) == "the proxy hung up before it had answered"


@pytest.mark.parametrize("error", [ConnectError(string="nobody there."), ZeroDivisionError()])
def test_a_proxy_that_is_not_there_is_not_taken_for_the_target(error):
    trip = Trip(Road(error=error))
    assert isinstance(trip.error, ProxyFailed)
    assert str(trip.error).startswith("the proxy cannot be reached: ")
    assert str(trip.error).endswith(("nobody there", "ZeroDivisionError"))


def test_a_proxy_may_fail_before_its_endpoint_has_said_a_word():
    class Hasty(Road):
        def arrive(self):
            protocol = super().arrive()
            protocol.dataReceived(b"HTTP/1.0 400")
            return protocol

    trip = Trip(Hasty())
    assert isinstance(trip.error, ProxyFailed)


@pytest.mark.parametrize("words", [[], [b"\5"], [OPEN], [OPEN, DONE[:-1]]])
def test_one_deadline_covers_all_of_it(words):
    trip = Trip()
    trip.clock.advance(TIMEOUT - 1)
    trip.hear(*words)
    trip.clock.advance(1)
    assert isinstance(trip.error, TimedOut)
    assert str(trip.error) == "no connection through the proxy within 60 seconds"


def test_the_deadline_covers_the_way_to_the_proxy():
    trip = Trip(Road(later=True))
    trip.clock.advance(TIMEOUT)
    assert isinstance(trip.error, TimedOut)
    assert trip.road.cancelled


@pytest.mark.parametrize("words", [[], [b"\5"], [OPEN], [OPEN, DONE[:-1]]])
def test_r_h2_cancelled_at_any_step_nothing_stays(words):
    trip = Trip()
    trip.hear(*words)
    trip.deferred.cancel()
    assert isinstance(trip.error, ConnectingCancelledError)
    assert trip.road.transport.aborted


def test_r_h2_cancelled_on_the_way_to_the_proxy_nothing_stays():
    trip = Trip(Road(later=True))
    trip.deferred.cancel()
    assert trip.road.cancelled
    assert isinstance(trip.error, ConnectingCancelledError)
    assert trip.road.arrive() is None  # an endpoint that dials on all the same gets no protocol


def test_cancelled_after_it_was_connected_nothing_happens():
    trip = Trip()
    trip.hear(OPEN, DONE)
    trip.deferred.cancel()
    assert not trip.road.transport.aborted


def test_a_factory_that_wants_no_connection_gets_none():
    trip = Trip(build=lambda _: None)
    trip.hear(OPEN, DONE)
    assert isinstance(trip.error, NoProtocol)


def test_a_factory_that_fails_is_reported():
    trip = Trip(build=lambda _: 1 / 0)
    trip.hear(OPEN, DONE)
    assert isinstance(trip.error, ZeroDivisionError)


@pytest.mark.parametrize("kind", [PushTransport, SocketTransport])
def test_a_target_that_fails_at_once_is_reported_and_cut(kind):
    class Broken(Target):
        def connectionMade(self):
            raise ZeroDivisionError

    trip = Trip(Road(kind()), build=Broken)
    trip.hear(OPEN, DONE + b"hello")
    assert isinstance(trip.error, ZeroDivisionError)
    trip.road.transport.lose()
    assert trip.log[2:] == ["lost"]


def test_a_target_that_fails_over_what_came_is_left_to_the_transport():
    class Broken(Target):
        def dataReceived(self, data):
            raise ZeroDivisionError

    trip = Trip(build=Broken)
    trip.hear(OPEN)
    with pytest.raises(ZeroDivisionError):
        trip.hear(DONE + b"hello")
    assert trip.log[-1] == "won"


def test_a_target_that_gives_up_at_once_gets_nothing():
    class Shy(Target):
        def connectionMade(self):
            trip.deferred.cancel()

    trip = Trip(build=Shy)
    trip.hear(OPEN, DONE + b"hello")
    assert isinstance(trip.error, ConnectingCancelledError)
    assert b"hello" not in trip.log


# Names


def look_up(road=None, name="seed.example", **how):
    clock = Clock()
    proxy = Proxy(endpoint=road or Road(), isolate=False, is_tor=True)
    results = []
    deferred = resolve(clock, proxy, name, **how)
    deferred.addBoth(results.append)
    return clock, proxy.endpoint.transport, results, deferred


@pytest.mark.parametrize(
    ("reply", "address"),
    [
        (b"\5\0\0\1\xc0\0\2\7\0\0", "192.0.2.7"),
        (b"\5\0\0\4" + bytes.fromhex("20010db8" + "00" * 11 + "07") + b"\0\0", "2001:db8::7"),
    ],
)
def test_tor_looks_a_name_up(reply, address):
    clock, transport, results, _ = look_up()
    transport.protocol.dataReceived(OPEN)
    transport.protocol.dataReceived(reply)
    assert transport.sent == b"\5\1\0" + b"\5\xf0\0\3\x0cseed.example\0\0"
    assert results == [address]
    assert transport.aborted
    assert not clock.getDelayedCalls()
    transport.lose()


def test_a_name_is_no_answer_to_the_question_for_an_address():
    clock, transport, results, _ = look_up()
    transport.protocol.dataReceived(OPEN + b"\5\0\0\3\1x\0\0")
    assert results[0].check(ProxyFailed)
    assert transport.aborted
    assert not clock.getDelayedCalls()


def test_a_look_up_has_a_deadline_and_can_be_cancelled():
    clock, transport, results, _ = look_up(timeout=5)
    clock.advance(5)
    assert results[0].check(TimedOut)
    clock, transport, results, deferred = look_up()
    deferred.cancel()
    assert results[0].check(ConnectingCancelledError)
    assert transport.aborted


# Over real sockets


def within(deferred):
    return deferred.addTimeout(PATIENCE, real_reactor)


class Loopback:
    """A scripted proxy on this machine, behind which a node answers."""

    def __init__(self, **how):
        self.recorder = Recorder()
        self.node = LocalNode(config(), [self.recorder], clock=real_reactor)
        self.inside = PeerFactory(self.node, outbound=False)
        self.proxy = ScriptedProxy(self.answer, **how)

    def answer(self, request):
        return "192.0.2.7" if request.command == RESOLVE else self.inside.buildProtocol(None)

    async def open(self, endpoint=None):
        endpoint = endpoint or TCP4ServerEndpoint(real_reactor, 0, interface="127.0.0.1")
        self.port = await endpoint.listen(self.proxy)
        return self.port.getHost()

    async def close(self):
        await within(self.node.disconnect_all())
        await self.port.stopListening()


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "node.example", ONION])
@pytest_twisted.ensureDeferred
async def test_r_h4_peers_meet_through_a_proxy(host):
    world = Loopback()
    here = await world.open()
    road = TCP4ClientEndpoint(real_reactor, here.host, here.port)
    endpoint = Socks5Endpoint(real_reactor, Proxy(endpoint=road), host, 8333)
    recorder = Recorder()
    peer = await within(connect(real_reactor, endpoint, config(), [recorder]))
    (request,) = world.proxy.requests
    assert request[:3] == (CONNECT, host, 8333)
    assert len(request.credentials[0]) == 32
    assert peer.transport.getPeer().host == host
    assert peer.transport.protocol is peer
    assert direct_socket(peer.transport) is not None
    (other,) = world.node.peers
    await within(other.when_established())
    words = [text for number in range(20) for text in (bytes(100_000), b"%d" % number)]
    for word in words:
        peer.send(Say(word))
    peer.disconnect()
    await within(gatherResults([peer.when_lost(), other.when_lost()]))
    assert [said.text for said in world.recorder.told("message") if type(said) is Say] == words
    await world.close()


@pytest_twisted.ensureDeferred
async def test_a_proxy_may_be_a_unix_socket(tmp_path):
    path = str(tmp_path / "socks")
    world = Loopback()
    await world.open(UNIXServerEndpoint(real_reactor, path))
    proxy = Proxy(endpoint=UNIXClientEndpoint(real_reactor, path), is_tor=True)
    endpoint = Socks5Endpoint(real_reactor, proxy, ONION, 8333)
    peers = await within(
        gatherResults([connect(real_reactor, endpoint, config()) for _ in range(2)])
    )
    users = {request.credentials for request in world.proxy.requests}
    assert len(users) == 2
    assert peers[0].transport.getPeer() == NameAddress(ONION, 8333)
    assert direct_socket(peers[0].transport) is not None
    assert await within(resolve(real_reactor, proxy, "seed.example")) == "192.0.2.7"
    for peer in peers:
        peer.disconnect()
    await within(gatherResults([peer.when_lost() for peer in peers]))
    while world.node.peers:
        await within(next(iter(world.node.peers)).when_lost())
    await world.close()
