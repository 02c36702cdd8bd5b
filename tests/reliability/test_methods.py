"""Every public method of a peer is legal at any time: before the handshake, and after the end."""

from random import Random

import pytest
from zope.interface.interface import Method

from bitpeer.bitcoin import NETWORKS
from bitpeer.config import PeerConfig
from bitpeer.errors import LocalError
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.testing import Simulation
from tests.reliability.acts import ACTS, text


class Scene:
    """Two nodes of one simulation, and the peer that one is to the other."""

    def __init__(self):
        self.simulation = Simulation(seed=1)
        config = PeerConfig(network=NETWORKS["regtest"])
        self.hosts = [self.simulation.host(), self.simulation.host()]
        self.nodes = [LocalNode(config, clock=host) for host in self.hosts]
        here, there = self.hosts
        there.listenTCP(8333, PeerFactory(self.nodes[1], outbound=False))
        dial = here.client(there.address, 8333).connect(PeerFactory(self.nodes[0], outbound=True))
        self.peer = self.simulation.run(dial)

    def meet(self):
        self.simulation.run(self.peer.when_established())
        self.simulation.advance(5)

    def is_over(self):
        """Everything comes to an end, and nothing is left."""
        self.peer.disconnect()
        self.simulation.advance(400)
        assert [self.hosts[0].getDelayedCalls(), self.hosts[1].getDelayedCalls()] == [[], []]
        assert not self.nodes[0].peers
        assert self.nodes[0].held == self.nodes[1].held == 0


def handshaking(scene):
    """Connected, and nothing heard yet."""


def established(scene):
    scene.meet()


def closing(scene):
    scene.meet()
    scene.hosts[1].transports.popitem()[0].pauseProducing()  # so that closing takes its time
    for _ in range(200):
        scene.peer.send(text(Random(1))._replace(payload=bytes(5_000)))
    scene.peer.disconnect()
    assert scene.peer.queued


def cut(scene):
    scene.meet()
    ACTS["fail"](scene.peer, Random(1))


def lost(scene):
    scene.meet()
    scene.peer.disconnect()
    scene.simulation.advance(30)
    assert not scene.nodes[0].peers


def never_established(scene):
    scene.peer.disconnect()
    scene.simulation.advance(30)


BEFORE, AFTER = (handshaking, established), (closing, cut, lost, never_established)


def test_no_method_is_forgotten():
    methods = {name for name in IPeer.names(all=True) if isinstance(IPeer[name], Method)}
    assert set(ACTS) == methods


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("state", BEFORE + AFTER, ids=lambda state: state.__name__)
def test_it_may_be_called(state, name, logged_failures):
    scene, outcomes, waiting = Scene(), [], 0
    state(scene)
    before = scene.peer.bytes_sent, scene.peer.queued
    for seed in range(5):
        try:
            answer = ACTS[name](scene.peer, Random(seed))
        except LocalError:
            assert state is handshaking
            continue
        if hasattr(answer, "addBoth"):
            waiting += 1
            answer.addBoth(outcomes.append)
    if state in AFTER and name not in ("disconnect", "fail"):
        assert (scene.peer.bytes_sent, scene.peer.queued) == before
    scene.is_over()
    assert len(outcomes) == waiting, "somebody waits in vain"
    assert not logged_failures.claim()
