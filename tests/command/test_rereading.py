"""SIGHUP."""

from math import inf
from pathlib import Path

import pytest
from twisted.logger import LogLevel

from bitpeer.command.assemble import assemble
from bitpeer.command.options import Options
from bitpeer.command.program import OperatorsNode
from bitpeer.errors import DisconnectReason
from bitpeer.net.local import LocalNode
from bitpeer.service.nodeservice import NodeService
from bitpeer.service.seeds import Address
from tests.service.fakes import LogLines, Reactor, accept


class World:
    """A program with a file of settings, on a reactor that connects to nothing."""

    def __init__(self, path, said, *arguments):
        self.path = Path(path)
        self.path.write_text(said)
        options = Options()
        options.parseOptions(["--config", str(path), *arguments])
        self.reactor = Reactor()
        self.reactor.advance(1_800_000_000)
        self.program = assemble(options.plan, options.make_plan, self.reactor)
        self.program.privilegedStartService()
        self.program.startService()
        self.events = []
        self.program.reread._events.subscribe(self.events.append)

    @property
    def services(self):
        return [each for each in self.program if isinstance(each, NodeService)]

    def say(self, said):
        """Write new settings and send SIGHUP; return what is logged."""
        self.path.write_text(said)
        with LogLines() as lines:
            self.program.reread()
        return lines

    def told(self):
        return [
            (event["changed"], event["waiting"])
            for event in self.events
            if event["event"] == "config.reread"
        ]


@pytest.fixture
def world(tmp_path):
    worlds = []

    def world(said, *arguments, data="memory"):
        path = tmp_path / "a.toml"
        worlds.append(World(path, said, "--data-dir", data, *arguments))
        return worlds[-1]

    yield world
    for each in worlds:
        each.program.stopService()


def again(names):
    return f"settings have been read again; new: {names}"


def later(names):
    return f"these are new, too, but wait for the next start: {names}"


def test_what_is_the_same_stays(world):
    one = world("listen = ['7']\nban = ['192.0.2.1']\nconnect = ['192.0.2.2']")
    assert one.say(one.path.read_text()) == [again("none")]
    assert one.told() == [([], [])]
    assert len(one.reactor.tcpClients) == 1
    (ban,) = one.services[0].bans
    assert ban.since == 1_800_000_000


def test_the_log_shows_more_or_less(world):
    one = world("connect = ['192.0.2.1']\nlog-level = 'warn'", "--network", "regtest")
    (service,) = one.services
    assert one.say("connect = ['192.0.2.1']\nlog-level = 'trace'") == [again("log-level")]
    (messages,) = service.node.audience.traffic
    assert messages.bytes_too
    assert one.say("connect = ['192.0.2.1']\nlog-level = 'error'") == []
    with LogLines() as lines:
        service.node.journal.emit(LogLevel.warn, "a")
        service.node.journal.emit(LogLevel.error, "b")
    assert lines == ["b"]


def test_limits_change(world):
    one = world("listen = ['7']")
    (service,) = one.services
    said = "listen = ['7']\nmax-inbound = 3\nmax-per-host = 0\nmax-per-prefix = 2"
    assert one.say(said) == [again("max-inbound, max-per-host, max-per-prefix")]
    limits = service.admission.limits
    assert (limits.most, limits.per_host, limits.per_prefix) == (3, inf, 2)
    one.say("listen = ['7']")
    assert service.admission.limits.most == 117


def test_bans_change(world):
    one = world("listen = ['7']\nban = ['192.0.2.1']")
    (service,) = one.services
    assert one.say("listen = ['7']\nban = ['192.0.2.2']\nban-time = 60") == [again("ban, ban-time")]
    (ban,) = service.bans
    assert (ban.subject, ban.until) == ("192.0.2.2/32", 1_800_000_060)


@pytest.mark.parametrize(
    "new", ["connect = ['192.0.2.1', '192.0.2.2']", "add-peer = ['192.0.2.2']"]
)
@pytest.mark.parametrize("way", ["proxy = '192.0.2.9'", "onion-proxy = '192.0.2.9'", "tor = true"])
def test_r_f5_nobody_is_dialled_without_the_proxy_that_waits_for_the_next_start(world, way, new):
    old = "connect = ['192.0.2.1']"
    one = world(f"{old}\noutbound = 1\n")
    before = one.reactor.dialled()
    kept = "" if "connect" in new else old
    (line,) = one.say(f"{kept}\n{new}\noutbound = 1\n{way}\n")
    assert line.startswith("nothing is changed, because new proxies wait for the next start")
    assert one.reactor.dialled() == before
    assert one.say(f"{old}\noutbound = 1\n{way}\n") == [again("none"), later(way.split()[0])]


def test_peers_to_dial_come_and_go(world):
    one = world("connect = ['192.0.2.1', '192.0.2.2']")
    (service,) = one.services
    lines = [accept(one.reactor, index) for index in (0, 1)]
    said = "connect = ['192.0.2.2', '192.0.2.3']\nadd-peer = ['20.1.0.1']"
    assert one.say(said) == [again("connect, add-peer")]
    assert [line.transport.disconnecting for line in lines] == [True, False]
    lines[0].hang_up()
    assert service.node.lost == {DisconnectReason.CLOSED_HERE: 1}
    assert one.reactor.dialled()[2:] == ["192.0.2.3"]
    assert service.book.look_up(Address("20.1.0.1", 8333)) is not None


def test_what_cannot_change_now_waits_and_is_named_until_it_is_as_it_was(world):
    one = world("listen = ['7']")
    said = (
        "listen = ['8']\nuser-agent = 'a:1'\nno-relay = true\nno-headers = true\nhttp = 0\n"
        "services = 9\nwant = 8\nmax-inbound = 4\nno-feelers = true\nno-addresses = true\n"
        "follow-redirects = true\nproxy = '192.0.2.9:9050'\n"
    )
    names = {
        *("listen", "user-agent", "no-relay", "no-headers", "http", "services", "want"),
        *("no-feelers", "no-addresses", "follow-redirects", "proxy"),
    }
    first, second = one.say(said)
    assert first == again("max-inbound")
    assert set(second.removeprefix(later("")).split(", ")) == names
    first, second = one.say(said)
    assert first == again("none")
    assert set(second.removeprefix(later("")).split(", ")) == names
    assert len(one.reactor.tcpServers) == 1
    assert one.say("listen = ['7']\nmax-inbound = 4") == [again("none")]


def test_networks_that_come_or_go_wait_for_the_next_start(world):
    one = world("network = ['mainnet', 'testnet4']")
    mainnet, testnet = one.services
    assert one.say("network = ['mainnet']\nban = ['192.0.2.1']") == [again("ban"), later("network")]
    assert [len(each.bans) for each in (mainnet, testnet)] == [1, 0]
    assert one.say("network = ['signet', 'testnet4']") == [again("none"), later("network")]
    assert [each.running for each in one.services] == [1, 1]
    said = "network = ['mainnet', 'testnet4']\n[networks.testnet4]\nconnect = ['192.0.2.1']"
    lines = one.say(said)
    assert lines[0] == again("connect, ban") or lines[0] == again("ban, connect")
    assert one.reactor.dialled()[-1] == "192.0.2.1"
    assert list(mainnet.bans) == []


def test_all_chains_of_a_network_change(world):
    said = "network = 'jaxnet-simnet'\nlisten = ['7']\naddress = '127.0.0.1'\nserve = ['1=8']\n"
    one = world(said)
    one.say(said + "ban = ['192.0.2.1']\nmax-inbound = 3\nlog-level = 'debug'\nconnect = ['a']")
    assert [len(each.bans) for each in one.services] == [1, 1]
    assert [each.admission.limits.most for each in one.services] == [3, 3]
    assert [len(each.node.audience.traffic) for each in one.services] == [1, 1]
    assert [len(each.named) for each in one.services] == [1, 0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("outbound = 'many'", "outbound in a.toml is 'many', expected a number from 0 to 1000"),
        ("connect = ['host:port']", "--connect is 'host:port', expected host, host:port or"),
        ("connect = ['192.0.2.9', 'plugin:a']", "--connect is 'plugin:a', expected "),
        ("ban = ['me']", "--ban is 'me', expected an IP address, a prefix"),
        ("max-inbound = 3\noutbound", "a.toml is no TOML: "),
        ("tor = true\nproxy = 'a'", "proxy in a.toml and --tor exclude each other"),
    ],
)
def test_what_makes_no_sense_changes_nothing_and_says_why_in_one_line(world, said, why):
    one = world("connect = ['192.0.2.1']\nmax-inbound = 9")
    before = list(one.services[0].named)
    (line,) = one.say("max-inbound = 4\n" + said)
    line = line.replace(f"{one.path.parent}/", "")
    assert line.startswith(f"nothing is changed, because {why}")
    assert "\n" not in line
    assert one.services[0].admission.limits.most == 9
    assert list(one.services[0].named) == before
    assert one.told() == []


def test_a_file_that_is_gone_changes_nothing(world):
    one = world("listen = ['7']")
    one.path.unlink()
    with LogLines() as lines:
        one.program.reread()
    assert len(lines) == 1
    assert "that can be read (No such file or directory)" in lines[0]


def test_bans_that_cannot_be_kept_are_told_and_the_rest_changes(world):
    one = world("listen = ['7']")
    one.services[0].bans.stopService()
    lines = one.say("listen = ['7']\nban = ['192.0.2.1']\nmax-inbound = 3")
    assert lines == [
        "not everybody on bitcoin-mainnet is banned who should be, or the other way: "
        "the list of bans cannot be used: the service does not run",
        again("max-inbound, ban"),
    ]
    assert one.services[0].admission.limits.most == 3


def test_the_other_log_is_opened_anew_even_if_the_settings_make_no_sense(world, tmp_path):
    path = tmp_path / "events"
    one = world("listen = ['7']", "--log-json", str(path))
    path.rename(tmp_path / "events.old")
    one.say("listen = 7.5")
    assert path.exists()
    one.say("listen = ['7']")
    assert "config.reread" in path.read_text()


def test_a_node_of_another_kind_has_a_log_of_its_own(world):
    one = world("listen = ['7']")
    (service,) = one.services
    assert isinstance(service.node, OperatorsNode)
    service.node = LocalNode(service.node.config, clock=one.reactor)
    one.say("listen = ['7']\nlog-level = 'debug'\nmax-inbound = 3")
    assert service.node.audience.traffic == ()
    assert service.admission.limits.most == 3
