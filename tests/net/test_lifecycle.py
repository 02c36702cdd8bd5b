"""Peers under random interleavings of everything that can happen to them (R-C6).

Two nodes talk over lines that a die rules: when bytes arrive, how many, when the kernel has
room, when somebody hangs up, breaks a rule, takes time to think or loses patience.  After every
step, and at the end, what must hold is looked at.  A seed that fails can be played again.
"""

from contextlib import suppress
from random import Random

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from zope.interface import implementer

from bitpeer.errors import Disconnected, LimitExceeded, LocalError, RequestFailed
from bitpeer.messages.inventory import InvVect
from bitpeer.net.interfaces import IPeerListener, ITrafficListener, IVersionListener
from bitpeer.net.local import LocalNode
from tests.net.stage import PushTransport, SocketTransport, clock, config, join
from tests.toy import Say

STEPS = 2_500


class Line:
    """One end of a connection: its transport, and what has not arrived at the other end yet."""

    def __init__(self, world, node, *, outbound):
        self.world = world
        die = world.die
        room = die.choice([0, 100, 10_000])
        self.transport = SocketTransport(room) if die.random() < 0.7 else PushTransport(room)
        self.other = None
        self.broken = False
        self.end = None
        """What this end will notice once all bytes have arrived."""
        self.said = []
        """What was sent from this end, in order, and not refused."""
        world.lines.append(self)
        self.peer = None
        self.start = lambda: self.begin(node, outbound)

    def begin(self, node, outbound):
        self.peer = join(node, self.transport, outbound=outbound)
        self.world.note(self.peer, self)

    @property
    def in_flight(self):
        return self.transport.sent

    def take(self, count):
        """Take bytes off the line."""
        holder = getattr(self.transport, "kernel", None)
        data = self.transport.sent[:count]
        if holder is None:
            self.transport.sent = self.transport.sent[count:]
        else:
            holder.data = holder.data[count:]
        return data

    # What a die may decide

    def arrive(self):
        """Some bytes from the other end arrive here."""
        waits = not self.transport.reading and self.world.die.random() < 0.7
        if self.transport.open and not self.broken and not waits:
            data = self.other.take(self.world.die.choice([1, 30, 1_000, 100_000]))
            if data:
                self.peer.dataReceived(data)

    def give_room(self):
        """The other end's kernel has read."""
        if self.transport.open:
            if isinstance(self.transport, PushTransport):
                self.transport.drain()
            else:
                self.transport.make_room(self.world.die.choice([1, 500, 50_000]))

    def close(self):
        """The network does what it was asked to, or what the other end did arrives."""
        transport = self.transport
        if not transport.open:
            return
        if transport.aborted:
            self.break_down()
            transport.lose(ConnectionAborted())
            return
        if transport.disconnecting and not getattr(transport, "buffer", b""):
            self.other.end = self.other.end or ConnectionDone()
            if not getattr(transport, "half_closed", False):
                transport.lose(ConnectionDone())
                return
        if self.end is not None and (self.broken or not self.other.in_flight):
            self.other.end = self.other.end or ConnectionDone()
            transport.lose(self.end)

    def break_down(self):
        """A cable is pulled: nothing more arrives, and sooner or later both ends notice."""
        for line in (self, self.other):
            line.end = line.end or ConnectionLost()
            line.broken = True

    def talk_rubbish(self):
        if self.transport.open:
            self.peer.dataReceived(self.world.die.randbytes(30))

    def say(self):
        text = b"%d:" % len(self.said) + bytes(self.world.die.choice([0, 10, 3_000]))
        gone = self.peer._ending is not None
        try:
            self.peer.send(Say(text))
        except LocalError:
            return
        if not gone:
            self.said.append(text)

    def deliver(self):
        text = b"%d:" % len(self.said) + bytes(self.world.die.choice([0, 3_000]))
        self.said.append(text)
        deferred = self.peer.deliver(Say(text))
        if isinstance(getattr(deferred, "result", None), Failure) and not self.peer.established:
            self.said.pop()  # it was refused
        elif self.world.die.random() < 0.3:
            deferred.addCallback(lambda _: self.act())
        self.world.await_(deferred)
        if self.world.die.random() < 0.2:
            deferred.cancel()

    def act(self):
        """Do something from within a callback."""
        harmless = [self.say, self.deliver, self.announce, self.ask, self.question] * 5
        self.world.die.choice([*harmless, self.hang_up])()

    def announce(self):
        self.peer.announce(InvVect(1, self.world.die.randbytes(1) * 32))

    def ask(self):
        self.peer.snapshot()
        assert str(self.peer)
        self.world.await_(self.peer.when_established())
        self.world.await_(self.peer.when_lost())

    def question(self):
        deferred = self.peer.ping(timeout=self.world.die.choice([1, 60]))
        if self.world.die.random() < 0.3:
            deferred.addCallback(lambda _: self.act())
        self.world.await_(deferred)
        if self.world.die.random() < 0.2:
            deferred.cancel()

    def hang_up(self):
        self.peer.disconnect()

    def accuse(self):
        self.peer.fail(LimitExceeded(2, 1))


@implementer(IPeerListener, ITrafficListener, IVersionListener)
class Witness:
    """Sees everything at one node, and answers as the die will have it."""

    def __init__(self, world):
        self.world = world

    def answer(self, peer):
        roll = self.world.die.random()
        if roll < 0.5:
            return None
        if roll < 0.7:
            return self.world.line_of[peer].act() if peer in self.world.line_of else None
        if roll < 0.8:
            return self.world.think_about(peer)
        if roll < 0.85:
            return self.wonder(peer) if roll < 0.83 else succeed(None)
        if roll < 0.9:
            return self.think(peer)
        if roll < 0.95:
            return fail(ValueError("a thought led nowhere"))
        if roll < 0.995:
            raise ValueError("clumsy")
        raise LimitExceeded(2, 1)

    async def think(self, peer):
        await self.world.think_about(peer)

    async def wonder(self, peer):
        with suppress(RequestFailed, LocalError):
            for _ in range(self.world.die.choice([1, 3])):
                await peer.ping(timeout=self.world.die.choice([1, 60]))

    def version_received(self, peer, version):
        assert not self.world.told(peer), "judged too late"
        return self.answer(peer)

    def peer_established(self, peer, version):
        self.world.tell(peer, "established")
        return self.answer(peer)

    def message_received(self, peer, message):
        self.world.tell(peer, message)
        return self.answer(peer)

    def peer_lost(self, peer, reason):
        self.world.tell(peer, reason)
        return self.answer(peer)

    def message_read(self, peer, command, size, message, error):
        self.world.count(peer, "read", size)

    def message_written(self, peer, command, size, message, error):
        self.world.count(peer, "written" if error is None else "unwritten", size)


class World:
    def __init__(self, seed):
        self.die = Random(seed)
        self.clock = clock()
        settings = {
            "pause_queue": 2_000,
            "max_queue": 30_000,
            "max_total": 120_000,
            "trickle_interval": 5,
            "transfer_grace": 40,
            "handshake_timeout": 100,
        }
        self.nodes = [
            LocalNode(config(**settings), [Witness(self)], clock=self.clock) for _ in range(2)
        ]
        self.lines = []
        self.thinking = {}
        self.awaited = []
        self.events = {}
        self.sizes = {}
        self.line_of = {}
        self.connections = 0

    # What witnesses and lines report

    def note(self, peer, line):
        self.events.setdefault(peer, [])
        self.line_of[peer] = line

    def told(self, peer):
        return self.events.get(peer, [])

    def tell(self, peer, event):
        told = self.events.setdefault(peer, [])
        assert not any(isinstance(each, Disconnected) for each in told), "told after the loss"
        assert event != "established" or event not in told
        if not isinstance(event, Disconnected):
            assert peer not in self.thinking, "told while a listener was at work"
            assert not peer._holds, "told while it was held back"
        told.append(event)

    def count(self, peer, what, size):
        sizes = self.sizes.setdefault(peer, {"read": 0, "written": 0, "unwritten": 0})
        sizes[what] += size

    def think_about(self, peer):
        """A listener needs time; meanwhile it must not be told anything else of this peer."""
        thought = Deferred()
        if not any(isinstance(each, Disconnected) for each in self.told(peer)):
            self.thinking[peer] = thought
        return thought

    def await_(self, deferred):
        results = []
        self.awaited.append(results)
        deferred.addBoth(results.append)

    # What happens

    def connect(self):
        if len([line for line in self.lines if line.transport.open]) < 8:
            self.connections += 1
            here = Line(self, self.nodes[0], outbound=True)
            there = Line(self, self.nodes[1], outbound=False)
            here.other, there.other = there, here
            here.start()
            there.start()

    def decide(self):
        """One of those who were thinking comes to a conclusion."""
        if self.thinking:
            thought = self.thinking.pop(self.die.choice(list(self.thinking)))
            if self.die.random() < 0.8:
                thought.callback(None)
            else:
                thought.errback(ValueError("changed their mind"))

    def wait(self):
        self.clock.advance(self.die.choice([0.1, 1, 1, 5, 30]))

    def step(self):
        if self.die.random() < 0.12 or not self.lines:
            self.die.choice([self.connect, self.decide, self.decide, self.wait])()
            return
        line = self.die.choice(self.lines[-12:])
        often = [line.arrive, line.give_room] * 10 + [line.close] * 3
        seldom = [line.say, line.deliver, line.announce, line.ask, line.question] * 2
        rarely = [line.hang_up, line.accuse, line.break_down, line.talk_rubbish]
        act = self.die.choice(often + seldom if self.die.random() < 0.99 else rarely)
        act()

    # What must hold

    def check(self):
        for node in self.nodes:
            held = 0
            for peer in node.peers:
                machine = peer.machine
                assert peer.queued >= 0
                assert peer.held == (
                    0 if peer._cut else machine.held + peer.queued + peer._unread
                ), "the account of a peer is wrong"
                held += peer.held
                if peer._ending is None:
                    reads = not peer._holds or peer._seeking
                    assert peer.transport.reading == reads, "paused, or not, in vain"
            assert node.held == held <= node.config.max_total
        assert len(self.clock.getDelayedCalls()) <= 4

    def end(self, seconds):
        """All come to an end within so many *seconds*, when nothing arrives any more."""
        while self.thinking:
            self.decide()
        for _ in range(seconds):
            self.clock.advance(1)
            for line in self.lines:
                line.close()
            while self.thinking:
                self.decide()

    def check_end(self):
        assert not self.clock.getDelayedCalls(), "timers are left"
        assert all(results for results in self.awaited), "somebody waits in vain"
        for node in self.nodes:
            assert not node.peers
            assert node.held == 0
            assert sum(node.lost.values()) == self.connections
        assert len(self.events) == len(self.lines) == 2 * self.connections
        totals = [sum(values) for values in zip(*(node.totals for node in self.nodes), strict=True)]
        assert totals == [
            sum(line.peer.bytes_received for line in self.lines),
            sum(line.peer.bytes_sent for line in self.lines),
        ]
        for line in self.lines:
            self.check_line(line)

    def check_line(self, line):
        told = self.events[line.peer]
        assert [each for each in told if isinstance(each, Disconnected)] == told[-1:]
        heard = [each.text for each in told if isinstance(each, Say)]
        assert heard == line.other.said[: len(heard)], "out of order, twice or never sent"
        sizes = self.sizes.get(line.peer, {"read": 0, "written": 0, "unwritten": 0})
        assert sizes["read"] <= line.peer.bytes_received
        assert sizes["written"] <= line.peer.bytes_sent
        assert sizes["written"] + sizes["unwritten"] == line.peer.machine.bytes_produced


@pytest.mark.parametrize("seed", range(40))
def test_r_c6_whatever_happens_everything_comes_to_its_end_once(seed, logged_failures):
    world = World(seed)
    for _ in range(STEPS):
        world.step()
        world.check()
    if seed % 2:
        for line in world.lines:
            line.hang_up()
    world.end(10 if seed % 2 else 500)  # three answers may be waited for, and then silence
    world.check_end()
    assert world.connections > 10
    assert sum("established" in told for told in world.events.values()) > 5
    logged_failures.claim(ValueError)
