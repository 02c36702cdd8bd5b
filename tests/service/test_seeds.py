"""Tests of bitpeer.service.seeds."""

from dataclasses import replace
from itertools import pairwise

import pytest
from twisted.internet.address import UNIXAddress

from bitpeer.dialect import DnsSeed
from bitpeer.service.seeds import AGAIN, PATIENCE, PER_SEED, Address, Seeds, query_name
from tests.service.fakes import NETWORK, LogLines, Reactor, Resolver, make_node

NAMES = {"x9.a.example.": ["192.0.2.1", "192.0.2.2"], "b.example.": ["192.0.2.2", "192.0.2.3"]}


class World:
    """Seeds over a resolver that knows what the test says."""

    def __init__(self, names=NAMES, *, network=NETWORK, at_once=True, **settings):
        self.resolver = Resolver(names, at_once=at_once)
        self.reactor = Reactor(self.resolver)
        self.found = []
        self.seeds = Seeds(
            network,
            self.resolver,
            clock=self.reactor,
            journal=make_node(self.reactor).journal,
            shuffle=lambda _: None,
            draw=lambda: 0.0,
            **settings,
        )

    def ask(self):
        return self.seeds.ask(self.found.append)


@pytest.mark.parametrize(
    ("seed", "services", "name"),
    [
        (DnsSeed("seed.example", filters=True), 0x9, "x9.seed.example."),
        (DnsSeed("seed.example", filters=True), 0x849, "x849.seed.example."),
        (DnsSeed("seed.example", filters=True), 0, "seed.example."),
        (DnsSeed("seed.example"), 0x9, "seed.example."),
    ],
)
def test_seeds_that_filter_are_asked_for_services(seed, services, name):
    assert query_name(seed, services) == name


def test_all_seeds_are_asked_and_their_answers_joined():
    world = World()
    with LogLines() as lines:
        assert world.ask()
    assert world.resolver.asked == ["x9.a.example.", "b.example."]
    assert world.found == [[Address(f"192.0.2.{n}", NETWORK.port) for n in (1, 2, 3)]]
    assert lines == ["3 addresses from 2 of 2 DNS seeds of toy-nursery"]


def test_seeds_are_asked_in_random_order():
    world = World()
    orders = set()
    for _ in range(40):
        asked = Resolver(NAMES)
        reactor = world.reactor
        Seeds(NETWORK, asked, clock=reactor, journal=make_node(reactor).journal).ask(len)
        orders.add(tuple(asked.asked))
    assert len(orders) == 2


def test_r_j7_at_most_three_look_ups_go_on_at_once():
    network = replace(NETWORK, seeds=tuple(DnsSeed(f"s{n}.example") for n in range(7)))
    world = World(network=network, at_once=False)
    world.ask()
    assert len(world.resolver.waiting) == 3
    world.resolver.answer_next()
    assert len(world.resolver.waiting) == 3
    assert len(world.resolver.asked) == 4
    while world.resolver.waiting:
        world.resolver.answer_next()
    assert len(world.resolver.asked) == 7
    assert world.found == [[]]


def test_no_seed_decides_alone():
    many = [f"192.0.2.{n}" for n in range(200)]
    world = World({"x9.a.example.": many, "b.example.": ["198.51.100.1"]})
    world.ask()
    assert len(world.found[0]) == PER_SEED + 1
    assert world.found[0][-1] == Address("198.51.100.1", NETWORK.port)


def test_addresses_without_a_host_are_passed_over():
    class Strange(Resolver):
        def _answer(self, receiver, name):
            receiver.addressResolved(UNIXAddress("/odd"))
            super()._answer(receiver, name)

    world = World()
    world.seeds._resolver = Strange(NAMES)
    world.ask()
    assert len(world.found[0]) == 3


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
        "no DNS answer from any of the 2 seeds of toy-nursery: without internet or DNS no peers "
        "can be found; trying again in 30 s, then ever more seldom"
    ]


def test_silence_is_told_again_after_an_answer():
    world = World({})
    with LogLines() as lines:
        for names in ({}, NAMES, {}):
            world.resolver.names = names
            assert world.ask()
            world.reactor.advance(3_600)
    assert [line.split()[0] for line in lines] == ["no", "3", "no"]


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


def test_a_look_up_that_hangs_is_given_up_with_what_it_brought():
    world = World(at_once=False)
    world.ask()
    receiver, _ = world.resolver.waiting[0]
    world.resolver._answer(world.resolver.waiting[1][0], "b.example.")
    receiver.hosts.append("192.0.2.77")
    world.reactor.advance(PATIENCE)
    assert [address.host for address in world.found[0]] == ["192.0.2.77", "192.0.2.2", "192.0.2.3"]
    receiver.resolutionComplete()  # too late, and without effect
    assert len(world.found) == 1


def test_a_resolver_that_raises_costs_one_seed_only(logged_failures):
    class Broken(Resolver):
        def resolveHostName(self, receiver, name, *args):  # noqa: N802
            if name.startswith("x9"):
                raise ZeroDivisionError
            super().resolveHostName(receiver, name, *args)

    world = World()
    world.seeds._resolver = Broken(NAMES)
    world.ask()
    assert len(world.found[0]) == 2
    assert len(logged_failures.claim(ZeroDivisionError)) == 1
