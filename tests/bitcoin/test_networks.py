"""Magic, ports and genesis hashes of Bitcoin's networks."""

from hashlib import sha256

import pytest

from bitpeer.bitcoin.networks import (
    DEFAULT_SIGNET_CHALLENGE,
    MAINNET,
    NETWORKS,
    SIGNET,
    signet,
    signet_magic,
)
from bitpeer.dialect import DnsSeed
from bitpeer.errors import InvalidSetting
from bitpeer.messages.control import VerAck
from bitpeer.wire.framing import Envelope

# Headers of the genesis blocks, put together from the tails in the fact sheet (1.2).
ROOT = bytes.fromhex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a")
ROOT_TESTNET4 = bytes.fromhex("4e7b2b9128fe0291db0693af2ae418b767e657cd407e80cb1434221eaea7a07a")
TAILS = {
    "mainnet": "29ab5f49ffff001d1dac2b7c",
    "testnet3": "dae5494dffff001d1aa4ae18",
    "testnet4": "046f3566ffff001dbb0c7817",
    "signet": "008f4d5fae77031e8ad22203",
    "regtest": "dae5494dffff7f2002000000",
    "simnet": "45068653ffff7f2002000000",
}


@pytest.mark.parametrize("name", TAILS)
def test_genesis_hashes_follow_from_their_headers(name: str) -> None:
    root = ROOT_TESTNET4 if name == "testnet4" else ROOT
    header = b"\x01\0\0\0" + bytes(32) + root + bytes.fromhex(TAILS[name])
    assert NETWORKS[name].genesis == sha256(sha256(header).digest()).digest()


@pytest.mark.parametrize(
    ("name", "magic", "port"),
    [
        ("mainnet", "f9beb4d9", 8333),
        ("testnet3", "0b110907", 18333),
        ("testnet4", "1c163f28", 48333),
        ("signet", "0a03cf40", 38333),
        ("regtest", "fabfb5da", 18444),
        ("simnet", "161c1412", 18555),
    ],
)
def test_magic_and_port(name: str, magic: str, port: int) -> None:
    assert NETWORKS[name].magic.hex() == magic
    assert NETWORKS[name].port == port
    assert NETWORKS[name].title == f"bitcoin-{name}"


def test_a_mainnet_verack_is_framed_as_everywhere() -> None:
    dialect = MAINNET.dialect
    envelope = Envelope(MAINNET.magic, dialect.checksum, dialect.registry, 4_000_000)
    [frame] = envelope.wrap(VerAck())
    assert frame.hex() == "f9beb4d976657261636b000000000000000000005df6e0e2"


def test_the_magic_of_a_signet_follows_from_its_challenge() -> None:
    # The example of BIP 325.
    challenge = bytes.fromhex(
        "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43051ae"
    )
    assert signet_magic(challenge).hex() == "7ec653a5"
    assert signet_magic(DEFAULT_SIGNET_CHALLENGE) == SIGNET.magic


def test_a_challenge_may_be_longer_than_one_byte_can_count() -> None:
    assert (
        signet_magic(bytes(300))
        == sha256(sha256(b"\xfd\x2c\x01" + bytes(300)).digest()).digest()[:4]
    )


def test_a_signet_of_ones_own_shares_everything_but_magic_and_seeds() -> None:
    own = signet(b"\x51", name="trial", seeds=(DnsSeed("seed.invalid"),))
    assert (own.port, own.genesis, own.dialect) == (SIGNET.port, SIGNET.genesis, SIGNET.dialect)
    assert own.magic != SIGNET.magic
    assert own.name == "trial"
    assert own.seeds == (DnsSeed("seed.invalid"),)


def test_the_challenge_of_a_signet_is_bytes() -> None:
    with pytest.raises(InvalidSetting, match="challenge is '51', expected the bytes of a script"):
        signet("51")  # type: ignore[arg-type]


def test_networks_for_everybody_have_seeds_and_private_ones_have_none() -> None:
    assert all(NETWORKS[name].seeds for name in ("mainnet", "testnet3", "testnet4", "signet"))
    assert not NETWORKS["regtest"].seeds
    assert not NETWORKS["simnet"].seeds
