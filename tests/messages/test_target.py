import pytest

from bitpeer.messages.target import bits_of, target_of, work_of


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    """What other tests have asked for is worked out anew."""
    target_of.cache_clear()
    work_of.cache_clear()


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x1B01FFFF, 0x01FFFF << 192),
        (0x03123456, 0x123456),
        (0x02123456, 0x1234),
        (0x01123456, 0x12),
        (0x00123456, 0),
        (0x04923456, 0),
        (0x217FFFFF, 0),
        (0x2100FFFF, 0xFFFF << 240),
        (0x22010000, 0),
        (0xFF000001, 0),
    ],
)
def test_bits_are_a_floating_point_number(bits, target):
    assert target_of(bits) == target


@pytest.mark.parametrize(
    ("target", "bits"),
    [
        (0, 0),
        (1, 0x01010000),
        (0x7F, 0x017F0000),
        (0x80, 0x02008000),
        (0x1234, 0x02123400),
        (0x123456, 0x03123456),
        (0x923456, 0x04009234),
        (0x12345678, 0x04123456),
        (0xFFFF << 208, 0x1D00FFFF),
        ((1 << 224) - 1, 0x1D00FFFF),
        ((1 << 255) - 1, 0x207FFFFF),
    ],
)
def test_targets_are_rounded_down_to_bits(target, bits):
    assert bits_of(target) == bits
    assert target_of(bits) <= target


def test_work_is_the_number_of_hashes_that_a_block_takes():
    assert work_of(0x207FFFFF) == 2
    assert work_of(0x1D00FFFF) == 0x1_0001_0001
    assert work_of(0) == work_of(0x04923456) == 0
