from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.alert import AlertPayload
from bitpeer.decred import Alert, FilterLoad, Reject
from bitpeer.decred.messages import (
    HEAD_BLOCK_VOTES,
    HEAD_BLOCKS,
    TSPENDS,
    GetInitState,
    GetMiningState,
    InitState,
    MiningState,
    Version,
)
from bitpeer.errors import DecodeError, InvalidValue, LimitExceeded, Unencodable
from bitpeer.messages.addresses import NOWHERE, NetAddress
from tests.decred import vectors
from tests.decred.battery import is_exactly, survives

LATEST = 9_223_371_974_719_179_007
COMPLETE = (46, 72, 80, 97, 101)
VERSION = Version(
    version=70001,
    services=1,
    time=1231006505,
    receiver=NetAddress.of("192.168.0.1", 8333, 1),
    sender=NetAddress.of("127.0.0.1", 8333, 1),
    nonce=123123,
    user_agent=b"/dcrdtest:0.0.1/",
    height=234234,
    relay=True,
)


def pattern(*words):
    """Return hashes that repeat two bytes each, as the reference's tests do."""
    return tuple(bytes.fromhex(word) * (32 // (len(word) // 2)) for word in words)


BLOCKS, VOTES = pattern("11223344"), pattern("11112222", "33334444", "55556666")


def test_a_version_has_its_bytes():
    is_exactly(VERSION, vectors.VERSION, complete=COMPLETE)


@pytest.mark.parametrize("size", COMPLETE)
def test_a_version_may_end_early(size):
    expected = replace(
        VERSION,
        sender=VERSION.sender if size >= 72 else NOWHERE,
        nonce=VERSION.nonce if size >= 80 else 0,
        user_agent=VERSION.user_agent if size >= 97 else b"",
        height=VERSION.height if size >= 101 else 0,
    )
    assert Version.decode(vectors.VERSION[:size]) == expected
    # Written again it is complete.
    assert Version.decode(expected.encode()) == expected


def test_the_flag_means_please_relay():
    assert not Version.decode(vectors.VERSION[:-1] + b"\0").relay
    assert Version.decode(vectors.VERSION[:-1] + b"\x07").relay


def test_the_longest_version_fits_into_the_limit_of_the_reference():
    assert Version.max_size <= 358
    assert len(replace(VERSION, user_agent=b"a" * 256).encode()) == Version.max_size


def test_a_user_agent_is_printable_and_short():
    with pytest.raises(InvalidValue):
        Version.decode(vectors.VERSION.replace(b"dcrdtest", b"dcrd\x00est"))
    with pytest.raises(Unencodable):
        replace(VERSION, user_agent="/ü/".encode()).encode()
    with pytest.raises(Unencodable):
        replace(VERSION, user_agent=b"a" * 257).encode()


def test_times_that_go_cannot_count_are_refused_both_ways():
    assert replace(VERSION, time=LATEST).encode()[12:20] == LATEST.to_bytes(8, "little")
    for time in (LATEST + 1, -1):
        with pytest.raises(Unencodable):
            replace(VERSION, time=time).encode()
    for time in (LATEST + 1, 2**63, 2**64 - 1):
        raw = vectors.VERSION[:12] + time.to_bytes(8, "little") + vectors.VERSION[20:]
        with pytest.raises(LimitExceeded):
            Version.decode(raw)


def test_mining_state_has_its_bytes():
    is_exactly(MiningState(1, 123456, BLOCKS, VOTES), vectors.MINING_STATE)
    assert MiningState.max_size <= 1546
    assert GetMiningState().encode() == b""
    assert (MiningState.until, GetMiningState.until) == (8, 8)


def test_get_init_state_has_its_bytes():
    text = "03056669727374067365636f6e64057468697264"
    is_exactly(GetInitState((b"first", b"second", b"third")), text)
    is_exactly(GetInitState(()), "00")
    known = GetInitState((HEAD_BLOCKS, HEAD_BLOCK_VOTES, TSPENDS))
    assert known.encode() == b"\x03\x0aheadblocks\x0eheadblockvotes\x07tspends"
    assert GetInitState.max_size == 1057
    assert (GetInitState.since, InitState.since) == (8, 8)


def test_get_init_state_has_limits():
    assert len(GetInitState.decode(b"\x20" + b"\x01a" * 32).types) == 32
    with pytest.raises(LimitExceeded):
        GetInitState.decode(b"\x21" + b"\x01a" * 33)
    with pytest.raises(LimitExceeded):
        GetInitState.decode(b"\x01\x21" + b"a" * 33)
    with pytest.raises(InvalidValue):
        GetInitState.decode(b"\x01\x01\xff")
    with pytest.raises(Unencodable):
        GetInitState((b"a",) * 33).encode()


def test_init_state_has_its_bytes():
    is_exactly(InitState((), (), ()), "000000")
    state = InitState.decode(vectors.INIT_STATE)
    assert [len(each) for each in (state.block_hashes, state.vote_hashes, state.tspend_hashes)] == [
        2, 3, 3,
    ]  # fmt: skip
    assert state.block_hashes[0] == BLOCKS[0]
    assert tuple(state.vote_hashes) == VOTES
    assert state.tspend_hashes[2].hex().startswith("aaaaaaaaaaaaaa9a9a9a")
    is_exactly(state, vectors.INIT_STATE)
    assert InitState.max_size == 1763


@pytest.mark.parametrize(
    ("counts", "limits"), [((9, 0, 0), (9, 8)), ((0, 41, 0), (41, 40)), ((0, 0, 8), (8, 7))]
)
def test_init_state_has_limits(counts, limits):
    hashes = [(bytes(32),) * count for count in counts]
    with pytest.raises(Unencodable):
        InitState(*hashes).encode()
    raw = b"".join(bytes((count,)) + bytes(32 * count) for count in counts)
    with pytest.raises(LimitExceeded) as caught:
        InitState.decode(raw)
    assert (caught.value.count, caught.value.limit) == limits


# Messages that were dropped in the end


@pytest.mark.parametrize(
    ("reject", "raw"),
    [
        (Reject(b"version", 0x12, b"duplicate version"), vectors.REJECT_VERSION),
        (
            Reject(b"block", 0x12, b"duplicate block", vectors.REJECT_BLOCK[-32:]),
            vectors.REJECT_BLOCK,
        ),
    ],
    ids=["version", "block"],
)
def test_a_reject_has_its_bytes(reject, raw):
    assert reject.encode() == raw
    assert Reject.decode(raw) == reject
    assert len(reject.extra) in (0, 32)


def test_an_alert_has_its_bytes():
    is_exactly(Alert(b"some payload", b"somesig"), "0c736f6d65207061796c6f616407736f6d65736967")
    payload = AlertPayload(
        version=1,
        relay_until=1337093712,
        expiration=1368628812,
        id=1015,
        cancel=1013,
        cancels=(1014,),
        min_version=0,
        max_version=40599,
        user_agents=(b"/Satoshi:0.7.2/",),
        priority=5000,
        comment=b"",
        status_bar=b"URGENT",
        reserved=b"",
    )
    assert payload.encode() == vectors.ALERT_PAYLOAD


def test_a_bloom_filter_of_too_many_functions_is_refused():
    with pytest.raises(DecodeError):
        FilterLoad.decode(bytes.fromhex("0affffffffffffffffffff3d0000000000000000"))
    fifty = FilterLoad.decode(bytes.fromhex("0affffffffffffffffffff320000000000000000"))
    assert fifty.hash_functions == 50


@given(st.sampled_from([Version, MiningState, GetInitState, InitState]), st.binary(max_size=200))
def test_noise_is_refused_or_survives_a_round_trip(kind, noise):
    survives(kind, noise)
