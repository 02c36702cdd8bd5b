import pytest
from twisted.internet.task import Clock

from bitpeer.bitcoin.header import Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected, DisconnectReason, NotNegotiated
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.local import LocalNode
from bitpeer.service import headerserving as module
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from tests.chains import mined

NOW = 4_000_000_000.0
ALL = mined(2_100, step=1)
LINKS = REGTEST.rules.links(ALL)


class Peer:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Headers] = []
        self.known_height = 0
        self.deaf = False

    def send(self, message: Headers) -> None:
        if self.deaf:
            raise NotNegotiated(message.command, "ears")
        self.given.append(message)

    def update_last_block(self, height: int) -> None:
        self.known_height = height


@pytest.fixture
def clock():
    clock = Clock()
    yield clock
    assert not clock.getDelayedCalls()


@pytest.fixture
def chain():
    chain = HeaderChain.open(REGTEST)
    chain.extend(LINKS, NOW)
    yield chain
    chain.close()


@pytest.fixture
def server(clock, chain):
    return HeaderServer(LocalNode(PeerConfig(network=REGTEST), clock=clock), chain)


def ask(server, peer, *locator: bytes, stop: bytes = bytes(32)):
    return server.message_received(peer, GetHeaders(70016, locator, stop))


def test_headers_are_given_behind_what_is_known(server):
    peer = Peer()
    assert ask(server, peer, b"?" * 32, ALL[99].hash) is None
    assert ask(server, peer, ALL[2_000].hash, stop=ALL[2_003].hash) is None
    assert ask(server, peer, ALL[-1].hash) is None
    assert peer.given == [Headers(ALL[100:2_100]), Headers(ALL[2_001:2_004]), Headers(())]


def test_one_header_may_be_asked_for_by_its_name(server):
    peer = Peer()
    ask(server, peer, stop=ALL[7].hash)
    ask(server, peer, stop=b"?" * 32)
    assert peer.given == [Headers([ALL[7]])]


def test_only_so_much_of_a_locator_is_read(server):
    peer = Peer()
    ask(server, peer, *[b"?" * 32] * module.MAX_LOCATOR, ALL[2_050].hash)
    assert peer.given == [Headers(ALL[:2_000])]


def test_a_chain_without_its_work_is_kept_to_oneself(server, chain):
    chain.minimum_work = chain.tip.work + 1
    peer = Peer()
    ask(server, peer, REGTEST.genesis)
    ask(server, peer, stop=ALL[7].hash)
    assert peer.given == [Headers(())]


def test_whoever_asks_too_fast_has_to_wait(server, clock):
    greedy, modest = Peer(), Peer()
    for _ in range(10):
        assert ask(server, greedy, REGTEST.genesis) is None
    waits = ask(server, greedy, REGTEST.genesis)
    assert ask(server, modest, REGTEST.genesis) is None
    assert len(greedy.given) == 10
    clock.advance(0.19)
    assert not waits.called
    clock.advance(0.02)
    assert waits.called
    assert len(greedy.given) == 11
    clock.advance(60)
    assert ask(server, greedy, REGTEST.genesis) is None


def test_empty_answers_have_their_price(server, clock):
    peer = Peer()
    for _ in range(200):
        assert ask(server, peer, ALL[-1].hash) is None
    assert ask(server, peer, ALL[-1].hash) is not None
    clock.advance(1)


def test_who_is_gone_is_forgotten(server):
    peer = Peer()
    ask(server, peer, REGTEST.genesis)
    assert len(server._accounts) == 1
    server.peer_lost(peer, Disconnected(DisconnectReason.CLOSED_BY_PEER))
    server.peer_lost(peer, Disconnected(DisconnectReason.CLOSED_BY_PEER))
    assert not server._accounts


def test_who_cannot_be_answered_is_not(server):
    peer = Peer()
    peer.deaf = True
    assert ask(server, peer, REGTEST.genesis) is None


def test_whoever_asks_shows_how_high_it_is_or_will_be(server):
    peer = Peer()
    ask(server, peer, stop=ALL[7].hash)
    assert peer.known_height == 0
    ask(server, peer, b"?" * 32, ALL[0].hash)
    assert peer.known_height == 2_001
    ask(server, peer, ALL[2_000].hash)
    assert peer.known_height == 2_100
    ask(server, peer, ALL[-1].hash)
    assert peer.known_height == 2_100
    other = Peer()
    ask(server, other, b"?" * 32, ALL[-1].hash)  # it has something that we have not
    assert other.known_height == 0
