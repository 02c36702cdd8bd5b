"""Tests of bitpeer.service.descriptors."""

import resource
import sys
from math import inf

import pytest

from bitpeer.errors import InvalidSetting
from bitpeer.service import descriptors
from bitpeer.service.descriptors import SPARE, check_room, descriptor_limit, most_dialled, room_left


def test_the_limit_is_that_of_the_system():
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert descriptor_limit() == (inf if soft == resource.RLIM_INFINITY else soft)


def test_a_system_without_a_limit_sets_none(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 0))
    assert descriptor_limit() == inf
    monkeypatch.setitem(sys.modules, "resource", None)
    assert descriptor_limit() == inf
    check_room(1_000_000, 0)


@pytest.mark.parametrize(("outbound", "places"), [(100, 0), (97, 3), (0, 100)])
def test_r_j8_up_to_the_limit_there_is_room(outbound, places, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 100 + SPARE)
    check_room(outbound, places)


@pytest.mark.parametrize(
    ("limit", "outbound", "places", "most"),
    [(164, 101, 0, 100), (164, 98, 3, 100), (164, 0, 101, 100), (20, 1, 0, 0)],
)
def test_r_j8_more_than_the_limit_is_refused(limit, outbound, places, most, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: limit)
    expected = f"places is {outbound + places}, expected at most {most}, as .* open {limit} files"
    with pytest.raises(InvalidSetting, match=expected):
        check_room(outbound, places)


def test_r_j8_what_is_dialled_and_listened_on_leaves_less_room_for_others(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 100 + SPARE)
    assert room_left(8, 2) == 90
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: inf)
    assert room_left(8, 2) == inf


def test_r_j8_nodes_of_one_process_share_what_there_is(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 100 + SPARE)
    check_room(30, 3, nodes=3)
    with pytest.raises(InvalidSetting, match=r"at most 33, as .* for 3 nodes"):
        check_room(30, 4, nodes=3)
    assert room_left(8, 2, nodes=3) == 23


@pytest.mark.parametrize(
    ("full", "block_only", "most"), [(8, 2, 12), (1, 0, 3), (0, 1, 3), (0, 0, 0)]
)
def test_r_j8_feelers_and_peers_on_trial_need_sockets_too(full, block_only, most):
    assert most_dialled(full, block_only) == most
