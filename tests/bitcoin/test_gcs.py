import tracemalloc
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.gcs import NO_HEADER, CompactFilter, basic_filter, filter_headers
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut
from bitpeer.errors import (
    DecodeError,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.hashes import sha256d
from bitpeer.messages.filters import MAX_FILTER_BYTES
from bitpeer.messages.gcs import MAX_ELEMENTS, pack_numbers, unpack_numbers

# The coinbase of every genesis block but testnet4's, and testnet3's genesis header.
COINBASE = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff00"
    "1d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b20"
    "6f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afd"
    "b0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c"
    "384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
GENESIS_HEADER = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac7"
    "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff001d1aa4ae18"
)
GENESIS_SCRIPT = COINBASE[-71:-4]


class Vector(NamedTuple):
    """A row of BIP 158's testnet-19.json."""

    height: int
    block: str
    count: int
    encoding: str
    hash: str
    header: str


VECTORS = [
    Vector(
        0,
        "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
        1,
        "019dfca8",
        "c03705b2d6fb76a59664f1d63fe8fdbb2dc076d18175fdc51d11c43afaf78a4c",
        "21584579b7eb08997773e5aeff3a7f932700042d0ed2a6129012b7d7ae81b750",
    ),
    Vector(
        2,
        "000000006c02c8ea6e4ff69651f7fcde348fb9d557a06e6957b65552002a7820",
        1,
        "0174a170",
        "3cd1fafd2aa8b5b3ca58c8a3459cb27ec9fc78329fcb0d379a234b4c92adc8eb",
        "186afd11ef2b5e7e3504f2e8cbf8df28a1fd251fe53d60dff8b1467d1b386cf0",
    ),
    Vector(
        3,
        "000000008b896e272758da5297bcd98fdc6d97c9b765ecec401e286dc1fdbe10",
        1,
        "016cf7a0",
        "ae191633e8c1f34e3613b0c37b64fae1cd511b74898dc10bd9f98c23c695987f",
        "8d63aadf5ab7257cb6d2316a57b16f517bff1c6388f124ec4c04af1212729d2a",
    ),
    Vector(
        15007,
        "0000000038c44c703bae0f98cdd6bf30922326340a5996cc692aaae8bacf47ad",
        1,
        "013c3710",
        "90f181c5955cc7c47fc8c3ec25c5609afabbcda5e3d9a638176c1c3dfa7becf3",
        "07384b01311867949e0c046607c66b7a766d338474bb67f66c8ae9dbd454b20e",
    ),
    Vector(
        49291,
        "0000000018b07dca1b28b4b5a119f6d6e71698ce1ed96f143f54179ce177a19c",
        10,
        "0afbc2920af1b027f31f87b592276eb4c32094bb4d3697021b4c6380",
        "8646456d08382b2412a7bbc3301e84000ca87f5d360ef65cf6b0328eb0abdd5f",
        "b6d98692cec5145f67585f3434ec3c2b3030182e1cb3ec58b855c5c164dfaaa3",
    ),
    Vector(
        180480,
        "00000000fd3ceb2404ff07a785c7fdcc76619edc8ed61bd25134eaa22084366a",
        13,
        "0db414c859a07e8205876354a210a75042d0463404913d61a8e068e58a3ae2aa080026",
        "88e9d5606366cbb95c55c52ef302e7ca983085ae62617b6e589f196c9f08b158",
        "c582d51c0ca365e3fcf36c51cb646d7f83a67e867cb4743fd2128e3e022b700c",
    ),
    Vector(
        926485,
        "000000000000015d6077a411a8f5cc95caf775ccf11c54e27df75ce58d187313",
        9,
        "09027acea61b6cc3fb33f5d52f7d088a6b2f75d234e89ca800",
        "69b667b5f8d28e15f31e47dc1a211f836ebc0ff3e729c3334da7792a8e866df1",
        "546c574a0472144bcaf9b6aeabf26372ad87c7af7d1ee0dbfae5e099abeae49c",
    ),
    Vector(
        987876,
        "0000000000000c00901f2049055e2a437c819d79a3d54fd63e6af796cd7b8a79",
        1,
        "010c0b40",
        "3f2eb536effad60f038e06cfaea4d4e7403ffe2752784850731d093ee627e2e6",
        "0965a544743bbfa36f254446e75630c09404b3d164a261892372977538928ed5",
    ),
    Vector(
        1263442,
        "000000006f27ddfe1dd680044a34548f41bed47eba9e6f0b310da21423bc5f33",
        3,
        "0385acb4f0fe889ef0",
        "5b753e331824ae32f87ee449e36405aac6229df814fa460c48fe4aca1b3fe713",
        "4e6d564c2a2452065c205dd7eb2791124e0c4e0dbb064c410c24968572589dec",
    ),
    Vector(
        1414221,
        "0000000000000027b2b3b3381f114f674f481544ff2be37ae3788d7e078383b1",
        0,
        "00",
        "9a538906e6466ebd2617d321f71bc94e56056ce213d366773699e28158e00614",
        "021e8882ef5a0ed932edeebbecfeda1d7ce528ec7b3daa27641acf1189d7b5dc",
    ),
]


class Block(NamedTuple):
    hash: bytes
    transactions: list


def paying(*scripts):
    """A transaction with these output scripts."""
    return Tx([TxIn(bytes(32), 0)], [TxOut(1, script) for script in scripts])


def wire(text):
    """The wire order of a hash in text order."""
    return bytes.fromhex(text)[::-1]


def filter_of(vector):
    return CompactFilter(wire(vector.block), bytes.fromhex(vector.encoding))


vectors = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.height))


def test_the_genesis_block_below_is_that_of_testnet3():
    assert sha256d(COINBASE) == GENESIS_HEADER[36:68]
    assert sha256d(GENESIS_HEADER) == wire(VECTORS[0].block)


def test_the_filter_of_the_genesis_block_is_the_published_one():
    block = Block(sha256d(GENESIS_HEADER), [Tx.decode(COINBASE)])
    built = basic_filter(block, [])
    assert built.encoding.hex() == VECTORS[0].encoding
    assert built.hash == wire(VECTORS[0].hash)
    assert built.header(NO_HEADER) == wire(VECTORS[0].header)
    assert built.matches(GENESIS_SCRIPT)
    assert not built.matches(GENESIS_SCRIPT[:-1])


def test_a_block_about_nothing_has_the_published_filter():
    vector = VECTORS[-1]
    built = basic_filter(Block(wire(vector.block), [paying(b"\x6a\x01\x02", b"")]), [])
    assert built.encoding.hex() == vector.encoding
    assert not built.matches_any([b"", b"\x6a\x01\x02"])


@vectors
def test_published_filters_hold_as_many_numbers_as_they_say(vector):
    found = filter_of(vector)
    assert found.count == vector.count
    assert len(list(found.numbers())) == vector.count
    assert list(found.numbers()) == sorted(found.numbers())
    assert all(number < vector.count * 784_931 for number in found.numbers())


@vectors
def test_published_filters_are_reproduced_from_their_numbers(vector):
    found = filter_of(vector)
    assert bytes([vector.count]) + pack_numbers(found.numbers()) == found.encoding


@vectors
def test_published_filter_hashes_are_reproduced(vector):
    assert filter_of(vector).hash == wire(vector.hash)


def test_published_headers_chain():
    second, third = VECTORS[1:3]
    assert filter_of(third).header(wire(second.header)) == wire(third.header)
    assert list(filter_headers([wire(third.hash)], wire(second.header))) == [wire(third.header)]


def test_headers_follow_from_hashes_one_by_one():
    hashes = [sha256(bytes([at])).digest() for at in range(5)]
    expected = accumulate(hashes, lambda last, each: sha256d(each + last), initial=NO_HEADER)
    assert list(filter_headers(hashes, NO_HEADER)) == list(expected)[1:]
    assert list(filter_headers([], NO_HEADER)) == []


def test_a_block_is_about_what_it_pays_to_and_what_it_spends():
    paid, spent = [b"\x51", b"\x52"], [b"\x53", b"\x54", b"\x53", b""]
    returned, key = b"\x6a\x04abcd", bytes(range(32))
    block = Block(key, [paying(paid[0], returned), paying(paid[1], b"")])
    built = basic_filter(block, spent)
    assert built.count == 4
    assert built.encoding == CompactFilter.of(key, {b"\x51", b"\x52", b"\x53", b"\x54"}).encoding
    assert all(built.matches(script) for script in (*paid, b"\x53", b"\x54"))
    assert not built.matches_any([returned, b""])


def test_spent_scripts_may_begin_with_op_return():
    built = basic_filter(Block(bytes(32), []), [b"\x6a"])
    assert built.matches(b"\x6a")


def test_only_half_of_the_block_hash_is_the_key():
    key = bytes(range(32))
    assert CompactFilter.of(key, [b"x"]).encoding == CompactFilter.of(key[:16], [b"x"]).encoding
    assert CompactFilter.of(key, [b"x"]).encoding != CompactFilter.of(key[1:], [b"x"]).encoding


@given(st.binary(min_size=16, max_size=32), st.lists(st.binary(max_size=40), max_size=60))
def test_whatever_is_put_in_is_found_again(key, elements):
    built = CompactFilter.of(key, elements)
    again = CompactFilter(key, built.encoding)
    assert again.count == len(set(elements))
    assert all(again.matches(element) for element in elements)
    assert again.matches_any(elements) is bool(elements)
    assert again.matches_any([b"no such element", *elements]) is bool(elements)
    assert not again.matches_any([])


@given(
    st.lists(st.integers(0, 784_931 * 5), max_size=60).map(sorted)
    | st.lists(st.integers(0, 1 << 32), max_size=5).map(sorted)
)
def test_numbers_are_packed_and_unpacked(numbers):
    assert list(unpack_numbers(pack_numbers(numbers), len(numbers))) == numbers


@given(st.binary(max_size=100))
def test_noise_is_refused_or_read(noise):
    try:
        found = CompactFilter(bytes(16), noise)
        numbers = list(found.numbers())
    except DecodeError:
        return
    assert numbers == sorted(numbers)
    assert len(numbers) == found.count


@vectors
def test_every_truncation_is_refused(vector):
    encoding = bytes.fromhex(vector.encoding)
    for size in range(len(encoding)):
        with pytest.raises(Truncated):
            list(CompactFilter(bytes(16), encoding[:size]).numbers())


@vectors
def test_a_byte_too_many_is_refused(vector):
    found = CompactFilter(bytes(16), bytes.fromhex(vector.encoding) + b"\0")
    with pytest.raises(TrailingBytes):
        found.matches(b"not in it")


def test_a_quotient_that_never_ends_is_refused():
    with pytest.raises(Truncated):
        list(unpack_numbers(b"\xff" * 1000, 1))
    with pytest.raises(Truncated):
        list(unpack_numbers(b"", 1))


def test_a_remainder_that_ends_early_is_refused():
    with pytest.raises(Truncated):
        list(unpack_numbers(b"\xff\0\0", 1))


@pytest.mark.parametrize("count", [MAX_ELEMENTS + 1, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF])
def test_a_count_beyond_the_limit_is_refused(count):
    prefix = b"\xff" + count.to_bytes(8, "little")
    if count < 1 << 32:
        prefix = b"\xfe" + count.to_bytes(4, "little")
    with pytest.raises(LimitExceeded):
        CompactFilter(bytes(16), prefix)


def test_a_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_unpacked():
    encoding = b"\xfe" + MAX_ELEMENTS.to_bytes(4, "little") + bytes(MAX_FILTER_BYTES // 2)
    tracemalloc.start()
    with pytest.raises(Truncated):
        CompactFilter(bytes(16), encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


def test_a_count_in_a_longer_form_than_needed_is_refused():
    with pytest.raises(NonCanonical):
        CompactFilter(bytes(16), bytes.fromhex("fd0100") + bytes(3))


def test_more_elements_than_can_be_sent_are_refused():
    elements = (at.to_bytes(3, "big") for at in range(MAX_ELEMENTS + 1))
    with pytest.raises(Unencodable):
        CompactFilter.of(bytes(16), elements)
