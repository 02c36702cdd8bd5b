"""Tests of bitpeer.service.status.board."""

import json
from pathlib import Path

import pytest

from bitpeer.config import VERSION
from tests.service.fakes import visit
from tests.service.status.browsing import World


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


def test_everything_is_what_json_has(world):
    visit(world.node).shake_hands()
    world.board.sample()
    everything = world.board.everything()
    json.dumps(everything, allow_nan=False)
    assert set(everything) == {"status", "peers", "events", "history"}
    assert [event["event"] for event in everything["events"]] == ["peer.established"]
    assert everything["history"] == [world.board.history()[0]]
    assert everything["history"][0]["time"] == 1_000


def test_the_status_names_program_process_and_networks(world):
    world.reactor.advance(60)
    status = world.board.status()
    assert (status["api"], status["bitpeer"]) == (1, VERSION)
    assert (status["time"], status["since"]) == (1_060, 1_000)
    assert status["process"]["cpu_seconds"] > 0
    assert status["reactor_lag"] == {"latest": 0.0, "worst": 0.0}
    assert [each["chain"] for each in status["networks"]] == ["toy-nursery"]


def test_peers_of_all_networks_are_in_one_list(world):
    visit(world.node)
    visit(world.node)
    assert [peer["id"] for peer in world.board.peers()] == [1, 2]
    assert world.board.news()["peers"] == world.board.peers()


def test_the_documentation_names_everything(world):
    text = (Path(__file__).parents[3] / "docs" / "status.md").read_text()
    visit(world.node)
    everything = world.board.everything()
    status = everything["status"]
    (network,) = status.pop("networks")
    named = [*status, *network, *world.board.sample(), *everything["peers"][0]]
    named += [*network["blockchain"], *network["network"], *network["bans"]]
    assert [name for name in named if f"`{name}`" not in text] == []
