import pytest

from bitpeer.messages.target import target_of


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
