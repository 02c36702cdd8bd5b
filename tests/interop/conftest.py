"""The nodes that these tests talk to."""

from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.interop.bcoin_node import BcoinNode, within
from tests.interop.bcoin_package import NotInstallable, install

START = 30
"""Seconds that a node may take to start or to stop."""

INSTALLED = pytest.StashKey[Path | NotInstallable]()
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
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Show what the nodes logged during a test that failed."""
    report: pytest.TestReport = yield
    for node in item.config.stash[NODES]:
        log = node.read_log()
        if report.failed:
            report.sections.append((f"log of bcoin on port {node.port}", log))
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
    pytest_twisted.blockon(within(START, node.start()))
    pytest_twisted.blockon(within(START, node.fund()))
    yield node
    pytest_twisted.blockon(within(START, node.stop()))


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
        await within(START, node.start())
        return node

    yield start
    for node in nodes[len(shared) :]:
        pytest_twisted.blockon(within(START, node.stop()))
    nodes[:] = shared
