"""Tests of bitpeer.service.bans."""

import pytest
from hypothesis import assume, given, strategies as st
from twisted.internet.task import Clock

from bitpeer.bitcoin.hosts import NetworkId, format_host
from bitpeer.errors import InvalidSetting, StorageUnusable
from bitpeer.service.bans import MAX_REASON, Ban, Bans

ONION = format_host(NetworkId.TORV3, bytes(range(32)))
I2P = format_host(NetworkId.I2P, bytes(range(32)))


class World:
    """Bans, and a clock."""

    def __init__(self, path=None, forwarders=(), **limits):
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.bans = Bans(path, self.clock.seconds, forwarders, **limits)
        self.bans.startService()

    @property
    def database(self):
        return self.bans._database

    def ban(self, subject, seconds=60.0, reason="spam"):
        return self.bans.ban(subject, self.clock.seconds() + seconds, reason)


@pytest.fixture
def make_world():
    """Return what makes a world; all are stopped at the end."""
    worlds = []

    def make(*arguments, **limits):
        worlds.append(World(*arguments, **limits))
        return worlds[-1]

    yield make
    for world in worlds:
        world.bans.stopService()


@pytest.fixture
def world(make_world):
    return make_world()


def test_nobody_is_banned_at_first(world):
    assert not world.bans.is_banned("20.1.1.1")
    assert len(world.bans) == 0
    assert list(world.bans) == []


def test_a_ban_lasts_as_long_as_was_said(world):
    ban = world.ban("20.1.1.1", 60)
    assert ban == Ban("20.1.1.1/32", 32, 1_000_060, 1_000_000, "spam")
    world.clock.advance(59)
    assert world.bans.ban_of("20.1.1.1") == ban
    assert list(world.bans) == [ban]
    assert not world.bans.is_banned("20.1.1.2")
    world.clock.advance(1)
    assert not world.bans.is_banned("20.1.1.1")
    assert len(world.bans) == 0


def test_what_has_ended_is_forgotten_when_something_is_added(world):
    world.ban("20.1.1.1", 60)
    world.clock.advance(60)
    world.ban("20.1.1.2")
    assert world.database.execute("SELECT subject FROM bans").fetchall() == [("20.1.1.2/32",)]


def test_a_prefix_is_banned_with_all_that_is_in_it(world):
    world.ban("20.1.0.7/16")
    world.ban("2a01::/32")
    assert world.bans.is_banned("20.1.200.1")
    assert world.bans.is_banned("::ffff:20.1.200.1")
    assert world.bans.is_banned("2a01:0:ffff::1")
    assert not world.bans.is_banned("20.2.0.1")
    assert not world.bans.is_banned("2a02::1")
    assert [ban.subject for ban in world.bans] == ["20.1.0.0/16", "2a01::/32"]


def test_an_ipv6_address_stands_for_64_bits_unless_somebody_says_otherwise(world):
    world.ban("2a01::1")
    world.ban("2a02::1/128")
    assert world.bans.is_banned("2a01::ffff")
    assert world.bans.is_banned("2a02::1")
    assert not world.bans.is_banned("2a02::2")


@pytest.mark.parametrize("name", [ONION, I2P])
def test_names_of_overlays_can_be_banned(world, name):
    world.ban(name.upper())
    assert world.bans.is_banned(name)
    assert world.bans.is_banned(name.upper())
    assert not world.bans.is_banned("other" + name)


def test_of_several_bans_the_one_that_ends_last_is_told(world):
    world.ban("20.1.1.1", 10, "short")
    world.ban("20.1.0.0/16", 30, "long")
    world.ban("20.0.0.0/8", 20, "middle")
    assert world.bans.ban_of("20.1.1.1").reason == "long"


def test_a_ban_takes_the_place_of_an_earlier_one_of_the_same(world):
    world.ban("20.1.1.1", 10, "first")
    world.ban("20.1.1.1", 20, "second")
    assert [ban.reason for ban in world.bans] == ["second"]


def test_a_ban_can_be_lifted(world):
    world.ban("20.1.1.1")
    assert world.bans.lift("20.1.1.1")
    assert not world.bans.is_banned("20.1.1.1")
    assert not world.bans.lift("20.1.1.1")


def test_somebody_is_told_of_each_ban(world):
    told = []
    world.bans.watchers.append(lambda: told.append(list(world.bans)))
    ban = world.ban("20.1.1.1")
    assert told == [[ban]]


def test_reasons_are_cut_short(world):
    assert world.ban("20.1.1.1", reason="x" * 10_000).reason == "x" * MAX_REASON


@pytest.mark.parametrize(
    "subject", ["", "name", "20.1.1", "20.1.1.1/33", "/8", "a.onion", "1" * 999]
)
def test_what_can_be_nobody_cannot_be_banned(world, subject):
    with pytest.raises(InvalidSetting, match=r"ban is .* expected an IP address, a prefix"):
        world.ban(subject)
    with pytest.raises(InvalidSetting):
        world.bans.lift(subject)
    assert not world.bans.is_banned(subject)


@pytest.mark.parametrize("subject", ["127.0.0.1", "127.0.0.0/8", "::1", "::1/128", "10.0.0.5"])
def test_this_machine_and_those_who_forward_strangers_cannot_be_banned(make_world, subject):
    world = make_world(None, {"10.0.0.5"})
    with pytest.raises(InvalidSetting, match="expected somebody other than this machine"):
        world.ban(subject)


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.5"])
def test_a_ban_of_everybody_does_not_concern_this_machine(make_world, host):
    world = make_world(None, {"10.0.0.5"})
    world.ban("0.0.0.0/0")
    assert world.bans.is_banned("20.1.1.1")
    assert not world.bans.is_banned(host)
    world.bans.discourage(host)
    assert not world.bans.is_discouraged(host)


def test_bans_outlive_the_program(tmp_path, make_world):
    path = tmp_path / "bans.sqlite"
    world = make_world(path)
    world.ban("20.1.0.0/16", 60)
    world.ban(ONION, 60)
    world.bans.stopService()
    world = make_world(path)
    assert world.bans.is_banned("20.1.1.1")
    assert world.bans.is_banned(ONION)
    assert len(world.bans) == 2
    world.clock.advance(60)
    assert len(world.bans) == 0


def test_before_it_runs_and_afterwards_nobody_is_banned_nor_can_be():
    world = World()
    world.ban("20.1.1.1")
    world.bans.stopService()
    world.bans.stopService()
    assert not world.bans.is_banned("20.1.1.1")
    assert list(world.bans) == []
    with pytest.raises(StorageUnusable, match="the service does not run"):
        world.ban("20.1.1.1")


def test_a_ban_that_cannot_be_kept_is_none(tmp_path, make_world):
    world = make_world(tmp_path / "bans.sqlite")
    world.database.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnusable, match="readonly"):
        world.ban("20.1.1.1")
    assert not world.bans.is_banned("20.1.1.1")


@pytest.mark.parametrize(
    "damage", ["bits = 'x'", "bits = -1", "bits = 129", "until = 'x'", "reason = x'00'"]
)
def test_what_is_damaged_is_lifted(tmp_path, make_world, damage):
    path = tmp_path / "bans.sqlite"
    world = make_world(path)
    world.ban("20.1.1.1")
    world.database.execute(f"UPDATE bans SET {damage}")
    world.database.commit()
    world.bans.stopService()
    world = make_world(path)
    assert list(world.bans) == []
    assert not world.bans.is_banned("20.1.1.1")


def test_a_file_without_a_list_of_bans_is_named(tmp_path, make_world):
    path = tmp_path / "bans.sqlite"
    make_world(path).database.execute("DROP TABLE bans")
    with pytest.raises(StorageUnusable, match="no such table"):
        make_world(path)


def test_of_too_many_bans_those_that_end_first_are_lifted(make_world):
    world = make_world(most=3)
    for n, seconds in enumerate([50, 10, 40, 30, 20], 1):
        world.ban(f"20.1.1.{n}", seconds)
    assert [ban.subject for ban in world.bans] == ["20.1.1.1/32", "20.1.1.3/32", "20.1.1.4/32"]


def test_r_a8_many_bans_make_no_table_grow_and_no_look_up_slow(make_world):
    world = make_world(most=100, most_discouraged=1_000)
    for n in range(3_000):
        world.ban(f"2a01:{n % 256:x}:{n // 256:x}:1::/64", 60 + n)
    for n in range(100_000):
        world.bans.discourage(f"2a01:{n % 256:x}:{n // 256:x}:1::1")
    assert len(world.bans) == 100
    assert world.bans.discouraged == 1_000
    assert world.bans._lengths == [64]
    queries = []
    world.database.set_trace_callback(queries.append)
    assert not world.bans.is_banned("2a01::1")
    assert len(queries) == 1
    plan = world.database.execute(f"EXPLAIN QUERY PLAN {queries[0]}").fetchall()
    assert "SEARCH bans USING PRIMARY KEY" in plan[0][3]


def test_discouragement_is_for_a_host_and_harms_no_others(world):
    world.bans.discourage("20.1.1.1")
    world.bans.discourage("2a01::1")
    world.bans.discourage(ONION)
    assert world.bans.discouraged == 3
    assert world.bans.is_discouraged("::ffff:20.1.1.1")
    assert world.bans.is_discouraged("2a01::2")
    assert world.bans.is_discouraged(ONION)
    assert not world.bans.is_discouraged("20.1.1.2")
    assert not world.bans.is_banned("20.1.1.1")


def test_who_misbehaved_longest_ago_is_forgotten_first(make_world):
    world = make_world(most_discouraged=2)
    for host in ("20.1.1.1", "20.1.1.2", "20.1.1.1", "20.1.1.3"):
        world.bans.discourage(host)
    assert world.bans.is_discouraged("20.1.1.1")
    assert not world.bans.is_discouraged("20.1.1.2")
    assert world.bans.is_discouraged("20.1.1.3")


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_a_prefix_concerns_exactly_the_addresses_whose_first_bits_are_equal(base, bits, other):
    hosts = [format_host(NetworkId.IPV4, number.to_bytes(4, "big")) for number in (base, other)]
    assume(base >> 24 != 127 or bits < 8)
    world = World()
    world.ban(f"{hosts[0]}/{bits}")
    same = base >> (32 - bits) == other >> (32 - bits)
    assert world.bans.is_banned(hosts[1]) == (same and other >> 24 != 127)
    world.bans.stopService()
