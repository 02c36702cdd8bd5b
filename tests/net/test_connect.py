import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,  # noqa: A004  # these are Twisted's
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,  # noqa: A004
    UnknownHostError,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    InvalidSetting,
    ProxyFailed,
    Refused,
    RemoteError,
)
from bitpeer.messages.control import Reject
from bitpeer.net.connect import connect
from bitpeer.net.interfaces import IVersionListener
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from tests.net.stage import (
    GREETING,
    HELLO,
    NOON,
    Recorder,
    SocketTransport,
    clock,
    commands,
    config,
    frame,
    frames,
)
from tests.toy import Hello, frame as raw_frame


@implementer(IStreamClientEndpoint)
class Road:
    """An endpoint that leads to one transport, or ends in an error, or nowhere."""

    def __init__(self, end=None):
        self.end = end
        self.transport = SocketTransport()
        self.cancelled = False

    def connect(self, factory):
        if isinstance(self.end, Exception):
            return fail(self.end)
        if self.end == "nowhere":
            return Deferred(self.cancel)
        peer = factory.buildProtocol(self.transport.getPeer())
        self.transport.protocol = peer
        peer.makeConnection(self.transport)
        return succeed(peer)

    def cancel(self, deferred):
        self.cancelled = True
        deferred.errback(ConnectingCancelledError(None))


class Trip:
    """An attempt to connect along a road, and what became of it."""

    def __init__(self, road, *listeners, **settings):
        self.road = road
        self.clock = clock()
        self.deferred = connect(self.clock, road, config(**settings), listeners)
        self.results = []
        self.deferred.addBoth(self.results.append)

    @property
    def error(self):
        (result,) = self.results
        return result.value


def test_an_established_peer_is_the_result():
    recorder = Recorder()
    trip = Trip(Road(), recorder)
    assert not trip.results
    trip.road.transport.protocol.dataReceived(GREETING)
    (peer,) = trip.results
    assert peer.established
    assert not peer.inbound
    assert commands(trip.road.transport.sent)[0] == "version"
    assert recorder.told("established")
    peer.disconnect()
    trip.road.transport.lose()
    assert not trip.clock.getDelayedCalls()


class ProxySaysNo(RemoteError):
    reason = DisconnectReason.PROXY_FAILED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectError(), DisconnectReason.DIAL_FAILED),
        (NoRouteError(), DisconnectReason.DIAL_FAILED),
        (DNSLookupError("no such host"), DisconnectReason.NAME_UNKNOWN),
        (UnknownHostError(), DisconnectReason.NAME_UNKNOWN),
        (ConnectionRefusedError(), DisconnectReason.DIAL_REFUSED),
        (TimeoutError(), DisconnectReason.DIAL_TIMED_OUT),
        (TCPTimedOutError(), DisconnectReason.DIAL_TIMED_OUT),
        (ProxySaysNo(), DisconnectReason.PROXY_FAILED),
    ],
)
def test_who_cannot_be_reached_is_told_why(error, reason):
    trip = Trip(Road(error))
    assert isinstance(trip.error, Disconnected)
    assert trip.error.reason is reason
    assert trip.error.reason.transient
    assert trip.error.cause is error
    assert not trip.clock.getDelayedCalls()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", DisconnectReason.WRONG_NETWORK),
        (raw_frame(b"version", b"short"), DisconnectReason.MALFORMED),
        (frame(Hello(0, 0, int(NOON), 5)), DisconnectReason.OBSOLETE),
        (raw_frame(b"ping", bytes(8)), DisconnectReason.OUT_OF_ORDER),
        ("itself", DisconnectReason.SELF_CONNECTION),
        ("nothing", DisconnectReason.HANDSHAKE_TIMEOUT),
        ("goodbye", DisconnectReason.CLOSED_BY_PEER),
        (frame(HELLO) + frame(Reject(b"version", 0x11, b"go")), DisconnectReason.REFUSED),
    ],
)
def test_each_way_to_fail_has_its_reason(said, reason):
    recorder = Recorder()
    trip = Trip(Road(), recorder, handshake_timeout=30)
    transport = trip.road.transport
    if said == "itself":
        transport.protocol.dataReceived(transport.sent)
    elif said == "nothing":
        trip.clock.pump([1] * 35)
    elif said != "goodbye":
        transport.protocol.dataReceived(said)
    transport.lose()
    assert trip.error.reason is reason
    assert recorder.told("lost") == [trip.error]
    assert not trip.clock.getDelayedCalls()


def test_a_guest_that_a_listener_refuses_is_told_why():
    @implementer(IVersionListener)
    class Guard:
        def version_received(self, peer, version):
            raise Refused("too few blocks")

    trip = Trip(Road(), Guard())
    trip.road.transport.protocol.dataReceived(GREETING)
    trip.road.transport.lose()
    assert trip.error.reason is DisconnectReason.REFUSED
    assert "too few blocks" in str(trip.error)


def test_a_peer_that_is_gone_before_anybody_could_look_is_lost():
    class Slammed(Road):
        def connect(self, factory):
            result = super().connect(factory)
            self.transport.lose()
            return result

    assert Trip(Slammed()).error.reason is DisconnectReason.CLOSED_BY_PEER


def test_cancelling_stops_the_dial():
    trip = Trip(Road("nowhere"))
    trip.deferred.cancel()
    assert trip.road.cancelled
    assert isinstance(trip.error, CancelledError)
    assert not trip.clock.getDelayedCalls()


def test_cancelling_during_the_handshake_closes_the_connection():
    trip = Trip(Road())
    trip.deferred.cancel()
    assert isinstance(trip.error, CancelledError)
    assert trip.road.transport.disconnecting
    trip.road.transport.lose()
    assert not trip.clock.getDelayedCalls()


# By name


def test_what_was_dialled_names_the_peer():
    reactor = MemoryReactorClock()
    reactor.advance(NOON)
    results = []
    connect(reactor, "tcp:127.0.0.1:8333", config()).addBoth(results.append)
    host, port, factory = reactor.tcpClients[0][:3]
    assert (host, port) == ("127.0.0.1", 8333)
    peer = factory.buildProtocol(None)
    transport = SocketTransport()
    transport.protocol = peer
    peer.makeConnection(transport)
    peer.dataReceived(GREETING)
    assert results[0].address == "tcp:127.0.0.1:8333"
    assert frames(transport.sent)[0][0] == "version"


@pytest.mark.parametrize(("text", "port"), [("127.0.0.1", 7), ("127.0.0.1:9", 9)])
def test_a_host_and_a_port_are_enough_and_the_network_knows_its_port(text, port):
    reactor = MemoryReactorClock()
    deferred = connect(reactor, text, config())
    assert reactor.tcpClients[0][:2] == ("127.0.0.1", port)
    results = []
    deferred.addBoth(results.append)
    deferred.cancel()
    assert results[0].check(CancelledError)
    assert not reactor.getDelayedCalls()


@pytest.mark.parametrize("text", ["", "host:port", "tcp:", "nonsense:a=b", "[::1"])
def test_what_makes_no_sense_is_refused_at_once(text):
    with pytest.raises(InvalidSetting):
        connect(clock(), text, config())


def test_listeners_that_make_no_sense_are_refused_at_once():
    with pytest.raises(InvalidSetting):
        connect(clock(), Road(), config(), [object()])


# By way of a proxy


def test_r_f5_routes_decide_how_a_peer_is_dialled():
    reactor = MemoryReactorClock()
    way = Proxy(endpoint=TCP4ClientEndpoint(reactor, "192.0.2.99", 9050))
    dial = connect(reactor, "node.example", config(), routes=Routes(reactor, proxy=way))
    assert [client[:2] for client in reactor.tcpClients] == [("192.0.2.99", 9050)]
    dial.addErrback(lambda failure: failure.trap(CancelledError))
    dial.cancel()
    connect(reactor, "192.0.2.1:7", config(), routes=Routes(reactor)).addErrback(lambda _: None)
    assert [client[:2] for client in reactor.tcpClients[1:]] == [("192.0.2.1", 7)]


@pytest.mark.parametrize("there", ["192.0.2.1", TCP4ClientEndpoint(None, "192.0.2.1", 7)])
def test_r_f5_a_peer_that_should_be_proxied_is_not_dialled_without_one(there):
    with pytest.raises(InvalidSetting, match="connect is"):
        connect(clock(), there, config(proxied=True))


def test_a_proxy_that_fails_is_told_from_a_peer_that_does():
    trip = Trip(Road(ProxyFailed("hung up")))
    assert trip.error.reason is DisconnectReason.PROXY_FAILED
