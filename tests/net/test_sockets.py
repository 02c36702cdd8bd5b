"""Peers over real sockets, on loopback: what no fake can prove."""

from hashlib import sha256

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
)
from twisted.internet.protocol import Protocol
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from bitpeer.errors import DisconnectReason, Truncated
from bitpeer.net.connect import connect
from bitpeer.net.factory import PeerFactory
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import LocalNode
from tests.net.stage import GREETING, PushTransport, Recorder, config, node, ping, say
from tests.toy import Say

PATIENCE = 20


def within(deferred):
    return deferred.addTimeout(PATIENCE, reactor)


class Listening(PeerListener):
    """A node that listens on loopback, and its peers."""

    def __init__(self, wrap=lambda factory: factory, **settings):
        self.recorder = Recorder()
        self.node = LocalNode(config(**settings), [self.recorder, self], clock=reactor)
        self.factory = wrap(PeerFactory(self.node, outbound=False))
        self.arrivals = []

    def peer_established(self, peer, version):
        waiting, self.arrivals = self.arrivals, []
        for waiter in waiting:
            waiter.callback(peer)

    async def open(self, endpoint=None):
        endpoint = endpoint or TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.port = await endpoint.listen(self.factory)
        return self.port.getHost()

    def next_peer(self):
        self.arrivals.append(Deferred())
        return within(self.arrivals[-1])

    async def close(self):
        await within(self.node.disconnect_all())
        await self.port.stopListening()


class SlowReader(Protocol):
    """Says hello, then reads a little at each turn of the reactor, until it has read enough."""

    def __init__(self, enough):
        self.enough = enough
        self.received = []
        self.count = 0
        self.done = Deferred()
        self.gone = Deferred()

    def connectionMade(self):
        self.transport.bufferSize = 30_000
        self.transport.write(GREETING)

    def dataReceived(self, data):
        self.received.append(data)
        self.count += len(data)
        if self.count >= self.enough:
            self.done.callback(None)
            self.enough = float("inf")
        else:
            self.transport.pauseProducing()
            reactor.callLater(0, self.transport.resumeProducing)

    def connectionLost(self, reason):
        self.gone.callback(None)


async def serve_a_slow_reader(listening):
    """Send twenty megabytes; return the peer, once all is delivered, and what came."""
    here = await listening.open()
    texts = [sha256(b"%d" % number).digest() * (1 + number * 7 % 3_000) for number in range(430)]
    frames = b"".join(say(text) for text in texts)
    arrival = listening.next_peer()
    reader = SlowReader(len(frames))
    await within(connectProtocol(HostnameEndpoint(reactor, b"127.0.0.1", here.port), reader))
    peer = await arrival
    deliveries = [peer.deliver(Say(text)) for text in texts]
    waiting = peer.queued
    assert waiting > 1_000_000  # more than any kernel keeps
    assert listening.node.held == waiting
    await within(gatherResults(deliveries))
    await within(reader.done)
    assert peer.queued == listening.node.held == 0
    received = b"".join(reader.received)
    assert received[received.index(frames[:64]) :][: len(frames)] == frames
    assert peer.bytes_sent == len(received)
    reader.transport.loseConnection()
    await within(gatherResults([reader.gone, peer.when_lost()]))
    return peer


@pytest_twisted.ensureDeferred
async def test_everything_reaches_a_slow_reader_straight_from_the_socket():
    listening = Listening(pause_queue=40_000_000)
    peer = await serve_a_slow_reader(listening)
    await listening.close()
    assert peer.snapshot().disconnect_reason is DisconnectReason.CLOSED_BY_PEER
    assert peer.snapshot().local_address.startswith("127.0.0.1:")


@pytest_twisted.ensureDeferred
async def test_everything_reaches_a_slow_reader_through_a_transport_that_is_wrapped():
    """As TLS does: nothing may be written past the wrapper."""
    written = []

    class Counting(ProtocolWrapper):
        def write(self, data):
            written.append(len(data))
            super().write(data)

    def wrap(factory):
        wrapping = WrappingFactory(factory)
        wrapping.protocol = Counting
        wrapping.noisy = False
        return wrapping

    listening = Listening(wrap, pause_queue=40_000_000)
    peer = await serve_a_slow_reader(listening)
    await listening.close()
    assert sum(written) == peer.bytes_sent
    assert max(written) <= 65_536


class Caller(Protocol):
    """Says what it has to say, and takes note of when it was answered."""

    def __init__(self, words, answer):
        self.words = words
        self.answer = answer
        self.received = b""
        self.answered = Deferred()
        self.gone = Deferred()

    def connectionMade(self):
        self.transport.write(self.words)

    def dataReceived(self, data):
        self.received += data
        if self.answer in self.received and not self.answered.called:
            self.answered.callback(None)

    def connectionLost(self, reason):
        self.gone.callback(None)


@pytest_twisted.ensureDeferred
async def test_r_j9_a_flood_from_one_peer_leaves_the_others_their_turn():
    """One read is all that a peer gets at a time, and that is 64 KiB."""
    listening = Listening()
    here = await listening.open()
    endpoint = HostnameEndpoint(reactor, b"127.0.0.1", here.port)
    arrival = listening.next_peer()
    flood = say(b"flood") * 400_000  # more than ten megabytes
    flooder = Caller(GREETING + flood, b"never")
    await within(connectProtocol(endpoint, flooder))
    drowning = await arrival
    caller = Caller(GREETING + ping(7), ping(7).replace(b"ping", b"pong"))
    await within(connectProtocol(endpoint, caller))
    await within(caller.answered)
    assert drowning.established
    assert drowning.bytes_received < len(flood) / 2
    flooder.transport.abortConnection()
    caller.transport.loseConnection()
    await within(gatherResults([flooder.gone, caller.gone]))
    await listening.close()


@pytest_twisted.ensureDeferred
async def test_two_peers_meet_and_part():
    listening = Listening()
    here = await listening.open()
    recorder = Recorder()
    peer = await within(connect(reactor, f"127.0.0.1:{here.port}", config(), [recorder]))
    await within(peer.deliver(Say(b"hello")))
    await within(peer.deliver(Say(bytes(99_000))))
    peer.disconnect()
    assert (await within(peer.when_lost())).reason is DisconnectReason.CLOSED_HERE
    while listening.node.peers:
        await within(next(iter(listening.node.peers)).when_lost())
    assert listening.recorder.told("message")[-2:] == [Say(b"hello"), Say(bytes(99_000))]
    (reason,) = listening.recorder.told("lost")
    assert reason.reason is DisconnectReason.CLOSED_BY_PEER
    assert peer.address == f"127.0.0.1:{here.port}"
    await listening.close()


@pytest_twisted.ensureDeferred
async def test_last_words_reach_whom_they_are_meant_for():
    listening = Listening()
    here = await listening.open()
    recorder = Recorder()
    arrival = listening.next_peer()
    peer = await within(connect(reactor, f"tcp:127.0.0.1:{here.port}", config(), [recorder]))
    other = await arrival
    for _ in range(30):
        other.send(Say(bytes(100_000)))
    other.send(Say(b"goodbye"))
    other.disconnect()
    assert (await within(peer.when_lost())).reason is DisconnectReason.CLOSED_BY_PEER
    assert recorder.told("message")[-1] == Say(b"goodbye")
    await listening.close()


@pytest_twisted.ensureDeferred
async def test_nobody_answers_where_nobody_listens():
    listening = Listening()
    here = await listening.open()
    await listening.close()
    failures = []
    attempt = connect(reactor, f"127.0.0.1:{here.port}", config()).addErrback(failures.append)
    await within(attempt)
    assert failures[0].value.reason is DisconnectReason.DIAL_REFUSED


@pytest_twisted.ensureDeferred
async def test_peers_meet_over_unix_sockets_too(tmp_path):
    path = str(tmp_path / "peer")
    listening = Listening()
    await listening.open(UNIXServerEndpoint(reactor, path))
    arrival = listening.next_peer()
    peer = await within(connect(reactor, UNIXClientEndpoint(reactor, path), config()))
    other = await arrival
    assert peer.address == path
    assert other.local_address == path
    other.send(Say(bytes(90_000)))
    await within(other.deliver(Say(b"last")))
    other.fail(Truncated(1, 0))
    assert (await within(other.when_lost())).reason is DisconnectReason.MALFORMED
    await within(peer.when_lost())
    assert other.snapshot().local_address == path
    await listening.close()


def test_behind_a_load_balancer_the_address_is_that_of_the_peer():
    """The first bytes tell it (ecosystem.md F)."""
    stage = node()
    factory = HAProxyWrappingFactory(PeerFactory(stage, outbound=False))
    balancer = IPv4Address("TCP", "10.0.0.1", 5)
    protocol = factory.buildProtocol(balancer)
    transport = PushTransport(peer=balancer, host=balancer)
    transport.protocol = protocol
    protocol.makeConnection(transport)
    (peer,) = stage.peers
    assert peer.address == "10.0.0.1:5"
    protocol.dataReceived(b"PROXY TCP4 198.51.100.9 192.0.2.9 4242 8333\r\n" + GREETING)
    assert peer.established
    assert peer.address == "198.51.100.9:4242"
    assert peer.local_address == "192.0.2.9:8333"
    peer.disconnect()
    transport.lose()
    assert str(peer) == "peer 1 198.51.100.9:4242 (inbound)"
