"""Who knows of what, bounded."""

from unittest.mock import patch

from hypothesis import given, strategies as st

from bitpeer.peer.relay import SWEEP, RecentSet, RelayTable


def name(number: int) -> bytes:
    """Return one of many hashes."""
    return number.to_bytes(32, "big")


def test_what_was_added_is_there() -> None:
    recent = RecentSet(3)
    recent.add(b"a")
    assert b"a" in recent
    assert b"b" not in recent
    assert len(recent) == 1


def test_the_newest_are_kept() -> None:
    recent = RecentSet(10)
    for number in range(95):
        recent.add(name(number))
    assert all(name(number) in recent for number in range(85, 95))
    assert name(0) not in recent


def test_what_is_asked_for_stays() -> None:
    recent = RecentSet(10)
    recent.add(b"favourite")
    for number in range(1_000):
        recent.add(name(number))
        assert b"favourite" in recent


def test_r_a4_a_recent_set_never_holds_more_than_twice_its_size() -> None:
    recent = RecentSet(100)
    for number in range(100_000):
        recent.add(name(number))
        assert number % 1_000 or len(recent) <= 200
    assert 100 <= len(recent) <= 200


@given(st.integers(1, 8), st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=200))
def test_a_recent_set_remembers_at_least_its_size_of_the_latest(
    size: int, steps: list[tuple[bool, int]]
) -> None:
    recent, used = RecentSet(size), []
    for adding, number in steps:
        if adding:
            recent.add(name(number))
        elif name(number) not in recent:
            continue
        used = [other for other in used if other != number] + [number]
        assert all(name(number) in RecentSetView(recent) for number in used[-size:])
        assert len(recent) <= 2 * size


class RecentSetView:
    """Looks into a `RecentSet` without using what it looks at."""

    def __init__(self, recent: RecentSet) -> None:
        self._items = recent._young | recent._old

    def __contains__(self, item: bytes) -> bool:
        return item in self._items


def test_slots_are_small_numbers() -> None:
    table = RelayTable(10)
    assert [table.join() for _ in range(5)] == [0, 1, 2, 3, 4]


def test_peers_know_what_they_were_told() -> None:
    table = RelayTable(10)
    one, two = table.join(), table.join()
    assert table.mark(b"x", 1 << one) == 1 << one
    assert table.knows(b"x", one)
    assert not table.knows(b"x", two)
    assert not table.knows(b"y", one)
    assert table.known_to(b"x") == 1 << one
    assert table.known_to(b"y") == 0


def test_marking_tells_who_did_not_know() -> None:
    table = RelayTable(10)
    one, two, three = (1 << table.join() for _ in range(3))
    table.mark(b"x", one | two)
    assert table.mark(b"x", one) == 0
    assert table.mark(b"x", two | three) == three
    assert table.known_to(b"x") == one | two | three


def test_only_what_this_side_announces_is_in_the_table() -> None:
    table = RelayTable(10)
    one, two = table.join(), table.join()
    assert not table.heard(b"x", one)
    assert len(table) == 0
    table.mark(b"x", 1 << one)
    assert table.heard(b"x", two)
    assert table.knows(b"x", two)


def test_what_was_announced_long_ago_can_still_be_heard_and_announced() -> None:
    table = RelayTable(2)
    one, two = table.join(), table.join()
    for item in (b"a", b"b", b"c"):
        table.mark(item, 1 << one)
    assert table.knows(b"a", one)
    assert table.heard(b"a", two)
    assert table.mark(b"a", 1 << two) == 0
    assert len(table) <= 4


def test_a_table_is_bounded_by_its_window() -> None:
    table = RelayTable(100)
    bit = 1 << table.join()
    for number in range(10_000):
        table.mark(name(number), bit)
        assert number % 100 or len(table) <= 200
    assert all(table.known_to(name(number)) for number in range(9_900, 10_000))
    assert not table.known_to(name(0))


def test_a_slot_is_used_again_only_after_it_was_cleared() -> None:
    table = RelayTable(10_000)
    slots = [table.join() for _ in range(SWEEP + 1)]
    everybody = (1 << len(slots)) - 1
    for number in range(50):
        table.mark(name(number), everybody)
    for slot in slots[:-2]:
        table.leave(slot)
    assert table.join() == len(slots)  # too few have left to clear up after them
    table.leave(slots[-2])
    newcomer = table.join()
    assert newcomer in slots
    assert not any(table.knows(name(number), newcomer) for number in range(50))
    assert all(table.knows(name(number), slots[-1]) for number in range(50))


def test_the_larger_the_table_the_more_must_leave_before_it_is_cleared() -> None:
    table = RelayTable(100_000)
    bit = 1 << table.join()
    for number in range(SWEEP * 200):
        table.mark(name(number), bit)
    slots = [table.join() for _ in range(200)]
    for slot in slots[:-1]:
        table.leave(slot)
    assert table.join() == 201
    table.leave(slots[-1])
    assert table.join() in slots


def test_a_hash_nobody_left_knew_is_left_alone() -> None:
    table = RelayTable(10_000)
    stayer = table.join()
    table.mark(b"x", 1 << stayer)
    for slot in [table.join() for _ in range(SWEEP)]:
        table.leave(slot)
    assert table.known_to(b"x") == 1 << stayer


steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.just(0), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 9), st.just(0)),
        st.tuples(st.sampled_from(["mark", "heard"]), st.integers(0, 9), st.integers(0, 9)),
    ),
    max_size=300,
)


@given(steps)
def test_no_peer_is_ever_taken_for_another(script: list[tuple[str, int, int]]) -> None:
    table = RelayTable(1_000)
    knowing: dict[int, set[int]] = {}
    announced: set[int] = set()
    for verb, who, what in script:
        peers = list(knowing)
        if verb == "join" or not peers:
            slot = table.join()
            assert slot not in knowing
            knowing[slot] = set()
            continue
        slot = peers[who % len(peers)]
        if verb == "leave":
            del knowing[slot]
            with patch("bitpeer.peer.relay.SWEEP", 2):
                table.leave(slot)
        elif verb == "mark":
            table.mark(name(what), 1 << slot)
            knowing[slot].add(what)
            announced.add(what)
        elif table.heard(name(what), slot):
            assert what in announced
            knowing[slot].add(what)
        else:
            assert what not in announced
        for slot, known in knowing.items():
            assert {each for each in range(10) if table.knows(name(each), slot)} == known


def test_r_a4_ten_thousand_departures_cost_no_more_slots_than_peers_and_a_few() -> None:
    table = RelayTable(1_000)
    for number in range(10_000):
        slot = table.join()
        table.mark(name(number % 500), 1 << slot)
        table.leave(slot)
    assert table.join() <= SWEEP


def test_the_newest_grow_old() -> None:
    recent = RecentSet(10)
    recent.add(b"a")
    recent.age(1)
    recent.add(b"b")
    recent.age(1)
    assert b"a" not in recent
    assert b"b" in recent
    recent.age(2)
    assert not len(recent)


def test_each_era_forgets_the_one_before_the_last() -> None:
    table = RelayTable(10)
    slot = table.join()
    table.enter(5)
    table.mark(name(1), 1 << slot)
    table.enter(5)
    table.enter(6)
    assert table.knows(name(1), slot)
    table.mark(name(2), 1 << slot)
    table.enter(7)
    assert not table.knows(name(1), slot)
    assert table.knows(name(2), slot)
    table.enter(9)
    assert not table.knows(name(2), slot)
