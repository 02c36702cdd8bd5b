"""Tests of bitpeer.service.status.metrics."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bitpeer.config import VERSION
from bitpeer.messages.control import Ping
from bitpeer.service.status.metrics import Metrics
from tests import toy
from tests.service.fakes import visit
from tests.service.status.browsing import World


class Book:
    def counts(self):
        return {"IPV4": (10, 2)}


class Bans:
    discouraged = 3

    def __len__(self):
        return 2


@pytest.fixture
def world():
    world = World(book=Book(), bans=Bans())
    yield world
    world.close()


def read(world):
    """Return the samples that a scrape finds: value by name and labels."""
    kind, page = Metrics(world.board).page()
    assert kind.startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_numbers_are_what_the_node_says(world):
    line = visit(world.node).shake_hands(height=700)
    world.reactor.advance(0.5)
    line.say(b"pong", Ping(line.protocol.snapshot().last_ping_nonce).encode())
    visit(world.node)
    visit(world.node).hang_up()
    found = read(world)
    chain = "toy-nursery"
    assert found["bitpeer_info", VERSION] == 1
    assert found["bitpeer_peers", chain, "in", "not_publicly_routable"] == 1
    assert found["bitpeer_connecting", chain] == 1
    assert found["bitpeer_ping_seconds", chain, "median"] == 0.5
    received, sent = world.node.totals
    assert found["bitpeer_received_bytes_total", chain] == received
    assert found["bitpeer_sent_bytes_total", chain] == sent
    assert found["bitpeer_listener_failures_total", chain] == 0
    assert found["bitpeer_held_bytes", chain] == 0
    assert found["bitpeer_lost_total", chain, "closed-by-peer"] == 1
    assert found["bitpeer_tip_height", chain] == 0
    assert found["bitpeer_peers_height", chain] == 700
    assert found["bitpeer_addresses", chain, "ipv4", "new"] == 10
    assert found["bitpeer_addresses", chain, "ipv4", "tried"] == 2
    assert found["bitpeer_unwanted", chain, "banned"] == 2
    assert found["bitpeer_unwanted", chain, "discouraged"] == 3
    assert found["bitpeer_events_total", "peer.established"] == 1
    assert found["process_resident_memory_bytes",] > 0
    assert found["process_cpu_seconds_total",] > 0


def test_r_j9_the_reactors_lag_is_a_histogram(world):
    world.lag.startService()
    world.reactor.advance(0.5)
    world.reactor.advance(0.8)
    world.lag.stopService()
    found = read(world)
    assert found["bitpeer_reactor_lag_seconds_bucket", "0.001"] == 1
    assert found["bitpeer_reactor_lag_seconds_bucket", "0.25"] == 1
    assert found["bitpeer_reactor_lag_seconds_bucket", "0.5"] == 2
    assert found["bitpeer_reactor_lag_seconds_bucket", "+Inf"] == 2
    assert found["bitpeer_reactor_lag_seconds_count",] == 2
    assert round(found["bitpeer_reactor_lag_seconds_sum",], 6) == 0.3


def test_no_label_holds_what_a_peer_wrote(world):
    for number in range(50):
        line = visit(world.node)
        agent = f"/nasty:{number}/".encode()
        line.say(b"version", toy.Hello(2, 0, 0, 9, user_agent=agent).encode())
        line.say(b"verack")
    names = read(world)
    assert not [name for name in names if "nasty" in "".join(name)]
    assert len([name for name in names if name[0] == "bitpeer_peers"]) == 1


def test_the_registry_is_its_own(world):
    Metrics(world.board)
    Metrics(world.board)
    assert "bitpeer_info" not in {family.name for family in REGISTRY.collect()}


def test_the_documentation_names_every_metric(world):
    text = (Path(__file__).parents[3] / "docs" / "status.md").read_text()
    _, page = Metrics(world.board).page()
    for family in text_string_to_metric_families(page.decode()):
        suffix = "_total" if family.type == "counter" else ""
        assert f"`{family.name}{suffix}`" in text or family.name.startswith("process_")
