import tracemalloc

from bitpeer.net.room import EXPECTED, keep_room
from tests.net.stage import node


def taken_by(action):
    """Return how many bytes *action* takes at most, and how many of them it keeps."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    action()
    after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - before, after - before


def test_room_is_asked_for_and_given_back_at_once():
    keep_room.cache_clear()
    most, kept = taken_by(keep_room)
    assert EXPECTED <= most < EXPECTED + 4096
    assert kept < 4096


def test_it_is_asked_for_only_once():
    keep_room()
    most, _ = taken_by(keep_room)
    assert most < 4096


def test_the_first_node_of_a_process_asks():
    keep_room.cache_clear()
    most, _ = taken_by(node)
    assert most >= EXPECTED
    most, _ = taken_by(node)
    assert most < EXPECTED
