"""Tests of `bitpeer.testing.simulation`: everything happens, and happens again."""

import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger

from bitpeer.bitcoin.hosts import parse_host
from bitpeer.bitcoin.reach import is_routable, network_group
from bitpeer.errors import InvalidSetting
from bitpeer.net.local import draw_nonce
from bitpeer.service.compose import peer_service
from bitpeer.testing import FailuresLogged, Link, Simulation, Stuck
from tests.net.stage import config
from tests.testing.stage import PORT, Talkers

log = Logger()


def fail(error):
    try:
        raise error
    except type(error):
        log.failure("it failed")


def test_a_story_is_told():
    simulation = Simulation()
    host = simulation.host()

    async def story():
        await deferLater(host, 5, lambda: None)
        return simulation.elapsed

    @inlineCallbacks
    def old_story():
        yield deferLater(host, 5, lambda: None)
        return simulation.elapsed

    assert simulation.run(story()) == 5
    assert simulation.run(old_story()) == 10
    assert simulation.run(deferLater(host, 5, lambda: "told")) == "told"
    assert simulation.now == host.seconds() == 1_700_000_015


def test_a_story_that_fails_tells_the_seed():
    simulation = Simulation(seed=1234)

    async def story():
        await deferLater(simulation.host(), 5, lambda: None)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        simulation.run(story())
    assert raised.value.__notes__ == ["simulated with seed 1234: Simulation(seed=1234) replays it"]


def test_a_story_that_does_not_end_is_given_up():
    simulation = Simulation(seed=1)
    host = simulation.host()
    never = Deferred()
    with pytest.raises(Stuck, match=r"never: it is 0\.000"):
        simulation.run(never)
    assert never.called  # it was cancelled
    with pytest.raises(Stuck, match="within 10 seconds"):
        simulation.run(deferLater(host, 20, lambda: None), timeout=10)
    assert simulation.elapsed < 10


def test_a_failure_that_leaves_the_block_tells_the_seed():
    with pytest.raises(ZeroDivisionError) as raised, Simulation(seed=55) as simulation:
        simulation.run(deferLater(simulation.host(), 1, lambda: 1 // 0))
    assert len(raised.value.__notes__) == 1
    assert "seed=55" in raised.value.__notes__[0]


def test_a_failure_that_is_logged_fails_the_block(logged_failures):
    with pytest.raises(FailuresLogged, match="sad to say") as raised, Simulation(seed=55):
        fail(ValueError("sad to say"))
    assert "seed=55" in raised.value.__notes__[0]
    logged_failures.claim(ValueError)


def test_failures_that_were_expected_are_claimed(logged_failures):
    with Simulation() as simulation:
        fail(ValueError())
        fail(KeyError())
        log.info("nothing failed")
        assert len(simulation.claim(KeyError)) == 1
        assert simulation.claim(KeyError) == []
        assert len(simulation.claim()) == 1
    fail(ValueError())  # not inside any more
    assert len(logged_failures.claim()) == 3


def test_inside_the_block_the_seed_decides_what_nodes_draw():
    def drawn(seed):
        with Simulation(seed):
            return draw_nonce()

    assert drawn(1) == drawn(1) != drawn(2)


def test_without_a_seed_chance_decides():
    assert Simulation().seed != Simulation().seed
    assert repr(Simulation(seed=3)) == "<simulation with seed 3, after 0.000 seconds>"
    assert Simulation(seed=3).random.random() == Simulation(seed=3).random.random()


def test_hosts_have_addresses_of_their_own():
    simulation = Simulation()
    hosts = [simulation.host() for _ in range(300)]
    groups = {network_group(*parse_host(host.address)) for host in hosts}
    assert len(groups) == 300
    assert all(is_routable(*parse_host(host.address)) for host in hosts)
    assert simulation.host("2001:DB8:0::1").address == "2001:db8::1"
    with pytest.raises(InvalidSetting):
        simulation.host("2001:db8::1")
    with pytest.raises(ValueError, match="nonsense"):
        simulation.host("nonsense")


def test_an_address_that_is_taken_is_not_given_again():
    simulation = Simulation()
    simulation.host("20.2.0.1")
    assert simulation.host().address == "20.3.0.1"


def test_names_stand_for_addresses():
    simulation = Simulation()
    simulation.name("Some.Example.", "20.0.0.1", "20.0.0.2")
    assert simulation.addresses_of("some.example") == ("20.0.0.1", "20.0.0.2")
    assert simulation.look_up("SOME.example.") == "20.0.0.1"
    assert simulation.look_up("20.0.0.9") == "20.0.0.9"
    assert simulation.look_up("other.example") is None
    simulation.name("some.example")
    assert simulation.look_up("some.example") is None


def test_links_are_what_they_were_set_to():
    usual, slow, slower = Link(), Link(latency=1), Link(latency=2)
    simulation = Simulation(link=usual)
    a, b, c = (simulation.host() for _ in range(3))
    simulation.set_link(a, b, slow)
    simulation.set_link(a, c, slower, one_way=True)
    assert [simulation.link(*way) for way in ((a, b), (b, a), (a, c), (c, a), (b, c))] == [
        slow,
        slow,
        slower,
        usual,
        usual,
    ]


def test_a_partition_separates_its_groups():
    simulation = Simulation()
    a, b, c, d, outside = (simulation.host() for _ in range(5))
    simulation.partition([a, b], [c], [d])
    apart = {
        frozenset((one, other))
        for one in simulation.hosts.values()
        for other in simulation.hosts.values()
        if not simulation.reaches(one, other)
    }
    pairs = [(a, c), (a, d), (b, c), (b, d), (c, d)]
    assert apart == {frozenset(pair) for pair in pairs}
    assert simulation.reaches(a, outside)
    simulation.heal()
    assert simulation.reaches(a, c)
    c.crash()
    assert not simulation.reaches(a, c)
    assert simulation.reaches(c, a)
    simulation.cut(a, b, one_way=True)
    assert not simulation.reaches(a, b)
    assert simulation.reaches(b, a)


def test_only_what_is_free_to_flow_flows():
    simulation = Simulation()
    a, b, c = (simulation.host() for _ in range(3))
    doors = [Talkers(host) for host in (b, c)]
    for host, door in zip((b, c), doors, strict=True):
        host.listenTCP(PORT, door)
    talkers = [simulation.run(a.client(host.address, PORT).connect(Talkers(a))) for host in (b, c)]
    b.crash()
    simulation.cut(a, c)
    for talker in talkers:
        talker.transport.write(b"x")
    simulation.advance(5)
    assert len(simulation.stalled) == 2
    b.reboot()
    assert len(simulation.stalled) == 1
    simulation.heal()
    simulation.advance(5)
    assert doors[1].made[0].heard == b"x"
    assert not simulation.stalled


def town(seed):
    """Services that find, dial and lose each other; return all that was logged of them."""
    told = []
    with Simulation(seed, link=Link(latency=0.1, jitter=0.3, segment=50)) as simulation:
        hosts = [simulation.host() for _ in range(6)]
        services = []
        for number, host in enumerate(hosts):
            others = [f"{other.address}:{PORT}" for other in hosts[:number]]
            service = peer_service(config(), connect=others, listen=[str(PORT)], reactor=host)
            service.startService()
            services.append(service)
        for _ in range(20):
            simulation.advance(simulation.random.uniform(0, 60))
            victim = simulation.random.choice(hosts[1:])
            simulation.cut(hosts[0], victim)
            told.extend((host.address, len(host.transports)) for host in hosts)
            told.append(simulation.timeline.events)
            if simulation.random.random() < 0.3:
                simulation.heal()
        for service in services:
            simulation.run(service.stopService())
        told.append(simulation.elapsed)
    return told


def test_the_same_seed_is_the_same_story():
    assert town(1) == town(1) != town(2)


def test_the_same_seed_is_the_same_story_in_another_process():
    program = "from tests.testing.test_simulation import town; print(town(9))"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
