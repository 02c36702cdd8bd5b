import pytest

from bitpeer.config import BlockPosition
from bitpeer.errors import BadHeader
from bitpeer.messages.rules import Link
from bitpeer.service.presync import NotWorthIt, Presync
from tests.chains import EASY, pretended

BASE = BlockPosition(b"base".ljust(32, b"\0"), 7, 100)
EACH = 2
"""The work of one block."""


class Judge:
    def __init__(self) -> None:
        self.seen: list[Link] = []
        self.bad: bytes | None = None

    def follow(self, link: Link, now: float) -> Link:
        if link.hash == self.bad:
            raise BadHeader(link.hash, "it is bad")
        self.seen.append(link)
        return link


def chain(count: int, start: int = 0) -> list[Link]:
    return pretended(range(start, start + count), [EASY] * count, BASE.hash)


def weighing(blocks: int, *, most: int = 1_000) -> tuple[Presync, Judge]:
    """Return what weighs a chain that must have so many *blocks*, ten in a stride."""
    judge = Judge()
    return Presync(BASE, judge, BASE.work + EACH * blocks, stride=10, most=most), judge


def test_headers_are_kept_when_they_come_for_the_second_time():
    presync, judge = weighing(25)
    links = chain(30)
    assert presync.next_after == BASE.hash
    for at in (0, 10):
        assert presync.take(links[at : at + 10], 0) == []
        assert not presync.weighed
        assert presync.next_after == links[at + 9].hash
        assert presync.height == BASE.height + at + 10
    assert presync.take(links[20:], 0) == []
    assert presync.weighed
    assert not presync.done
    assert judge.seen == links[:25]
    assert presync.next_after == BASE.hash
    assert presync.take(links[:10], 0) == links[:10]
    assert presync.take(links[10:14], 0) == []
    assert presync.take(links[14:20], 0) == links[10:20]
    assert presync.take(links[20:], 0) == links[20:25]
    assert presync.done
    assert presync.next_after == links[24].hash


def test_a_stride_may_end_where_the_work_is_enough():
    presync, _ = weighing(20)
    links = chain(20)
    presync.take(links, 0)
    assert presync.take(links, 0) == links
    assert presync.done


def test_what_comes_again_must_be_the_same():
    presync, _ = weighing(25)
    presync.take(chain(30), 0)
    with pytest.raises(NotWorthIt, match="something else"):
        presync.take(chain(30, start=50), 0)


def test_the_last_headers_must_be_the_same_as_well():
    presync, _ = weighing(15)
    links = chain(15)
    presync.take(links, 0)
    other = [*links[:10], *pretended(range(70, 75), [EASY] * 5, links[9].hash)]
    assert presync.take(other[:10], 0) == links[:10]
    with pytest.raises(NotWorthIt, match="something else"):
        presync.take(other[10:], 0)


def test_what_comes_again_must_begin_at_the_beginning():
    presync, _ = weighing(15)
    links = chain(15)
    presync.take(links, 0)
    with pytest.raises(NotWorthIt, match="go on where it ended"):
        presync.take(links[1:], 0)


def test_a_chain_without_work_is_not_looked_at_for_ever():
    presync, _ = weighing(10_000, most=29)
    links = chain(30)
    presync.take(links[:20], 0)
    with pytest.raises(NotWorthIt, match="30 headers"):
        presync.take(links[20:], 0)


def test_rules_hold_before_anything_is_kept():
    presync, judge = weighing(25)
    links = chain(10)
    judge.bad = links[4].hash
    with pytest.raises(BadHeader):
        presync.take(links, 0)


def test_r_a6_a_million_headers_cost_a_hash_of_each_stride():
    presync, judge = weighing(1 << 40, most=1 << 40)
    links = chain(1_000)
    for _ in range(100):
        presync.take(links, 0)
        judge.seen.clear()
    assert presync.height == BASE.height + 100_000
    assert len(presync._marks) == 10_000 * 32
