"""Tests of bitpeer.service.eviction."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import assume, given, strategies as st

from bitpeer.bitcoin.hosts import NetworkId
from bitpeer.service.eviction import (
    GROUPS,
    LOCAL,
    NEAR,
    PART,
    USEFUL,
    Guest,
    guest_to_evict,
)

SECRET = bytes(range(16))
FULL = PART * max(GROUPS, NEAR, USEFUL)
"""So many guests that every merit protects as many as it can."""


@st.composite
def houses(draw, least=0):
    """Return some guests, each with an id of its own."""
    drawn = draw(
        st.lists(
            st.builds(
                Guest,
                id=st.just(0),
                group=st.sampled_from([b"a", b"b", b"c", b"d", b"e"]),
                network=st.sampled_from([LOCAL, *NetworkId]),
                latency=st.just(inf) | st.floats(0, 10),
                useful_at=st.just(-inf) | st.floats(0, 1e9),
                discouraged=st.booleans(),
            ),
            min_size=least,
            max_size=80,
        )
    )
    return [replace(guest, id=number) for number, guest in enumerate(drawn, 1)]


def crowd(count, group=b"crowd", first=1_000, **merits):
    """Return guests without merit who have just come, all out of one network group."""
    return [Guest(id=first + n, group=group, **merits) for n in range(count)]


def test_an_empty_house_has_nobody_to_evict():
    assert guest_to_evict([], SECRET) is None


def test_the_only_guest_may_stay():
    assert guest_to_evict(crowd(1), SECRET) is None


def test_of_two_the_newer_one_leaves():
    first, second = crowd(2)
    assert guest_to_evict([second, first], SECRET) == second


@given(houses(), st.randoms())
def test_the_order_in_which_guests_are_named_changes_nothing(guests, shuffler):
    shuffled = list(guests)
    shuffler.shuffle(shuffled)
    assert guest_to_evict(guests, SECRET) == guest_to_evict(shuffled, SECRET)


@given(houses(least=2))
def test_there_is_somebody_in_every_house_of_two_or_more(guests):
    assert guest_to_evict(guests, SECRET) in guests


@given(houses(least=1))
def test_the_oldest_guest_never_leaves(guests):
    oldest = min(guests, key=lambda guest: guest.id)
    assert guest_to_evict(guests, SECRET) != oldest


@given(houses(least=PART))
def test_the_nearest_guest_never_leaves(guests):
    nearest = min(guest.latency for guest in guests)
    assume(nearest < inf)
    near = [guest for guest in guests if guest.latency == nearest]
    assume(len(near) == 1)
    assert guest_to_evict(guests, SECRET) not in near


@given(houses(least=PART))
def test_the_latest_to_tell_something_new_never_leaves(guests):
    latest = max(guest.useful_at for guest in guests)
    assume(latest > -inf)
    useful = [guest for guest in guests if guest.useful_at == latest]
    assume(len(useful) == 1)
    assert guest_to_evict(guests, SECRET) not in useful


@given(houses(least=2))
def test_who_leaves_is_discouraged_if_anybody_without_merit_is(guests):
    chosen = guest_to_evict(guests, SECRET)
    others = [replace(guest, discouraged=guest != chosen) for guest in guests]
    again = guest_to_evict(others, SECRET)
    assert again.discouraged or again.id == chosen.id


def test_a_discouraged_guest_leaves_before_newer_ones_without_a_stain():
    guests = crowd(40)
    guests[25] = replace(guests[25], discouraged=True)
    guests[30] = replace(guests[30], discouraged=True)
    assert guest_to_evict(guests, SECRET) == guests[30]


def test_the_newest_of_the_largest_group_leaves():
    guests = [Guest(id=n, group=b"large" if n % 3 < 2 else b"small") for n in range(30)]
    assert guest_to_evict(guests, SECRET) == guests[28]


@pytest.mark.parametrize(
    ("kept", "merits"),
    [
        (NEAR, [{"latency": 0.01 + n / 100} for n in range(40)]),
        (USEFUL, [{"useful_at": 1e6 - n} for n in range(40)]),
    ],
)
def test_each_merit_protects_so_many(kept, merits):
    """All honest guests have come last, after a crowd that fills the house."""
    honest = [Guest(id=5_000 + n, group=b"honest", **merit) for n, merit in enumerate(merits)]
    gone = []
    house = crowd(FULL) + honest
    for _ in range(20):
        gone.append(guest_to_evict(house, SECRET))
        house.remove(gone[-1])
    assert not set(gone) & set(honest[:kept])


def test_which_groups_are_lucky_depends_on_the_secret():
    house = [Guest(id=n, group=bytes((n,))) for n in range(2 * PART)]
    leaving = [guest_to_evict(house, bytes((number,)) * 16) for number in range(60)]
    assert leaving.count(house[-1]) > 30
    assert {guest.id for guest in leaving} <= {house[n].id for n in (-1, -2, -3)}
    assert len(set(leaving)) > 1


def test_one_lucky_group_does_not_protect_all_who_are_in_it():
    house = crowd(PART * GROUPS)
    assert guest_to_evict(house, SECRET) == house[-1]


def test_r_e1_who_came_before_the_attack_is_still_there_after_it():
    """Twenty honest guests of many networks, and one attacker who connects without end."""
    house = [
        Guest(
            id=n,
            group=bytes((n,)),
            latency=0.05 + n / 100,
            useful_at=float(n) if n % 2 else -inf,
        )
        for n in range(1, 21)
    ]
    honest = set(house)
    for n in range(2_000):
        if len(house) >= 117:
            leaves = guest_to_evict(house, SECRET)
            house.remove(leaves)
        house.append(Guest(id=100 + n, group=b"attacker", latency=0.001))
    assert honest <= set(house)


def test_half_of_the_places_for_the_faithful_are_for_scarce_networks():
    """Of the slow guests from overlays, those of each network who came first may stay."""
    common = [Guest(id=n, group=bytes((n,))) for n in range(40)]
    onions = [Guest(id=100 + n, group=b"", network=LOCAL) for n in range(30)]
    i2p = [Guest(id=200 + n, group=b"i", network=NetworkId.I2P) for n in range(2)]
    house = common + onions + i2p
    gone = []
    for _ in range(30):
        gone.append(guest_to_evict(house, SECRET))
        house.remove(gone[-1])
    assert not set(i2p) & set(gone)
    assert set(onions[:8]) <= set(house)
