"""A few nodes of our own, and what becomes of them: found, lost, ended, started again."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.interop.bcoin_node import within
from tests.interop.town import Resident, Stranger, until

Settle = Callable[..., Resident]
Visit = Callable[..., Stranger]

MINING = 90
"""Seconds that many blocks may take to be mined."""
MANY = 2_100
LOAD_BALANCER = "haproxy:tcp:0:interface=127.0.0.1"
"""A door whose guests say first where they come from: so they can come from anywhere, and leave
nothing but loopback for it."""


@pytest.fixture
def settle(tmp_path: Path) -> Iterator[Settle]:
    """Let residents settle down, each with a number of its own."""
    with ExitStack() as town:
        yield lambda number, *options: Resident(town, number, tmp_path, *options)


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Send strangers to a door."""
    strangers: list[Stranger] = []

    def visit(place: tuple[str, int], origin: str = "") -> Stranger:
        strangers.append(Stranger(place, origin))
        return strangers[-1]

    yield visit
    for stranger in strangers:
        stranger.leave()


def door_of(resident: Resident) -> tuple[str, int]:
    """Return its other door."""
    [place] = set(resident.status["network"]["listening"]) - {resident.place}
    return "127.0.0.1", int(place.rpartition(":")[2])


def events(resident: Resident, name: str) -> list[dict[str, Any]]:
    """Return the events of this name."""
    return [event for event in json.loads(resident.says("events")) if event["event"] == name]


@pytest.mark.timeout(90)
def test_a_newcomer_finds_all_by_knowing_one_and_replaces_who_is_lost(settle: Settle) -> None:
    first = settle(1)
    knows_first = ("--add-peer", first.host)
    others = [settle(number, *knows_first, "--outbound", "2") for number in (2, 3, 4)]
    everybody = {first.place, *(other.place for other in others)}
    until(lambda: first.known >= 3)  # they have introduced themselves

    newcomer = settle(5, *knows_first, "--outbound", "3", "--block-only", "0")
    until(lambda: newcomer.known == 4)  # of which it was told one
    until(lambda: len(newcomer.dialled) == 3)
    assert newcomer.dialled < everybody
    network = newcomer.status["network"]
    assert (network["connections_out"], network["connections_wanted"]) == (3, 3)
    ways = 'chain="bitcoin-regtest",direction="out",network="not_publicly_routable"'
    assert f"bitpeer_peers{{{ways}}} 3.0\n" in newcomer.says("metrics")

    lost = next(other for other in others if other.place in newcomer.dialled)
    lost.kill()
    until(lambda: newcomer.dialled == everybody - {lost.place})
    assert lost.place in {event["addr"] for event in events(newcomer, "peer.lost")}
    assert newcomer.stop() == 0


@pytest.mark.timeout(180)
@pytest_twisted.ensureDeferred
async def test_a_chain_goes_from_hand_to_hand_through_a_reorganisation_and_restarts(
    settle: Settle, start_bcoin: Callable[[], Any]
) -> None:
    node = await start_bcoin()
    hashes = await within(MINING, node.generate(MANY))
    near = settle(1, "--connect", f"127.0.0.1:{node.port}")
    middle = settle(2, "--connect", near.place)
    far = settle(3, "--connect", middle.place)
    chain = (near, middle, far)

    def agree(tip: tuple[bytes, int]) -> None:
        for resident in chain:
            until(lambda resident=resident: resident.tip == tip)

    agree((hashes[-1], MANY))
    fork = await within(MINING, node.fork(hashes[MANY - 11], 12))
    agree((fork[-1], MANY + 2))
    for resident in chain:
        [event] = events(resident, "headers.reorganised")
        assert (event["withdrawn"], event["height"]) == (10, MANY + 2)

    far.kill()
    assert middle.stop() == 0
    [more] = await within(MINING, node.generate(1))
    far.start()
    assert far.tip == (fork[-1], MANY + 2)  # with nobody to tell
    middle.start()
    agree((more, MANY + 3))
    [last] = await within(MINING, node.generate(1))
    agree((last, MANY + 4))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", [Resident.stop, Resident.kill])
def test_what_a_node_knew_is_there_again_however_it_ended(
    settle: Settle, end: Callable[[Resident], object]
) -> None:
    """A ban is the operator's as long as it is said, and ends when it would have."""
    first, second = settle(1), settle(2)
    ban = ("--ban", "203.0.113.0/24", "--ban-time", "1h")
    known = ("--add-peer", first.host, "--add-peer", second.host)
    node = settle(3, "--outbound", "0", "--block-only", "1", *ban)
    end(node)
    node.start(*known)
    until(lambda: len(node.dialled) == 1)
    bans, addresses = "SELECT subject, until FROM bans", "SELECT host FROM addresses"
    if end is Resident.kill:  # which takes the last ten seconds with it
        until(lambda: len(node.kept("addresses", addresses)) == 2)
    end(node)
    kept = node.kept("bans", bans), node.kept("addresses", addresses)
    assert [len(each) for each in kept] == [1, 2]
    node.start()
    assert (node.known, node.status["bans"]["banned"]) == (2, 1)
    until(lambda: len(node.dialled) == 1)
    assert (node.kept("bans", bans), node.kept("addresses", addresses)) == kept


@pytest.mark.timeout(60)
def test_anchors_are_dialled_when_nothing_else_is_known(settle: Settle) -> None:
    first = settle(1)
    node = settle(2, "--outbound", "0", "--block-only", "1")
    node.stop()
    node.start("--add-peer", first.host)
    until(lambda: node.dialled == {first.place})
    assert node.stop() == 0
    for file in (node.folder / "bitcoin-regtest").glob("addresses.sqlite*"):
        file.unlink()
    node.start()
    until(lambda: node.dialled == {first.place})
    assert not (node.folder / "bitcoin-regtest" / "anchors.txt").exists()


@pytest.mark.timeout(60)
def test_when_the_house_is_full_somebody_of_no_merit_leaves(settle: Settle, visit: Visit) -> None:
    room = 16
    limits = ("--max-inbound", str(room), "--max-per-prefix", "0")
    node = settle(1, "--listen", LOAD_BALANCER, *limits)
    door = door_of(node)
    guests = [visit(door, f"20.7.0.{number}") for number in range(1, room)]
    guests.append(visit(door, "30.1.0.1"))  # of another network
    assert all(guest.is_welcome() for guest in guests)
    newcomer = visit(door, "20.7.0.99")
    assert newcomer.is_welcome()
    [evicted] = [at for at, guest in enumerate(guests) if not guest.is_welcome()]
    assert room // 3 <= evicted < room - 1  # neither of the oldest, nor the one of its kind
    assert len(events(node, "peer.evicted")) == 1
    assert len(node.peers) == room
    assert 'bitpeer_events_total{event="peer.evicted"} 1.0\n' in node.says("metrics")


@pytest.mark.timeout(60)
def test_a_ban_expires(settle: Settle, visit: Visit) -> None:
    node = settle(1, "--listen", LOAD_BALANCER, "--ban", "20.7.0.7", "--ban-time", "6")
    door = door_of(node)
    assert node.status["bans"]["banned"] == 1
    assert not visit(door, "20.7.0.7").is_welcome()
    assert visit(door, "20.7.0.8").is_welcome()
    until(lambda: visit(door, "20.7.0.7").is_welcome())
    assert node.status["bans"]["banned"] == 0
