"""Announcing in batches, and never what the peer knows."""

from itertools import cycle
from math import log

import pytest
from hypothesis import given, strategies as st

from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.peer.part import NEVER
from bitpeer.peer.trickle import INBOUND_MEAN, OUTBOUND_MEAN, FlushTimes, Relay, Trickle
from tests.peer.village import item, items, make_relay


def make(relay: Relay | None = None, *, outbound: bool = True, **changes: object) -> Trickle:
    """Return the announcements of one peer."""
    return Trickle(relay or make_relay(**changes), None if outbound else "front")


def received(*numbers: int) -> Inv:
    """Return an `inv` as it comes from the wire."""
    return Inv.decode(Inv(items(numbers)).encode())


def test_batches_may_leave_at_random_within_limits() -> None:
    draws = iter([0.0, 0.5, 0.75])
    times = FlushTimes((0.1, 0.5), lambda: next(draws))
    moments = [times.next(100, None) for _ in range(3)]
    assert moments == pytest.approx([100.1, 100.3, 100.4])


def test_fixed_batches_leave_an_interval_after_they_began_to_fill() -> None:
    times = FlushTimes((10.0, 10.0), lambda: pytest.fail("nothing random is needed"))
    assert times.next(1_000, None) == 1_010
    assert times.next(1_003, "front") == 1_013


def test_dialled_peers_have_random_times_of_their_own() -> None:
    draws = cycle([0.5, 0.0, 0.75])
    times = FlushTimes(None, lambda: next(draws))
    moments = [times.next(1_000, None) for _ in range(3)]
    assert moments == pytest.approx(
        [1_000 + OUTBOUND_MEAN * log(2), 1_000, 1_000 + OUTBOUND_MEAN * log(4)]
    )


def test_all_who_dialled_us_share_their_random_times() -> None:
    draws = iter([0.5, 0.75])
    times = FlushTimes(None, lambda: next(draws))
    first = times.next(1_000, "front")
    assert first == pytest.approx(1_000 + INBOUND_MEAN * log(2))
    assert times.next(1_001, "front") == first
    assert times.next(first, "front") == pytest.approx(first + INBOUND_MEAN * log(4))


def test_r_f2_each_door_has_random_times_of_its_own():
    draws = iter([0.5, 0.75, 0.25])
    times = FlushTimes(None, lambda: next(draws))
    front = times.next(1_000, "front")
    back = times.next(1_000, "back")
    assert back == pytest.approx(1_000 + INBOUND_MEAN * log(4))
    assert front != back
    assert times.next(1_001, "front") == front
    assert times.next(front, "front") not in (front, back)
    assert times.next(front, "back") == back


def test_random_times_have_the_mean_they_should() -> None:
    numbers = [(each + 0.5) / 10_000 for each in range(10_000)]
    draws = iter(numbers)
    times = FlushTimes(None, lambda: next(draws))
    pauses = [times.next(0, None) for _ in numbers]
    assert sum(pauses) / len(pauses) == pytest.approx(OUTBOUND_MEAN, rel=0.01)


def test_nothing_to_announce_is_never_due() -> None:
    trickle = make()
    assert trickle.flush_at == NEVER
    assert trickle.flush(1e9) == ()
    assert trickle.waiting == 0


def test_announcements_wait_and_leave_together() -> None:
    trickle = make()
    assert trickle.announce(item(1), 1_000)
    assert trickle.announce(item(2), 1_004)
    assert trickle.flush_at == 1_010
    assert trickle.waiting == 2
    assert list(trickle.flush(1_009.9)) == []
    assert list(trickle.flush(1_010)) == [Inv(items([1, 2]))]
    assert trickle.flush_at == NEVER
    assert trickle.waiting == 0


def test_the_next_batch_begins_when_the_next_item_comes() -> None:
    trickle = make()
    trickle.announce(item(1), 1_000)
    trickle.flush(1_010)
    trickle.announce(item(2), 1_500)
    assert trickle.flush_at == 1_510


def test_an_inv_has_no_more_items_than_it_may() -> None:
    trickle = make(batch=1_000)
    for number in range(2_500):
        trickle.announce(item(number), 0)
    sizes = [len(inv.items) for inv in trickle.flush(10)]
    assert sizes == [1_000, 1_000, 500]


def test_nothing_is_announced_twice() -> None:
    trickle = make()
    assert trickle.announce(item(1), 0)
    assert trickle.announce(item(1), 1)  # it will be announced, and once is enough
    assert list(trickle.flush(10)) == [Inv(items([1]))]
    assert not trickle.announce(item(1), 20)
    assert trickle.flush_at == NEVER


def test_what_the_peer_announced_is_not_announced_back() -> None:
    trickle = make()
    trickle.learned(received(1, 2).items)
    assert not trickle.announce(item(1), 0)
    assert trickle.announce(item(3), 0)
    assert list(trickle.flush(10)) == [Inv(items([3]))]


def test_what_the_peer_announced_meanwhile_is_not_announced_back() -> None:
    trickle = make()
    for number in (1, 2, 3):
        trickle.announce(item(number), 0)
    trickle.learned(received(2).items)
    trickle.add_known(item(3))
    assert list(trickle.flush(10)) == [Inv(items([1]))]


def test_nothing_is_sent_if_everything_is_known_meanwhile() -> None:
    trickle = make()
    trickle.announce(item(1), 0)
    trickle.add_known(item(1))
    assert list(trickle.flush(10)) == []


def test_the_application_may_know_what_the_peer_knows() -> None:
    trickle = make()
    assert not trickle.knows(item(1).hash)
    trickle.add_known(item(1))
    assert trickle.knows(item(1).hash)
    assert not trickle.announce(item(1), 0)


def test_an_object_is_the_same_whatever_it_is_called() -> None:
    trickle = make()
    trickle.learned((InvVect(1, b"x" * 32),))
    assert not trickle.announce(InvVect(0x40000001, b"x" * 32), 0)


def test_what_cannot_wait_leaves_at_once() -> None:
    trickle = make()
    assert trickle.announce_now(item(1)) == Inv(items([1]))
    assert trickle.announce_now(item(1)) is None
    assert trickle.flush_at == NEVER
    trickle.learned(received(2).items)
    assert trickle.announce_now(item(2)) is None


def test_what_left_at_once_does_not_leave_again_with_the_batch() -> None:
    trickle = make()
    trickle.announce(item(1), 0)
    trickle.announce_now(item(1))
    assert list(trickle.flush(10)) == []


def test_peers_share_what_is_announced_to_all() -> None:
    relay = make_relay()
    one, two = make(relay), make(relay)
    for trickle in (one, two):
        trickle.announce(item(1), 0)
        trickle.announce(item(2), 0)
    (first,), (second,) = one.flush(10), two.flush(10)
    assert first is second
    third, fourth = one.announce_now(item(3)), two.announce_now(item(3))
    assert third is fourth
    assert third != first


def test_one_peer_knowing_does_not_keep_it_from_another() -> None:
    relay = make_relay()
    one, two = make(relay), make(relay)
    one.announce_now(item(1))
    assert one.knows(item(1).hash)
    assert not two.knows(item(1).hash)
    two.learned(received(1).items)
    assert two.knows(item(1).hash)
    assert relay.table.known_to(item(1).hash) == 0b11


def test_r_a4_a_million_announcements_leave_memory_as_it_was() -> None:
    relay = make_relay(known=1_000)
    trickle = make(relay)
    for start in range(0, 1_000_000, 50_000):
        objects = (b"\1\0\0\0" + (start + each).to_bytes(32, "little") for each in range(50_000))
        payload = b"\xfd" + (50_000).to_bytes(2, "little") + b"".join(objects)
        trickle.learned(Inv.decode(payload).items)
        (kept,) = trickle._heard
        assert len(kept) == 1_000
        assert len(kept._data) == 36_000  # not the payload it came in
    assert trickle.knows(item(999_999).hash)
    assert trickle.knows(item(999_000).hash)
    assert not trickle.knows(item(998_999).hash)
    assert len(relay.table) == 0
    assert len(trickle._known) == 1_000


def test_r_a4_many_small_announcements_leave_memory_as_it_was() -> None:
    trickle = make(known=100)
    for number in range(10_000):
        trickle.learned(received(2 * number, 2 * number + 1).items)
        assert sum(map(len, trickle._heard)) == trickle._heard_count <= 125
    assert all(trickle.knows(item(number).hash) for number in range(19_900, 20_000))
    assert not trickle.knows(item(19_000).hash)


def test_r_a4_looking_back_again_and_again_leaves_memory_as_it_was() -> None:
    trickle = make(known=100)
    for number in range(10_000):
        trickle.learned(received(number).items)
        assert trickle.knows(item(number).hash)
        assert number % 100 or len(trickle._known) <= 200


def test_r_b11_empty_announcements_are_not_kept() -> None:
    trickle = make()
    for _ in range(10):
        trickle.learned(received().items)
    assert trickle._heard is None


def test_a_peer_may_know_exactly_as_much_as_is_remembered() -> None:
    trickle = make(known=3)
    trickle.learned(received(1, 2, 3).items)
    assert all(trickle.knows(item(number).hash) for number in (1, 2, 3))


def test_items_that_never_were_bytes_are_remembered_as_well() -> None:
    trickle = make(known=3)
    trickle.learned(items([1]))
    assert trickle.knows(item(1).hash)
    trickle.learned(items(range(10, 15)))
    assert trickle.knows(item(14).hash)
    assert not trickle.knows(item(11).hash)


def test_r_a7_the_oldest_give_way_when_too_much_waits_for_one_peer() -> None:
    relay = make_relay(pending=3)
    trickle = make(relay)
    for number in range(5):
        assert trickle.announce(item(number), 0)
    assert trickle.waiting == relay.waiting == 3
    assert trickle.dropped == 2
    assert list(trickle.flush(10)) == [Inv(items([2, 3, 4]))]


def test_r_a7_what_waits_for_all_peers_together_is_bounded() -> None:
    relay = make_relay(total=5)
    one, two, three = make(relay), make(relay), make(relay)
    for number in range(4):
        assert one.announce(item(number), 0)
    for number in range(4):
        assert two.announce(item(number), 0)  # its own oldest give way
    assert not three.announce(item(0), 0)  # it has none
    assert [one.waiting, two.waiting, three.waiting, relay.waiting] == [4, 1, 0, 5]
    assert [one.dropped, two.dropped, three.dropped] == [0, 3, 1]
    one.flush(10)
    assert three.announce(item(1), 11)
    assert relay.waiting == 2


def test_a_peer_that_leaves_takes_along_what_waited_for_it() -> None:
    relay = make_relay()
    one, two = make(relay), make(relay)
    for trickle in (one, two):
        trickle.announce(item(1), 0)
        trickle.learned(received(2).items)
        trickle.knows(b"")
    one.close()
    assert relay.waiting == 1
    assert one.flush_at == NEVER
    assert (one._known, one._heard, one._queue) == (None, None, None)
    assert two.flush(10) == [Inv(items([1]))]


def test_who_leaves_unheard_leaves_nothing() -> None:
    relay = make_relay()
    make(relay).close()
    assert relay.waiting == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["announce", "now", "learned", "known", "wake"]), st.integers(0, 9)
        ),
        max_size=80,
    )
)
def test_every_object_is_mentioned_once_in_one_direction(script: list[tuple[str, int]]) -> None:
    trickle, told, heard = make(), [], set()
    for now, (verb, number) in enumerate(script):
        invs = []
        if verb == "announce":
            assert trickle.announce(item(number), now) == (number not in heard | set(told))
        elif verb == "now":
            invs = [inv for inv in [trickle.announce_now(item(number))] if inv is not None]
        elif verb == "learned":
            trickle.learned(received(number).items)
            heard.add(number)
        elif verb == "known":
            trickle.add_known(item(number))
            heard.add(number)
        else:
            invs = trickle.flush(now)
        for inv in invs:
            for each in inv.items:
                mentioned = int.from_bytes(each.hash, "little")
                assert mentioned not in heard | set(told)
                told.append(mentioned)


def test_what_a_peer_knows_is_forgotten_after_a_time() -> None:
    relay = make_relay(known_for=900.0)
    trickle = make(relay)
    trickle.age(10_000)
    first, second, third = items([1, 2, 3])
    trickle.learned(received(1).items)
    trickle.announce(second, 10_000)
    trickle.flush(10_010)
    trickle.age(10_300)
    trickle.add_known(third)
    trickle.age(10_349)
    assert trickle.knows(first.hash)
    assert trickle.knows(second.hash)
    trickle.age(10_800 + 449)
    assert not trickle.knows(first.hash)
    assert not trickle.knows(second.hash)
    assert not trickle.knows(third.hash)


def test_what_was_learned_lately_outlives_an_era() -> None:
    trickle = make(known_for=900.0)
    trickle.age(899)
    trickle.learned(received(1).items)
    trickle.age(901)
    assert trickle.knows(items([1])[0].hash)


def test_a_peer_that_comes_late_has_nothing_to_forget() -> None:
    relay = make_relay(known_for=900.0)
    make(relay).age(9_000)
    late = make(relay)
    late.age(9_001)
    assert not late.knows(bytes(32))
    late.age(99_000)
    assert not late.knows(bytes(32))


def test_without_a_life_time_nothing_is_forgotten() -> None:
    trickle = make()
    trickle.age(0)
    trickle.learned(received(1).items)
    trickle.age(1e9)
    assert trickle.knows(items([1])[0].hash)
