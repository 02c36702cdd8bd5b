"""The services that a plan asks for."""

from io import StringIO
from math import inf
from pathlib import Path

import pytest
from twisted.application.service import MultiService

from bitpeer.command import assemble as assembling
from bitpeer.command.assemble import assemble
from bitpeer.command.options import Options
from bitpeer.command.said import WrongSetting
from bitpeer.service import descriptors
from bitpeer.service.datadir import DataDirectory
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.seeds import Address
from tests.service.fakes import LogLines, Reactor


def plan(*arguments):
    options = Options()
    options.parseOptions(arguments)
    return options


def program(*arguments, reactor=None):
    options = plan(*arguments)
    return assemble(options.plan, options.make_plan, reactor or Reactor())


def complaint(*arguments):
    with pytest.raises(WrongSetting) as caught:
        program(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    return line


def kinds(services):
    """Return the names of the classes of *services*, but not that of what they stand on."""
    return [type(each).__name__ for each in services if type(each) is not MultiService]


def node_services(program):
    return [each for each in program if isinstance(each, NodeService)]


def test_a_plan_becomes_a_program():
    with LogLines() as lines:
        (service,) = node_services(
            program("--connect", "192.0.2.1", "--listen", "127.0.0.1:0", "--outbound", "2")
        )
    assert lines == ["bitpeer 0.1.0 joins bitcoin-mainnet as /bitpeer:0.1.0/"]
    assert (service.slots.full, service.slots.block_only) == (2, 2)
    assert [door.endpoint_name for door in service.doors] == ["127.0.0.1:0"]
    assert list(service.named) == ["tcp:192.0.2.1:8333"]
    assert service.wishes.wanted_services == 9
    assert service.wishes.folder == DataDirectory().place / "bitcoin-mainnet"


def test_who_wants_nothing_kept_gets_no_directory():
    assert kinds(program("--listen", "0").ground) == ["DataDirectory"]
    assert kinds(program("--listen", "0", "--data-dir", "memory").ground) == []


@pytest.mark.parametrize(
    ("backend", "line"),
    [
        ("c", "BLAKE-256 runs in c"),
        ("python", "BLAKE-256 runs in python, 200 times slower than in C"),
    ],
)
def test_it_is_told_what_hashes_for_decred(monkeypatch, backend, line):
    monkeypatch.setattr(assembling, "BLAKE256_BACKEND", backend)
    with LogLines() as lines:
        program("--network", "decred-simnet", "--listen", "0")
    assert lines == ["bitpeer 0.1.0 joins decred-simnet as /bitpeer:0.1.0/", line]


@pytest.mark.parametrize(
    ("arguments", "most", "per_host"),
    [
        ([], 117, 5),
        (["--max-inbound", "3", "--max-per-host", "2"], 3, 2),
        (["--max-per-host", "0"], 117, inf),
    ],
)
def test_the_operator_says_how_many_may_come_in(arguments, most, per_host):
    (service,) = node_services(program("--listen", "0", *arguments))
    limits = service.admission.limits
    assert (limits.most, limits.per_host) == (most, per_host)


def test_several_networks_run_side_by_side():
    with LogLines() as lines:
        first, second = node_services(
            program("--network", "mainnet", "--network", "jaxnet-mainnet")
        )
    assert lines[0].startswith("bitpeer 0.1.0 joins bitcoin-mainnet")
    assert lines[1].startswith("bitpeer 0.1.0 joins jaxnet-mainnet")
    assert first.book is not second.book


@pytest.mark.parametrize(
    ("option", "place", "expected"),
    [
        ("--connect", "host:port", "host, host:port or [ipv6]:port"),
        ("--connect", "tcp:host:99999", "tcp:host:port, with a host name"),
        ("--connect", "plugin:host=a", "Unknown endpoint type"),
        ("--listen", "node.example:1", "an IP address of this machine"),
        ("--listen", "tcp:http", "tcp:port, with a port from 0 to 65535"),
    ],
)
def test_an_endpoint_that_cannot_be_read_is_named(option, place, expected):
    line = complaint(option, place)
    assert line.startswith(f"{option} is '{place}', expected ")
    assert expected in line


def test_r_j8_more_peers_than_there_can_be_sockets_are_refused(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    line = complaint("--connect", "192.0.2.1", "--outbound", "3")
    assert line.startswith("number of peers and places is 8, ")


def test_what_others_stand_on_starts_first(tmp_path):
    json = str(tmp_path / "events")
    ground = program("--listen", "0", "--log-json", json, "--tor", "--http", "0").ground
    assert kinds(ground) == ["JsonLog", "DataDirectory", "Tor"]


def test_the_page_is_there_for_those_who_want_it():
    assert kinds(program("--listen", "0", "--http", "0")) == [
        "NodeService", "Watch", "StatusPage",
    ]  # fmt: skip
    assert complaint("--http", "tcp:http").startswith("--http is 'tcp:http', expected tcp:port")


def test_a_user_whom_nobody_knows_must_say_where_to_keep_data(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setattr(Path, "home", nowhere)
    assert complaint("--listen", "0").endswith("so say --data-dir")
    assert node_services(program("--listen", "0", "--data-dir", "/a"))


def test_who_cannot_be_banned_is_named():
    line = complaint("--listen", "0", "--ban", "127.0.0.1")
    assert line == "--ban is '127.0.0.1', expected somebody other than this machine"


def test_networks_share_nothing_but_the_program(tmp_path):
    running = program(
        *("--network", "mainnet", "--network", "testnet4", "--network", "decred-mainnet"),
        *("--data-dir", str(tmp_path)),
    )
    services = node_services(running)
    running.startService()
    for part in (
        *(lambda each: each.node, lambda each: each.book, lambda each: each.bans),
        *(lambda each: each.following, lambda each: each.merits, lambda each: each.node.journal),
        *(lambda each: each.node.terms.own_nonces, lambda each: each.node.wakes),
    ):
        assert len({id(part(each)) for each in services}) == 3
    titles = ["bitcoin-mainnet", "bitcoin-testnet4", "decred-mainnet"]
    for title in titles:
        names = {path.name for path in (tmp_path / title).iterdir()}
        assert {"addresses.sqlite", "bans.sqlite", "headers.sqlite"} <= names
    assert {path.name for path in tmp_path.iterdir()} == {"lock", *titles}
    services[0].introduce([Address("20.1.0.1", 7)])
    assert [len(each.book) for each in services] == [1, 0, 0]
    done = []
    running.stopService().addCallback(done.append)
    assert len(done) == 1


def test_it_can_be_stopped_and_started_again(tmp_path):
    reactor = Reactor()
    running = program(
        *("--listen", "7", "--http", "0", "--log-json", str(tmp_path / "events")),
        *("--data-dir", str(tmp_path / "data"), "--ban", "192.0.2.1"),
        reactor=reactor,
    )
    (service,) = node_services(running)
    for count in (1, 2, 3):
        running.privilegedStartService()
        running.startService()
        assert len(reactor.tcpServers) == 2 * count
        assert service.following.running
        assert len(service.bans) == 1
        done = []
        running.stopService().addCallback(done.append)
        assert len(done) == 1
        assert [call for call in reactor.getDelayedCalls() if not call.cancelled] == []


def test_r_j8_networks_share_the_sockets_of_the_process(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 64 + 40)
    networks = ("--network", "mainnet", "--network", "testnet4")
    program(*networks, "--outbound", "16")
    line = complaint(*networks, "--outbound", "17")
    assert line.startswith("number of peers and places is 21, expected at most 20, ")
    assert line.endswith("for 2 nodes")


# Jax.Network

SEVERAL = (
    *("--network", "jaxnet-simnet", "--listen", "7000", "--address", "127.0.0.1"),
    *("--serve", "1=7001", "--serve", "2=127.0.0.1:7002"),
)


def test_one_program_serves_several_chains_each_at_its_own_door():
    options, reactor = plan(*SEVERAL, "--data-dir", "memory"), Reactor()
    service = assemble(options.plan, options.make_plan, reactor)
    doors = options.plan.networks[0].doors
    assert [doors.port(chain) for chain in range(4)] == [None] * 4
    service.privilegedStartService()
    service.startService()
    assert [server[0] for server in reactor.tcpServers] == [7000, 7001, 7002]
    assert [doors.port(chain) for chain in range(4)] == [7000, 7001, 7002, None]
    peers = [server[1].buildProtocol(None) for server in reactor.tcpServers]
    greeted = [peer.node.config.network.title for peer in peers]
    assert greeted == ["jaxnet-simnet", "jaxnet-simnet-shard-1", "jaxnet-simnet-shard-2"]
    service.stopService()


def test_bans_are_in_force_at_the_doors_of_all_chains():
    services = node_services(
        started := program(*SEVERAL, "--data-dir", "memory", "--ban", "192.0.2.1")
    )
    started.startService()
    assert [each.bans.is_banned("192.0.2.1") for each in services] == [True] * 3
    started.stopService()


def test_a_door_of_another_chain_that_cannot_be_read_is_refused():
    line = complaint(
        "--network", "jaxnet-simnet", "--address", "::1", "--serve", "1=tcp:x", "--listen", "1"
    )
    assert line.startswith("--serve is 'tcp:x'")


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_person_at_a_terminal_sees_how_far_chains_are(monkeypatch):
    monkeypatch.setattr(assembling.sys, "stderr", Terminal())
    assert "ProgressBar" in kinds(program("--listen", "0"))
    assert "ProgressBar" not in kinds(program("--listen", "0", "--no-headers"))
