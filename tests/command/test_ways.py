"""Proxies, Tor and onion services, as operators ask for them."""

import pytest

from bitpeer.command import ways
from bitpeer.command.options import Options
from bitpeer.command.said import WrongSetting
from bitpeer.command.ways import make_doors, make_routes, make_tor
from bitpeer.errors import MissingExtra
from bitpeer.net.onion import OnionEndpoint, TheirOnionEndpoint
from bitpeer.net.socks import Socks5Endpoint
from bitpeer.net.tor import USUAL_PLACES
from bitpeer.net.torlaunch import TorProcess
from tests.service.fakes import Reactor, make_node

ONION = "a" * 55 + "d.onion"


def plan(*arguments):
    options = Options()
    options.parseOptions(arguments)
    return options.plan


def tor_for(tmp_path, *arguments):
    reactor = Reactor()
    return make_tor(plan(*arguments), tmp_path, make_node(reactor).journal, reactor)


def routes_for(*arguments, tor=None):
    return make_routes(plan(*arguments).networks[0], tor, Reactor())


def complaint(make, *arguments):
    with pytest.raises(WrongSetting) as caught:
        make(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_without_a_word_there_is_no_tor(tmp_path):
    assert tor_for(tmp_path) is None


def test_a_tor_that_runs_is_looked_for_and_else_one_is_started(tmp_path):
    tor = tor_for(tmp_path, "--tor")
    assert [place.name for place in tor._places] == list(USUAL_PLACES)
    assert isinstance(tor._process, TorProcess)
    assert tor._process._directory == tmp_path / "tor"
    assert tor._password is None


def test_who_keeps_nothing_keeps_nothing_of_tor():
    assert tor_for(None, "--tor")._process._directory is None


def test_of_a_tor_that_is_named_no_other_is_started(tmp_path):
    password = tmp_path / "password"
    password.write_text("secret\nand more\n")
    tor = tor_for(tmp_path, "--tor-control", "9999", "--tor-password-file", str(password))
    assert [place.name for place in tor._places] == ["127.0.0.1:9999"]
    assert tor._process is None
    assert tor._password == "secret"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "a file whose first line is a password of at most 1024 bytes"),
        (b"x" * 2_000, "a file whose first line is a password"),
        (b"\xff", "a file with a password in UTF-8"),
        (None, "a file that can be read (No such file or directory)"),
    ],
)
def test_a_password_that_cannot_be_read_is_named(tmp_path, content, expected):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    line = complaint(tor_for, tmp_path, "--tor", "--tor-password-file", str(path))
    assert line.startswith("--tor-password-file is ")
    assert expected in line


def test_a_control_port_that_is_none_is_named(tmp_path):
    line = complaint(tor_for, tmp_path, "--tor-control", "a:b:c")
    assert line == "--tor-control is 'a:b:c', expected a port, host:port or unix:/path"


def test_without_txtorcon_there_is_no_tor(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise MissingExtra("dialling through Tor", "txtorcon", "tor")

    monkeypatch.setattr(ways, "Tor", missing)
    line = complaint(tor_for, tmp_path, "--tor")
    assert line.startswith("--tor cannot be used: ")
    assert "bitpeer[tor]" in line


def test_through_tor_everything_goes(tmp_path):
    tor = tor_for(tmp_path, "--tor")
    routes = routes_for("--tor", tor=tor)
    assert routes.proxied
    assert routes.proxy is tor.proxy


def test_a_proxy_is_for_everything_and_another_for_onions_only():
    routes = routes_for("--proxy", "socks5://127.0.0.1:1")
    assert isinstance(routes.endpoint("192.0.2.1", 1), Socks5Endpoint)
    routes = routes_for("--onion-proxy", "127.0.0.1:1", "--cjdns-reachable")
    assert not routes.proxied
    assert not isinstance(routes.endpoint("192.0.2.1", 1), Socks5Endpoint)
    assert isinstance(
        routes.endpoint("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 1),
        Socks5Endpoint,
    )
    assert routes.reaches("fc00::1")
    assert not routes_for().reaches("fc00::1")


@pytest.mark.parametrize("option", ["--proxy", "--onion-proxy"])
def test_a_proxy_that_is_none_is_named(option):
    assert complaint(routes_for, option, "http://a").startswith(f"{option} is 'http://a', expected")


@pytest.mark.parametrize("text", ["socks5://me:secret@a:99999", "http://me:secret@a:99999"])
def test_the_password_of_a_proxy_is_not_shown(text):
    assert complaint(routes_for, "--proxy", text).startswith("--proxy is '...@a:99999', expected")


def test_onion_services_are_doors_like_others(tmp_path):
    arguments = ("--tor", "--listen", "7", "--listen", "onion:8", "--onion-service")
    network = plan(*arguments).networks[0]
    tor, key = tor_for(tmp_path, "--tor"), tmp_path / "key"
    plain, first, second = make_doors(network, tor, key, Reactor())
    assert plain == "7"
    assert isinstance(first, OnionEndpoint)
    assert (first._port, first._key) == (8, tmp_path / "key-8")
    assert isinstance(second, OnionEndpoint)
    assert (second._port, second._key) == (8333, key)


def test_an_onion_service_that_is_said_twice_is_one(tmp_path):
    network = plan("--tor", "--listen", "onion:8333", "--onion-service").networks[0]
    tor, key = tor_for(tmp_path, "--tor"), tmp_path / "onion.key"
    (door,) = make_doors(network, tor, key, Reactor())
    assert (door._port, door._key) == (8333, key)
    (door,) = make_doors(network, tor, None, Reactor())
    assert door._key is None


def test_what_txtorcon_reads_is_left_to_it(tmp_path):
    network = plan("--tor", "--listen", "onion:8:version=3", "--listen", "onion:9").networks[0]
    key = tmp_path / "key"
    theirs, ours = make_doors(network, tor_for(tmp_path, "--tor"), key, Reactor())
    assert isinstance(theirs, TheirOnionEndpoint)
    assert ours._key == tmp_path / "key-9"


def test_without_tor_doors_are_what_was_said():
    assert make_doors(plan("--listen", "onion:8").networks[0], None, None, Reactor()) == ["onion:8"]


def test_an_onion_service_without_a_port_is_named(tmp_path):
    network = plan("--tor", "--listen", "onion:x").networks[0]
    line = complaint(make_doors, network, tor_for(tmp_path, "--tor"), None, Reactor())
    assert line == "--listen is 'onion:x', expected onion:port, with a port from 1 to 65535"


def test_an_onion_service_without_txtorcon_says_so(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise MissingExtra("dialling through Tor", "txtorcon", "tor")

    monkeypatch.setattr(ways, "onion_endpoint", missing)
    network = plan("--tor", "--listen", "onion:1").networks[0]
    line = complaint(make_doors, network, tor_for(tmp_path, "--tor"), None, Reactor())
    assert line.startswith("--listen is 'onion:1', but ")
