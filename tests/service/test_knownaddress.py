"""Tests of bitpeer.service.knownaddress."""

import pytest
from hypothesis import given, strategies as st

from bitpeer.service.knownaddress import (
    ASSUMED_AGE,
    DAY,
    HEARSAY,
    HOUR,
    MINUTE,
    KnownAddress,
    believed,
    origin_of,
)
from bitpeer.service.seeds import Address

NOW = 1_800_000_000.0
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"


def known(**facts):
    each = KnownAddress.of("8.8.8.8", 8333)
    each.time = NOW
    for name, value in facts.items():
        setattr(each, name, value)
    return each


@pytest.mark.parametrize(
    ("host", "port", "kind"),
    [
        ("8.8.8.8", 8333, "ipv4"),
        ("2a00:1450::8", 8333, "ipv6"),
        (ONION, 8333, "onion"),
        (I2P, 0, "i2p"),
        ("fc00:1234::5", 8333, "cjdns"),
        ("200:1234::5", 8333, "yggdrasil"),
    ],
)
def test_every_kind_of_network_is_known_by_name(host, port, kind):
    each = KnownAddress.of(host, port)
    assert (each.address, each.kind) == (Address(host, port), kind)
    assert repr(each) == f"<KnownAddress {host} {port}>"


def test_an_address_is_kept_in_one_spelling():
    assert KnownAddress.of("2A00:1450:0::8", 1).address == Address("2a00:1450::8", 1)
    assert KnownAddress.of("::ffff:8.8.8.8", 1).address == Address("8.8.8.8", 1)


@pytest.mark.parametrize(
    ("host", "port"),
    [("seed.example", 8333), ("127.0.0.1", 8333), ("10.1.2.3", 8333), ("8.8.8.8", 0), ("", 1)],
)
def test_r_e2_what_leads_nowhere_is_none(host, port):
    assert KnownAddress.of(host, port) is None


def test_what_is_fit_can_be_said_otherwise():
    assert KnownAddress.of("127.0.0.1", 8333, lambda *_: True) is not None


def test_more_services_and_later_times_are_news():
    each = known(services=1, time=NOW - 3 * DAY)
    assert each.heard(8, NOW - 3 * DAY, NOW)
    assert each.services == 9
    assert not each.heard(1, NOW - 3 * DAY, NOW)
    assert not each.heard(9, NOW - 2.5 * DAY, NOW)  # less than a day later, and long ago
    assert each.heard(9, NOW - 1.5 * DAY, NOW)
    assert each.heard(9, NOW - HOUR, NOW)
    assert not each.heard(9, NOW - MINUTE, NOW)  # less than an hour later
    assert each.time == NOW - HOUR


def test_r_e3_what_the_node_said_of_its_services_outweighs_hearsay():
    each = known(services=1, services_seen=True)
    assert not each.heard(0xFFFF, NOW, NOW)
    assert each.services == 1


@pytest.mark.parametrize(
    ("facts", "chance"),
    [
        ({}, 1.0),
        ({"failures": 1}, 0.66),
        ({"failures": 8}, 0.66**8),
        ({"failures": 1_000}, 0.66**8),
        ({"tried_at": NOW - 9 * MINUTE}, 0.01),
        ({"tried_at": NOW - 10 * MINUTE}, 1.0),
        ({"tried_at": NOW + DAY}, 0.01),  # the clock was set back
        ({"tried_at": 0.0, "success_at": 0.0}, 1.0),
        ({"tried_at": NOW, "failures": 2}, 0.01 * 0.66**2),
    ],
)
def test_r_e4_the_chance_to_be_picked_is_specified(facts, chance):
    assert known(**facts).chance(NOW) == pytest.approx(chance)


times = st.none() | st.just(0.0) | st.floats(0, 2 * NOW)


@given(tried_at=times, failures=st.integers(0, 10_000), more=st.integers(1, 50), later=times)
def test_r_e4_it_is_never_0_and_falls_with_failures_and_rises_with_time(
    tried_at, failures, more, later
):
    each = known(tried_at=tried_at, failures=failures)
    assert 0 < each.chance(NOW) <= 1
    assert each.chance(NOW) <= each.chance(NOW + (later or 0))
    if failures or (tried_at or 0) > NOW:
        assert each.chance(NOW) < 1
    assert known(tried_at=tried_at, failures=failures + more).chance(NOW) <= each.chance(NOW)


@pytest.mark.parametrize(
    ("facts", "terrible"),
    [
        ({}, False),
        ({"time": NOW - 29 * DAY}, False),
        ({"time": NOW - 31 * DAY}, True),
        ({"time": NOW + 9 * MINUTE}, False),
        ({"time": NOW + 11 * MINUTE}, True),
        ({"failures": 2}, False),
        ({"failures": 3}, True),
        ({"failures": 3, "tried_at": NOW - 30}, False),
        ({"failures": 3, "tried_at": NOW + DAY}, True),  # the clock was set back
        ({"failures": 3, "success_at": NOW - 40 * DAY}, False),
        ({"failures": 9, "success_at": NOW - 8 * DAY}, False),
        ({"failures": 10, "success_at": NOW - 8 * DAY}, True),
        ({"failures": 10, "success_at": NOW - 6 * DAY}, False),
    ],
)
def test_what_is_old_or_never_answers_is_terrible(facts, terrible):
    assert known(**facts).is_terrible(NOW) is terrible


@pytest.mark.parametrize("time", [0, 100_000_000, NOW + 11 * MINUTE, 2**64])
def test_a_time_that_is_none_is_taken_for_five_days_ago(time):
    assert believed(time, NOW, of_itself=True) == NOW - ASSUMED_AGE


def test_others_are_assumed_to_exaggerate():
    assert believed(NOW - DAY, NOW, of_itself=True) == NOW - DAY
    assert believed(NOW - DAY, NOW, of_itself=False) == NOW - DAY - HEARSAY


def test_sources_in_the_same_hands_have_the_same_origin():
    assert origin_of("8.8.8.8") == origin_of("8.8.200.1") != origin_of("8.9.8.8")
    assert origin_of("a.seed.example") != origin_of("b.seed.example")
    assert len(origin_of("x" * 1_000)) == 64
