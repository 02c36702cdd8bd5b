"""A handshake may fail at every step, in every way, from either side: it ends once, cleanly."""

import pytest
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.bitcoin import NETWORKS, Ping, SendAddrV2, VerAck, Version
from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected, DisconnectReason as Why
from bitpeer.messages.control import FeeFilter
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeerListener
from bitpeer.net.local import LocalNode
from bitpeer.testing import Link, Simulation, dial, listen

NETWORK = NETWORKS["regtest"]


@implementer(IPeerListener)
class Witness:
    def __init__(self):
        self.told = []

    def peer_established(self, peer, version):
        self.told.append("established")

    def message_received(self, peer, message):
        self.told.append(message)

    def peer_lost(self, peer, reason):
        self.told.append(reason)


class Scene:
    """A node of ours, and a scripted peer that is connected to it."""

    def __init__(self, *, outbound):
        self.simulation = Simulation(seed=1, link=Link(latency=0.1, jitter=0.1, segment=20))
        self.host, self.elsewhere = self.simulation.host(), self.simulation.host()
        self.witness = Witness()
        self.node = LocalNode(PeerConfig(network=NETWORK), [self.witness], clock=self.host)
        meeting = self._is_dialled() if outbound else self._dials()
        self.script = self.simulation.run(meeting)
        (self.peer,) = self.node.peers
        self.outcomes = []
        for waiting in (self.peer.when_established(), self.peer.when_lost()):
            waiting.addBoth(self.outcomes.append)

    async def _is_dialled(self):
        door = await listen(self.elsewhere, "8333", NETWORK)
        factory = PeerFactory(self.node, outbound=True)
        await self.host.client(self.elsewhere.address, 8333).connect(factory)
        return await door.accept()

    async def _dials(self):
        self.host.listenTCP(8333, PeerFactory(self.node, outbound=False))
        return await dial(self.elsewhere, f"{self.host.address}:8333", NETWORK)

    def check_the_end(self, within):
        self.simulation.advance(within)
        assert not self.node.peers, f"it goes on:\n{self.script.transcript}"
        assert not self.host.getDelayedCalls(), "timers are left"
        assert self.node.held == 0
        assert not self.node.terms.own_nonces
        assert sum(self.node.lost.values()) == 1
        never, lost = self.outcomes
        assert isinstance(never, Failure)
        assert never.value is lost
        assert isinstance(lost, Disconnected)
        assert self.witness.told[-1] is lost
        assert "established" not in self.witness.told
        assert [each for each in self.witness.told if isinstance(each, Disconnected)] == [lost]
        return lost.reason


# How far it gets


def at_once(script):
    """Nothing was said."""


def in_the_middle_of_version(script):
    script.begin(script.introduction(), 50)


def after_version(script):
    script.send(script.introduction())


def after_a_feature(script):
    script.send(script.introduction(), SendAddrV2())


def in_the_middle_of_verack(script):
    script.send(script.introduction())
    script.begin(VerAck(), 23)


STEPS = [
    at_once,
    in_the_middle_of_version,
    after_version,
    after_a_feature,
    in_the_middle_of_verack,
]

# How it fails

GONE = {Why.CLOSED_BY_PEER}
CUT = {Why.CONNECTION_BROKEN}
TOO_LATE = {Why.HANDSHAKE_TIMEOUT, Why.FRAME_TIMEOUT}
RUBBISH = {Why.WRONG_NETWORK, Why.MALFORMED, Why.OVERSIZED, Why.OUT_OF_ORDER}


def close(scene):
    scene.script.close()
    return GONE


def finish(scene):
    scene.script.close_writing()
    return GONE


def abort(scene):
    scene.script.abort()
    return CUT


def crash(scene):
    scene.elsewhere.crash()
    return TOO_LATE


def crash_and_reboot(scene):
    scene.elsewhere.crash()
    scene.elsewhere.reboot()
    return TOO_LATE | CUT


def be_cut_off(scene):
    scene.simulation.cut(scene.host, scene.elsewhere)
    return TOO_LATE


def fall_silent(_):
    return TOO_LATE


def never_read(scene):
    scene.script.stop_reading()
    return TOO_LATE


def talk_rubbish(scene):
    scene.script.send_bytes(bytes(1_000))
    return RUBBISH


def lie_about_the_network(scene):
    scene.script.lie(VerAck(), magic=b"1234")
    return RUBBISH | TOO_LATE


def lie_about_the_length(scene):
    scene.script.lie(scene.script.introduction(), length=1 << 31)
    return RUBBISH


def lie_about_the_checksum(scene):
    scene.script.lie(VerAck(), checksum=b"good")
    return RUBBISH | TOO_LATE


def cut_a_version_short(scene):
    scene.script.lie(scene.script.introduction(), payload=bytes(20))
    return RUBBISH | TOO_LATE


def introduce_oneself_twice(scene):
    scene.script.send(scene.script.introduction(), scene.script.introduction())
    return RUBBISH


def be_too_old(scene):
    scene.script.send(scene.script.introduction(version=1))
    return RUBBISH | {Why.OBSOLETE}


def say_one_thing_over_and_over(scene):
    scene.script.send(*(FeeFilter(1) for _ in range(1_000)))
    return RUBBISH | TOO_LATE


def say_no_more_than_ping(scene):
    scene.script.send(Ping(1))
    return RUBBISH | TOO_LATE


def send_our_nonce_back(scene):
    scene.simulation.advance(2)
    versions = scene.script.heard(Version)
    nonce = versions[0].nonce if versions else 7
    scene.script.send(scene.script.introduction(nonce=nonce))
    return RUBBISH | TOO_LATE | {Why.SELF_CONNECTION}


def be_hung_up_on(scene):
    scene.peer.disconnect()
    return {Why.CLOSED_HERE}


def be_cancelled_by_all(scene):
    scene.peer.when_established().addErrback(lambda _: None).cancel()
    scene.peer.disconnect()
    return {Why.CLOSED_HERE}


WAYS = [
    close,
    finish,
    abort,
    crash,
    crash_and_reboot,
    be_cut_off,
    fall_silent,
    never_read,
    talk_rubbish,
    lie_about_the_network,
    lie_about_the_length,
    lie_about_the_checksum,
    cut_a_version_short,
    introduce_oneself_twice,
    be_too_old,
    say_one_thing_over_and_over,
    say_no_more_than_ping,
    send_our_nonce_back,
    be_hung_up_on,
    be_cancelled_by_all,
]


@pytest.mark.parametrize("outbound", [True, False], ids=["outbound", "inbound"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_handshake_that_fails_ends_once_and_cleanly(step, way, outbound, logged_failures):
    scene = Scene(outbound=outbound)
    step(scene.script)
    expected = way(scene)
    within = scene.node.config.handshake_timeout + 10
    assert scene.check_the_end(within) in expected
    assert not logged_failures.claim()


@pytest.mark.parametrize("outbound", [True, False], ids=["outbound", "inbound"])
def test_a_handshake_that_does_not_fail_succeeds(outbound):
    scene = Scene(outbound=outbound)
    scene.simulation.run(scene.script.shake_hands())
    scene.simulation.advance(1)
    assert scene.outcomes == [scene.peer]
