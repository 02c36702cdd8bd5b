"""The nodes that these tests talk to."""

import os
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from bitpeer import IPeer, LocalNode, PeerConfig, PeerFactory, connect
from bitpeer.bitcoin import REGTEST, Services
from tests.interop.bcoin_node import PATIENCE, BcoinNode, within
from tests.interop.bcoin_package import NotInstallable, install
from tests.interop.our_side import Ears
from tests.interop.tor_network import NoTor, TorClient, TorNetwork

INSTALLED = pytest.StashKey[Path | NotInstallable]()
TOR = pytest.StashKey[TorNetwork]()
NODES = pytest.StashKey[list[BcoinNode]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker("interop")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install the node before the first test, where no test's time limit runs."""
    config = session.config
    config.stash[NODES] = []
    wanted = any(item.get_closest_marker("interop") for item in session.items)
    if not wanted or config.option.collectonly:
        return
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    try:
        config.stash[INSTALLED] = install(terminal.write_line if terminal else print)
    except NotInstallable as reason:
        config.stash[INSTALLED] = reason


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, pytest.TestReport]:
    """Show what the nodes logged during a test that failed, as in CI one does that is skipped."""
    report: pytest.TestReport = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped, which is no way to pass: {call.excinfo}",
        )
    for node in item.config.stash[NODES]:
        log = node.read_log()
        if report.failed:
            report.sections.append((f"log of bcoin on port {node.port}", log))
    network = item.config.stash.get(TOR, None)
    if network is not None and report.failed:
        report.sections.append(("logs of the Tor network", network.read_log()))
    return report


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> Path:
    """Where bcoin is installed."""
    installed = request.config.stash[INSTALLED]
    if isinstance(installed, NotInstallable):
        pytest.skip(f"no real node to talk to: {installed}")
    return installed


@pytest.fixture(scope="session")
def bcoin(request: pytest.FixtureRequest, node_modules: Path) -> Iterator[BcoinNode]:
    """A node shared by all tests, whose chain obeys segwit and has coins to spend."""
    node = BcoinNode(node_modules)
    request.config.stash[NODES].append(node)
    pytest_twisted.blockon(within(PATIENCE, node.start()))
    pytest_twisted.blockon(within(PATIENCE, node.fund()))
    yield node
    pytest_twisted.blockon(within(PATIENCE, node.stop()))


@pytest.fixture
def start_bcoin(
    request: pytest.FixtureRequest, node_modules: Path
) -> Iterator[Callable[[], Awaitable[BcoinNode]]]:
    """Start a node of the test's own, with nothing but the genesis block."""
    nodes = request.config.stash[NODES]
    shared = list(nodes)

    async def start() -> BcoinNode:
        node = BcoinNode(node_modules)
        nodes.append(node)
        await within(PATIENCE, node.start())
        return node

    yield start
    for node in nodes[len(shared) :]:
        pytest_twisted.blockon(within(PATIENCE, node.stop()))
    nodes[:] = shared


def configured(**settings: Any) -> PeerConfig:
    """Settings for regtest, with announcements that do not dawdle."""
    settings.setdefault("services", Services.NETWORK | Services.WITNESS)
    return PeerConfig(network=REGTEST, trickle_interval=0.05, **settings)


@pytest.fixture
def dial() -> Iterator[Callable[..., Awaitable[tuple[IPeer, Ears]]]]:
    """Dial a node; returns the established peer, and the ears that hear it."""
    peers: list[IPeer] = []

    async def dial(node: BcoinNode, **settings: Any) -> tuple[IPeer, Ears]:
        ears = Ears()
        config = configured(**settings)
        dialled = connect(reactor, f"127.0.0.1:{node.port}", config, [ears])
        peers.append(await within(PATIENCE, dialled))
        return peers[-1], ears

    yield dial
    for peer in peers:
        peer.disconnect()
        pytest_twisted.blockon(within(PATIENCE, peer.when_lost()))


@pytest.fixture
def listen() -> Iterator[Callable[..., tuple[int, Ears]]]:
    """Wait to be dialled; returns the port, and the ears that hear whoever dials."""
    open_: list[tuple[Any, LocalNode]] = []

    def listen(*listeners: object, **settings: Any) -> tuple[int, Ears]:
        ears = Ears()
        node = LocalNode(configured(**settings), [ears, *listeners], clock=reactor)
        factory = PeerFactory(node, outbound=False)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        open_.append((port, node))
        return port.getHost().port, ears

    yield listen
    for port, node in open_:
        pytest_twisted.blockon(port.stopListening())
        pytest_twisted.blockon(within(PATIENCE, node.disconnect_all()))


@pytest.fixture(scope="session")
def tor_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TorNetwork]:
    """A Tor network of our own, shared by all tests."""
    try:
        network = TorNetwork(tmp_path_factory.mktemp("tor"))
    except NoTor as reason:
        pytest.skip(f"no Tor: {reason}")
    request.config.stash[TOR] = network
    try:
        network.start()
        yield network
    finally:
        network.stop()


@pytest.fixture(scope="session")
def tor_client(tor_network: TorNetwork) -> TorClient:
    """A tor in that network, shared by all tests."""
    return tor_network.start_client("client")


@pytest.fixture(scope="session")
def other_tor_client(tor_network: TorNetwork) -> TorClient:
    """Another one."""
    return tor_network.start_client("other")


@pytest.fixture
def mortal_tor_client(tor_network: TorNetwork, tmp_path: Path) -> Iterator[TorClient]:
    """A tor of the test's own, which may be killed."""
    client = tor_network.start_client(tmp_path.name)
    yield client
    client.end()
