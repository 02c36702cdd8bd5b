import pytest
from bitcoin.bloom import CBloomFilter
from hypothesis import given, strategies as st

from bitpeer.bitcoin.bloom import BloomFilter, Update
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut
from bitpeer.errors import InvalidSetting, LimitExceeded
from bitpeer.hashes import hash_from_text
from bitpeer.messages.bloom import MAX_FILTER_SIZE, MAX_HASH_FUNCTIONS, FilterLoad

# Transaction b4749f01...7fff6b of the main network, as in Bitcoin Core's bloom_tests.cpp, and
# the one that spends its first output.
TX = Tx.decode(
    bytes.fromhex(
        "01000000010b26e9b7735eb6aabdf358bab62f9816a21ba9ebdb719d5299e88607d722c190000000008b4830"
        "450220070aca44506c5cef3a16ed519d7c3c39f8aab192c4e1c90d065f37b8a4af6141022100a8e160b856c2"
        "d43d27d8fba71e5aef6405b8643ac4cb7cb3c462aced7f14711a0141046d11fee51b0e60666d5049a9101a72"
        "741df480b96ee26488a4d3466b95c9a40ac5eeef87e10a5cd336c19a84565f80fa6c547957b7700ff4dfbdef"
        "e76036c339ffffffff021bff3d11000000001976a91404943fdd508053c75000106d3bc6e2754dbcff1988ac"
        "2f15de00000000001976a914a266436d2965547608b9e15d9032a7b9d64fa43188ac00000000"
    )
)
SPENDER = Tx.decode(
    bytes.fromhex(
        "01000000016bff7fcd4f8565ef406dd5d63d4ff94f318fe82027fd4dc451b04474019f74b4000000008c4930"
        "46022100da0dc6aecefe1e06efdf05773757deb168820930e3b0d03f46f5fcf150bf990c022100d25b5c8704"
        "0076e4f253f8262e763e2dd51e7ff0be157727c4bc42807f17bd39014104e6c26ef67dc610d2cd192484789a"
        "6cf9aea9930b944b7e2db5342b9d9e5b9ff79aff9a2ee1978dd7fd01dfc522ee02283d3b06a9d03acf809696"
        "8d7dbb0f9178ffffffff028ba7940e000000001976a914badeecfdef0507247fc8f74241d73bc039972d7b88"
        "ac4094a802000000001976a914c10932483fec93ed51f5fe95e72559f2cc7043f988ac00000000"
    )
)
FIRST_HASH = bytes.fromhex("04943fdd508053c75000106d3bc6e2754dbcff19")
SECOND_HASH = bytes.fromhex("a266436d2965547608b9e15d9032a7b9d64fa431")
KEY = b"\2" + bytes(range(32))
OTHER_KEY = b"\3" + bytes(range(32))
SPENT = hash_from_text("90c122d70786e899529d71dbeba91ba216982fb6ba58f3bdaab65e73b7e9260b")

VECTORS = [
    (0, "03614e9b050000000000000001"),
    (2147483649, "03ce4299050000000100008001"),
]
ELEMENTS = [
    "99108ad8ed9bb6274d3980bab5a85c048f0950c8",
    "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
    "b9300670b4c5366e95b2699e8b18bc75e5f729c5",
]


def roomy(*elements, flags=Update.ALL):
    bloom = BloomFilter.sized(10, 0.000001, 0, flags)
    for element in elements:
        bloom.add(element)
    return bloom


def outpoint(tx, index):
    return tx.txid + index.to_bytes(4, "little")


@pytest.mark.parametrize(("tweak", "wire"), VECTORS)
def test_published_filters_are_reproduced(tweak, wire):
    bloom = BloomFilter.sized(3, 0.01, tweak, Update.ALL)
    bloom.add(bytes.fromhex(ELEMENTS[0]))
    assert bytes.fromhex(ELEMENTS[0]) in bloom
    assert bytes.fromhex("19" + ELEMENTS[0][2:]) not in bloom
    for element in ELEMENTS[1:]:
        bloom.add(bytes.fromhex(element))
    assert all(bytes.fromhex(element) in bloom for element in ELEMENTS)
    assert bloom.to_message().encode().hex() == wire


@pytest.mark.parametrize(("tweak", "wire"), VECTORS)
def test_a_filter_survives_the_wire(tweak, wire):
    bloom = BloomFilter.from_message(FilterLoad.decode(bytes.fromhex(wire)))
    assert (bloom.size, bloom.hash_functions, bloom.tweak, bloom.flags) == (3, 5, tweak, 1)
    assert all(bytes.fromhex(element) in bloom for element in ELEMENTS)
    assert bloom.to_message().encode().hex() == wire


@given(
    st.integers(1, 200),
    st.floats(0.00001, 0.9),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.binary(max_size=40), max_size=20),
    st.lists(st.binary(max_size=40), max_size=20),
)
def test_an_independent_filter_has_the_same_bits(elements, rate, tweak, added, others):
    bloom = BloomFilter.sized(elements, rate, tweak)
    reference = CBloomFilter(elements, rate, tweak, 0)
    assert bloom.size == len(reference.vData)
    assert reference.nHashFuncs - 1 <= bloom.hash_functions <= reference.nHashFuncs
    if bloom.size == 0:
        assert all(other in bloom for other in others)
        return
    reference.nHashFuncs = bloom.hash_functions
    for element in added:
        bloom.add(element)
        reference.insert(element)
    assert bloom.to_message().filter == bytes(reference.vData)
    assert all(element in bloom for element in added)
    assert [other in bloom for other in others] == [reference.contains(other) for other in others]


@pytest.mark.parametrize(
    ("elements", "rate", "size", "hash_functions"),
    [
        (1, 1, 0, 0),
        (1, 0.9, 0, 0),
        (1, 0.01, 1, 5),
        (3, 0.01, 3, 5),
        (10, 0.000001, 35, 19),
        (20_000, 0.001, 35_943, 9),
        (1_000_000_000, 1e-9, 36_000, 0),
        (1, 1e-300, 179, 50),
    ],
)
def test_a_filter_is_as_large_as_it_must_be_and_no_larger_than_it_may(
    elements, rate, size, hash_functions
):
    bloom = BloomFilter.sized(elements, rate)
    assert (bloom.size, bloom.hash_functions) == (size, hash_functions)


@pytest.mark.parametrize(
    ("elements", "rate"), [(0, 0.1), (-1, 0.1), (1, 0), (1, -0.5), (1, 1.5), (1, float("nan"))]
)
def test_sizes_that_make_no_sense_are_refused(elements, rate):
    with pytest.raises(InvalidSetting):
        BloomFilter.sized(elements, rate)


@pytest.mark.parametrize(
    "settings",
    [
        (bytes(MAX_FILTER_SIZE + 1), 1, 0, 0),
        (b"\0", MAX_HASH_FUNCTIONS + 1, 0, 0),
        (b"\0", -1, 0, 0),
        (b"\0", 1, -1, 0),
        (b"\0", 1, 1 << 32, 0),
        (b"\0", 1, 0, -1),
        (b"\0", 1, 0, 256),
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InvalidSetting):
        BloomFilter(*settings)


def test_the_largest_filter_is_accepted():
    bloom = BloomFilter(bytes(MAX_FILTER_SIZE), MAX_HASH_FUNCTIONS, 0xFFFFFFFF, 0xFF)
    assert BloomFilter.from_message(bloom.to_message()).to_message() == bloom.to_message()


def test_a_peer_that_loads_too_many_hash_functions_breaks_a_rule():
    with pytest.raises(LimitExceeded):
        BloomFilter.from_message(FilterLoad(b"\0", MAX_HASH_FUNCTIONS + 1, 0, 0))
    with pytest.raises(LimitExceeded):
        BloomFilter.from_message(FilterLoad(b"\0", 0xFFFFFFFF, 0, 0))


@pytest.mark.parametrize("hash_functions", [0, 1, 50])
def test_a_filter_of_no_size_matches_everything_and_stays_empty(hash_functions):
    bloom = BloomFilter.from_message(FilterLoad(b"", hash_functions, 0, Update.ALL))
    assert b"anything" in bloom
    assert bloom.matches(TX)
    bloom.add(b"anything")
    bloom.add_outpoint(TX.txid, 0)
    assert bloom.to_message() == FilterLoad(b"", hash_functions, 0, Update.ALL)


def test_a_filter_without_hash_functions_matches_everything():
    bloom = BloomFilter(b"\0", 0)
    assert b"anything" in bloom
    assert bloom.matches(TX)


def test_a_loaded_filter_does_not_change_the_message_it_came_in():
    message = FilterLoad(bytes(4), 3, 0, 0)
    bloom = BloomFilter.from_message(message)
    bloom.add(b"x")
    assert message.filter == bytes(4)
    assert bloom.to_message().filter != bytes(4)


@pytest.mark.parametrize(
    "element",
    [
        TX.txid,
        TX.inputs[0].script[1:73],  # the signature
        TX.inputs[0].script[74:],  # the public key
        FIRST_HASH,
        SECOND_HASH,
        SPENT + bytes(4),
    ],
    ids=["txid", "signature", "key", "first output", "second output", "outpoint"],
)
def test_a_transaction_matches_by_any_of_its_parts(element):
    assert roomy(element).matches(TX)


@pytest.mark.parametrize(
    "element",
    [
        hash_from_text("00000009e784f32f62ef849763d4f45b98e07ba658647343b915ff832b110436"),
        bytes.fromhex("0000006d2965547608b9e15d9032a7b9d64fa431"),
        SPENT + bytes([1, 0, 0, 0]),
        bytes(4) + SPENT,
        SPENT,
    ],
)
def test_a_transaction_matches_by_nothing_else(element):
    assert not roomy(element).matches(TX)


def test_an_empty_push_matches_nothing():
    tx = Tx([TxIn(bytes(32), 0, b"\0")], [TxOut(1, b"\0")])
    assert not roomy(b"").matches(tx)


def test_a_matching_output_makes_its_spender_match():
    bloom = roomy(FIRST_HASH)
    assert not bloom.matches(SPENDER)
    assert bloom.matches(TX)
    assert outpoint(TX, 0) in bloom
    assert outpoint(TX, 1) not in bloom
    assert bloom.matches(SPENDER)


def test_every_matching_output_is_added():
    bloom = roomy(FIRST_HASH, SECOND_HASH, TX.txid)
    assert bloom.matches(TX)
    assert outpoint(TX, 0) in bloom
    assert outpoint(TX, 1) in bloom


def test_a_transaction_that_matches_by_its_txid_alone_adds_nothing():
    bloom = roomy(TX.txid)
    before = bloom.to_message()
    assert bloom.matches(TX)
    assert bloom.to_message() == before


@pytest.mark.parametrize("flags", [Update.NONE, Update.P2PUBKEY_ONLY, 3, 0xFC])
def test_other_flags_leave_the_filter_alone(flags):
    bloom = roomy(FIRST_HASH, flags=flags)
    before = bloom.to_message()
    assert bloom.matches(TX)
    assert bloom.to_message() == before


PAY_TO_KEY = b"\x21" + KEY + b"\xac"
PAY_TO_MULTISIG = b"\x51\x21" + OTHER_KEY + b"\x21" + KEY + b"\x52\xae"


@pytest.mark.parametrize("script", [PAY_TO_KEY, PAY_TO_MULTISIG])
@pytest.mark.parametrize("flags", [Update.P2PUBKEY_ONLY, Update.P2PUBKEY_ONLY | 0xF0])
def test_outputs_to_bare_keys_are_added_if_only_those_are_wanted(script, flags):
    tx = Tx([TxIn(bytes(32), 0)], [TxOut(1, b"\x21" + KEY), TxOut(2, b""), TxOut(3, script)])
    bloom = roomy(KEY, flags=flags)
    assert bloom.matches(tx)
    assert outpoint(tx, 2) in bloom
    assert outpoint(tx, 0) not in bloom
    assert outpoint(tx, 1) not in bloom


def test_an_output_matches_by_its_second_push():
    tx = Tx([TxIn(bytes(32), 0)], [TxOut(3, PAY_TO_MULTISIG)])
    assert roomy(KEY).matches(tx)
    assert roomy(OTHER_KEY).matches(tx)
