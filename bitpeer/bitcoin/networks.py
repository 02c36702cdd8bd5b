"""The networks that speak Bitcoin."""

from __future__ import annotations

from bitpeer.bitcoin import consensus
from bitpeer.bitcoin.language import DIALECT
from bitpeer.dialect import DnsSeed, Network
from bitpeer.errors import InvalidSetting
from bitpeer.hashes import hash_from_text, sha256d
from bitpeer.wire.compactsize import write_compact_size

DEFAULT_SIGNET_CHALLENGE = bytes.fromhex(
    "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430"
    "210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"
)
SIGNET_GENESIS = hash_from_text("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6")

MAINNET = Network(
    name="mainnet",
    dialect=DIALECT,
    magic=bytes.fromhex("f9beb4d9"),
    port=8333,
    genesis=hash_from_text("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    seeds=(
        DnsSeed("dnsseed.bluematt.me", filters=True),
        DnsSeed("seed.bitcoin.jonasschnelli.ch", filters=True),
        DnsSeed("seed.btc.petertodd.net", filters=True),
        DnsSeed("seed.bitcoin.sprovoost.nl", filters=True),
        DnsSeed("dnsseed.emzy.de", filters=True),
        DnsSeed("seed.bitcoin.wiz.biz", filters=True),
        DnsSeed("seed.mainnet.achownodes.xyz", filters=True),
    ),
    rules=consensus.MAINNET,
)
TESTNET3 = Network(
    name="testnet3",
    dialect=DIALECT,
    magic=bytes.fromhex("0b110907"),
    port=18333,
    genesis=hash_from_text("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
    seeds=(
        DnsSeed("testnet-seed.bitcoin.jonasschnelli.ch", filters=True),
        DnsSeed("seed.tbtc.petertodd.net", filters=True),
        DnsSeed("testnet-seed.bluematt.me", filters=True),
        DnsSeed("seed.testnet.achownodes.xyz", filters=True),
    ),
    rules=consensus.TESTNET3,
)
TESTNET4 = Network(
    name="testnet4",
    dialect=DIALECT,
    magic=bytes.fromhex("1c163f28"),
    port=48333,
    genesis=hash_from_text("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
    seeds=(
        DnsSeed("seed.testnet4.bitcoin.sprovoost.nl", filters=True),
        DnsSeed("seed.testnet4.wiz.biz", filters=True),
    ),
    rules=consensus.TESTNET4,
)
REGTEST = Network(
    name="regtest",
    dialect=DIALECT,
    magic=bytes.fromhex("fabfb5da"),
    port=18444,
    genesis=hash_from_text("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    rules=consensus.REGTEST,
)
SIMNET = Network(
    name="simnet",
    dialect=DIALECT,
    magic=bytes.fromhex("161c1412"),
    port=18555,
    genesis=hash_from_text("683e86bd5c6d110d91b94b97137ba6bfe02dbbdb8e3dff722a669b5d69d77af6"),
    rules=consensus.SIMNET,
)
"""btcd's own; Bitcoin Core does not know it."""


def signet_magic(challenge: bytes) -> bytes:
    """Return the magic of the signet whose blocks satisfy the script *challenge* (BIP 325)."""
    return sha256d(write_compact_size(len(challenge)) + challenge)[:4]


def signet(challenge: bytes, *, name: str = "signet", seeds: tuple[DnsSeed, ...] = ()) -> Network:
    """Return a signet of one's own; all signets share port and genesis block (BIP 325).

    Raises:
        InvalidSetting: *challenge* is no script but perhaps one in hexadecimal.
    """
    if not isinstance(challenge, bytes):
        raise InvalidSetting("challenge", challenge, "the bytes of a script")
    is_default = challenge == DEFAULT_SIGNET_CHALLENGE
    return Network(
        name=name,
        dialect=DIALECT,
        magic=signet_magic(challenge),
        port=38333,
        genesis=SIGNET_GENESIS,
        seeds=seeds,
        rules=consensus.SIGNET if is_default else consensus.PRIVATE_SIGNET,
    )


SIGNET = signet(
    DEFAULT_SIGNET_CHALLENGE,
    seeds=(
        DnsSeed("seed.signet.bitcoin.sprovoost.nl", filters=True),
        DnsSeed("seed.signet.achownodes.xyz", filters=True),
    ),
)

NETWORKS = {
    network.name: network for network in (MAINNET, TESTNET3, TESTNET4, SIGNET, REGTEST, SIMNET)
}
"""Every network, by its name."""
