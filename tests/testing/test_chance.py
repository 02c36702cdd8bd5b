"""Tests of `bitpeer.testing.chance`."""

import secrets
from random import Random, SystemRandom

import pytest

from bitpeer.net.local import draw_nonce
from bitpeer.service.backoff import Backoff
from bitpeer.testing.chance import seeded


def drawn(seed: int) -> list[object]:
    system = SystemRandom()
    with seeded(Random(seed)):
        return [
            system.random(),
            system.sample(range(1_000), 5),
            secrets.token_bytes(8),
            secrets.randbits(64),
            draw_nonce(),
            Backoff(1.0, 60.0, system.random).failed(),
        ]


def test_a_seed_decides_what_is_drawn_from_the_system():
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_afterwards_nobody_can_tell_what_will_be_drawn():
    with pytest.raises(ZeroDivisionError), seeded(Random(1)):
        raise ZeroDivisionError
    outside = SystemRandom().random()
    with seeded(Random(1)):
        assert SystemRandom().random() != outside


def test_one_block_may_stand_in_another():
    with seeded(Random(1)):
        with seeded(Random(2)):
            inner = secrets.randbits(64)
        outer = secrets.randbits(64)
    with seeded(Random(1)):
        assert secrets.randbits(64) == outer != inner
