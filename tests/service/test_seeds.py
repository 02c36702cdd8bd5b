"""Tests of bitpeer.service.seeds."""

from dataclasses import replace
from itertools import pairwise

from twisted.internet.defer import Deferred, succeed

from bitpeer.dialect import DnsSeed, HttpsSeed
from bitpeer.errors import ProxyFailed
from bitpeer.service.seeds import AGAIN, PER_SEED, Address, Seeds
from tests.service.fakes import NETWORK, LogLines, Reactor, make_node

HOSTS = {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.2", "192.0.2.3"]}

ASKING = "asking the 2 seeds of toy-nursery for addresses"


class Asked:
    """Answers for seeds, at once or when it is told to."""

    needs = "a crystal ball"

    def __init__(self, hosts, *, at_once=True):
        self.hosts = hosts
        self.at_once = at_once
        self.asked = []
        self.waiting = []

    def __call__(self, seed):
        self.asked.append(seed.host)
        if self.at_once:
            return succeed(self.addresses(seed))
        answer = Deferred()
        self.waiting.append((seed, answer))
        return answer

    def addresses(self, seed):
        return [Address(host, NETWORK.port) for host in self.hosts.get(seed.host, ())]

    def answer_next(self):
        seed, answer = self.waiting.pop(0)
        answer.callback(self.addresses(seed))


class World:
    """Seeds that know what the test says."""

    def __init__(self, hosts=HOSTS, *, network=NETWORK, at_once=True, look_up=None, **settings):
        self.reactor = Reactor()
        self.found = []
        self.asked = look_up or Asked(hosts, at_once=at_once)
        settings.setdefault("shuffle", lambda _: None)
        self.seeds = Seeds(
            network,
            self.asked,
            clock=self.reactor,
            journal=make_node(self.reactor).journal,
            draw=lambda: 0.0,
            **settings,
        )

    def ask(self):
        return self.seeds.ask(self.found.append)


def test_all_seeds_are_asked_and_their_answers_joined():
    world = World()
    with LogLines() as lines:
        assert world.ask()
    assert world.asked.asked == ["a.example", "b.example"]
    assert world.found == [[Address(f"192.0.2.{n}", NETWORK.port) for n in (1, 2, 3)]]
    assert lines == [ASKING, "3 addresses from 2 of 2 seeds of toy-nursery"]


def test_a_network_without_seeds_has_nobody_to_ask():
    world = World(network=replace(NETWORK, seeds=(), https_seeds=()))
    with LogLines() as lines:
        assert not world.ask()
    assert world.found == lines == []


def test_seeds_are_asked_in_random_order():
    orders = set()
    for _ in range(40):
        asked = Asked(HOSTS)
        reactor = Reactor()
        Seeds(NETWORK, asked, clock=reactor, journal=make_node(reactor).journal).ask(len)
        orders.add(tuple(asked.asked))
    assert len(orders) == 2


def test_r_j7_at_most_three_look_ups_go_on_at_once():
    network = replace(NETWORK, seeds=tuple(DnsSeed(f"s{n}.example") for n in range(7)))
    world = World(network=network, at_once=False)
    world.ask()
    assert len(world.asked.waiting) == 3
    world.asked.answer_next()
    assert len(world.asked.waiting) == 3
    assert len(world.asked.asked) == 4
    while world.asked.waiting:
        world.asked.answer_next()
    assert len(world.asked.asked) == 7
    assert world.found == [[]]


def test_no_seed_decides_alone():
    many = [f"192.0.2.{n}" for n in range(200)]
    world = World({"a.example": many, "b.example": ["198.51.100.1"]})
    world.ask()
    assert len(world.found[0]) == PER_SEED + 1
    assert world.found[0][-1] == Address("198.51.100.1", NETWORK.port)


def test_silence_is_told_once_and_asked_again_ever_more_seldom():
    world = World({})
    times = []
    with LogLines() as lines:
        while len(times) < 10:
            if world.ask():
                times.append(world.reactor.seconds())
            world.reactor.advance(1)
    waits = [after - before for before, after in pairwise(times)]
    assert waits == [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    assert lines == [
        ASKING,
        "no answer from any of the 2 seeds of toy-nursery: without a crystal ball no peers "
        "can be found; trying again in 30 s, then ever more seldom",
    ]


def test_silence_is_told_again_after_an_answer():
    world = World({})
    with LogLines() as lines:
        for hosts in ({}, HOSTS, {}):
            world.asked.hosts = hosts
            assert world.ask()
            world.reactor.advance(3_600)
    assert [line.split()[0] for line in lines] == ["asking", "no", "3", "asking", "no"]


def test_good_addresses_can_be_had_again_soon():
    world = World()
    for _ in range(6):
        world.ask()
        world.reactor.advance(3_600)
    world.seeds.satisfied()
    assert world.ask()
    world.reactor.advance(AGAIN)
    assert world.ask()


def test_nobody_is_asked_while_answers_are_awaited():
    world = World(at_once=False)
    assert world.ask()
    assert not world.ask()
    assert world.found == []


def test_a_seed_that_cannot_be_asked_costs_itself_only(logged_failures):
    class Broken(Asked):
        def __call__(self, seed):
            if seed.host == "a.example":
                raise ZeroDivisionError
            return super().__call__(seed)

    world = World(look_up=Broken(HOSTS))
    world.ask()
    assert len(world.found[0]) == 2
    assert len(logged_failures.claim(ZeroDivisionError)) == 1


def test_what_is_nobodys_mistake_is_a_line_at_level_debug():
    world = World(at_once=False)
    with LogLines() as lines:
        world.ask()
        world.asked.waiting.pop(0)[1].errback(ProxyFailed("hung up"))
        world.asked.answer_next()
    assert lines[1] == "a.example tells nothing: the proxy hung up"
    assert len(world.found[0]) == 2


def test_once_stopped_nobody_is_asked_any_more_and_nothing_is_found():
    network = replace(NETWORK, seeds=tuple(DnsSeed(f"s{n}.example") for n in range(7)))
    world = World(network=network, at_once=False)
    world.ask()
    with LogLines() as lines:
        world.seeds.stop()
    assert [answer.called for _, answer in world.asked.waiting] == [True] * 3
    assert len(world.asked.asked) == 3
    assert world.found == lines == []


def test_once_stopped_it_can_begin_again():
    world = World(at_once=False)
    world.ask()
    world.seeds.stop()
    world.asked.at_once = True
    assert world.ask()
    assert len(world.found) == 1


def test_https_seeds_are_seeds_like_others():
    network = replace(NETWORK, https_seeds=(HttpsSeed("c.example"),))
    with LogLines() as lines:
        world = World({"c.example": ["192.0.2.9"]}, network=network)
        world.ask()
    assert world.asked.asked == ["a.example", "b.example", "c.example"]
    assert lines[1:] == ["1 addresses from 1 of 3 seeds of toy-nursery"]
