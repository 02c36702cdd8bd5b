import pytest

from bitpeer.decred.block import Block
from bitpeer.decred.networks import GENESIS_BLOCKS, MAINNET, NETWORKS, REGNET, SIMNET, TESTNET3
from bitpeer.dialect import HttpsSeed
from bitpeer.hashes import hash_to_text
from bitpeer.messages.control import Ping, VerAck
from bitpeer.wire.framing import Envelope, Framing
from tests.decred import vectors

# dcrd chaincfg/*params.go
KNOWN = {
    "mainnet": (
        0xD9B400F9,
        9108,
        "298e5cc3d985bfe7f81dc135f360abe089edd4396b86d2de66b0cef42b21d980",
        "66aa7491b9adce110585ccab7e3fb5fe280de174530cca10eba2c6c3df01c10d",
    ),
    "testnet3": (
        0xB194AA75,
        19108,
        "a649dce53918caf422e9c711c858837e08d626ecfcd198969b24f7b634a49bac",
        "e7dfbceac9fccd6025c70a1dfa9302b3e7b5aa22fa51c98a69164ad403d60a2c",
    ),
    "simnet": (
        0x12141C16,
        18555,
        "6bef82c645999585f7255cb02672921ac2f5492820090cd635fe3a59d16b4f87",
        "5c9488e2f3425de9951ee31f4ad5803c4487a8f4a2719d60c3bf2b58c5295692",
    ),
    "regnet": (
        0xDAB500FA,
        18655,
        "2ced94b4ae95bba344cfa043268732d230649c640f92dce2d9518823d3057cb0",
        "66aa7491b9adce110585ccab7e3fb5fe280de174530cca10eba2c6c3df01c10d",
    ),
}
each_network = pytest.mark.parametrize("name", KNOWN)


def envelope(network):
    dialect = network.dialect
    return Envelope(network.magic, dialect.checksum, dialect.registry, dialect.max_payload)


@each_network
def test_magic_port_and_genesis_are_those_of_the_reference(name):
    magic, port, genesis, _ = KNOWN[name]
    network = NETWORKS[name]
    assert (network.name, network.title) == (name, f"decred-{name}")
    assert network.magic == magic.to_bytes(4, "little")
    assert network.port == port
    assert hash_to_text(network.genesis) == genesis


@each_network
def test_genesis_blocks_are_computed_from_their_fields(name):
    block = GENESIS_BLOCKS[name]
    assert block.encode() == vectors.GENESIS[name]
    assert block.hash == NETWORKS[name].genesis
    assert hash_to_text(block.header.merkle_root) == KNOWN[name][3]
    assert Block.decode(vectors.GENESIS[name]).transactions == block.transactions
    if name != "testnet3":  # whose root is an id, by mistake
        block.check(commitments=False)


def test_the_coinbase_of_three_networks_has_its_hashes():
    (tx,) = GENESIS_BLOCKS["mainnet"].transactions
    assert hash_to_text(tx.txid) == KNOWN["testnet3"][3]
    assert hash_to_text(tx.witness_hash) == (
        "eb4e87f1eff50969e11dbd16216221ad4b5a27ccd050399fda8a147bb8066a6c"
    )
    assert hash_to_text(tx.full_hash) == KNOWN["mainnet"][3]
    assert tx.is_coinbase


def test_seeds_are_asked_by_https_where_there_is_somebody_to_find():
    assert MAINNET.https_seeds[0] == HttpsSeed("mainnet-seed-1.decred.org")
    assert [len(each.https_seeds) for each in (MAINNET, TESTNET3, SIMNET, REGNET)] == [4, 3, 0, 0]
    assert not any(network.seeds for network in NETWORKS.values())


def test_frames_have_their_bytes():
    # The checksum of nothing is 71 6f 6e 86; of a ping with nonce 123123 see the fact sheet.
    net = envelope(MAINNET)
    assert b"".join(net.wrap(VerAck())).hex() == (
        "f900b4d9" + "76657261636b" + "00" * 6 + "00000000" + "716f6e86"
    )
    assert b"".join(net.wrap(Ping(123123))).hex() == (
        "f900b4d970696e670000000000000000080000002ed528dbf3e0010000000000"
    )


def test_the_header_of_a_version_has_its_bytes():
    # From the fact sheet: derived from wire/message_test.go.
    net = envelope(TESTNET3)
    head = bytes.fromhex("75aa94b176657273696f6e000000000066000000134ec790")
    ((entry, payload, checksum),) = Framing(net, 1000).feed(head + vectors.VERSION)
    assert (entry.command, payload, checksum.hex()) == ("version", vectors.VERSION, "134ec790")
    assert entry.decode(payload).height == 234234


@pytest.mark.parametrize(
    ("payload", "checksum"),
    [(b"", "716f6e86"), (b"\x02", "49af37ab"), (vectors.BLOCK + b"\x01", "b824ecb5")],
)
def test_one_blake256_protects_every_payload(payload, checksum):
    # dcrd wire/message_test.go
    assert MAINNET.dialect.checksum(payload)[:4].hex() == checksum
