import pytest

from bitpeer.errors import BadHeader, TooNew
from bitpeer.messages.rules import Clockwork, check_work
from tests.chains import pretended

NAME = b"\x01".rjust(32, b"\0")


def links(*times):
    return pretended(times, [0x207F_FFFF] * len(times))


def test_median_is_that_of_the_last_blocks_there_are():
    chain = links(5, 9, 1, 7)
    assert Clockwork(chain.__getitem__, 0).median == 5
    assert Clockwork(chain.__getitem__, 1).median == 9
    assert Clockwork(chain.__getitem__, 3).median == 7
    assert Clockwork(chain.__getitem__, 3, span=3).median == 7


def test_times_before_the_span_are_forgotten():
    chain = links(1, 2, 3, 10)
    clockwork = Clockwork(chain.__getitem__, 2, span=3)
    clockwork.follow(chain[3], 100)
    assert clockwork.median == 3


def test_a_time_may_be_neither_old_nor_of_the_future():
    chain = links(10, 10, 7_311)
    clockwork = Clockwork(chain.__getitem__, 0)
    with pytest.raises(BadHeader, match="median"):
        clockwork.follow(chain[1], 100)
    with pytest.raises(TooNew, match="ahead"):
        clockwork.follow(chain[2], 110)
    clockwork.follow(chain[2], 111)


def test_work_is_a_hash_below_a_target_that_makes_sense():
    proof = (0x7F_FFFF << 232).to_bytes(32, "little")
    check_work(NAME, proof, 0x207F_FFFF, 1 << 255)
    with pytest.raises(BadHeader, match="work that it claims"):
        check_work(NAME, proof, 0x207F_FFFE, 1 << 255)
    with pytest.raises(BadHeader, match="too easy"):
        check_work(NAME, proof, 0x207F_FFFF, 1 << 254)
    with pytest.raises(BadHeader, match="is none"):
        check_work(NAME, proof, 0, 1 << 255)
