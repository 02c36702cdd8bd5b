"""Tests of bitpeer.service.slots."""

import pytest

from bitpeer.service.knownaddress import KnownAddress
from bitpeer.service.slots import CONNECTION_TYPE, Kind, Slot, counted, speaks_of_addresses
from tests.service.fakes import Reactor, make_node, visit


def test_slots_are_counted_by_kind():
    known = KnownAddress.of("20.1.1.1", 7)
    slots = [Slot(Kind.FULL, known), Slot(Kind.FULL, known), Slot(Kind.FEELER, known)]
    assert counted(slots, Kind.FULL) == 2
    assert counted(slots, Kind.BLOCK_ONLY) == 0
    assert len(set(slots)) == 3


@pytest.mark.parametrize(
    ("kind", "speaks"),
    [(None, True), (Kind.FULL, True), (Kind.BLOCK_ONLY, False), (Kind.FEELER, False)],
)
def test_not_all_peers_are_told_of_addresses(kind, speaks):
    node = make_node(Reactor())
    peer = visit(node).peer
    if kind is not None:
        peer.facts[CONNECTION_TYPE] = kind.value
    assert speaks_of_addresses(peer) is speaks
    node.stop()
