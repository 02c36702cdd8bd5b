"""What all parts of a machine have in common."""

import pytest

from bitpeer.messages.addresses import NOWHERE
from bitpeer.peer.deadlines import Deadlines
from bitpeer.peer.handshake import Handshake
from bitpeer.peer.keepalive import Keepalive, Rhythm
from bitpeer.peer.part import NEVER, Part
from tests.peer.village import make_terms

PARTS: list[Part] = [
    Handshake(make_terms(), outbound=True, receiver=NOWHERE),
    Keepalive(Rhythm(100.0, 300.0, 1_000.0, lambda: 7), 0.0),
    Deadlines(60.0),
]


def test_never_is_later_than_any_time() -> None:
    assert NEVER > 1e300
    assert NEVER + 5.0 == NEVER


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_waits_for_nothing_has_nothing_to_do(part: Part) -> None:
    part.postpone(5.0)
    assert part.next_wake >= 5.0
    assert list(part.wake(4.0)) == []
