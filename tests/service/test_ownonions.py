"""Tests of bitpeer.service.ownonions."""

from types import SimpleNamespace

import pytest

from bitpeer.net.onion import Onion, OnionPort
from bitpeer.service.listening import Listening
from bitpeer.service.ownonions import onion_ports, onions_to_tell
from tests.net.fake_tor import NAME

HERE = f"{NAME}.onion"
THEIRS = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


def opened(port: int) -> OnionPort:
    onion = Onion("", 8333, ("127.0.0.1", port))
    onion.name = HERE
    return OnionPort(None, onion, None)


def peer(address="127.0.0.1:40000", *, local_address="127.0.0.1:1", inbound=False):
    return SimpleNamespace(address=address, local_address=local_address, inbound=inbound)


@pytest.mark.parametrize("address", [THEIRS, f"tcp:{THEIRS}:1", f"TCP:{THEIRS.upper()}:1"])
def test_peer_behind_an_onion_is_told_however_that_was_written(address):
    assert onions_to_tell(peer(address), [opened(5_000)]) == [(HERE, 8333)]


@pytest.mark.parametrize(
    "address", ["192.0.2.1:8333", f"{THEIRS}.example:8333", "x.onion:1", f"a{THEIRS}:1"]
)
def test_peer_that_was_dialled_elsewhere_learns_nothing(address):
    assert onions_to_tell(peer(address), [opened(5_000)]) == []


@pytest.mark.parametrize(("local", "told"), [("127.0.0.1:5000", 1), ("192.0.2.1:5000", 0)])
def test_visitor_is_told_of_the_door_it_came_through_only(local, told):
    visitor = peer(local_address=local, inbound=True)
    assert len(onions_to_tell(visitor, [opened(5_000), opened(6_000)])) == told


def test_onion_services_are_found_among_doors_that_are_open():
    def door(port):
        listening = Listening("", None, None, None)
        listening.port = port
        return listening

    onion = opened(5_000)
    assert list(onion_ports([object(), door(None), door(onion), door(object())])) == [onion]
