"""What jaxnetd's peers do and other peers do not, over real sockets on loopback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from bitpeer import (
    LocalNode,
    PeerConfig,
    PeerFactory,
    PeerListener,
    connect,
    jaxnet,
    on,
)
from bitpeer.config import BlockPosition
from bitpeer.errors import Disconnected, DisconnectReason, NotNegotiated, Redirected
from tests.twistd import bitpeer, port_of

pytestmark = pytest.mark.timeout(60)

HERE = "127.0.0.1"
GENESIS = jaxnet.beacon_genesis("simnet")
ROOT = jaxnet.MountainRange().appended(GENESIS.hash, jaxnet.weight_of(GENESIS.header.bits)).root


class Ears(PeerListener):
    """Remembers the blocks that peers send, and what came with them."""

    def __init__(self) -> None:
        self.blocks: list[tuple[jaxnet.Block, bytes, bytes]] = []

    @on(jaxnet.Block, jaxnet.BlockBox)
    def block_received(self, peer: Any, block: jaxnet.Block) -> None:
        self.blocks.append((block, block.mmr_root, peer.payload))


class Shelf(PeerListener):
    """Serves the first block as jaxnetd does: boxed, with witnesses for who asks for them."""

    @on(jaxnet.GetData)
    def wanted(self, peer: Any, request: jaxnet.GetData) -> None:
        box = jaxnet.BlockBox.of(GENESIS, ROOT)
        for item in request.items:
            witness = item.kind == jaxnet.InvType.WITNESS_BLOCK
            peer.send(box if witness else box.without_witness())


Serve = Callable[..., int]


@pytest.fixture
def ports() -> dict[int, int]:
    """Where each chain of this process is served."""
    return {}


@pytest.fixture
def serve(ports: dict[int, int]) -> Iterator[Serve]:
    """Serve one chain on a port of its own; returns the port."""
    doors: list[Any] = []

    def serve(chain_id: int, *listeners: object) -> int:
        chain = jaxnet.chain(jaxnet.SIMNET, chain_id, ports=ports.get, address=HERE)
        node = LocalNode(PeerConfig(network=chain), listeners, clock=reactor)
        door = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface=HERE)
        doors.append((door, node))
        port: int = door.getHost().port
        ports[chain_id] = port
        return port

    yield serve
    for door, node in doors:
        pytest_twisted.blockon(door.stopListening())
        pytest_twisted.blockon(node.disconnect_all())


def dial(port: int, chain_id: int, *listeners: object, **settings: Any) -> Any:
    chain = jaxnet.chain(jaxnet.SIMNET, chain_id)
    config = PeerConfig(network=chain, **settings)
    return connect(reactor, f"{HERE}:{port}", config, listeners)


def reactor_waits_for(happened: Callable[[], object]) -> Any:
    """Return a Deferred that fires once *happened* is true."""

    def look() -> None:
        if happened():
            looks.stop()

    looks = LoopingCall(look)
    return looks.start(0.01)


async def goodbye(peer: Any) -> None:
    peer.disconnect()
    await peer.when_lost()


class Farewells(PeerListener):
    """Keeps the peers that were lost, for what can still be asked of them."""

    def __init__(self) -> None:
        self.lost: list[Any] = []

    def peer_lost(self, peer: Any, reason: Disconnected) -> None:
        self.lost.append(peer)


@pytest_twisted.ensureDeferred
async def test_chains_ports_provider_redirects_from_the_beacons_port_to_the_shards(
    serve, ports
) -> None:
    beacon_port, shard_port = serve(0), serve(1)
    assert ports == {0: beacon_port, 1: shard_port}
    ears = Farewells()
    with pytest.raises(Disconnected) as caught:
        await dial(beacon_port, 1, ears)
    assert caught.value.reason is DisconnectReason.REDIRECTED
    assert isinstance(caught.value.cause, Redirected)
    [redirected] = ears.lost
    assert redirected.redirect_requested
    assert redirected.new_address == jaxnet.NetAddress.of(HERE, shard_port)

    peer = await dial(redirected.new_address.port, 1)
    assert peer.established
    assert peer.version.shard == 1
    assert not peer.redirect_requested
    await goodbye(peer)


@pytest_twisted.ensureDeferred
async def test_a_shards_port_redirects_to_the_beacons_as_well(serve) -> None:
    beacon_port, shard_port = serve(0), serve(2)
    with pytest.raises(Disconnected) as caught:
        await dial(shard_port, 0)
    assert caught.value.cause.port == beacon_port


@pytest_twisted.ensureDeferred
async def test_public_node_ip_address_is_what_peers_are_told(ports) -> None:
    ports[5] = 18446
    chain = jaxnet.chain(jaxnet.SIMNET, ports=ports.get, address="2001:db8::7")
    node = LocalNode(PeerConfig(network=chain), clock=reactor)
    door = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface=HERE)
    ears = Farewells()
    with pytest.raises(Disconnected):
        await dial(door.getHost().port, 5, ears)
    assert ears.lost[0].new_address == jaxnet.NetAddress.of("2001:db8::7", 18446)
    await door.stopListening()
    await node.disconnect_all()


@pytest_twisted.ensureDeferred
async def test_a_shard_that_nobody_serves_is_refused(serve) -> None:
    ears = Farewells()
    with pytest.raises(Disconnected) as caught:
        await dial(serve(0), 7, ears)
    assert caught.value.reason is DisconnectReason.REFUSED
    assert "the peer refused: " in str(caught.value)
    assert ears.lost[0].new_address is None


@pytest_twisted.ensureDeferred
async def test_associated_shard_id_is_in_the_version_of_either_side(serve) -> None:
    heard: list[int] = []

    class Host(PeerListener):
        def peer_established(self, peer: Any, version: jaxnet.Version) -> None:
            heard.append(version.shard)

    port = serve(3, Host())
    peer = await dial(port, 3)
    await goodbye(peer)
    assert (peer.version.shard, peer.version.is_beacon) == (3, False)
    assert heard == [3]


@pytest_twisted.ensureDeferred
async def test_the_weight_of_the_chain_is_told(serve) -> None:
    seen: list[tuple[int, int]] = []

    class Host(PeerListener):
        def peer_established(self, peer: Any, version: jaxnet.Version) -> None:
            seen.append((version.height, version.chain_weight))

    tall = BlockPosition(bytes(32), 7, work=9_000)
    await goodbye(await dial(serve(0, Host()), 0, newest_block=lambda: tall))
    assert seen == [(7, 9_000)]


@pytest_twisted.ensureDeferred
async def test_on_block_gets_the_root_of_the_chain_and_the_raw_bytes(serve) -> None:
    ears = Ears()
    peer = await dial(serve(0, Shelf()), 0, ears)
    items = (jaxnet.InvVect(jaxnet.InvType.WITNESS_BLOCK, GENESIS.hash),)
    peer.send(jaxnet.GetData(items))
    await reactor_waits_for(lambda: ears.blocks)
    [(block, root, raw)] = ears.blocks
    assert type(block) is jaxnet.BlockBox
    assert (block.hash, root) == (jaxnet.SIMNET.genesis, ROOT)
    assert raw == GENESIS.encode() + ROOT
    await goodbye(peer)


@pytest_twisted.ensureDeferred
async def test_get_headers_is_kept_from_jaxnetd_unless_allowed(serve) -> None:
    peer = await dial(serve(0), 0)
    with pytest.raises(NotNegotiated):
        peer.send(jaxnet.GetHeaders(0, (), GENESIS.hash))
    await goodbye(peer)


@pytest.mark.parametrize(("offered", "enabled"), [(0, False), (8, True)])
@pytest_twisted.ensureDeferred
async def test_is_witness_enabled_is_a_service_of_the_peers(
    serve, offered: int, enabled: bool
) -> None:
    seen: list[bool] = []

    class Host(PeerListener):
        def peer_established(self, peer: Any, version: jaxnet.Version) -> None:
            seen.append(bool(peer.services & jaxnet.Services.WITNESS))

    await goodbye(await dial(serve(0, Host()), 0, services=offered))
    assert seen == [enabled]


def test_one_program_serves_two_chains_and_another_follows_from_one_to_the_other() -> None:
    network = ("--network", "jaxnet-simnet")
    places = ("--listen", f"{HERE}:0", "--serve", f"1={HERE}:0", "--address", HERE)
    with bitpeer(*network, *places) as host:
        beacon, shard = port_of(host), port_of(host)
        dials = ("--chain", "1", "--connect", f"{HERE}:{beacon}", "--follow-redirects")
        with bitpeer(*network, *dials) as guest:
            assert f":{shard}" in guest.wait_for("another address")
            guest.wait_for("established: /bitpeer:")
            host.wait_for("established: /bitpeer:")
            assert guest.terminate() == 0
        assert host.terminate() == 0
