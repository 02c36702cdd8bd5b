"""Tests of bitpeer.service.buckets."""

from collections import Counter
from random import Random

from bitpeer.service.buckets import (
    BUCKET_SIZE,
    NEW_BUCKETS,
    NEW_BUCKETS_PER_ORIGIN,
    PROVEN_BUCKETS,
    PROVEN_BUCKETS_PER_GROUP,
    SECRET_SIZE,
    Buckets,
    draw_secret,
    new_place,
    proven_place,
)
from bitpeer.service.knownaddress import KnownAddress, origin_of

SECRET = bytes(range(SECRET_SIZE))


def known(host, source="9.9.9.9"):
    each = KnownAddress.of(host, 8333)
    each.origin = origin_of(source)
    return each


def host(draw):
    return f"{draw.randrange(20, 90)}.{draw.randrange(256)}.{draw.randrange(256)}.7"


def new(each, secret=SECRET):
    return new_place(secret, each, NEW_BUCKETS)


def proven(each, secret=SECRET):
    return proven_place(secret, each, PROVEN_BUCKETS)


def test_what_is_put_somewhere_is_there_until_it_is_taken():
    buckets = Buckets(8)
    one, two, three = known("20.1.1.1"), known("20.1.1.2"), known("20.1.1.3")
    buckets.put(one, (3, 5))
    buckets.put(two, (3, 6))
    buckets.put(three, (7, 5))
    assert len(buckets) == 3
    assert buckets.at((3, 5)) is one
    assert three.place == (7, 5)
    assert buckets.at((3, 7)) is buckets.at((1, 5)) is None
    for each in (one, two):
        buckets.take(each)
    assert buckets.at((3, 5)) is None
    assert buckets.at((7, 5)) is three
    assert len(buckets) == 1
    buckets.take(three)
    assert len(buckets) == 0


def test_a_bucket_is_drawn_first_and_then_one_of_its_addresses():
    buckets, draw = Buckets(8), Random(3)
    crowd = [known(f"20.1.1.{number}") for number in range(1, 21)]
    for position, each in enumerate(crowd):
        buckets.put(each, (2, position))
    alone = known("30.1.1.1")
    buckets.put(alone, (5, 0))
    drawn = Counter(buckets.draw(draw.randrange).address.host for _ in range(4_000))
    assert 1_900 < drawn["30.1.1.1"] < 2_100
    assert all(50 < drawn[each.address.host] < 150 for each in crowd)


def test_whatever_order_they_go_in_the_others_stay():
    draw, buckets, inside = Random(4), Buckets(16), {}
    for _ in range(3_000):
        place = draw.randrange(16), draw.randrange(4)
        if place in inside:
            buckets.take(inside.pop(place))
        else:
            inside[place] = known(host(draw))
            buckets.put(inside[place], place)
        assert len(buckets) == len(inside)
        if inside:
            assert buckets.draw(draw.randrange) in inside.values()
    assert all(buckets.at(place) is each for place, each in inside.items())


def test_r_e1_an_adversary_who_knows_the_algorithm_cannot_foretell_a_place():
    assert len(draw_secret()) == SECRET_SIZE
    assert draw_secret() != draw_secret()
    draw = Random(5)
    secrets = [draw.randbytes(SECRET_SIZE) for _ in range(500)]
    victim = known("20.1.1.1")
    assert len({new(victim, secret)[0] for secret in secrets}) > 350
    assert len({proven(victim, secret)[0] for secret in secrets}) > 200
    assert new(victim) == new(known("20.1.1.1"))


def test_r_e1_one_source_reaches_few_buckets_and_one_group_but_one_of_them():
    draw = Random(6)
    addresses = [known(host(draw), f"9.9.{draw.randrange(256)}.9") for _ in range(1_500)]
    assert len({new(each)[0] for each in addresses}) <= NEW_BUCKETS_PER_ORIGIN
    group = [known(f"20.1.{number >> 8}.{number & 255}") for number in range(1_500)]
    assert len({new(each)[0] for each in group}) == 1
    assert {new(each)[1] for each in group} == set(range(BUCKET_SIZE))


def test_r_e1_one_group_reaches_few_buckets_of_those_that_answered():
    group = [known(f"20.1.{number >> 8}.{number & 255}") for number in range(1_500)]
    assert len({proven(each)[0] for each in group}) <= PROVEN_BUCKETS_PER_GROUP
    assert {proven(each)[1] for each in group} == set(range(BUCKET_SIZE))


def test_many_groups_and_sources_fill_everything():
    draw = Random(7)
    addresses = [known(host(draw), host(draw)) for _ in range(2_000)]
    assert {new_place(SECRET, each, 100)[0] for each in addresses} == set(range(100))
    assert {proven_place(SECRET, each, 100)[0] for each in addresses} == set(range(100))
