"""Tests of `pytest_bitpeer`, each in a pytest of its own."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

SUITE = """
import pytest
from bitpeer.testing import dial, listen
from bitpeer.bitcoin import NETWORKS, Ping

NETWORK = NETWORKS["regtest"]

def test_meeting(bitpeer_simulation):
    async def story():
        door = await listen(there, "8333", NETWORK)
        peer = await dial(here, door.address, NETWORK)
        other = await door.accept()
        peer.send(Ping(7))
        return await other.expect(Ping)

    here, there = bitpeer_simulation.host(), bitpeer_simulation.host()
    assert bitpeer_simulation.run(story()) == Ping(7)

@pytest.mark.parametrize("bitpeer_seed", range(3))
def test_seeds(bitpeer_simulation, bitpeer_seed):
    assert bitpeer_simulation.seed == bitpeer_seed
"""
FAILING = """
from twisted.logger import Logger

def test_assertion(bitpeer_simulation):
    assert bitpeer_simulation.random.random() > 1

def test_story(bitpeer_simulation):
    async def story():
        raise ValueError("so sad")
    bitpeer_simulation.run(story())

def test_log(bitpeer_simulation):
    try:
        raise ValueError("logged")
    except ValueError:
        Logger().failure("it failed")
"""
INNOCENT = """
import sys

def test_nothing_is_loaded():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert "pytest_bitpeer" in loaded
    assert not loaded & {"bitpeer", "twisted", "zope"}
"""


def run(folder, suite, *options):
    (folder / "test_it.py").write_text(suite)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_bitpeer", "-W", "error", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pytest_finds_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"pytest_bitpeer": "pytest_bitpeer"}
    assert '"pytest_bitpeer"' in (ROOT / "setup.py").read_text()


def test_its_fixtures_work_without_any_other_plugin(tmp_path):
    done = run(tmp_path, SUITE)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_who_does_not_ask_for_it_does_not_notice_it(tmp_path):
    done = run(tmp_path, INNOCENT)
    assert done.returncode == 0, done.stdout


def test_a_test_that_fails_tells_how_to_replay_it(tmp_path):
    done = run(tmp_path, FAILING, "--bitpeer-seed=4711")
    assert done.returncode == 1
    assert "2 failed, 1 passed, 1 error" in done.stdout
    assert "--bitpeer-seed=4711" in done.stdout
    assert "Simulation(seed=4711) replays it" in done.stdout
    assert "logged as failed" in done.stdout


def test_without_a_seed_chance_draws_one_and_tells_it(tmp_path):
    first, second = (run(tmp_path, FAILING, "-k", "assertion") for _ in range(2))
    seeds = [re.findall(r"--bitpeer-seed=(\d+)", done.stdout) for done in (first, second)]
    assert all(seeds)
    assert seeds[0] != seeds[1]
    drawn = re.findall(r"assert ([\d.]+) > 1", first.stdout)
    again = run(tmp_path, FAILING, f"--bitpeer-seed={seeds[0][0]}", "-k", "assertion")
    assert re.findall(r"assert ([\d.]+) > 1", again.stdout) == drawn


def test_the_seed_is_among_the_options_of_pytest(tmp_path):
    assert "--bitpeer-seed=SEED" in run(tmp_path, SUITE, "--help").stdout


def test_what_fixtures_are_for_is_said(tmp_path):
    told = run(tmp_path, SUITE, "--fixtures").stdout
    assert "bitpeer_seed -- " in told
    assert "bitpeer_simulation -- " in told
