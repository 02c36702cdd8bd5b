"""Tests of `bitpeer.net.errands`."""

import pytest
from twisted.internet.defer import Deferred

from bitpeer.errors import Absent, DisconnectReason, PeerGone
from bitpeer.net.errands import Errand, Lines


class Peer:
    """Serves topics, and counts who asks whether it does."""

    def __init__(self, *topics):
        self.topics = topics
        self.established = True
        self.looks = 0

    def serves(self, topic):
        self.looks += 1
        return topic in self.topics


def errand(topic, what="something"):
    return Errand(what, topic, lambda _: Deferred())


def waiting(*topics):
    """Lines, and in them an errand for each topic."""
    lines, errands = Lines(), [errand(topic) for topic in topics]
    for each in errands:
        lines.add(each)
    return lines, errands


@pytest.mark.parametrize(("topic", "fits"), [("tx", True), ("block", False), (None, True)])
def test_a_peer_must_serve_the_topic_if_there_is_one(topic, fits):
    assert errand(topic).fits(Peer("tx")) is fits


def test_who_is_not_established_cannot_be_asked_anything():
    peer = Peer()
    peer.established = False
    assert not errand(None).fits(peer)


def test_all_who_want_to_know_are_told():
    told = []
    for outcome in ("answer", Absent("it")):
        one = errand("tx")
        one.waiting = [Deferred().addBoth(told.append) for _ in range(2)]
        one.settle(outcome)
        assert not one.waiting
    assert told[:2] == ["answer", "answer"]
    assert [failure.type for failure in told[2:]] == [Absent, Absent]


def test_who_was_told_no_need_not_wait_and_who_lost_its_peer_may():
    one = errand("tx")
    assert not one.exhausted
    one.failure = PeerGone(DisconnectReason.CLOSED_BY_PEER)
    assert not one.exhausted
    one.failure = Absent("it")
    assert one.exhausted


def test_nobody_waits_at_first():
    lines = Lines()
    assert len(lines) == 0
    assert lines.first_for([Peer("tx")]) is None
    assert lines.next_to_give_up() is None
    lines.discard(errand("tx"))


def test_who_has_waited_longest_is_first_whatever_the_topic():
    lines, (one, two, three) = waiting("tx", "block", "tx")
    peer = Peer("tx", "block")
    for each in (one, two, three):
        assert lines.first_for([peer]) == (each, peer)
        lines.discard(each)
        lines.discard(each)
    assert len(lines) == 0


def test_who_cannot_be_helped_is_passed_over():
    lines, (_, block, other_block) = waiting("tx", "block", "block")
    one, other = Peer("block"), Peer("block")
    block.tried.add(one)
    assert lines.first_for([one, other]) == (block, other)
    assert lines.first_for([one]) == (other_block, one)
    assert lines.first_for([Peer()]) is None
    assert lines.first_for([]) is None


def test_one_may_be_let_in_first():
    lines, errands = waiting("tx", "block")
    favoured = [errand("block"), errand("tx")]
    for each in favoured:
        lines.add(each, first=True)
    assert len(lines) == 4
    peer = Peer("tx", "block")
    order = []
    while lines:
        first, _ = lines.first_for([peer])
        order.append(first)
        lines.discard(first)
    assert order == [*favoured[::-1], *errands]


def test_the_least_patient_gives_up_first():
    lines, errands = waiting("tx", "block", "tx")
    assert set(lines) == set(errands)
    for each, until in zip(errands, (5, 3, 7), strict=True):
        each.give_up_at = until
    assert lines.next_to_give_up() is errands[1]


def test_a_long_line_that_nobody_serves_costs_one_look():
    lines, (*_, block) = waiting(*["tx"] * 1_000, "block")
    peer = Peer("block")
    assert lines.first_for([peer]) == (block, peer)
    assert peer.looks == 2
