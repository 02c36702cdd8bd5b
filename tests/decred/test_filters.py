import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.filters import (
    CFHeaders,
    CFilter,
    CFiltersV2,
    CFilterV2,
    CFTypes,
    GetCFHeaders,
    GetCFilter,
    GetCFiltersV2,
    GetCFilterV2,
    GetCFTypes,
)
from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.hashes import hash_from_text
from tests.decred import vectors
from tests.decred.battery import is_exactly, survives

BLOCK_HASH = vectors.CFILTER_V2[:32]
PROOF_HASH = hash_from_text("b4895fb9d0b54822550828f2ba07a68ddb1894796800917f8672e65067696347")
FILTER = vectors.CFILTER_V2[33:62]
ANSWER = CFilterV2(BLOCK_HASH, FILTER, 0, (PROOF_HASH,))
OLD_HASH = bytes.fromhex("8c5e5ecd00c8245ffd41f7e6558b6a95523700c18605f3597a00000000000000")
HEADER_HASH = bytes.fromhex("317c6894f386e2c08f2af987539afa0569d080fe27e594bc28bcbcefa669e79f")
LOCATOR = (
    bytes.fromhex("f3996ea2172bfb438a6782bfcd230963f0d2b8926259618d2500000000000000"),
    bytes.fromhex("db8a663434c6e26f45267b119002fb1b84c6d97e6762e4aa4a00000000000000"),
)

# dcrd wire/msgcfilterv2_test.go and its siblings.
EXAMPLES = [
    (GetCFilterV2(BLOCK_HASH), BLOCK_HASH),
    (ANSWER, vectors.CFILTER_V2),
    (GetCFiltersV2(BLOCK_HASH, vectors.GET_CFILTERS_V2[32:]), vectors.GET_CFILTERS_V2),
    (CFiltersV2((ANSWER,)), b"\x01" + vectors.CFILTER_V2),
    (CFiltersV2(()), b"\0"),
    (GetCFilter(bytes(32), 0), bytes(33)),
    (CFilter(OLD_HASH, 1, bytes(32)), OLD_HASH + b"\x01\x20" + bytes(32)),
    (GetCFHeaders(LOCATOR, OLD_HASH, 1), vectors.GET_CFHEADERS),
    (CFHeaders(OLD_HASH, 1, (HEADER_HASH,)), vectors.CFHEADERS),
    (GetCFTypes(), b""),
    (CFTypes((1,)), b"\x01\x01"),
]
KINDS = sorted({type(value) for value, _ in EXAMPLES}, key=lambda kind: kind.command)


@pytest.mark.parametrize(("value", "raw"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_message_has_its_bytes(value, raw):
    is_exactly(value, raw)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (GetCFilterV2, 32), (CFilterV2, 263_210), (GetCFiltersV2, 64), (CFiltersV2, 26_321_001),
        (GetCFilter, 33), (CFilter, 262_182), (GetCFHeaders, 16_036), (CFHeaders, 64_036),
        (GetCFTypes, 0), (CFTypes, 259),
    ],
)  # fmt: skip
def test_the_longest_is_as_long_as_the_reference_allows(kind, size):
    assert kind.max_size == size


def test_versions_have_their_messages():
    v1 = [GetCFilter, CFilter, GetCFHeaders, CFHeaders, GetCFTypes, CFTypes]
    assert {(kind.since, kind.until) for kind in v1} == {(6, 7)}
    assert {(kind.since, kind.until) for kind in (GetCFilterV2, CFilterV2)} == {(7, None)}
    assert {(kind.since, kind.until) for kind in (GetCFiltersV2, CFiltersV2)} == {(11, None)}


@pytest.mark.parametrize(
    "value",
    [
        CFilterV2(BLOCK_HASH, bytes(262_145), 0, ()),
        CFilterV2(BLOCK_HASH, b"", 0, (PROOF_HASH,) * 33),
        CFiltersV2((ANSWER,) * 101),
        CFilter(BLOCK_HASH, 0, bytes(262_145)),
        GetCFHeaders((BLOCK_HASH,) * 501, bytes(32), 0),
        CFHeaders(BLOCK_HASH, 0, (BLOCK_HASH,) * 2001),
        CFTypes((0,) * 257),
    ],
)
def test_what_is_too_long_cannot_be_written(value):
    with pytest.raises(Unencodable, match="exceed the limit"):
        value.encode()


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (CFilterV2, bytes(32) + b"\xfe\x01\0\x04\0"),
        (CFilterV2, bytes(32) + b"\0" + bytes(4) + b"\x21"),
        (CFiltersV2, b"\x65"),
        (GetCFHeaders, b"\xfd\xf5\x01"),
        (CFHeaders, bytes(33) + b"\xfd\xd1\x07"),
        (CFTypes, b"\xfd\x01\x01"),
    ],
)
def test_one_over_each_limit_is_refused(kind, raw):
    with pytest.raises(LimitExceeded):
        kind.decode(raw + bytes(300_000))


@given(st.sampled_from(KINDS), st.binary(max_size=150))
def test_noise_is_refused_or_survives_a_round_trip(kind, noise):
    survives(kind, noise)
