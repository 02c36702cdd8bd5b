"""Magic, ports and genesis hashes of Jax.Network's networks."""

import pytest

from bitpeer.dialect import Greeting
from bitpeer.errors import InvalidSetting
from bitpeer.jaxnet.genesis import beacon_genesis, shard_genesis
from bitpeer.jaxnet.language import DIALECT
from bitpeer.jaxnet.networks import MAINNET, NETWORKS, SIMNET, chain
from bitpeer.messages.control import VerAck
from bitpeer.messages.locator import GetHeaders
from bitpeer.wire.framing import Envelope, Framing
from tests.jaxnet.vectors import ACK, GADDR, PING, PORT1, VER2, VER3


@pytest.mark.parametrize(
    ("name", "magic", "port"),
    [
        ("mainnet", "6478616a", 8444),
        ("testnet", "6d646e76", 18444),
        ("fastnet", "12121212", 19333),
        ("simnet", "161c1412", 18555),
    ],
)
def test_magic_and_port(name, magic, port):
    network = NETWORKS[name]
    assert (network.magic.hex(), network.port) == (magic, port)
    assert network.title == f"jaxnet-{name}"
    assert network.dialect is DIALECT


@pytest.mark.parametrize("name", NETWORKS)
def test_genesis_hashes_are_those_of_the_first_blocks(name):
    assert NETWORKS[name].genesis == beacon_genesis(name).hash


@pytest.mark.parametrize(
    ("name", "frame", "command"),
    [
        ("mainnet", VER2, "version"),
        ("testnet", VER3, "version"),
        ("mainnet", ACK, "verack"),
        ("mainnet", PING, "ping"),
        ("fastnet", GADDR, "getaddr"),
        ("testnet", PORT1, "portredirect"),
    ],
)
def test_whole_messages_of_the_reference(name, frame, command):
    network = NETWORKS[name]
    envelope = Envelope(network.magic, network.dialect.checksum, network.dialect.registry, 10_000)
    [(entry, payload, _)] = Framing(envelope, 10_000).feed(frame)
    assert entry.command == command
    assert b"".join(envelope.wrap(entry.decode(payload))) == frame


def test_networks_for_everybody_have_seeds_and_private_ones_have_none():
    assert [seed.host for seed in MAINNET.seeds] == [
        "dns-seed.mainnet.jaxdevz.space",
        "dns-seed.mainnet.jax.net",
    ]
    assert not any(seed.filters for network in NETWORKS.values() for seed in network.seeds)
    assert [name for name in NETWORKS if NETWORKS[name].seeds] == ["mainnet", "testnet"]


def test_a_shard_shares_everything_with_the_beacon_but_its_name_and_its_first_block():
    shard = chain(SIMNET, 3)
    assert (shard.magic, shard.port, shard.seeds) == (SIMNET.magic, SIMNET.port, SIMNET.seeds)
    assert shard.title == "jaxnet-simnet-shard-3"
    assert shard.genesis == bytes(32)
    greeting = Greeting(version=1, time=0, nonce=1, user_agent=b"")
    assert shard.dialect.greet(greeting).shard == 3
    assert shard.dialect.registry is DIALECT.registry


def test_the_first_block_of_a_shard_follows_from_the_expansion_block():
    expansion = beacon_genesis("simnet")
    genesis = chain(SIMNET, 3, expansion=expansion).genesis
    assert genesis == shard_genesis("simnet", 3, expansion).hash


def test_the_beacon_may_know_where_its_shards_are():
    beacon = chain(SIMNET, ports={1: 5}.get, address="192.0.2.1", allow_get_headers=True)
    assert (beacon.title, beacon.genesis) == (SIMNET.title, SIMNET.genesis)
    assert beacon.dialect.speaks(GetHeaders, 1)
    assert not SIMNET.dialect.speaks(GetHeaders, 1)
    assert VerAck in beacon.dialect.registry
    with pytest.raises(InvalidSetting):
        chain(SIMNET, -1)
