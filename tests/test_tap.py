"""Tests of bitpeer.tap."""

import signal
import time
from math import inf

import pytest
from twisted.application.service import IService, MultiService, Service
from twisted.internet import reactor as the_reactor
from twisted.logger import LogLevel

from bitpeer import tap
from bitpeer.bitcoin.constants import Services
from bitpeer.bitcoin.networks import MAINNET, NETWORKS, REGTEST, TESTNET4
from bitpeer.config import PeerConfig
from bitpeer.decred.networks import NETWORKS as DECRED
from bitpeer.errors import InvalidSetting
from bitpeer.service import descriptors
from bitpeer.service.admission import Admission
from bitpeer.service.outbound import Outbound
from bitpeer.tap import CannotStart, OperatorsNode, Options, Program, makeService
from tests import twistd
from tests.service.fakes import LogLines, Reactor, make_node


def parse(*arguments):
    options = Options()
    options.parseOptions(arguments)
    return options


def complaint(*arguments):
    """Return the one line that wrong *arguments* end in."""
    with pytest.raises(SystemExit) as caught:
        parse(*arguments)
    line = caught.value.code
    assert isinstance(line, str)
    assert "\n" not in line
    return line


# What options mean


def test_without_options_mainnet_is_joined():
    options = parse()
    assert options.config == PeerConfig(network=MAINNET)
    assert (options.outbound, options.connect, options.listen) == (8, [], [])


@pytest.mark.parametrize("name", [*NETWORKS, *(each.title for each in NETWORKS.values())])
def test_networks_go_by_name_and_by_title(name):
    options = parse("--network", name, "--listen", "0")
    assert options.config.network.name == name.removeprefix("bitcoin-")


@pytest.mark.parametrize("network", DECRED.values(), ids=DECRED)
def test_decred_goes_by_title_only(network):
    options = parse("--network", network.title, "--listen", "0")
    assert options.config.network is network
    assert f"--network={network.title}" not in complaint("--network", "decred")


@pytest.mark.parametrize(
    ("backend", "line"),
    [
        ("c", "BLAKE-256 runs in c"),
        ("python", "BLAKE-256 runs in python, 200 times slower than in C"),
    ],
)
def test_it_is_told_what_hashes_for_decred(monkeypatch, backend, line):
    monkeypatch.setattr(tap, "BLAKE256_BACKEND", backend)
    options = parse("--network", "decred-simnet", "--listen", "127.0.0.1:0")
    with LogLines() as lines:
        tap._make_service(options, Reactor())
    assert lines == ["bitpeer 0.1.0 joins decred-simnet as /bitpeer:0.1.0/", line]


def test_names_may_be_written_in_capitals():
    assert parse("--network", "TestNet4").config.network is TESTNET4


def test_places_may_be_repeated_and_count_once():
    options = parse(
        *("--connect", "a", "--connect", "tcp:b:1", "--connect", "a"),
        *("--listen", "1", "--listen", "tcp:2", "--listen", "1"),
    )
    assert options.connect == ["a", "tcp:b:1"]
    assert options.listen == ["1", "tcp:2"]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--connect", "a"], 0),
        (["--connect", "a", "--outbound", "3"], 3),
        (["--listen", "1"], 8),
        (["--listen", "1", "--outbound", "0"], 0),
        (["--network", "regtest", "--listen", "1"], 0),
    ],
)
def test_peers_are_found_unless_some_are_named_or_none_can_be_found(arguments, count):
    assert parse(*arguments).outbound == count


@pytest.mark.parametrize(
    ("said", "agent"),
    [
        ("explorer:2.0", b"/explorer:2.0/"),
        ("/explorer:2.0(a; b)/bitpeer:1/", b"/explorer:2.0(a; b)/bitpeer:1/"),
    ],
)
def test_the_user_agent_is_name_and_version_or_the_whole(said, agent):
    assert parse("--user-agent", said).config.user_agent == agent


@pytest.mark.parametrize(
    ("said", "services"),
    [
        ("0", 0),
        ("9", 9),
        ("0x409", 0x409),
        ("network,witness", Services.NETWORK | Services.WITNESS),
        ("Network-Limited, 0x8", Services.NETWORK_LIMITED | Services.WITNESS),
        (str((1 << 64) - 1), (1 << 64) - 1),
    ],
)
def test_services_are_numbers_or_names(said, services):
    assert parse("--services", said).config.services == services


def test_transactions_are_welcome_unless_somebody_says_no():
    assert parse().config.relay
    assert not parse("--no-relay").config.relay


@pytest.mark.parametrize(
    ("level", "messages", "everything"),
    [
        ("warn", False, False),
        ("info", False, False),
        ("debug", True, False),
        ("trace", False, True),
    ],
)
def test_the_log_level_decides_what_is_logged_of_messages(level, messages, everything):
    options = parse("--log-level", level)
    assert options.level == level
    assert (options.config.log_messages, options.config.log_bytes) == (messages, everything)


def test_versions_are_shown(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--version")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("bitpeer 0.1.0 (Twisted ")


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--help")
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for option in (
        *(
            "network",
            "connect",
            "listen",
            "outbound",
            "max-inbound",
            "max-per-host",
            "user-agent",
            "services",
            "no-relay",
        ),
        *("log-level", "help", "version"),
    ):
        assert f"--{option}" in shown
    assert max(map(len, shown.splitlines())) <= 80


# Options that are wrong


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--network", "mainet"], ["--network is 'mainet'", "mainnet, testnet3, testnet4, signet"]),
        (["--outbound", "many"], ["--outbound is 'many'", "a number from 0 to 1000"]),
        (["--outbound", "-1"], ["--outbound is '-1'", "a number from 0 to 1000"]),
        (["--max-inbound", "-1"], ["--max-inbound is '-1'", "a number, or 0 for no limit"]),
        (["--max-per-host", "x"], ["--max-per-host is 'x'", "a number, or 0 for no limit"]),
        (["--outbound", "1001"], ["--outbound is '1001'", "a number from 0 to 1000"]),
        (["--outbound", "0"], ["--outbound is 0, so name peers with --connect"]),
        (["--network", "regtest"], ["regtest has no seeds, so name peers with --connect"]),
        (
            ["--network", "regtest", "--outbound", "2", "--listen", "1"],
            ["--outbound is '2', expected 0, as regtest has no seeds"],
        ),
        (["--user-agent", "/a:\udcff/"], ["--user-agent is '/a:\\udcff/'", "in printable ASCII"]),
        (["--user-agent", "/a:\u00e9/"], ["--user-agent is", "in printable ASCII"]),
        (["--outbound", "\u0663"], ["--outbound is", "a number from 0 to 1000"]),
        (["--max-inbound", "\u0663"], ["--max-inbound is", "a number, or 0 for no limit"]),
        (["--user-agent", "explorer"], ["--user-agent is 'explorer'", "name:version"]),
        (["--user-agent", "a/b:1"], ["--user-agent is 'a/b:1'", "name:version"]),
        (["--user-agent", "/a:1"], ["--user-agent is '/a:1'", "/name:version(comment)/"]),
        (["--user-agent", "é:1"], ["--user-agent is 'é:1'", "printable ASCII"]),
        (["--services", "everything"], ["--services is 'everything'", "network, getutxo, bloom"]),
        (["--services", "-1"], ["--services is '-1'", "64 bits"]),
        (["--services", "\u0661"], ["--services is", "64 bits"]),
        (["--services", str(1 << 64)], ["--services is", "64 bits"]),
        (["--services", ""], ["--services is ''", "64 bits"]),
        (["--log-level", "loud"], ["--log-level is 'loud'", "error, warn, info, debug, trace"]),
        (["--speed", "9"], ["--speed"]),
        (["--connect"], ["--connect"]),
        (["regtest"], ["'regtest' belongs to no option"]),
    ],
)
def test_a_wrong_option_ends_in_one_line_that_says_what_is_right(arguments, parts):
    line = complaint(*arguments)
    for part in (*parts, "see twistd bitpeer --help"):
        assert part in line


# The service


def kinds(service):
    return [type(each).__name__ for each in service]


def test_options_become_a_service():
    options = parse("--connect", "192.0.2.1", "--listen", "127.0.0.1:0", "--outbound", "2")
    with LogLines() as lines:
        program = tap._make_service(options, Reactor())
    assert lines == ["bitpeer 0.1.0 joins bitcoin-mainnet as /bitpeer:0.1.0/"]
    (service,) = program
    assert isinstance(service, MultiService)
    assert kinds(service) == [
        *("Listening", "Admission", "FixedPeer", "Outbound", "Summary", "Farewell")
    ]
    (slots,) = (each for each in service if isinstance(each, Outbound))
    assert slots.count == 2


@pytest.mark.parametrize(
    ("arguments", "most", "per_host"),
    [
        ([], 117, 5),
        (["--max-inbound", "3", "--max-per-host", "2"], 3, 2),
        (["--max-per-host", "0"], 117, inf),
    ],
)
def test_the_operator_says_how_many_may_come_in(arguments, most, per_host):
    (service,) = tap._make_service(parse("--listen", "0", *arguments), Reactor())
    (admission,) = (each for each in service if isinstance(each, Admission))
    assert (admission.most, admission.per_host) == (most, per_host)


def test_twistd_gets_it_with_its_own_reactor():
    program = makeService(parse("--network", "regtest", "--connect", "192.0.2.1"))
    assert IService.providedBy(program)
    assert isinstance(program, Program)
    assert program._reactor is the_reactor


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
def test_an_endpoint_that_cannot_be_read_ends_in_one_line(option, place, expected):
    with pytest.raises(SystemExit) as caught:
        tap._make_service(parse(option, place), Reactor())
    assert caught.value.code.startswith(f"bitpeer: {option} is '{place}', expected ")
    assert expected in caught.value.code
    assert "\n" not in caught.value.code


def test_r_j8_more_peers_than_there_can_be_sockets_end_in_one_line(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limit", lambda: 67)
    with pytest.raises(SystemExit) as caught:
        tap._make_service(parse("--connect", "192.0.2.1", "--outbound", "3"), Reactor())
    assert caught.value.code.startswith("bitpeer: number of peers and places is 4, ")
    assert "\n" not in caught.value.code


def test_beside_modules_of_another_distribution_nothing_starts(monkeypatch):
    monkeypatch.setattr(tap, "foreign_modules", lambda: ("node",))
    with pytest.raises(SystemExit) as caught:
        tap._make_service(parse(), Reactor())
    assert "has installed node into the package bitpeer" in caught.value.code
    assert "\n" not in caught.value.code


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        (LogLevel.error, ["error"]),
        (LogLevel.warn, ["warn", "error"]),
        (LogLevel.info, ["info", "warn", "error"]),
        (LogLevel.debug, ["debug", "info", "warn", "error"]),
    ],
)
def test_an_operator_sees_what_is_at_least_of_the_level_asked_for(level, logged):
    node = OperatorsNode(PeerConfig(network=REGTEST), level, clock=Reactor())
    with LogLines() as lines:
        for name in ("debug", "info", "warn", "error"):
            node.journal.emit(LogLevel.levelWithName(name), name)
    assert lines == logged


# The program


class Door(Service):
    """A service that cannot start."""

    def __init__(self, *, privileged):
        self.privileged = privileged

    def privilegedStartService(self):  # noqa: N802
        if self.privileged:
            raise InvalidSetting("listen", "7", "something else")

    def startService(self):
        if not self.privileged:
            raise InvalidSetting("listen", "7", "something else")


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.stopped = []
        self.reactor.stop = lambda: self.stopped.append(self.reactor.seconds())
        self.reactor.callFromThread = lambda function: self.reactor.callLater(0, function)
        self.handlers = []
        self.program = Program(
            self.reactor,
            make_node(self.reactor).journal,
            lambda number, handler: self.handlers.append((number, handler)),
        )


@pytest.mark.parametrize("privileged", [True, False])
def test_a_door_that_cannot_be_opened_ends_the_program(privileged):
    world = World()
    Door(privileged=privileged).setServiceParent(world.program)
    with pytest.raises(CannotStart, match="listen is '7'") as caught:
        (world.program.privilegedStartService if privileged else world.program.startService)()
    assert caught.value.code == 1


def test_sigterm_stops_the_reactor_and_a_second_one_kills():
    world = World()
    world.program.privilegedStartService()
    world.program.startService()
    assert world.handlers == []
    world.reactor.run()
    world.stopped.clear()  # that of the fake, which never runs for long
    ((number, handler),) = world.handlers
    assert number == signal.SIGTERM
    handler(number, None)
    assert world.handlers[1] == (signal.SIGTERM, signal.SIG_DFL)
    assert world.stopped == []
    with LogLines() as lines:
        world.reactor.advance(0)
    assert lines == ["told to stop by SIGTERM: saying goodbye to all peers"]
    assert world.stopped == [0]


# Real processes


def test_two_processes_meet_and_part():
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        port = twistd.port_of(listening)
        with twistd.bitpeer(
            *("--network", "regtest", "--connect", f"127.0.0.1:{port}", "--log-level", "trace")
        ) as dialling:
            dialling.wait_for("joins bitcoin-regtest as /bitpeer:0.1.0/")
            dialling.wait_for("sent version, 1")
            dialling.wait_for("user_agent=b'/bitpeer:0.1.0/'")
            dialling.wait_for("00000000  ")
            dialling.wait_for("(outbound) established: /bitpeer:0.1.0/")
            listening.wait_for("(inbound) established: /bitpeer:0.1.0/")
            started = time.monotonic()
            assert dialling.terminate() == 0
            assert time.monotonic() - started < 5
            assert any("lost: closed by this side" in line for line in dialling.lines)
        listening.wait_for("lost: closed by the peer")
        assert listening.terminate() == 0
        assert not any("sent version" in line for line in listening.lines)
        assert not any("Traceback" in line for line in dialling.lines + listening.lines)


def test_a_port_in_use_ends_the_process_with_one_line():
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        port = twistd.port_of(listening)
        second = twistd.run("--network", "regtest", "--listen", f"127.0.0.1:{port}")
    assert second.returncode == 1
    assert second.stderr == ""
    (line,) = (line for line in second.stdout.splitlines() if "#critical" in line)
    assert line.endswith(f"cannot listen on 127.0.0.1:{port}: Address already in use")
    assert "Traceback" not in second.stdout


def test_a_port_in_use_is_told_when_twistd_goes_to_the_background(tmp_path):
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        place = f"127.0.0.1:{twistd.port_of(listening)}"
        files = (f"--pidfile={tmp_path}/pid", f"--logfile={tmp_path}/log")
        listen = ("bitpeer", "--network", "regtest", "--listen", place)
        with twistd.running(*twistd.TWISTD, *files, *listen) as second:
            assert second.status() == 1
    assert f"listen is '{place}'" in second.lines[0]
    assert f"cannot listen on {place}" in (tmp_path / "log").read_text("utf-8")
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("wrong", ["--network=nowhere", "--connect=host:port", "--listen=http:80"])
def test_a_wrong_option_ends_the_process_with_one_line(wrong):
    ended = twistd.run(wrong)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"bitpeer: {wrong.replace('=', ' is ').split()[0]} is ")


# Jax.Network


def test_a_network_of_jax_network_goes_by_its_title():
    options = parse("--network", "Jaxnet-Mainnet")
    assert options.config.network.title == "jaxnet-mainnet"
    assert (options.chain, options.outbound) == (0, 8)


def test_a_chain_belongs_to_the_network():
    options = parse("--network", "jaxnet-simnet", "--chain", "3", "--listen", "0")
    assert options.config.network.title == "jaxnet-simnet-shard-3"
    assert options.chain == 3


def test_redirections_are_followed_if_the_operator_says_so():
    assert not parse().config.follow_redirects
    assert parse("--follow-redirects").config.follow_redirects


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--chain", "1"], "bitcoin-mainnet has a single chain"),
        (["--serve", "1=7", "--address", "::1"], "bitcoin-mainnet has a single chain"),
        (["--network", "jaxnet-simnet", "--chain", "-1"], "--chain is '-1', expected a number"),
        (["--network", "jaxnet-simnet", "--chain", "4294967296"], "expected a number from 0"),
        (["--serve", "1"], "--serve is '1', expected ID=ENDPOINT"),
        (["--serve", "1="], "--serve is '1=', expected ID=ENDPOINT"),
        (["--serve", "x=1"], "--serve is 'x', expected a number"),
        (["--serve", "\u0661=1"], "expected a number"),
        (["--network", "jaxnet-simnet", "--serve", "0=1"], "another chain than that of --chain"),
        (["--network", "jaxnet-simnet", "--serve", "1=1"], "--address is None, expected an IP"),
        (["--network", "jaxnet-simnet", "--address", "me"], "--address is 'me', expected an IP"),
        (["--network", "jaxnet-none"], "jaxnet-simnet"),
    ],
)
def test_chains_that_make_no_sense_are_refused(arguments, why):
    assert why in complaint(*arguments)


def test_one_program_serves_several_chains_each_at_its_own_door():
    options = parse(
        *("--network", "jaxnet-simnet", "--listen", "7000", "--address", "127.0.0.1"),
        *("--serve", "1=7001", "--serve", "2=127.0.0.1:7002"),
    )
    reactor = Reactor()
    service = tap._make_service(options, reactor)
    assert [options.doors.port(chain) for chain in range(4)] == [None] * 4
    service.privilegedStartService()
    service.startService()
    assert [server[0] for server in reactor.tcpServers] == [7000, 7001, 7002]
    assert [options.doors.port(chain) for chain in range(4)] == [7000, 7001, 7002, None]
    peers = [server[1].buildProtocol(None) for server in reactor.tcpServers]
    greeted = [peer.node.config.network.title for peer in peers]
    assert greeted == ["jaxnet-simnet", "jaxnet-simnet-shard-1", "jaxnet-simnet-shard-2"]
    service.stopService()


def test_a_door_that_cannot_be_read_is_refused():
    options = parse(
        "--network", "jaxnet-simnet", "--address", "::1", "--serve", "1=tcp:x", "--listen", "1"
    )
    with pytest.raises(SystemExit, match="--serve is 'tcp:x'"):
        tap._make_service(options, Reactor())
