"""The first blocks of all chains, against what jaxnetd builds (fact sheet, 1.3 and 1.4)."""

from hashlib import sha256

import pytest

from bitpeer.errors import InvalidValue
from bitpeer.hashes import hash_to_text
from bitpeer.jaxnet.genesis import beacon_genesis, shard_coinbase, shard_genesis
from bitpeer.jaxnet.trees import branch_root
from tests.jaxnet.vectors import GEN_FAST, GEN_FAST_S1

POW = "00000000000000000001cd77cc7b0da24548449cc4f7e5ecd4928108e57999a0"
BEACONS = {
    "mainnet": (
        "9e83bbdf3c546416eb8aa47f618b4f947221ce3c9e10be2881bd7ec126611142",
        "a81fab39c60b5ef7161121ed4b593afd1dfe6975f856f7ae183dc859b4b914cb",
        "c7d2734686d52dcba6ec79ca586b2ef661a6eeed0af271ecff12e02a449bafe2",
        2462,
        "4e5a2e5cd760f4ddad6182340c818c7a6d1924801ec4cd8725c90c5a8c69a10e",
    ),
    "testnet": (
        "e2807205bf2f7ae8e1c97c4d99e95e7ba4ae2d74b03f5f4e17d1f177659adf54",
        "ff7c1a9b45b31ed7f86a8aeb3e95766f093ead4b39b6c90a0d78dc8303895292",
        "646e9f76e7f3532192c9654efe0a4d17e348080757486d1a20818e3f39e3b598",
        1655,
        "5a97d3bd4d75c3bc33ff32c6c380cbfd649bc59d56938681002b8a22f38c8ce8",
    ),
    "fastnet": (
        "af46c8be3dde59114bbb1861f8f5696a4d62b2b8717e21d566fc687c3265e5a8",
        "e87def9bba63d38807abf4e8a73b41b52061de1e6194500958ed37e747dfdff5",
        "f3d16b8324872f88941fd18268c17b1d252edfab698f73e1f9f1034fa62437f4",
        1181,
        "3dd3c87d398476fd3b9dc55280d24182e970bc4b38fe10ffce79c5f8cd376ed4",
    ),
    "simnet": (
        "4285f3ffa59e3b30ba54f1e2672f342d28c8fc9365cfc9c051c76d12dbfc68ff",
        "e87def9bba63d38807abf4e8a73b41b52061de1e6194500958ed37e747dfdff5",
        "263e7596edf2e226ce51393645c1a1fa86d4339b9cf166833c0ec8201113dfc8",
        1181,
        "717b2638ac2331e4fb3cbcf75df5f0517a6d6b34aa62d5b6aa087a4bccc03671",
    ),
}
"""By network: hash, merkle root, exclusive hash, size, and SHA-256 of the whole block."""
SHARDS = {
    ("mainnet", 1): (
        "bd3327e1f1618bbe296df0eb4d74c59cadc2d281a9cde8e20b07b526869643a6",
        2752,
        "b1a4656123dd7ac545a106b555e20a58ecb4bbea825efb78e64170621f2d84a4",
    ),
    ("mainnet", 2): (
        "c540e5dcc3328d6286eeed5c425b22495b4e7e57f70a4f17d3d31f5e2ebe6bbc",
        2752,
        "c10e70dbb6944b6dcb6ce17ad9f801d490bd4a31ae6d7ca31bd703a377f338f2",
    ),
    ("testnet", 1): (
        "dc5a442ba21f4c2bfe4f5f6d3cffdb4a556cfc3b3bb9b967cc174d1042c3e2ea",
        1945,
        "de963dcfe8ba548aea9a7302b1bd7b3e828388ee6bfacd89aa404b2ec13c5349",
    ),
    ("testnet", 2): (
        "a193e4555432c2e5f291c32335c5adbc0e5256d17d914b1add6e65d1d1a863c6",
        1945,
        "a93394d904b47b0d714ffbd172cd6969fe2c634fb48a810085a697e37f9de97a",
    ),
    ("fastnet", 1): (
        "3d40409fc7d09288b79b6292e3add8a50a432e80461c0e77484c17c0183e7052",
        1471,
        "3c487ce0af4c6039dc05cb50e585eac8419b6bf86d6af4d4d192b4d8360db90f",
    ),
    ("fastnet", 2): (
        "bd5925ca720d18ded8a2a21ec2c0e1c530e35da24f6fe77d833a102510c7c916",
        1471,
        "5eb3470d19ac64de90221b277bdf16daedaa68ac03f74fd42e92d05623941486",
    ),
    ("simnet", 1): (
        "29e7e0742a0502bc9714d1f695178ff74635847d92ad6fe6b7bf2d4951d110ed",
        1471,
        "82e8da446254690bf941211e4d0a1744709d2573792858c6b77b1633b7321991",
    ),
    ("simnet", 2): (
        "76e0aea936810a45e02614394ab11521e4ba412bebcaf8293559c14f42dfcb6a",
        1471,
        "47f10de0d7cc5589fda7649d33d4f0e44f42253f6f7db1d2be6a236b01a5af00",
    ),
}
"""By network and shard: hash, size, and SHA-256 of the whole block."""


@pytest.mark.parametrize("network", BEACONS)
def test_first_blocks_of_the_beacon(network):
    name, root, exclusive, size, digest = BEACONS[network]
    block = beacon_genesis(network)
    assert hash_to_text(block.hash) == name
    assert hash_to_text(block.header.merkle_root) == root
    assert hash_to_text(block.header.exclusive_hash) == exclusive
    assert hash_to_text(block.header.pow_hash) == POW
    assert (block.size, sha256(block.encode()).hexdigest()) == (size, digest)
    block.check()


@pytest.mark.parametrize(("network", "shard"), SHARDS)
def test_first_blocks_of_shards(network, shard):
    name, size, digest = SHARDS[network, shard]
    beacon = beacon_genesis(network)
    block = shard_genesis(network, shard, beacon)
    assert hash_to_text(block.hash) == name
    assert (block.size, sha256(block.encode()).hexdigest()) == (size, digest)
    assert block.header.beacon_coinbase.branch == ()
    assert branch_root(beacon.txids()[0], ()) == beacon.header.merkle_root
    block.check()


def test_whole_blocks_of_the_reference():
    assert beacon_genesis("fastnet").encode() == GEN_FAST
    assert shard_genesis("fastnet", 1, beacon_genesis("fastnet")).encode() == GEN_FAST_S1


@pytest.mark.parametrize(
    ("shard", "txid"),
    [
        (1, "52e108de6b2d19fbb328a076a0d9c5cb5b141ca3e793aa27ef36fd204a4271f3"),
        (2, "7d6d58ace3ba49c3ba949660320c28b247c9c82b79d068b81504678f78966e49"),
    ],
)
def test_the_coinbase_of_a_shard_names_it(shard, txid):
    assert hash_to_text(shard_coinbase(shard).txid) == txid


def test_a_shard_springs_from_the_beacon_alone():
    shard = shard_genesis("simnet", 1, beacon_genesis("simnet"))
    with pytest.raises(InvalidValue, match="expansion block"):
        shard_genesis("simnet", 2, shard)
