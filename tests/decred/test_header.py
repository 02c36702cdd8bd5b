import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.header import HEADER_SIZE, MAX_HEADERS, BlockHeader, Headers
from bitpeer.errors import DecodeError, InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes import hash_from_text, hash_to_text
from tests.decred import vectors
from tests.decred.battery import is_exactly, survives

GENESIS_OF_BITCOIN = hash_from_text(
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
)
ROOT = hash_from_text("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")
HEADER = BlockHeader(
    version=1,
    previous_hash=GENESIS_OF_BITCOIN,
    merkle_root=ROOT,
    stake_root=ROOT,
    bits=0x1D00FFFF,
    time=0x495FAB29,
    nonce=123123,
    stake_version=0x0DDBA110,
)
HEADER_432100, _ = BlockHeader.read(vectors.HEADER_432100)

headers = st.builds(
    BlockHeader,
    *(
        st.binary(min_size=size, max_size=size)
        if isinstance(size, int)
        else st.integers(-(1 << size[0]), (1 << size[0]) - 1)
        if size[1]
        else st.integers(0, (1 << size[0]) - 1)
        for size in (
            (31, 1), 32, 32, 32, (16, 0), 6, (16, 0), (8, 0), (8, 0), (32, 0), (32, 0), (63, 1),
            (32, 0), (32, 0), (32, 0), (32, 0), 32, (32, 0),
        )
    ),
)  # fmt: skip


def test_a_header_has_its_bytes():
    assert HEADER.encode() == vectors.HEADER
    assert BlockHeader.read(b"<" + vectors.HEADER, 1) == (HEADER, 181)
    assert BlockHeader.min_size == BlockHeader.max_size == HEADER_SIZE == len(vectors.HEADER) == 180


def test_every_truncation_is_refused():
    for size in range(180):
        with pytest.raises(Truncated):
            BlockHeader.read(vectors.HEADER[:size])


def test_every_field_is_read():
    header = HEADER_432100
    assert (header.version, header.vote_bits, header.final_state.hex()) == (7, 1, "87ba86bb2e52")
    assert (header.voters, header.fresh_stake, header.revocations) == (4, 1, 0)
    assert (header.pool_size, header.bits, header.stake_bits) == (41137, 0x18270FE2, 14428162590)
    assert (header.height, header.size, header.time) == (432100, 2782, 1584248018)
    assert (header.nonce, header.stake_version) == (1833582326, 7)
    assert hash_to_text(header.merkle_root) == (
        "5d1d3519c0930cdccd5e49841ee98ab33c574e3eb9cdc4ec0199deed55a2c80b"
    )
    assert hash_to_text(header.stake_root) == (
        "b955ef6c551da542abbe57629f27c3059947352f8db96f5f958ea7e08b993177"
    )
    assert header.encode() == vectors.HEADER_432100


def test_the_name_of_a_block_is_its_blake256():
    header, _ = BlockHeader.read(vectors.HASHED_HEADER)
    assert header.hash.hex() == "0d40d58703482d81d711be0ffc1b313788d3c3937e1617e4876661d33a8c4c41"
    assert (header.vote_bits, header.pool_size, header.stake_version) == (1, 183, 0xCDAB0000)
    name = "000000000000000023455b4328635d8e014dbeea99c6140aa715836cc7e55981"
    assert hash_to_text(HEADER_432100.hash) == name
    assert repr(HEADER_432100) == f"<BlockHeader {name}>"


def test_proof_of_work_was_the_name_and_is_blake3():
    header, _ = BlockHeader.read(vectors.HASHED_HEADER)
    # Made with the package blake3.
    expected = "5198e023bc51ad717feed29b7fae28ddf1c46f25f2d44bc752b61fefd25716e1"
    assert header.pow_hash().hex() == expected
    assert header.pow_hash(blake3_active=False) == header.hash


def test_the_hash_of_a_real_block_meets_its_target():
    assert HEADER_432100.target == 0x270FE2 << 8 * 21
    assert HEADER_432100.meets_target(blake3_active=False)
    assert not HEADER_432100.meets_target()
    assert not HEADER_432100.meets_target(1, blake3_active=False)
    assert not HEADER_432100._replace(bits=0).meets_target(blake3_active=False)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1 << 31}, {"previous_hash": b""}, {"final_state": bytes(7)},
        {"vote_bits": 1 << 16}, {"fresh_stake": 256}, {"stake_bits": 1 << 63},
        {"extra_data": bytes(31)}, {"time": -1}, {"nonce": "7"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_the_callers_fault(change):
    with pytest.raises(Unencodable, match=f"BlockHeader.{next(iter(change))}"):
        HEADER._replace(**change).encode()


def test_headers_have_their_bytes():
    header = HEADER._replace(
        merkle_root=BlockHeader.read(vectors.HEADERS, 1)[0].merkle_root,
        stake_root=BlockHeader.read(vectors.HEADERS, 1)[0].stake_root,
        time=BlockHeader.read(vectors.HEADERS, 1)[0].time,
        nonce=0x01010101,
        stake_version=0xBA5EBA11,
    )
    is_exactly(Headers([header]), vectors.HEADERS)
    is_exactly(Headers([]), "00")
    assert repr(Headers([header])) == "<Headers, 1 of them>"


def test_headers_know_their_hashes():
    several = Headers([HEADER, HEADER_432100])
    assert several.hashes() == [HEADER.hash, HEADER_432100.hash]
    assert list(several.headers) == [HEADER, HEADER_432100]
    assert Headers.decode(several.encode()).hashes() == several.hashes()


def test_headers_that_claim_transactions_are_refused():
    raw = Headers([HEADER, HEADER]).encode()
    for at in (181, 362):
        for count in (b"\x01", b"\xfd"):
            with pytest.raises(InvalidValue, match="number of transactions"):
                Headers.decode(raw[:at] + count + raw[at + 1 :])


def test_two_thousand_headers_are_the_limit():
    raw = b"\xfd\xd0\x07" + (vectors.HEADER + b"\0") * MAX_HEADERS
    assert len(Headers.decode(raw).headers) == 2000
    assert Headers.decode(raw).encode() == raw
    assert len(raw) == Headers.max_size == 362_003
    with pytest.raises(LimitExceeded):
        Headers.decode(b"\xfd\xd1\x07" + (vectors.HEADER + b"\0") * 2001)
    with pytest.raises(Unencodable):
        Headers([HEADER] * 2001)


def test_headers_compare_by_what_they_hold():
    assert Headers([HEADER]) == Headers([HEADER])
    assert len({Headers([HEADER]), Headers((HEADER,))}) == 1
    assert Headers([HEADER]) != Headers([])
    assert Headers([]) != ()


@given(st.lists(headers, max_size=3))
def test_what_is_sent_is_what_arrives(several):
    assert list(Headers.decode(Headers(several).encode()).headers) == several


@given(st.binary(max_size=200))
def test_noise_is_refused_or_survives_a_round_trip(noise):
    survives(Headers, noise)
    with pytest.raises(DecodeError):
        BlockHeader.read(noise[:179])
