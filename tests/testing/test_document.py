"""What `docs/testing.md` shows works, and what it says goes wrong goes wrong."""

import re
from pathlib import Path

import pytest

from bitpeer import testing
from bitpeer.testing import Missing, ScriptedPeer, Simulation

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
