"""The networks that speak Decred, and the blocks that they begin with."""

from __future__ import annotations

from functools import partial

from bitpeer.decred.block import Block
from bitpeer.decred.consensus import Age, Consensus
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

_private = partial(
    Consensus,
    easiest=(1 << 255) - 1,
    spacing=1,
    window=8,
    windows=4,
    start_bits=0x207F_FFFF,
    half_life=6,
    voting_from=144,
    voting_interval=320,
)

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
    rules=Consensus(
        first=GENESIS_BLOCKS["mainnet"].header,
        easiest=(1 << 224) - 1,
        spacing=300,
        start_bits=0x1B00_A5A6,
        half_life=43_200,
        voting_from=4_096,
        voting_interval=8_064,
        voting_version=10,
        minimum_work=0x24_3868_232C_14B8_2246_43B6,  # as dcrd knows it
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
    rules=Consensus(
        first=GENESIS_BLOCKS["testnet3"].header,
        easiest=(1 << 232) - 1,
        spacing=120,
        start_bits=0x1E00_FFFF,
        half_life=720,
        voting_from=768,
        voting_interval=5_040,
        capped_from=962_928,
        minimum_work=0xF377_240E_1461_95DF,  # as dcrd knows it
    ),
)
SIMNET = Network(
    name="simnet",
    dialect=DIALECT,
    magic=bytes.fromhex("161c1412"),
    port=18555,
    genesis=hash_from_text("6bef82c645999585f7255cb02672921ac2f5492820090cd635fe3a59d16b4f87"),
    rules=_private(first=GENESIS_BLOCKS["simnet"].header, age=Age.ALWAYS),
)
REGNET = Network(
    name="regnet",
    dialect=DIALECT,
    magic=bytes.fromhex("fa00b5da"),
    port=18655,
    genesis=hash_from_text("2ced94b4ae95bba344cfa043268732d230649c640f92dce2d9518823d3057cb0"),
    rules=_private(first=GENESIS_BLOCKS["regnet"].header, age=Age.UNSEEN),
)

NETWORKS = {network.name: network for network in (MAINNET, TESTNET3, SIMNET, REGNET)}
"""Every network, by its name."""
