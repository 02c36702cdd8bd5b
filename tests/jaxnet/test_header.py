"""Headers of the reference, byte for byte, with all of their hashes."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.transaction import Tx, TxIn
from bitpeer.errors import InvalidValue, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.jaxnet.header import (
    MAX_TREE_ENCODING,
    BeaconHeader,
    BtcAux,
    CoinbaseAux,
    ShardHeader,
    read_header,
)
from tests.jaxnet.values import ANY_HEADER
from tests.jaxnet.vectors import BH1, CAUX, HDRS1, SH1, SH2, TX2

BITCOIN_GENESIS = hash_from_text("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")
BITCOIN_ROOT = hash_from_text("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")
BEACON = HDRS1[33:-1]
"""The header in HDRS1: behind a count and a root, before a count."""
UP, DOWN = bytes(range(32)), bytes(range(255, 223, -1))


def digest(text):
    return sha256(text.encode()).digest()


def test_the_default_coinbase_of_the_reference():
    aux, end = CoinbaseAux.read(CAUX)
    assert end == len(CAUX)
    assert aux.encode() == CAUX
    assert aux.tx == Tx([TxIn(bytes(32), 0xFFFFFFFF, b"", 0)], [], version=0)
    assert aux.branch == (aux.tx.txid,)
    assert hash_to_text(aux.tx.txid) == (
        "81e6796908779985e67dd7406f21a0fb82f3185bc2a67f82a0989540db14612e"
    )


def test_a_coinbase_in_a_header_never_has_a_witness():
    tx = Tx.decode(TX2)
    assert CoinbaseAux(tx, ()).encode() == tx.without_witness().encode() + b"\0"
    with pytest.raises(InvalidValue, match="witness"):
        CoinbaseAux.read(TX2 + b"\0")


def test_a_beacon_header_of_the_reference():
    header, end = BeaconHeader.read(b"<" + BH1, 1)
    assert end == 1 + len(BH1)
    assert header.encode() == BH1
    assert (header.version, header.version_number, header.height) == (1, 0, 1)
    assert header.previous_mmr_root == header.previous_hash == BITCOIN_GENESIS
    assert header.merkle_root == BITCOIN_ROOT
    assert header.merge_mining_root == digest("mergeMiningRoot")
    assert (header.bits, header.shards) == (0x1D00FFFF, 1)
    assert header.k == header.vote_k == 0x76100000
    assert header.merge_mining_number == 1
    assert header.tree_encoding == bytes.fromhex("deadbabe")
    assert header.tree_coding_length == 4
    assert header.chain_weight == 1
    assert header.merge_mining_proof == (digest("mergeMiningRoot"),)
    assert header.btc_aux.header == BlockHeader(
        1, digest("PrevBlock"), digest("MerkleRoot"), 1645132389, 0x1D00FFFF, 0x1E0F3
    )
    [spent] = header.btc_aux.coinbase.tx.inputs
    assert spent.outpoint == (digest("PreviousOutPoint"), 1)
    assert (len(spent.script), spent.sequence) == (75, 0x7FFFFFFF)
    assert [output.value for output in header.btc_aux.coinbase.tx.outputs] == [625_000_000]
    assert header.btc_aux.coinbase.branch == ()
    assert header.time == 1645132389
    assert not header.expansion_made


@pytest.mark.parametrize(
    ("raw", "name", "exclusive", "work"),
    [
        (
            BH1,
            "c721d66e4e69f31511c85751350a5c79c70c05d8b13cb06e915773ee13d5967e",
            "93296a5b9b735871e0d36aaa4992ffa7796edd0f2970a61315717ec8eeb7dcfb",
            "f6a31cf7e098e9bebec6c05e4cf8c758e189180daf71bfaeb7f162b98d334796",
        ),
        (
            SH1,
            "2bf4359e0833293cdadd97dffc118df109ed35c3165c4429c5c8b1236e54a0e3",
            "3c8f02f1beac42f425d603edd9ef35ef88c5270bbdcda05e6f1ac867a980aa30",
            "f6a31cf7e098e9bebec6c05e4cf8c758e189180daf71bfaeb7f162b98d334796",
        ),
        (
            BEACON,
            "717fbcc38ca12c6bc38e3415d18cdcae592d4f2398a9e226960b2b798aa00e5e",
            "210c9f2788cff3ef77b9202c5a91ddea327afec308426a73f91732ff8a61e73a",
            "ff48299950e84fc5423080894c4e779ededc3032445e6804971b10a50711556a",
        ),
        (
            SH2,
            "53d13a611768d820e85ccc80c3ca077907a6a85a6c1db3aa67e52ce19a319d9a",
            "bdd9384a23fcd1a82586d2a374fc3097ba5093c3704c36470542614fc1b577cd",
            "ff48299950e84fc5423080894c4e779ededc3032445e6804971b10a50711556a",
        ),
    ],
    ids=["BH1", "SH1", "HDRS1", "SH2"],
)
def test_the_three_hashes_of_the_reference(raw, name, exclusive, work):
    header, end = read_header(raw)
    assert end == len(raw)
    assert header.encode() == raw
    assert hash_to_text(header.hash) == name
    assert hash_to_text(header.exclusive_hash) == exclusive
    assert hash_to_text(header.pow_hash) == work
    assert repr(header) == f"<{type(header).__name__} {name}>"


def test_a_shard_header_of_the_reference():
    header, end = ShardHeader.read(SH1)
    assert end == len(SH1)
    assert header.encode() == SH1
    assert header.height == 1
    assert header.previous_mmr_root == header.previous_hash == BITCOIN_GENESIS
    assert header.merkle_root == BITCOIN_ROOT
    assert header.bits == 0x1D00FFFF
    assert header.chain_weight == 1
    assert header.merkle_proof == (digest("shardMerkleProof_1"),)
    assert header.beacon.encode() == BH1
    assert header.beacon_coinbase.tx == header.beacon.btc_aux.coinbase.tx
    assert header.beacon_coinbase.branch == (digest("TxMerkleProof"),)
    assert header.time == 1645132389


def test_an_encoders_shard_header():
    header, _ = ShardHeader.read(SH2)
    assert header.height == 4
    assert header.previous_mmr_root == header.merkle_root == DOWN
    assert header.previous_hash == UP
    assert header.bits == 0x1D00FFFF
    assert header.chain_weight == 0
    assert header.merkle_proof == (UP,)
    assert header.beacon.encode() == BEACON
    assert header.beacon_coinbase.encode() == CAUX


def test_flags_lie_below_the_number_of_the_version():
    header, _ = BeaconHeader.read(BEACON)
    assert (header.version, header.version_number) == (0x14, 1)
    assert header.expansion_made
    assert header.chain_weight == 2**72


def test_quirk_the_hash_of_a_beacon_block_does_not_know_the_block_before_it():
    header, _ = BeaconHeader.read(BEACON)
    other = replace(header, previous_hash=UP[::-1])
    assert other.hash == header.hash
    assert other.exclusive_hash != header.exclusive_hash


def test_proofs_and_weights_are_in_no_hash():
    header, _ = ShardHeader.read(SH1)
    other = replace(
        header, chain_weight=7, merkle_proof=(), beacon_coinbase=CoinbaseAux.read(CAUX)[0]
    )
    assert (other.hash, other.exclusive_hash) == (header.hash, header.exclusive_hash)


@given(ANY_HEADER)
@settings(max_examples=50)
def test_every_header_comes_back(header):
    raw = header.encode()
    again, end = read_header(b"<" + raw + b">", 1)
    assert end == 1 + len(raw)
    assert again == header
    assert again.encode() == raw
    assert hash(again) == hash(header)
    assert len(raw) >= type(header).min_size


@pytest.mark.parametrize("raw", [BH1, SH2], ids=["beacon", "shard"])
def test_every_truncation_is_refused(raw):
    for size in range(len(raw)):
        with pytest.raises(Truncated):
            read_header(raw[:size])


def test_the_smallest_headers_are_as_small_as_they_say():
    header, _ = BeaconHeader.read(BEACON)
    smallest = replace(
        header,
        tree_encoding=b"",
        chain_weight=0,
        btc_aux=BtcAux(header.btc_aux.header, CoinbaseAux(Tx([], []), ())),
    )
    assert len(smallest.encode()) == BeaconHeader.min_size
    shard, _ = ShardHeader.read(SH2)
    least = replace(
        shard, merkle_proof=(), beacon=smallest, beacon_coinbase=CoinbaseAux(Tx([], []), ())
    )
    assert len(least.encode()) == ShardHeader.min_size


@pytest.mark.parametrize("mark", [0x00, 0x6C, 0xFF])
def test_a_header_of_no_kind_is_refused(mark):
    with pytest.raises(InvalidValue, match="kind of header"):
        read_header(bytes((mark,)) + BH1[1:])
    with pytest.raises(InvalidValue, match="kind of header"):
        ShardHeader.read(BH1)


def test_a_tree_may_not_be_larger_than_the_limit():
    header, _ = BeaconHeader.read(BEACON)
    longest = replace(header, tree_encoding=bytes(MAX_TREE_ENCODING))
    assert BeaconHeader.read(longest.encode())[0] == longest
    with pytest.raises(Unencodable, match="tree_encoding"):
        replace(header, tree_encoding=bytes(MAX_TREE_ENCODING + 1)).encode()
    raw = bytearray(longest.encode())
    raw[157:161] = (MAX_TREE_ENCODING + 1).to_bytes(4, "little")
    with pytest.raises(LimitExceeded):
        BeaconHeader.read(bytes(raw))


@pytest.mark.parametrize(
    "change",
    [
        {"previous_mmr_root": b"short"},
        {"bits": 1 << 32},
        {"version": "one"},
        {"tree_coding_length": -1},
        {"chain_weight": -1},
        {"merge_mining_proof": (b"short",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_fit_cannot_be_encoded(change):
    header, _ = BeaconHeader.read(BEACON)
    with pytest.raises(Unencodable):
        replace(header, **change).encode()
