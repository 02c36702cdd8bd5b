"""Several peers, asked as if they were one."""

import pytest
from twisted.internet.defer import CancelledError, Deferred

from bitpeer.bitcoin import Addr, CFCheckpt, GetAddr, Services
from bitpeer.errors import (
    Absent,
    DisconnectReason,
    NobodyAnswered,
    NotNegotiated,
    PeerGone,
    TooManyRequests,
    Unanswered,
    Unencodable,
)
from bitpeer.net.group import MAX_REST, PeerGroup
from tests.net.asked import (
    FULL,
    Result,
    hang_up,
    make_block,
    make_tx,
    meet,
    node,
    not_found,
    say,
    wanted,
)

BLOCKS = [make_block(number) for number in range(60)]
ONE, TWO, THREE = BLOCKS[:3]


class Town:
    """A node, a group of its peers, and what they were asked."""

    def __init__(self, size=3, services=FULL, settings=None, **how):
        self.node = node(**(settings or {}))
        self.group = PeerGroup(self.node.clock, **how)
        self.node.add_listener(self.group)
        self.peers = [meet(self.node, services) for _ in range(size)]

    def get(self, block, **how):
        return Result(self.group.get_block(block.hash, **how))

    def busy(self):
        """Those who are being asked for a block, and for which, since this was last called."""
        return [(peer, name) for peer in self.peers for name in wanted(peer)]

    def asked(self):
        """The only one who is being asked."""
        [(peer, _)] = self.busy()
        return peer

    def pass_time(self, seconds):
        for _ in range(int(seconds * 2)):
            self.node.clock.advance(0.5)

    def timers(self):
        return [
            call for call in self.node.clock.getDelayedCalls() if call.func == self.group._alarmed
        ]


def test_peers_are_members_from_established_to_lost():
    town = Town(2)
    assert len(town.group) == 2
    hang_up(town.peers[0])
    assert len(town.group) == 1
    town.group.add(town.peers[1])
    assert len(town.group) == 1
    town.group.remove(town.peers[0])
    town.group.remove(town.peers[1])
    assert len(town.group) == 0


def test_an_answer_is_an_answer():
    town = Town()
    result = town.get(ONE)
    say(town.asked(), ONE)
    assert result.value == ONE
    assert not town.timers()


def test_questions_are_spread():
    town = Town(3)
    for block in BLOCKS[:9]:
        town.get(block)
    asked = [peer for peer, _ in town.busy()]
    assert all(asked.count(peer) == 3 for peer in town.peers)


def test_equal_questions_are_one():
    town = Town()
    results = [town.get(ONE), town.get(ONE)]
    say(town.asked(), ONE)
    assert [result.value for result in results] == [ONE, ONE]
    listed = [Result(town.group.get_headers([ONE.hash])) for _ in range(2)]
    hang_up(town.peers[0])
    assert all(result.pending for result in listed)


def test_only_those_are_asked_who_offer_it():
    town = Town(2, Services.NETWORK)
    able = meet(town.node, Services.COMPACT_FILTERS)
    for _ in range(3):
        result = Result(town.group.get_cfcheckpt(ONE.hash))
        answer = CFCheckpt(0, ONE.hash, ())
        say(able, answer)
        assert result.value == answer


def test_anything_may_be_asked():
    town = Town(1)
    result = Result(town.group.request(GetAddr(), Addr, where=lambda _: True, timeout=5))
    say(town.peers[0], Addr(()))
    assert result.value == Addr(())


def test_what_one_peer_does_not_have_another_may():
    town = Town(3)
    result = town.get(ONE)
    first = town.asked()
    say(first, not_found(ONE.hash))
    second = town.asked()
    assert second is not first
    say(second, ONE)
    assert result.value == ONE


def test_what_nobody_has_is_not_to_be_had():
    town = Town(3)
    result = town.get(ONE)
    for _ in range(3):
        assert result.pending
        say(town.asked(), not_found(ONE.hash))
    assert isinstance(result.value, NobodyAnswered)
    assert result.value.attempts == 3
    assert isinstance(result.value.cause, Absent)
    assert not town.timers()


def test_r_d5_three_dead_peers_and_a_good_one():
    """However unlucky, an answer is there in three times the time-out, and nobody asks twice."""
    town = Town(4, rest=1_000.0)
    good = town.peers[-1]
    result = town.get(ONE, timeout=10)
    asked = []
    began = town.node.clock.seconds()
    while result.pending:
        for peer, name in town.busy():
            asked.append(peer)
            if peer is good:
                say(good, ONE)
                assert name == ONE.hash
        town.pass_time(0.5)
    assert result.value == ONE
    assert town.node.clock.seconds() - began <= 3 * 11
    assert len(asked) == len(set(asked)) == 4


def test_r_d5_attempts_have_an_end():
    town = Town(9, attempts=4)
    result = town.get(ONE, timeout=5)
    asked = []
    for _ in range(60):
        asked += [peer for peer, _ in town.busy()]
        town.pass_time(1)
    assert len(asked) == 4
    assert isinstance(result.value, NobodyAnswered)
    assert result.value.attempts == 4
    assert isinstance(result.value.cause, Unanswered)
    assert str(result.value).startswith("4 peers were asked for block ")


def test_r_d5_the_unlucky_and_the_new_take_turns():
    town = Town(3, width=1, rest=0.001, attempts=50, patience=1_000.0)
    unlucky = [town.get(block, timeout=2) for block in BLOCKS[:3]]
    town.busy()
    new = [town.get(block, timeout=2) for block in BLOCKS[3:33]]
    order = []
    for _ in range(40):
        for peer, name in town.busy():
            order.append(name)
            if name in {block.hash for block in BLOCKS[3:33]}:
                say(peer, next(block for block in BLOCKS if block.hash == name))
        town.pass_time(0.5)
    assert not any(result.pending for result in new)  # in 20 seconds: they were not starved
    first_again = min(order.index(block.hash) for block in BLOCKS[:3])
    last_new = max(order.index(block.hash) for block in BLOCKS[3:33])
    assert first_again < last_new  # nor were these
    assert all(result.pending or result.value.attempts == 3 for result in unlucky)


def test_r_d6_what_a_lost_peer_was_asked_for_is_asked_elsewhere_at_once():
    town = Town(2)
    result = town.get(ONE)
    first = town.asked()
    before = town.node.clock.seconds()
    hang_up(first)
    second = town.asked()
    assert second is not first
    assert town.node.clock.seconds() == before
    say(second, ONE)
    assert result.value == ONE


@pytest.mark.parametrize("end", ["disconnect", "nonsense"])
def test_r_d6_however_it_was_lost(end):
    town = Town(2)
    result = town.get(ONE)
    first = town.asked()
    if end == "disconnect":
        first.disconnect()
    else:
        first.dataReceived(b"nonsense" * 9)
    say(town.asked(), ONE)
    assert result.value == ONE


def test_r_d1_who_announces_first_and_never_answers_gains_no_time():
    town = Town(2)
    tx = make_tx(1)
    result = Result(town.group.get_tx(tx.txid, timeout=10))
    silent = town.asked()
    for _ in range(9):  # whatever it says, and whoever else asks
        say(silent, make_tx(2), not_found(ONE.hash))
        Result(town.group.get_tx(tx.txid, timeout=10))
        town.pass_time(1)
    town.pass_time(2)
    other = town.asked()
    assert other is not silent
    say(other, tx)
    assert result.value == tx


def test_r_d2_what_one_peer_sends_changes_nothing_for_another():
    """Neither an answer nor a denial of somebody who was not asked touches who was."""
    town = Town(2)
    result = town.get(ONE)
    asked = town.asked()
    other = next(peer for peer in town.peers if peer is not asked)
    say(other, not_found(ONE.hash), ONE, TWO)
    other.dataReceived(b"nonsense" * 9)
    assert result.pending
    assert asked.machine.asking
    say(asked, ONE)
    assert result.value == ONE


# Waiting


def test_who_takes_too_long_is_left_alone_and_each_time_longer():
    settings = {"idle_timeout": 1e6, "ping_timeout": 1e6}
    town = Town(1, rest=30.0, attempts=1, patience=10_000.0, settings=settings)
    peer = town.peers[0]
    member = town.group._members[peer]

    def fail_once(block):
        result = town.get(block, timeout=1)
        while result.pending:
            town.pass_time(0.5)
        return member.rests_until - town.node.clock.seconds()

    rests = [fail_once(block) for block in BLOCKS[:7]]
    assert rests == pytest.approx([30, 60, 120, 240, 480, MAX_REST, MAX_REST])
    result = town.get(BLOCKS[9])
    wanted(peer)
    town.pass_time(601)
    assert wanted(peer) == [BLOCKS[9].hash]
    say(peer, BLOCKS[9])
    assert result.value == BLOCKS[9]
    assert fail_once(BLOCKS[10]) == pytest.approx(30)


def test_a_question_waits_for_a_place():
    town = Town(1, width=2)
    results = [town.get(block) for block in BLOCKS[:3]]
    assert [name for _, name in town.busy()] == [ONE.hash, TWO.hash]
    assert town.group.waiting == 1
    say(town.peers[0], ONE)
    assert town.busy() == [(town.peers[0], THREE.hash)]
    assert town.group.waiting == 0
    say(town.peers[0], TWO, THREE)
    assert [result.value for result in results] == [ONE, TWO, THREE]


def test_a_question_waits_for_a_peer_that_can_be_asked():
    town = Town(0)
    result = town.get(ONE)
    town.pass_time(20)
    peer = meet(town.node)
    town.peers.append(peer)
    # A member by now, and asked before anything else could be said: `meet` has thrown that away.
    say(peer, ONE)
    assert result.value == ONE


def test_but_not_for_ever():
    town = Town(2, services=0, patience=20.0)
    result = town.get(ONE)
    town.pass_time(19)
    assert result.pending
    town.pass_time(2)
    assert isinstance(result.value, NobodyAnswered)
    assert result.value.attempts == 0
    assert result.value.cause is None
    assert not town.timers()


def test_without_patience_it_fails_at_once():
    town = Town(0, patience=0.0)
    assert isinstance(town.get(ONE).value, NobodyAnswered)
    busy = Town(1, width=1, patience=0.0)
    assert busy.get(ONE).pending
    assert isinstance(busy.get(TWO).value, NobodyAnswered)


def test_who_lost_its_only_peer_waits_for_another():
    town = Town(1)
    result = town.get(ONE)
    hang_up(town.asked())
    assert result.pending
    town.peers = [meet(town.node)]
    say(town.peers[0], ONE)
    assert result.value == ONE


def test_who_was_told_no_by_the_last_but_one_does_not_wait_for_the_last_that_goes():
    town = Town(2, width=1)
    town.get(TWO)
    busy = town.asked()
    result = town.get(ONE)
    say(town.asked(), not_found(ONE.hash))
    assert result.pending  # for the one that is busy
    hang_up(busy)
    assert isinstance(result.value, NobodyAnswered)
    assert isinstance(result.value.cause, Absent)


def test_too_many_are_refused():
    town = Town(1, width=1, limit=2)
    results = [town.get(block) for block in BLOCKS[:4]]
    assert [result.pending for result in results] == [True, True, True, False]
    assert isinstance(results[3].value, TooManyRequests)
    assert town.get(THREE).pending  # which is on its way already


# Those who stop waiting


def test_a_question_may_be_taken_back_from_who_is_asked():
    town = Town(1, width=1)
    deferred = town.group.get_block(ONE.hash)
    result = Result(deferred)
    other = town.get(ONE)
    later = town.get(TWO)
    deferred.cancel()
    assert isinstance(result.value, CancelledError)
    assert other.pending
    assert [name for _, name in town.busy()] == [ONE.hash]
    other.deferred.cancel()
    assert [name for _, name in town.busy()] == [TWO.hash]  # the place is free
    say(town.peers[0], TWO)
    assert later.value == TWO


def test_a_question_may_be_taken_back_from_the_queue():
    town = Town(1, width=1)
    town.get(ONE)
    town.busy()
    result = town.get(TWO)
    result.deferred.cancel()
    assert isinstance(result.value, CancelledError)
    assert town.group.waiting == 0
    say(town.peers[0], ONE)
    assert town.busy() == []
    assert not town.timers()


def test_who_is_told_may_ask_again_and_cancel_others():
    town = Town(1)
    first = town.group.get_block(ONE.hash)
    second = Result(town.group.get_block(ONE.hash))
    third = []

    def told(block):
        second.deferred.cancel()
        third.append(town.get(block))
        return block

    first.addCallback(told)
    say(town.asked(), ONE)
    assert isinstance(second.value, CancelledError)
    assert third[0].pending
    say(town.asked(), ONE)
    assert third[0].value == ONE


# What is nobody's fault


def test_a_peer_that_others_keep_busy_is_asked_a_little_later():
    town = Town(1, settings={"max_requests": 1})
    [peer] = town.peers
    elsewhere = Result(peer.get_tx(ONE.hash))
    result = town.get(ONE)
    wanted(peer)
    town.pass_time(1.5)
    assert result.pending
    elsewhere.deferred.cancel()
    town.pass_time(1.5)
    say(town.asked(), ONE)
    assert result.value == ONE


def test_a_peer_that_others_keep_busy_for_ever_is_given_up():
    town = Town(1, settings={"max_requests": 1}, patience=10.0)
    [peer] = town.peers
    Result(peer.get_tx(ONE.hash, timeout=100))
    result = town.get(ONE)
    town.pass_time(11)
    assert isinstance(result.value, NobodyAnswered)
    assert result.value.attempts == 0


def test_who_cannot_be_asked_is_passed_over():
    class Unable:
        established = True

        def serves(self, topic):
            return True

        def ask(self, topic, *args, timeout):
            failed = Deferred()
            failed.errback(NotNegotiated(topic, "tin"))
            return failed

    town = Town(0)
    town.group.add(Unable())
    result = town.get(ONE)
    assert result.pending
    town.peers.append(meet(town.node))
    say(town.peers[0], ONE)
    assert result.value == ONE


def test_what_makes_no_sense_is_not_tried_twice():
    town = Town(3)
    assert isinstance(Result(town.group.get_block(b"short")).value, Unencodable)
    assert isinstance(Result(town.group.get_headers([[]])).value, Exception)
    assert town.busy() == []


def test_the_last_failure_is_the_cause():
    town = Town(1, patience=5.0)
    result = town.get(ONE)
    hang_up(town.asked())
    town.pass_time(6)
    assert isinstance(result.value, NobodyAnswered)
    assert isinstance(result.value.cause, PeerGone)
    assert result.value.cause.reason is DisconnectReason.CLOSED_BY_PEER


def test_blocks_come_in_order_from_everywhere():
    town = Town(3)
    read = []

    async def go():
        names = [block.hash for block in BLOCKS]
        read.extend([block async for block in town.group.blocks(names, window=8)])

    done = Result(Deferred.fromCoroutine(go()))
    by_name = {block.hash: block for block in BLOCKS}
    helpful = set()
    while done.pending:
        for peer, name in town.busy()[::-1]:
            helpful.add(peer)
            say(peer, by_name[name])
    assert read == BLOCKS
    assert len(helpful) == 3
