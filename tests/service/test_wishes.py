"""What a node's service is to do."""

from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint

from bitpeer.dialect import HttpsSeed
from bitpeer.errors import InvalidSetting
from bitpeer.net.routes import Routes
from bitpeer.net.socks import Proxy
from bitpeer.service.wishes import Wishes
from tests import toy
from tests.service.fakes import NETWORK, Reactor

DIRECT = Routes(Reactor())
NOWHERE = Routes(Reactor(), direct=False)
PROXIED = Routes(Reactor(), proxy=Proxy(endpoint=TCP4ClientEndpoint(Reactor(), "192.0.2.9", 1)))
BY_HTTPS = replace(toy.NETWORK, https_seeds=(HttpsSeed("seed.example"),))


def test_without_a_word_nobody_is_dialled_found_or_accepted():
    wishes = Wishes()
    assert (wishes.connect, wishes.listen, wishes.add_peer, wishes.ban) == ((), (), (), ())
    assert (wishes.outbound, wishes.block_only, wishes.folder) == (0, 0, None)
    assert [wishes.gossip, wishes.headers, wishes.feelers] == [False] * 3


def test_what_has_items_may_be_had_as_often_as_one_likes():
    wishes = Wishes(
        connect=iter("ab"), listen=iter("12"), add_peer=iter([("h", 1)]), ban=iter(["192.0.2.1"])
    )
    for _ in range(2):
        assert list(wishes.connect) == ["a", "b"]
        assert list(wishes.listen) == ["1", "2"]
        assert list(wishes.add_peer) == [("h", 1)]
        assert list(wishes.ban) == ["192.0.2.1"]


@pytest.mark.parametrize("setting", ["connect", "listen", "add_peer", "ban"])
@pytest.mark.parametrize("value", ["192.0.2.1", 7, None])
def test_what_has_items_is_not_one(setting, value):
    with pytest.raises(InvalidSetting, match=f"{setting} is "):
        Wishes(**{setting: value})


@pytest.mark.parametrize("setting", ["outbound", "block_only"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", None])
def test_numbers_of_peers_to_find_are_numbers(setting, value):
    with pytest.raises(InvalidSetting, match=f"{setting} is .*, expected 0 or more"):
        Wishes(**{setting: value})


@pytest.mark.parametrize("setting", ["max_inbound", "max_per_host", "max_per_prefix"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", None])
def test_limits_are_numbers(setting, value):
    with pytest.raises(InvalidSetting, match=f"{setting} is .*, expected a number, or 0 for no"):
        Wishes(**{setting: value})


@pytest.mark.parametrize(
    ("wishes", "network", "routes"),
    [
        (Wishes(), toy.NETWORK, NOWHERE),
        (Wishes(outbound=1), NETWORK, DIRECT),
        (Wishes(outbound=1), NETWORK, PROXIED),
        (Wishes(outbound=1), BY_HTTPS, DIRECT),
        (Wishes(block_only=1), NETWORK, DIRECT),
        (Wishes(outbound=1, gossip=True, connect=["a"]), toy.NETWORK, DIRECT),
        (Wishes(outbound=1, gossip=True, listen=["1"]), toy.NETWORK, DIRECT),
        (Wishes(outbound=1, gossip=True, add_peer=[("h", 1)]), toy.NETWORK, DIRECT),
    ],
)
def test_peers_can_be_found_where_there_are_seeds_or_somebody_to_hear_of_them(
    wishes, network, routes
):
    assert wishes.check(network, routes) is None


@pytest.mark.parametrize(
    ("wishes", "network", "routes", "why"),
    [
        (Wishes(outbound=2), toy.NETWORK, DIRECT, "outbound is 2, expected 0, because toy-nursery"),
        (Wishes(block_only=2), toy.NETWORK, DIRECT, "block_only is 2, expected 0, because toy-"),
        (Wishes(outbound=1, connect=["a"]), toy.NETWORK, DIRECT, "has no seeds"),
        (Wishes(outbound=1, gossip=True), toy.NETWORK, DIRECT, "has no seeds"),
        (Wishes(outbound=1), NETWORK, NOWHERE, "there is no proxy to do it"),
    ],
)
def test_nobody_looks_for_peers_where_none_can_be_found(wishes, network, routes, why):
    with pytest.raises(InvalidSetting, match=why):
        wishes.check(network, routes)


def test_wishes_are_kept_where_somebody_says():
    assert Wishes(folder=Path("a")).folder == Path("a")
