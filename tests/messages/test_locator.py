import pytest

from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.messages.locator import MAX_LOCATOR, NO_STOP, GetBlocks, GetHeaders, locator_heights
from bitpeer.wire.compactsize import write_compact_size
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

GENESIS = bytes.fromhex("6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000")
MERKLE = bytes.fromhex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a")[::-1]

examples = pytest.mark.parametrize(
    ("value", "text"),
    [
        (GetHeaders(70002, (MERKLE,)), "7211010001" + MERKLE.hex() + "00" * 32),
        (GetHeaders(0, (), GENESIS), "0000000000" + GENESIS.hex()),
        (GetBlocks(70016, (MERKLE, GENESIS), MERKLE),
         "8011010002" + MERKLE.hex() + GENESIS.hex() + MERKLE.hex()),
        (GetBlocks(2**32 - 1, ()), "ffffffff00" + "00" * 32),
    ],
)  # fmt: skip
kinds = pytest.mark.parametrize("kind", [GetBlocks, GetHeaders])


@examples
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    refuses_every_truncation(value, text)


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


def test_the_published_getheaders_is_read():
    raw = bytes.fromhex(
        "72110100014a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b" + "00" * 32
    )
    assert GetHeaders.decode(raw) == GetHeaders(70002, [MERKLE], NO_STOP)


@kinds
def test_a_locator_has_a_limit(kind):
    raw = bytes(4) + write_compact_size(MAX_LOCATOR) + bytes(32 * MAX_LOCATOR + 32)
    assert len(kind.decode(raw).locator) == MAX_LOCATOR
    assert len(raw) == kind.max_size
    with pytest.raises(LimitExceeded) as caught:
        kind.decode(bytes(4) + write_compact_size(MAX_LOCATOR + 1) + bytes(32 * MAX_LOCATOR + 64))
    assert (caught.value.count, caught.value.limit) == (501, 500)
    with pytest.raises(Unencodable, match=r"locator cannot be encoded: 501 items"):
        kind(0, (GENESIS,) * 501).encode()


@kinds
def test_r_b11_an_empty_locator_is_a_message(kind):
    value = kind.decode(bytes(5) + GENESIS)
    assert value.locator == ()
    assert value.stop == GENESIS


@pytest.mark.parametrize("value", [GetBlocks(0, (b"",)), GetHeaders(0, (), b"")])
def test_a_hash_has_32_bytes(value):
    with pytest.raises(Unencodable, match="it must be 32 bytes"):
        value.encode()


@pytest.mark.parametrize(
    ("height", "heights"),
    [
        (0, [0]),
        (1, [1, 0]),
        (5, [5, 4, 3, 2, 1, 0]),
        (12, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (13, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0]),
        (100, [*range(100, 88, -1), 87, 83, 75, 59, 27, 0]),
    ],
)
def test_a_locator_is_dense_at_the_tip_and_sparse_below(height, heights):
    assert locator_heights(height) == heights


def test_the_steps_double_from_the_twelfth_block_on():
    heights = locator_heights(1_000_000)
    offsets = [1_000_000 - height for height in heights]
    assert offsets[:17] == [*range(12), 13, 17, 25, 41, 73]
    assert heights[-1] == 0


@pytest.mark.parametrize("height", [2**31 - 1, 2**32 - 1])
def test_the_locator_of_any_chain_fits_into_a_message(height):
    assert len(locator_heights(height)) < MAX_LOCATOR
