"""The networks of Jax.Network, and the chains of each."""

from __future__ import annotations

from dataclasses import replace

from bitpeer.dialect import DnsSeed, Network
from bitpeer.hashes import hash_from_text
from bitpeer.jaxnet.block import Block
from bitpeer.jaxnet.consensus import Consensus
from bitpeer.jaxnet.constants import BEACON
from bitpeer.jaxnet.genesis import beacon_genesis, shard_genesis
from bitpeer.jaxnet.header import ShardHeader
from bitpeer.jaxnet.language import DIALECT, Ports, dialect

MAINNET = Network(
    name="mainnet",
    dialect=DIALECT,
    magic=bytes.fromhex("6478616a"),
    # Some sample settings of jaxnetd's have 8333 here, and 8444 for something else.
    port=8444,
    genesis=hash_from_text("9e83bbdf3c546416eb8aa47f618b4f947221ce3c9e10be2881bd7ec126611142"),
    seeds=(DnsSeed("dns-seed.mainnet.jaxdevz.space"), DnsSeed("dns-seed.mainnet.jax.net")),
    rules=Consensus(first=beacon_genesis("mainnet").header, easiest=(1 << 204) - 1, slots=1_024),
)
TESTNET = Network(
    name="testnet",
    dialect=DIALECT,
    magic=bytes.fromhex("6d646e76"),
    port=18444,
    genesis=hash_from_text("e2807205bf2f7ae8e1c97c4d99e95e7ba4ae2d74b03f5f4e17d1f177659adf54"),
    seeds=(DnsSeed("dns-seed.testnet.jaxdevz.space"), DnsSeed("dns-seed.testnet.jax.net")),
    rules=Consensus(first=beacon_genesis("testnet").header, easiest=(1 << 241) - 1, slots=16),
)
FASTNET = Network(
    name="fastnet",
    dialect=DIALECT,
    magic=bytes.fromhex("12121212"),
    port=19333,
    genesis=hash_from_text("af46c8be3dde59114bbb1861f8f5696a4d62b2b8717e21d566fc687c3265e5a8"),
    rules=Consensus(
        first=beacon_genesis("fastnet").header,
        easiest=(1 << 255) - 1,
        period=5_760,
        timespan=86_400,
        orderly=False,
    ),
)
SIMNET = Network(
    name="simnet",
    dialect=DIALECT,
    magic=bytes.fromhex("161c1412"),
    port=18555,
    genesis=hash_from_text("4285f3ffa59e3b30ba54f1e2672f342d28c8fc9365cfc9c051c76d12dbfc68ff"),
    rules=Consensus(first=beacon_genesis("simnet").header, easiest=(1 << 255) - 1, lenient=True),
)

_SHARD_EASIEST = {"mainnet": (1 << 208) - 1, "testnet": (1 << 245) - 1}

NETWORKS = {network.name: network for network in (MAINNET, TESTNET, FASTNET, SIMNET)}
"""The beacon chain of every network, by the network's name."""


def chain(
    network: Network,
    chain_id: int = BEACON,
    *,
    expansion: Block | None = None,
    ports: Ports | None = None,
    address: str | None = None,
    allow_get_headers: bool = False,
) -> Network:
    """Return one chain of *network*, which is one of `NETWORKS`.

    All chains have magic and seeds in common.  The port of a shard is its node's own choice:
    dial the beacon's, and be redirected.

    Args:
        chain_id: 0 for the beacon, or the id of a shard.
        expansion: for a shard, the beacon block that brought it into being; without it the
            hash of the shard's first block is not known.
        ports: see `dialect`.
        address: see `dialect`.
        allow_get_headers: see `dialect`.

    Raises:
        InvalidSetting: see `dialect`.
        DecodeError: *expansion* is no such block.
    """
    speech = dialect(chain_id, ports=ports, address=address, allow_get_headers=allow_get_headers)
    if chain_id == BEACON:
        return replace(network, dialect=speech)
    genesis, rules = bytes(32), None
    if expansion is not None:
        first = shard_genesis(network.name, chain_id, expansion).header
        assert isinstance(first, ShardHeader)
        assert isinstance(network.rules, Consensus)
        easiest = _SHARD_EASIEST.get(network.name, network.rules.easiest)
        genesis, rules = first.hash, network.rules.of_shard(chain_id, first, easiest)
    return replace(
        network,
        name=f"{network.name}-shard-{chain_id}",
        dialect=speech,
        genesis=genesis,
        rules=rules,
    )
