"""The networks that speak Decred, and the blocks that they begin with."""

from __future__ import annotations

from bitpeer.decred.block import Block
from bitpeer.decred.header import BlockHeader
from bitpeer.decred.language import DIALECT
from bitpeer.decred.transaction import Tx, TxIn, TxOut, TxWitness
from bitpeer.dialect import HttpsSeed, Network
from bitpeer.hashes import hash_from_text

_NOTHING = TxIn(bytes(32), 0xFFFF_FFFF)
_COINBASE = Tx(
    [_NOTHING],
    [TxOut(0, bytes.fromhex("801679e98561ada96caec2949a5d41c4cab3851eb740d951c10ecbcf265c1fd9"))],
    [TxWitness(b"\0\0")],
)
# That of Bitcoin's first block, headline and all.
_SIMNET_COINBASE = Tx(
    [_NOTHING],
    [
        TxOut(
            0,
            b"\x41\x04"
            + bytes.fromhex(
                "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
                "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
            )
            + b"\xac",
        )
    ],
    [
        TxWitness(
            b"\x04\xff\xff\0\x1d\x01\x04"
            b"EThe Times 03/Jan/2009 Chancellor on brink of second bailout for banks",
            0,
            0,
            0,
        )
    ],
)

GENESIS_BLOCKS = {
    "mainnet": Block(
        BlockHeader(
            version=1,
            merkle_root=_COINBASE.full_hash,
            bits=0x1B01FFFF,
            stake_bits=200_000_000,
            time=1_454_954_400,
        ),
        [_COINBASE],
    ),
    "testnet3": Block(
        BlockHeader(
            version=6,
            merkle_root=_COINBASE.txid,  # by a mistake that nobody can take back
            bits=0x1E00FFFF,
            stake_bits=20_000_000,
            time=1_533_513_600,
            nonce=0x18AEA41A,
            stake_version=6,
        ),
        [_COINBASE],
    ),
    "simnet": Block(
        BlockHeader(
            version=1,
            merkle_root=_SIMNET_COINBASE.full_hash,
            bits=0x207FFFFF,
            time=1_401_292_357,
        ),
        [_SIMNET_COINBASE],
    ),
    "regnet": Block(
        BlockHeader(
            version=1,
            merkle_root=_COINBASE.full_hash,
            bits=0x207FFFFF,
            time=1_538_524_800,
        ),
        [_COINBASE],
    ),
}
"""The first block of every network, by the network's name."""

MAINNET = Network(
    name="mainnet",
    dialect=DIALECT,
    magic=bytes.fromhex("f900b4d9"),
    port=9108,
    genesis=hash_from_text("298e5cc3d985bfe7f81dc135f360abe089edd4396b86d2de66b0cef42b21d980"),
    https_seeds=(
        HttpsSeed("mainnet-seed-1.decred.org"),
        HttpsSeed("mainnet-seed-2.decred.org"),
        HttpsSeed("mainnet-seed.jholdstock.uk"),
        HttpsSeed("dcr-seed.jz.bz"),
    ),
)
TESTNET3 = Network(
    name="testnet3",
    dialect=DIALECT,
    magic=bytes.fromhex("75aa94b1"),
    port=19108,
    genesis=hash_from_text("a649dce53918caf422e9c711c858837e08d626ecfcd198969b24f7b634a49bac"),
    https_seeds=(
        HttpsSeed("testnet-seed-1.decred.org"),
        HttpsSeed("testnet-seed-2.decred.org"),
        HttpsSeed("testnet-seed.jholdstock.uk"),
    ),
)
SIMNET = Network(
    name="simnet",
    dialect=DIALECT,
    magic=bytes.fromhex("161c1412"),
    port=18555,
    genesis=hash_from_text("6bef82c645999585f7255cb02672921ac2f5492820090cd635fe3a59d16b4f87"),
)
REGNET = Network(
    name="regnet",
    dialect=DIALECT,
    magic=bytes.fromhex("fa00b5da"),
    port=18655,
    genesis=hash_from_text("2ced94b4ae95bba344cfa043268732d230649c640f92dce2d9518823d3057cb0"),
)

NETWORKS = {network.name: network for network in (MAINNET, TESTNET3, SIMNET, REGNET)}
"""Every network, by its name."""
