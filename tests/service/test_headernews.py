"""Tests of bitpeer.service.headernews."""

import pytest
from twisted.internet.task import Clock

from bitpeer.bitcoin.header import Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import PeerConfig
from bitpeer.errors import NotNegotiated
from bitpeer.net.local import LocalNode
from bitpeer.service.headernews import MAX_NEWS, HeaderNews
from bitpeer.service.headers import HeaderChain
from tests.chains import BEGIN, mined

NOW = BEGIN + 10_000_000.0
LONG = mined(30)


class Peer:
    """Remembers what it is told."""

    def __init__(self, height=0, *, wants_headers=True, deaf=False, established=True):
        self.known_height = height
        self.wants_headers = wants_headers
        self.deaf = deaf
        self.established = established
        self.told = []

    def send(self, message):
        if self.deaf:
            raise NotNegotiated(message.command, "ears")
        assert isinstance(message, Headers)
        self.told.append(list(message.hashes()))

    def update_last_block(self, height):
        self.known_height = height


class Stage:
    """A chain of twenty blocks, its news, and who hears them."""

    def __init__(self):
        self.node = LocalNode(PeerConfig(network=REGTEST), clock=Clock())
        self.chain = HeaderChain.open(REGTEST)
        self.extend(LONG[:20])
        self.news = HeaderNews(self.node, self.chain)
        self.source = Peer(height=0)

    def extend(self, headers):
        return self.chain.extend(self.chain.rules.links(headers), NOW).withdrawn

    def learn(self, headers, *peers, current=True):
        self.node.peers.update(peers)
        withdrawn = self.extend(headers)
        self.news.changed(self.source, withdrawn, current=current)


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    stage.chain.close()


def hashes(headers):
    return [header.hash for header in headers]


def test_who_wants_headers_is_told_of_a_new_block(stage):
    peers = Peer(), Peer(20)
    stage.learn(LONG[20:21], *peers)
    stage.learn(LONG[21:23])
    assert [peer.told for peer in peers] == [[hashes(LONG[20:21]), hashes(LONG[21:23])]] * 2
    assert [peer.known_height for peer in peers] == [23, 23]


def test_nobody_is_told_who_knows_or_does_not_want_to(stage):
    others = Peer(21), Peer(wants_headers=False), Peer(established=False), stage.source
    deaf, keen = Peer(deaf=True), Peer()
    stage.learn(LONG[20:21], *others, deaf, keen)
    assert keen.told
    assert not any(peer.told for peer in others)


def test_of_many_blocks_only_the_newest_is_told(stage):
    peer = Peer()
    stage.learn(LONG[20 : 20 + MAX_NEWS + 1], peer)
    assert peer.told == [hashes(LONG[20 + MAX_NEWS : 20 + MAX_NEWS + 1])]


def test_a_reorganisation_is_told_from_where_the_chains_part(stage):
    peer = Peer(30)  # as high as can be, but perhaps of the other branch
    fork = mined(4, LONG[17], tag=b"fork", time=LONG[17].time + 1)
    stage.learn(fork, peer)
    assert stage.chain.height == 22
    assert peer.told == [hashes(fork)]


def test_what_loses_is_not_told(stage):
    peer = Peer()
    stage.learn(mined(2, LONG[17], tag=b"fork", time=LONG[17].time + 1), peer)
    assert peer.told == []


def test_while_it_catches_up_nothing_is_told(stage):
    peer = Peer()
    stage.learn(LONG[20:22], peer, current=False)
    assert peer.told == []
    stage.learn(LONG[22:23])
    assert peer.told == [hashes(LONG[22:23])]
