"""What `docs/testing.md` shows works, and what it says goes wrong goes wrong."""

import re
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue

from bitpeer import LocalNode, PeerConfig, PeerFactory, testing
from bitpeer.bitcoin import NETWORKS
from bitpeer.testing import Missing, ScriptedPeer, Simulation
from tests.twistd import environment

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NAMES: dict = {}
for program in PROGRAMS:
    exec(program, NAMES)
TEST = NAMES["test_a_block_is_fetched_even_if_who_announced_it_goes_away"]


def test_the_example_finds_the_hole():
    with pytest.raises(Missing) as raised, Simulation(seed=2797330190) as simulation:
        TEST(simulation)
    said, _, transcript = str(raised.value).partition("\n")
    [shown] = re.findall(r"```text\n(Missing: .*?)```", PAGE, re.DOTALL)
    assert shown.startswith(f"Missing: {said}\n")
    assert f"{raised.value.__notes__[0]}\n" in shown
    lines = [line.split("...")[0].strip() for line in shown.splitlines()[1:-1]]
    at = 0
    for line in lines:
        at = transcript.index(line, at)


def test_the_cure_cures_it(monkeypatch):
    monkeypatch.setitem(NAMES, "Collector", NAMES["BetterCollector"])
    with Simulation() as simulation:
        TEST(simulation)


def test_a_block_made_as_shown_is_one():
    one = NAMES["block_on"](bytes(32), 1)
    two = NAMES["block_on"](one.hash, 2, *one.transactions)
    for block in (one, two):
        block.check()
        assert int.from_bytes(block.hash, "little") < 0x7FFFFF << 232
    assert two.header.previous_hash == one.hash
    assert len(two.transactions) == 2


@pytest.mark.timeout(60)
@pytest_twisted.ensureDeferred
async def test_pytest_runs_what_wants_the_reactor(tmp_path):
    [program] = [each for each in PROGRAMS if "TestCase" in each]
    node = LocalNode(PeerConfig(network=NETWORKS["regtest"]), clock=reactor)
    port = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface="127.0.0.1")
    place = f"127.0.0.1:{port.getHost().port}"
    (tmp_path / "test_it.py").write_text(program.replace("127.0.0.1:18444", place))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    said, errors, status = await getProcessOutputAndValue(
        sys.executable,
        ("-m", "pytest", "-q", "-p", "no:twisted", "-p", "no:cacheprovider", "test_it.py"),
        env=environment(),
        path=str(tmp_path),
    )
    assert (status, errors) == (0, b""), said
    assert b"1 passed" in said
    await port.stopListening()
    await node.disconnect_all()


def test_all_that_is_named_is_there():
    simulation = Simulation()
    owners = {"simulation": simulation, "host": simulation.host(), "peer": ScriptedPeer}
    for owner, name in re.findall(r"\b(simulation|host|peer)\.(\w+)", PAGE):
        assert hasattr(owners[owner], name) or (owner, name) == ("peer", "get_block")
    for name in ("dial", "listen", "Link", "Simulation", "ScriptedPeer"):
        assert name in testing.__all__
    manners = PAGE.partition("Bad manners on demand:")[2].partition("##")[0]
    for call in re.findall(r"`([a-z_]+)\(", manners):
        assert hasattr(ScriptedPeer, call), call
