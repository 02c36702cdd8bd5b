"""Tests of bitpeer.service.visits."""

from hypothesis import given, strategies as st

from bitpeer.service.origins import HERE, origin_of
from bitpeer.service.visits import Visits
from tests.service.fakes import Reactor, make_node, visit

ORIGINS = [HERE, origin_of("20.1.1.1"), origin_of("20.1.1.2"), origin_of("2a01::1")]


def make_peers(count):
    node = make_node(Reactor())
    peers = [visit(node).peer for _ in range(count)]
    node.stop()
    return peers


def test_a_stranger_becomes_a_guest():
    (peer,) = make_peers(1)
    visits = Visits()
    visits.begin(peer, ORIGINS[1], 5.0)
    assert list(visits.strangers) == [peer]
    assert visits.strangers_of_host(ORIGINS[1]) == visits.of_host(ORIGINS[1]) == 1
    stay = visits.introduce(peer)
    assert (stay.number, stay.origin, stay.since) == (1, ORIGINS[1], 5.0)
    assert visits.guests == {peer: stay}
    assert not visits.strangers
    assert visits.strangers_of_host(ORIGINS[1]) == 0
    assert visits.of_host(ORIGINS[1]) == visits.of_prefix(ORIGINS[1]) == 1
    assert visits.of_host(ORIGINS[2]) == 0
    assert visits.of_prefix(ORIGINS[2]) == 1


def test_whoever_was_never_here_can_neither_be_introduced_nor_leave():
    (peer,) = make_peers(1)
    visits = Visits()
    assert visits.introduce(peer) is None
    visits.end(peer)
    assert not visits.guests


PEERS = make_peers(6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "introduce", "end"]),
            st.sampled_from(PEERS),
            st.sampled_from(ORIGINS),
        )
    )
)
def test_whatever_happens_the_counts_are_right_and_nothing_is_kept_of_the_gone(steps):
    visits = Visits()
    for step, peer, origin in steps:
        if step == "introduce":
            visits.introduce(peer)
        else:
            visits.end(peer)
        if step == "begin":
            visits.begin(peer, origin, 0.0)
        assert visits.of_host(HERE) == visits.strangers_of_host(HERE) == 0
        everybody = [*visits.strangers.values(), *visits.guests.values()]
        for each in ORIGINS[1:]:
            assert visits.of_host(each) == sum(v.origin.host == each.host for v in everybody)
            assert visits.of_prefix(each) >= visits.of_host(each)
            strangers = sum(v.origin.host == each.host for v in visits.strangers.values())
            assert visits.strangers_of_host(each) == strangers
    for peer in PEERS:
        visits.end(peer)
    left = (visits.strangers, visits.guests, visits._counts, visits._strangers)
    assert not any(left)
