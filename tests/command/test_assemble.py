"""The services that a plan asks for."""

from io import StringIO
from math import inf

import pytest

from bitpeer.command import assemble as assembling
from bitpeer.command.assemble import assemble
from bitpeer.command.options import Options
from bitpeer.command.said import WrongSetting
from bitpeer.service import descriptors
from bitpeer.service.datadir import DataDirectory
from bitpeer.service.nodeservice import NodeService
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
    assert service.getServiceNamed("192.0.2.1") in list(service)
    assert service.wishes.wanted_services == 9
    assert service.wishes.folder == DataDirectory().place / "bitcoin-mainnet"


def test_who_wants_nothing_kept_gets_no_directory():
    kinds = [type(each).__name__ for each in program("--listen", "0")]
    assert kinds == ["DataDirectory", "NodeService", "Watch"]
    kinds = [type(each).__name__ for each in program("--listen", "0", "--data-dir", "memory")]
    assert kinds == ["NodeService", "Watch"]


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
    kinds = [type(each).__name__ for each in program("--listen", "0", "--data-dir", "memory")]
    assert kinds == ["NodeService", "Watch", "ProgressBar"]
    kinds = [type(each).__name__ for each in program("--listen", "0", "--no-headers")]
    assert "ProgressBar" not in kinds
