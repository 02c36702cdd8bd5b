"""Tests of bitpeer.service.addressbook."""

from random import Random

import pytest

from bitpeer.bitcoin.addrv2 import NodeAddress
from bitpeer.messages.addresses import TimedNetAddress, pack_ip
from bitpeer.service.addressbook import (
    ANSWER_TIME,
    MAX_RIVALRIES,
    PROOF_LASTS,
    RIVALRY_LASTS,
    AddressBook,
)
from bitpeer.service.buckets import proven_place
from bitpeer.service.knownaddress import DAY, HEARSAY, MINUTE, KnownAddress
from bitpeer.service.seeds import Address

NOW = 1_800_000_000.0
PEER = "9.9.9.9"
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


def make_book(seed=1, **settings):
    draw = Random(seed)
    settings.setdefault("secret", draw.randbytes(32))
    return AddressBook(below=draw.randrange, draw=draw.random, sample=draw.sample, **settings)


def addr(host, services=1, time=NOW, port=8333):
    return TimedNetAddress(int(time), services, pack_ip(host), port)


def at(host, port=8333):
    return Address(host, port)


def hosts(count, draw=None):
    draw = draw or Random(2)
    some = {}
    while len(some) < count:
        some[f"{draw.randrange(20, 90)}.{draw.randrange(256)}.{draw.randrange(256)}.7"] = None
    return list(some)


def filled(count, **settings):
    """Return a book with so many addresses, each of a group and from a source of its own."""
    book = make_book(**settings)
    for number in range(count):
        book.learn([addr(f"20.{number}.0.1")], f"30.{number}.0.1", NOW)
    assert len(book) == count
    return book


# Learning


def test_addresses_of_every_form_can_be_learned():
    book = make_book()
    told = [addr("20.1.1.1"), NodeAddress.of(ONION, 8333, 1, int(NOW)), at("2a00:1450::8")]
    assert book.learn(told, PEER, NOW) == 3
    assert book.counts() == {"ipv4": (1, 0), "ipv6": (1, 0), "onion": (1, 0)}
    assert {each.address.host for each in book} == {"20.1.1.1", ONION, "2a00:1450::8"}
    assert at(ONION) in book
    assert book.look_up(at("20.1.1.1")).services == 1
    assert book.look_up(at("20.1.1.1")).time == NOW - HEARSAY
    assert book.look_up(at("2a00:1450::8")).time == NOW - 5 * DAY - HEARSAY
    assert book.look_up(at("20.1.1.2")) is None


def test_what_is_known_already_is_only_brought_up_to_date():
    book = make_book()
    book.learn([addr("20.1.1.1", 1, NOW - 9 * DAY)], PEER, NOW)
    book.changed.clear()
    assert book.learn([addr("20.1.1.1", 8, NOW)], "20.1.1.1", NOW) == 0
    assert book.look_up(at("20.1.1.1")).services == 9
    assert book.look_up(at("20.1.1.1")).time == NOW  # it told so of itself
    assert list(book.changed) == [at("20.1.1.1")]
    book.changed.clear()
    assert book.learn([addr("20.1.1.1", 8, NOW), at("20.1.1.1")], PEER, NOW) == 0
    assert book.changed == {}


def test_another_spelling_is_the_same_address():
    book = make_book()
    assert book.learn([at("2A00:1450::8"), at("2a00:1450::8"), at("2A00:1450:0::8")], "", NOW) == 1


def test_r_e2_addresses_that_lead_nowhere_are_not_even_remembered():
    book = make_book()
    told = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fe80::1", "::1", "224.0.0.1", "name"]
    assert book.learn([at(host) for host in told], PEER, NOW) == 0
    assert book.learn([at("20.1.1.1", 0)], PEER, NOW) == 0
    assert len(book) == 0


def test_ones_own_address_is_not_learned():
    book = make_book(is_own=lambda address: address.host == "20.1.1.1")
    assert book.learn([addr("20.1.1.1"), addr("20.1.1.2")], PEER, NOW) == 1


def test_r_a9_memory_is_bounded_whatever_is_told():
    book = make_book(new_buckets=4, proven_buckets=1)
    draw = Random(3)
    for host in hosts(2_000, draw):
        book.learn([addr(host)], host, NOW)
        book.connected(at(host), NOW)
    new, proven = book.counts()["ipv4"]
    assert 200 < new <= 4 * 64
    assert 50 < proven <= 64
    assert len(book) == new + proven


def test_whose_place_is_taken_is_passed_over_until_the_other_is_terrible():
    book = make_book(new_buckets=1)
    told = [addr(host) for host in hosts(500)]
    book.learn(told, PEER, NOW)
    before = {each.address for each in book}
    assert len(before) <= 64
    assert book.learn(told, PEER, NOW) == 0
    assert {each.address for each in book} == before
    later = NOW + 40 * DAY
    book.changed.clear()
    fresh = [addr(host, time=later) for host in hosts(500, Random(8))]
    assert book.learn(fresh, PEER, later) > 30
    gone = {address for address, known in book.changed.items() if known is None}
    assert gone == before - {each.address for each in book}


def test_r_e1_whoever_knows_the_algorithm_fills_64_buckets_and_no_more():
    book = make_book()
    told = [addr(host) for host in hosts(6_000)]
    for number in range(0, 6_000, 1_000):
        book.learn(told[number : number + 1_000], f"9.9.{number % 256}.9", NOW)
    assert len({each.place[0] for each in book}) <= 64
    assert len(book) <= 64 * 64


def test_r_e1_a_flood_from_one_group_leaves_the_honest_likely_to_be_picked():
    book = make_book()
    for number, host in enumerate(hosts(300)):
        book.learn([addr(host)], f"30.{number % 256}.{number >> 8}.1", NOW)
    honest = {each.address for each in book}
    draw = Random(9)
    for _ in range(8):
        flood = [addr(f"{draw.randrange(100, 120)}.{n % 256}.{n >> 8}.9") for n in range(1_000)]
        book.learn(flood, PEER, NOW)
    assert len(book) > 5 * len(honest)
    picked = [book.pick(NOW).address for _ in range(1_000)]
    assert sum(address in honest for address in picked) > 600


def test_r_e5_ten_thousand_addresses_in_one_64_fill_one_bucket():
    book = make_book()
    for start in range(0, 10_000, 1_000):
        told = [at(f"2a00:1450::{number:x}") for number in range(start, start + 1_000)]
        book.learn(told, PEER, NOW)
    assert len(book) <= 64


# Picking


def test_an_empty_book_has_nothing_to_pick():
    book = make_book()
    assert book.pick(NOW) is None
    assert book.pick(NOW, only_new=True) is None
    assert book.doubtful(NOW) is None
    assert book.counts() == {}
    assert book.sample(NOW, 1_000) == []


def mixed_up(size, time, **settings):
    """Return a small book of addresses with which things went better and worse."""
    book = make_book(size, **settings)
    told = [addr(f"20.{number}.0.1", time=time) for number in range(size)]
    book.learn(told, PEER, NOW)
    assert len(book) == size
    for number, each in enumerate(book):
        each.failures = number
    return book


@pytest.mark.parametrize("size", range(11))
@pytest.mark.parametrize("time", [0, NOW])
def test_r_e4_every_address_of_a_small_book_can_be_picked(size, time):
    book = mixed_up(size, time)
    picked = [book.pick(NOW) for _ in range(300 * size)]
    assert set(picked) == set(book)
    assert size < 2 or 0 < picked.count(next(iter(book))) < len(picked)


@pytest.mark.parametrize("size", range(1, 11))
def test_r_e4_whatever_the_luck_somebody_is_picked(size):
    book = mixed_up(size, 0)
    for each in book:
        book.attempted(each.address, NOW)
    book._draw = lambda: 0.999_999
    assert book.pick(NOW) is not None
    book._draw = lambda: 0.0
    assert {book.pick(NOW) for _ in range(50 * size)} == set(book)


def test_the_new_and_those_that_answered_are_as_likely():
    book = filled(100)
    for number in range(5):
        book.connected(at(f"20.{number}.0.1"), NOW - DAY)
    picked = [book.pick(NOW) for _ in range(1_000)]
    assert 430 < sum(each.proven for each in picked) < 570
    assert not any(book.pick(NOW, only_new=True).proven for _ in range(100))


def test_one_that_fails_is_picked_less_often():
    book = filled(2)
    book.look_up(at("20.0.0.1")).failures = 8
    picked = [book.pick(NOW).address.host for _ in range(1_000)]
    assert 10 < picked.count("20.0.0.1") < 200


def test_only_those_are_picked_that_are_wanted():
    book = filled(20)
    wanted = at("20.7.0.1")
    assert book.pick(NOW, accept=lambda known: known.address == wanted).address == wanted
    assert book.pick(NOW, accept=lambda _: False) is None


def test_for_a_feeler_there_is_none_if_all_have_answered():
    book = filled(1)
    book.connected(at("20.0.0.1"), NOW)
    assert book.pick(NOW, only_new=True) is None
    assert book.pick(NOW).address == at("20.0.0.1")


# Telling


@pytest.mark.parametrize(
    ("size", "told"), [*((n, 1) for n in range(1, 5)), (5, 2), (8, 2), (9, 3), (10, 3)]
)
def test_r_e4_of_a_small_book_a_share_is_told_too(size, told):
    assert len(filled(size).sample(NOW, 1_000)) == told


def test_of_a_large_book_no_more_is_told_than_asked_for():
    book = filled(100)
    assert len(book.sample(NOW, 1_000)) == 23
    assert len(book.sample(NOW, 10)) == 10
    assert len({each.address for each in book.sample(NOW, 10)}) == 10


def test_what_is_terrible_is_not_told():
    book = filled(10)
    for number in range(8):
        book.look_up(at(f"20.{number}.0.1")).failures = 3
    assert {each.address.host for each in book.sample(NOW, 9, 1.0)} == {"20.8.0.1", "20.9.0.1"}


# How it went


def test_a_try_is_remembered():
    book = filled(1)
    book.changed.clear()
    book.attempted(at("20.0.0.1"), NOW)
    assert book.look_up(at("20.0.0.1")).tried_at == NOW
    assert list(book.changed) == [at("20.0.0.1")]


def test_nothing_is_remembered_of_strangers():
    book = filled(1)
    book.changed.clear()
    for tell in (book.attempted, book.failed, book.connected):
        tell(at("20.1.1.1"), NOW)
    assert book.changed == {}
    assert len(book) == 1


def test_without_internet_nobody_is_to_blame():
    book = filled(2)
    one, two = (book.look_up(at(f"20.{number}.0.1")) for number in range(2))
    for number in range(5):
        book.failed(one.address, NOW + number)
    assert one.failures == 1  # perhaps it was its fault
    book.connected(two.address, NOW + 10)
    book.changed.clear()
    for number in range(5):
        book.failed(one.address, NOW + 20 + number)
    assert one.failures == 2
    assert list(book.changed) == [one.address]


def test_one_that_answers_is_moved_and_its_failures_are_forgiven():
    book = filled(2)
    known = book.look_up(at("20.0.0.1"))
    book.failed(known.address, NOW)
    book.changed.clear()
    book.connected(known.address, NOW + 5)
    assert (known.proven, known.failures) == (True, 0)
    assert known.success_at == known.tried_at == known.time == NOW + 5
    assert book.counts() == {"ipv4": (1, 1)}
    assert book.changed == {known.address: known}
    book.connected(known.address, NOW + 9)
    assert known.success_at == NOW + 9
    assert len(book) == 2


def test_r_e3_services_are_a_hint_until_the_node_says_what_it_offers():
    book = make_book()
    book.learn([addr("20.0.0.1", services=0x849)], PEER, NOW)  # with v2 transport and filters
    known = book.look_up(at("20.0.0.1"))
    assert (known.services, known.services_seen) == (0x849, False)
    book.connected(known.address, NOW, services=1)
    book.learn([addr("20.0.0.1", services=0x849)], PEER, NOW)
    assert (known.services, known.services_seen) == (1, True)
    book.connected(known.address, NOW)
    assert known.services == 1


# Rivals


def rivals(count=1, **settings):
    """Return a book with one place for all who have answered, who has it, and newcomers."""
    book = make_book(proven_buckets=1, **settings)
    places = {}
    for host in hosts(5_000):
        place = proven_place(book.secret, KnownAddress.of(host, 8333), 1)
        places.setdefault(place, []).append(at(host))
    occupant, *newcomers = max(places.values(), key=len)[: count + 1]
    for address in (occupant, *newcomers):
        book.learn([address], f"{address.host[:-1]}9", NOW)
    book.connected(occupant, NOW)
    assert len(newcomers) == count
    return book, occupant, newcomers


def proven(book):
    return {each.address for each in book if each.proven}


LATER = NOW + PROOF_LASTS + 1


def test_nobody_loses_a_place_without_being_tested():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, LATER)
    assert proven(book) == {occupant}
    assert book.doubtful(LATER).address == occupant
    book.attempted(occupant, LATER + 1)
    assert book.doubtful(LATER + 2) is None  # it has time to answer
    assert proven(book) == {occupant}


def test_whoever_passes_the_test_keeps_the_place():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, LATER)
    book.attempted(occupant, LATER + 1)
    book.connected(occupant, LATER + 2)
    assert book.doubtful(LATER + 3) is None
    assert book.doubtful(LATER + DAY) is None  # that was decided
    assert proven(book) == {occupant}
    assert newcomer in book


def test_whoever_does_not_goes_back_to_where_he_came_from():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, LATER)
    book.attempted(occupant, LATER + 1)
    book.failed(occupant, LATER + 5)
    book.changed.clear()
    assert book.doubtful(LATER + 1 + ANSWER_TIME + 1) is None
    assert proven(book) == {newcomer}
    assert book.counts() == {"ipv4": (1, 1)}
    assert set(book.changed) == {occupant, newcomer}
    assert None not in book.changed.values()


def test_whoever_goes_back_takes_the_place_of_another_there():
    book, occupant, (newcomer,) = rivals(new_buckets=1)
    for number, host in enumerate(hosts(500, Random(12))):
        book.learn([addr(host)], f"30.{number % 256}.{number >> 8}.1", NOW)
    new_before, _ = book.counts()["ipv4"]
    book.connected(newcomer, LATER)
    assert book.doubtful(LATER + RIVALRY_LASTS + 1) is None
    assert proven(book) == {newcomer}
    assert occupant in book
    assert book.counts()["ipv4"][0] <= new_before


def test_one_whom_nobody_tests_goes_after_a_while():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, LATER)
    assert book.doubtful(LATER + RIVALRY_LASTS - 1).address == occupant
    book.doubtful(LATER + RIVALRY_LASTS + 1)
    assert proven(book) == {newcomer}


def test_one_that_answered_lately_need_not_be_tested():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, NOW + MINUTE)
    assert book.doubtful(NOW + MINUTE) is None
    assert proven(book) == {occupant}


def test_only_so_many_can_be_rivals_and_the_first_that_wins_has_it():
    book, occupant, newcomers = rivals(MAX_RIVALRIES + 2)
    for newcomer in newcomers:
        book.connected(newcomer, LATER)
        book.connected(newcomer, LATER)
    assert book.doubtful(LATER).address == occupant
    book.doubtful(LATER + RIVALRY_LASTS + 1)
    assert proven(book) == {newcomers[0]}
    assert book.doubtful(LATER + RIVALRY_LASTS + 2) is None


def test_a_place_that_is_free_again_needs_no_test():
    book, occupant, (newcomer,) = rivals()
    book.connected(newcomer, LATER)
    book._forget(book.look_up(occupant))
    assert book.doubtful(LATER) is None
    assert proven(book) == {newcomer}


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_everybody_has_one_place(seed):
    draw = Random(seed)
    book = make_book(seed, new_buckets=2, proven_buckets=1)
    some = [at(host) for host in hosts(400, draw)]
    now = NOW
    for _ in range(3_000):
        now += draw.choice([0, 30, 3_600, 5 * 3_600])
        address = draw.choice([*(each.address for each in book), *draw.sample(some, 20)])
        act = draw.randrange(5)
        if act == 0:
            book.learn([addr(draw.choice(some).host, time=now)], draw.choice(some).host, now)
        elif act == 4:
            book.doubtful(now)
        else:
            (book.attempted, book.connected, book.failed)[act - 1](address, now)
    everybody = list(book)
    places = {(each.proven, each.place) for each in everybody}
    assert len(places) == len(everybody) == len(book) == sum(book.counts()["ipv4"])
    for each in everybody:
        assert (book._proven if each.proven else book._new).at(each.place) is each
        assert book.changed[each.address] is each
    assert len(book._new) + len(book._proven) == len(book)
    assert len(book._proven) > 40
    gone = {address for address, known in book.changed.items() if known is None}
    assert not gone & {each.address for each in everybody}
    assert all(not book.look_up(rival).proven for rival in book._rivals)


# Keeping


def test_what_was_known_can_be_put_back_beside_what_is():
    old = filled(50)
    for number in range(10):
        old.connected(at(f"20.{number}.0.1"), NOW)
    book = make_book(2)
    book.learn([addr("20.3.0.1"), addr("20.77.0.1")], PEER, NOW)
    book.restore(old.secret, list(old))
    assert book.secret == old.secret
    assert book.counts() == {"ipv4": (41, 10)}
    assert {each.address for each in book} == {*(each.address for each in old), at("20.77.0.1")}
    assert book.look_up(at("20.3.0.1")).proven
    assert {each.place for each in book} >= {each.place for each in old}
    assert book.pick(NOW) is not None


def test_whose_place_is_taken_cannot_be_put_back():
    book = make_book()
    book.learn([addr("20.1.1.1")], PEER, NOW)
    many = [KnownAddress.of(host, 8333) for host in hosts(1_000)]
    for each in many:
        each.proven = True
    small = make_book(new_buckets=1, proven_buckets=1)
    small.restore(book.secret, [*many, *book])
    assert small.counts() == {"ipv4": (1, 64)}
