"""Anything may happen at any time, on both ends of real connections over an imaginary network.

Two nodes dial each other while a die decides what comes next: who connects, what is said, asked
and taken back, which listener takes time to think, when bytes arrive, which cable is pulled, who
goes to sleep, and what the rascals do who come uninvited.  After every step, and at the end of
all days, what must hold is looked at.  `tests.net.test_lifecycle` does the same on transports that
a die plays by itself; here they behave as TCP does, and time passes as it does outside.
"""

from collections import Counter
from random import Random
from types import MappingProxyType

import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer

from bitpeer.bitcoin import NETWORKS, GetData, NotFound
from bitpeer.config import PeerConfig
from bitpeer.errors import Disconnected, LimitExceeded, LocalError
from bitpeer.messages.control import Ping
from bitpeer.net.factory import PeerFactory
from bitpeer.net.interfaces import IPeerListener, ITrafficListener, IVersionListener
from bitpeer.net.local import LocalNode
from bitpeer.testing import Link, Simulation, dial
from tests.reliability.acts import ENDINGS, HARMLESS

SEEDS, STEPS = 40, 2_500
"""A hundred thousand steps."""
NETWORK = NETWORKS["regtest"]
MOST = 8
"""Connections at a time."""
LINKS = (
    Link(latency=0.05),
    Link(latency=0.1, jitter=1.0),
    Link(latency=0.3, segment=40),
    Link(latency=0.01, window=600),
    Link(latency=1.0, bandwidth=20_000),
)
SETTINGS = {
    "pause_queue": 2_000,
    "max_queue": 30_000,
    "max_total": 120_000,
    "transfer_grace": 40,
    "handshake_timeout": 60,
    "listener_timeout": 100,
}


@implementer(IPeerListener, ITrafficListener, IVersionListener)
class Witness:
    """Sees everything at one node, and answers as the die will have it."""

    def __init__(self, world):
        self.world = world
        self.told = {}
        self.sizes = {}

    def _answer(self, peer):
        world, roll = self.world, self.world.die.random()
        if roll < 0.7:
            return None
        if roll < 0.85:
            return world.act(peer, HARMLESS)
        if roll < 0.95:
            thought = Deferred()
            world.thoughts.append((peer, thought))
            return thought
        if roll < 0.99:
            raise ValueError("clumsy")
        raise LimitExceeded(2, 1)

    def _hear(self, peer, what):
        """Take note of *what* a peer did, which nobody may be told at a wrong time."""
        told = self.told.setdefault(peer, [])
        assert not any(isinstance(each, Disconnected) for each in told), "told after the loss"
        if not isinstance(what, Disconnected):
            assert all(peer is not busy for busy, _ in self.world.thoughts), "told too soon"
        told.append(what)

    def version_received(self, peer, version):
        assert peer not in self.told, "judged too late"
        return self._answer(peer)

    def peer_established(self, peer, version):
        assert "established" not in self.told.get(peer, ())
        self._hear(peer, "established")
        return self._answer(peer)

    def message_received(self, peer, message):
        self._hear(peer, message.command)
        if isinstance(message, GetData) and self.world.die.random() < 0.5:
            peer.send(NotFound(message.items))
        return self._answer(peer)

    def peer_lost(self, peer, reason):
        self._hear(peer, reason)
        if self.world.die.random() < 0.1:
            raise ValueError("sad")

    def message_read(self, peer, command, size, message, error):
        self.sizes.setdefault(peer, Counter())["read"] += size

    def message_written(self, peer, command, size, message, error):
        self.sizes.setdefault(peer, Counter())["written" if error is None else "unwritten"] += size


class World:
    def __init__(self, seed):
        self.simulation = Simulation(seed, link=LINKS[seed % len(LINKS)])
        self.die = Random(seed)
        self.hosts = [self.simulation.host() for _ in range(3)]
        config = PeerConfig(network=NETWORK, **SETTINGS)
        self.witnesses = [Witness(self), Witness(self)]
        self.nodes = [
            LocalNode(config, [witness], clock=host)
            for witness, host in zip(self.witnesses, self.hosts, strict=False)
        ]
        for node, host in zip(self.nodes, self.hosts, strict=False):
            host.listenTCP(8333, PeerFactory(node, outbound=False))
        self.peers = []
        self.rascals = []
        self.thoughts = []
        self.waiting = []
        self.dials = []
        self.acts = Counter()

    # What happens

    def connect(self):
        here = self.die.randrange(2)
        node, host, there = self.nodes[here], self.hosts[here], self.hosts[1 - here]
        if len(node.peers) < MOST:
            endpoint = host.client(there.address, 8333, timeout=10)
            attempt = endpoint.connect(PeerFactory(node, outbound=True))
            attempt.addCallbacks(self.peers.append, lambda _: None)
            self.dials.append(attempt)

    def intrude(self):
        """Somebody comes who has no manners."""
        if sum(rascal.transcript.lost is None for rascal in self.rascals) < 2:
            address = self.die.choice(self.hosts[:2]).address
            attempt = dial(self.hosts[2], f"{address}:8333", NETWORK)
            attempt.addCallbacks(self.rascals.append, lambda _: None)

    def misbehave(self):
        rascals = [rascal for rascal in self.rascals if rascal.transcript.lost is None]
        if rascals:
            rascal = self.die.choice(rascals)
            self.die.choice(
                (
                    lambda: rascal.shake_hands().addErrback(lambda _: None),
                    lambda: rascal.lie(Ping(1), checksum=b"good"),
                    lambda: rascal.lie(Ping(1), magic=b"1234"),
                    lambda: rascal.lie(Ping(1), length=1 << 30),
                    lambda: rascal.begin(Ping(1), self.die.randrange(1, 32)),
                    rascal.finish,
                    rascal.stop_reading,
                    rascal.read_on,
                    rascal.close,
                    rascal.close_writing,
                    rascal.abort,
                )
            )()

    def some_peer(self):
        """Return any peer of late: those that are gone, too."""
        known = [peer for node in self.nodes for peer in sorted(node.peers, key=lambda it: it.id)]
        known += self.peers[-3:]
        return self.die.choice(known) if known else None

    def act(self, peer=None, acts=HARMLESS):
        peer = peer or self.some_peer()
        if peer is None:
            return
        name = self.die.choice(list(acts))
        self.acts[name] += 1
        try:
            answer = acts[name](peer, self.die)
        except LocalError:
            return
        if isinstance(answer, Deferred):
            self.wait_for(answer, f"{name} of {peer}")

    def end_one(self):
        self.act(acts=ENDINGS)

    def abort_one(self):
        """A program cuts a transport over our head, or just closes it."""
        peer = self.some_peer()
        if peer is not None:
            self.die.choice((peer.transport.abortConnection, peer.transport.loseConnection))()

    def wait_for(self, deferred, what):
        results = []
        self.waiting.append((what, deferred, results))
        deferred.addBoth(results.append)

    def cancel(self):
        """Somebody changes their mind."""
        if self.dials and self.die.random() < 0.1:
            self.die.choice(self.dials[-3:]).cancel()
        pending = [deferred for _, deferred, results in self.waiting[-20:] if not results]
        if pending:
            self.die.choice(pending).cancel()

    def decide(self):
        """One of those who were thinking comes to a conclusion."""
        if self.thoughts:
            _, thought = self.thoughts.pop(self.die.randrange(len(self.thoughts)))
            if self.die.random() < 0.8:
                thought.callback(None)
            else:
                thought.errback(ValueError("changed their mind"))

    def cut(self):
        self.simulation.cut(*self.hosts[:2], one_way=self.die.random() < 0.5)

    def heal(self):
        self.simulation.heal()

    def go_on(self):
        """The next few things happen."""
        for _ in range(self.die.choice((1, 2, 5))):
            self.simulation.timeline.step()

    def while_away(self):
        self.simulation.advance(self.die.choice((0.01, 0.1, 0.5, 2.0)))

    def sleep(self):
        self.simulation.advance(self.die.choice((10, 70)))

    ODDS = MappingProxyType(
        {
            go_on: 300, while_away: 150, act: 300, decide: 60, cancel: 40, connect: 40,
            intrude: 10, misbehave: 30, heal: 10, cut: 2, end_one: 3, abort_one: 2, sleep: 1,
        }
    )  # fmt: skip

    def step(self):
        (what,) = self.die.choices(list(self.ODDS), list(self.ODDS.values()))
        what(self)

    # What must hold

    def check(self):
        for node, host in zip(self.nodes, self.hosts, strict=False):
            assert node.held == sum(peer.held for peer in node.peers) <= node.config.max_total
            assert all(peer.queued >= 0 for peer in node.peers)
            assert len(node.peers) <= len(host.transports) + 1  # one may just be on its way out

    def end(self):
        """Everybody leaves, and all that was begun comes to an end."""
        self.simulation.heal()
        for rascal in self.rascals:
            rascal.abort()
        if self.die.random() < 0.5:
            for node in self.nodes:
                self.wait_for(node.disconnect_all(), "disconnect_all")
        for attempt in self.dials:
            attempt.cancel()
        for _ in range(200):
            while self.thoughts:
                self.decide()
            self.simulation.advance(5)
        for node in self.nodes:
            self.wait_for(node.disconnect_all(), "disconnect_all")
        self.simulation.advance(700)
        while self.thoughts:
            self.decide()

    def check_end(self):
        assert [what for what, _, results in self.waiting if not results] == []
        for host in self.hosts:
            assert not host.getDelayedCalls(), "timers are left"
            assert not host.transports
        for node, witness in zip(self.nodes, self.witnesses, strict=True):
            assert not node.peers
            assert node.held == 0
            assert not node.terms.own_nonces
            assert all(isinstance(told[-1], Disconnected) for told in witness.told.values())
            assert sum(node.lost.values()) == len(witness.told) == node._last_id
            received = sum(peer.bytes_received for peer in witness.told)
            assert node.totals == (received, sum(peer.bytes_sent for peer in witness.told))
            for peer, sizes in witness.sizes.items():
                assert sizes["read"] <= peer.bytes_received
                assert sizes["written"] <= peer.bytes_sent
                assert sizes["written"] + sizes["unwritten"] == peer.machine.bytes_produced


@pytest.mark.parametrize("seed", range(SEEDS))
def test_r_c6_whatever_happens_on_a_network_everything_ends_once(seed, logged_failures):
    world = World(seed)
    with world.simulation:
        for _ in range(STEPS):
            world.step()
            world.check()
        world.end()
        world.check_end()
        world.simulation.claim(ValueError)
    assert set(world.acts) >= set(HARMLESS)
    assert len(world.peers) > 5
    logged_failures.claim(ValueError)
