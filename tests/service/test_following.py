"""A chain that is opened, followed, served and closed."""

import pytest

from bitpeer.bitcoin.header import Headers
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.config import BlockPosition, PeerConfig
from bitpeer.errors import InvalidSetting, StorageUnusable
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.local import LocalNode
from bitpeer.service.following import Following
from bitpeer.service.headerprogress import Progress
from tests.chains import BEGIN, mined
from tests.service.fakes import NETWORK, Reactor, make_node

CHAIN = mined(3)
NOW = BEGIN + 3_600


class World:
    """A node that follows regtest, and a peer of it that is played."""

    def __init__(self, path, *, told=True):
        self.reactor = Reactor()
        self.reactor.advance(NOW)
        self.node = LocalNode(PeerConfig(network=REGTEST), clock=self.reactor)
        self.useful, self.events = [], []
        tell = {"useful": self.useful.append, "emit": lambda name, **_: self.events.append(name)}
        self.following = Following(self.node, path, **(tell if told else {}))

    def hear(self, kind, message):
        """Let all that listen to *kind* hear a message of the peer's; return how many they are."""
        receivers = self.node.audience[kind]
        for receive in receivers:
            coroutine = receive(self.peer, message)
            if coroutine is not None:
                with pytest.raises(StopIteration):
                    coroutine.send(None)
        return len(receivers)

    def meet(self):
        self.peer = Peer()
        self.following.sync.peer_established(self.peer, None)


class Peer:
    inbound = False
    known_height = 3

    def __init__(self):
        self.said = []

    def send(self, message):
        self.said.append(message)

    def update_last_block(self, height):
        self.known_height = height


@pytest.fixture
def world(tmp_path):
    worlds = []

    def world(path=tmp_path / "headers.sqlite"):
        worlds.append(World(path))
        return worlds[-1]

    yield world
    for each in worlds:
        each.following.stopService()


def newest():
    return BlockPosition(CHAIN[-1].hash, 3, 8)


def test_before_it_starts_nothing_is_opened_and_the_genesis_block_is_the_newest(world, tmp_path):
    following = world().following
    genesis = following.newest_block()
    assert genesis[:2] == (REGTEST.genesis, 0)
    assert following.tip_time == 0
    assert following.progress() == Progress(0, 0, 0, 0.0, None, current=False)
    assert list(tmp_path.iterdir()) == []
    following.startService()
    assert following.tip == genesis


def test_while_it_runs_it_follows_what_peers_say(world):
    one = world()
    one.following.startService()
    one.meet()
    assert [type(each) for each in one.peer.said] == [GetHeaders]
    assert one.hear(Headers, Headers(CHAIN)) == 1
    assert one.following.tip == one.following.newest_block() == one.node.newest_block()
    assert one.node.newest_block() == newest()
    assert one.following.tip_time == CHAIN[-1].time
    assert one.following.progress().height == 3
    assert one.useful == [one.peer]
    assert one.events == ["headers.progress"]


def test_it_tells_others_what_it_knows(world):
    one = world()
    one.following.startService()
    assert len(one.node.audience[GetHeaders]) == 1


def test_what_it_learned_is_there_again_after_a_restart(world):
    one = world()
    one.following.startService()
    one.meet()
    one.hear(Headers, Headers(CHAIN))
    one.following.stopService()
    assert one.node.newest_block().height == 0
    assert one.node.audience[Headers] == one.node.audience[GetHeaders] == ()
    assert one.reactor.getDelayedCalls() == []
    one.following.startService()
    assert one.node.newest_block() == newest()
    assert len(one.node.audience[Headers]) == 1


def test_without_a_file_it_forgets(world):
    one = world(None)
    one.following.startService()
    one.meet()
    one.hear(Headers, Headers(CHAIN))
    one.following.stopService()
    one.following.startService()
    assert one.node.newest_block().height == 0


def test_nobody_need_be_told():
    one = World(None, told=False)
    one.following.startService()
    one.meet()
    one.hear(Headers, Headers(CHAIN))
    assert one.node.newest_block() == newest()
    assert one.events == one.useful == []
    one.following.stopService()


def test_a_file_that_cannot_be_used_leaves_nothing_half_started(world, tmp_path):
    (tmp_path / "headers.sqlite").write_text("a diary " * 200)
    one = world()
    with pytest.raises(StorageUnusable, match=r"headers\.sqlite"):
        one.following.startService()
    assert not one.following.running
    assert one.node.audience[Headers] == ()


def test_a_network_whose_rules_nobody_knows_cannot_be_followed():
    with pytest.raises(InvalidSetting, match="whose rules for headers are known"):
        Following(make_node(Reactor(), network=NETWORK), None)
