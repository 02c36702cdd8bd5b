import os
import sys
from base64 import b64decode
from hashlib import sha512

import pytest
from twisted.internet import endpoints
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from zope.interface.verify import verifyObject

from bitpeer.errors import InvalidSetting, MissingExtra, TorUnavailable
from bitpeer.net.onion import (
    Onion,
    OnionEndpoint,
    TheirOnionEndpoint,
    kept_key,
    new_key,
    onion_endpoint,
)
from bitpeer.net.socks import NameAddress
from bitpeer.net.torcontrol import connect_control
from tests.net.fake_tor import NAME, FakeTor

KEY = new_key(bytes)


@pytest.fixture
def reactor():
    return MemoryReactorClock()


@pytest.fixture
def tor(reactor):
    return FakeTor(reactor)


@pytest.fixture
def control(tor, reactor):
    (control,) = outcome(connect_control(tor, "port 9051", None, reactor))
    return control


def outcome(deferred):
    results = []
    deferred.addBoth(results.append)
    return [getattr(result, "value", result) for result in results]


class Keeper:
    """Publishes at once, when it is told to, or never."""

    def __init__(self):
        self.onions = []
        self.published = []
        self.started = succeed(None)

    def when_started(self):
        return self.started

    def add_onion(self, onion):
        self.onions.append(onion)
        self.published.append(Deferred())
        return self.published[-1]

    def remove_onion(self, onion):
        self.onions.remove(onion)
        return succeed(None)


# Keys


def test_key_is_what_a_seed_expands_to():
    """RFC 8032, section 7.1, test 1: the seed, and the clamped scalar of its expansion."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    kind, _, digits = new_key(lambda size: seed[:size]).partition(":")
    expanded = b64decode(digits)
    assert kind == "ED25519-V3"
    scalar = "307c83864f2833cb427a2ef1c00a013cfdff2768d980c0a3a520f006904de94f"
    assert expanded[:32].hex() == scalar
    assert expanded[32:] == sha512(seed).digest()[32:]


def test_no_two_keys_are_equal():
    assert new_key() != new_key()


def test_key_is_kept_for_its_owner_only(tmp_path):
    path = tmp_path / "onion.key"
    key = kept_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_key(path) == key


@pytest.mark.parametrize("text", ["", "RSA1024:abcd", f"{KEY[:-8]}", "ED25519-V3:caf\xe9", "x"])
def test_file_with_something_else_is_no_key(tmp_path, text):
    path = tmp_path / "onion.key"
    path.write_text(text, "latin-1")
    path.chmod(0o600)
    with pytest.raises(InvalidSetting, match="a file with a key of kind ED25519-V3"):
        kept_key(path)


def test_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "onion.key"
    path.write_text(KEY)
    path.chmod(0o640)
    with pytest.raises(InvalidSetting, match="only its owner may read"):
        kept_key(path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_holds_no_key(tmp_path, make):
    path = tmp_path / "onion.key"
    make(path, 0o600)
    with pytest.raises(InvalidSetting, match="a plain file"):
        kept_key(path)


def test_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InvalidSetting, match="No such file or directory"):
        kept_key(tmp_path / "x" / "y" / "onion.key")


def test_folder_of_the_key_is_made_for_its_owner_only(tmp_path):
    kept_key(tmp_path / "x" / "onion.key")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o700


# One service at one Tor


def test_service_is_published_with_a_puzzle(tor, control):
    onion = Onion(KEY, 8333, ("127.0.0.1", 5_000))
    assert outcome(onion.publish(control)) == [None]
    order = f"ADD_ONION {KEY} PoWDefensesEnabled=1 Port=8333,127.0.0.1:5000"
    assert tor.said("ADD_ONION") == [order]
    assert onion.name == f"{NAME}.onion"


def test_tor_without_puzzles_is_asked_without_them(tor, control):
    def reply(command):
        known = "PoW" not in command
        return f"250-ServiceID={NAME}\r\n250 OK" if known else "512 Unrecognized keyword argument"

    tor.replies["ADD_ONION"] = reply
    onion = Onion(KEY, 8333, ("127.0.0.1", 5_000))
    assert outcome(onion.publish(control)) == [None]
    assert tor.said("ADD_ONION")[1:] == [f"ADD_ONION {KEY} Port=8333,127.0.0.1:5000"]


def test_refusal_is_told(tor, control):
    tor.replies["ADD_ONION"] = "550 Onion address collision"
    onion = Onion(KEY, 8333, ("127.0.0.1", 5_000))
    (error,) = outcome(onion.publish(control))
    assert isinstance(error, TorUnavailable)
    assert str(error) == "port 9051: 550 Onion address collision"
    assert len(tor.said("ADD_ONION")) == 1


def test_tor_that_dies_over_it_is_not_asked_again(tor, control):
    tor.replies["ADD_ONION"] = None
    answer = Onion(KEY, 8333, ("127.0.0.1", 5_000)).publish(control)
    tor.die()
    assert str(outcome(answer)[0]) == "port 9051: it closed the connection"


@pytest.mark.parametrize("reply", ["250 OK", f"250-ServiceID={'a' * 56}\r\n250 OK"])
def test_answer_without_a_name_is_no_answer(tor, control, reply):
    tor.replies["ADD_ONION"] = reply
    (error,) = outcome(Onion(KEY, 8333, ("127.0.0.1", 5_000)).publish(control))
    assert "it tells no name" in str(error)


def test_service_is_withdrawn_once(tor, control):
    onion = Onion(KEY, 8333, ("127.0.0.1", 5_000))
    outcome(onion.publish(control))
    tor.replies["DEL_ONION"] = "552 Unknown Onion Service id"
    assert outcome(onion.withdraw(control)) == [None]
    assert outcome(onion.withdraw(control)) == [None]
    assert tor.said("DEL_ONION") == [f"DEL_ONION {NAME}"]


# The endpoint


def test_door_is_open_on_loopback_only_and_known_by_its_onion(reactor, tmp_path):
    keeper = Keeper()
    endpoint = OnionEndpoint(reactor, keeper, 8333, tmp_path / "onion.key")
    verifyObject(IStreamServerEndpoint, endpoint)
    assert repr(endpoint) == "onion:8333"
    listening = endpoint.listen(Factory())
    ((port, _, _, interface),) = reactor.tcpServers
    assert (port, interface) == (0, "127.0.0.1")
    assert not listening.called
    (onion,) = keeper.onions
    assert onion.port == 8333
    onion.name = f"{NAME}.onion"
    keeper.published[0].callback(None)
    (door,) = outcome(listening)
    verifyObject(IListeningPort, door)
    door.startListening()
    assert door.getHost() == NameAddress(f"{NAME}.onion", 8333)
    assert door.local == onion.local
    assert onion.local[0] == "127.0.0.1"
    assert outcome(door.stopListening()) == [None]
    assert keeper.onions == []


def test_door_without_a_key_file_has_a_new_name_each_time(reactor, tor, control):
    keeper = Keeper()
    for _ in range(2):
        OnionEndpoint(reactor, keeper, 8333).listen(Factory())
    for onion in keeper.onions:
        onion.publish(control)
    first, second = tor.said("ADD_ONION")
    assert first.split()[1] != second.split()[1]


def test_key_kept_is_the_key_used(reactor, tor, control, tmp_path):
    keeper = Keeper()
    OnionEndpoint(reactor, keeper, 8333, tmp_path / "onion.key").listen(Factory())
    keeper.onions[0].publish(control)
    assert tor.said("ADD_ONION")[0].split()[1] == kept_key(tmp_path / "onion.key")


def test_key_that_cannot_be_kept_opens_no_door(reactor, tmp_path):
    endpoint = OnionEndpoint(reactor, Keeper(), 8333, tmp_path / "x" / "y" / "onion.key")
    (error,) = outcome(endpoint.listen(Factory()))
    assert isinstance(error, InvalidSetting)
    assert not reactor.tcpServers


def test_nothing_is_written_before_tor_is_started(reactor, tmp_path):
    keeper = Keeper()
    keeper.started = Deferred()
    OnionEndpoint(reactor, keeper, 8333, tmp_path / "onion.key").listen(Factory())
    assert not reactor.tcpServers
    assert not list(tmp_path.iterdir())
    keeper.started.callback(None)
    assert reactor.tcpServers
    assert (tmp_path / "onion.key").exists()


def test_door_that_tor_refuses_is_closed_again(reactor):
    keeper = Keeper()
    listening = OnionEndpoint(reactor, keeper, 8333).listen(Factory())
    keeper.published[0].errback(TorUnavailable("port 9051", "no"))
    (error,) = outcome(listening)
    assert isinstance(error, TorUnavailable)
    assert keeper.onions == []


def test_door_that_is_not_wanted_any_more_is_closed_again(reactor):
    keeper = Keeper()
    listening = OnionEndpoint(reactor, keeper, 8333).listen(Factory())
    listening.cancel()
    assert isinstance(outcome(listening)[0], CancelledError)
    assert keeper.onions == []


# Descriptions


@pytest.mark.parametrize("text", ["onion:8333", "ONION:8333", "onion:public_port=8333"])
def test_onion_with_a_port_is_ours_if_there_is_a_tor(reactor, text, tmp_path):
    endpoint = onion_endpoint(reactor, text, Keeper(), tmp_path / "onion.key")
    assert isinstance(endpoint, OnionEndpoint)
    assert repr(endpoint) == "onion:8333"


@pytest.mark.parametrize(
    ("text", "keeper"),
    [("onion:8333", None), ("onion:8333:controlPort=9051", Keeper())],
)
def test_all_other_onions_are_for_txtorcon(reactor, text, keeper):
    endpoint = onion_endpoint(reactor, text, keeper)
    verifyObject(IStreamServerEndpoint, endpoint)
    assert isinstance(endpoint, TheirOnionEndpoint)
    assert repr(endpoint) == f"{text}:version=3"


@pytest.mark.parametrize("version", ["2", "30", ""])
def test_no_tor_publishes_another_version(reactor, version):
    with pytest.raises(InvalidSetting, match="version=3"):
        onion_endpoint(reactor, f"onion:8333:version={version}:controlPort=9051")


@pytest.mark.parametrize("text", ["onion", "onion:", "onion:x", "onion:0", "onion:65536", "tcp:1"])
def test_onion_without_a_port_is_none(reactor, text):
    with pytest.raises(InvalidSetting, match="onion:port"):
        onion_endpoint(reactor, text, Keeper())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("onion:8333", "onion:8333:version=3"),
        ("onion:8333:version=2:controlPort=1", "onion:8333:version=2:controlPort=1"),
    ],
)
def test_txtorcon_reads_a_description_when_the_door_is_opened(reactor, monkeypatch, text, read):
    seen = []

    class Endpoint:
        def listen(self, factory):
            return succeed("a port")

    def server_from_string(_, description):
        seen.append(description)
        return Endpoint()

    monkeypatch.setattr("bitpeer.net.onion.serverFromString", server_from_string)
    endpoint = TheirOnionEndpoint(reactor, text)
    assert seen == []
    assert outcome(endpoint.listen(Factory())) == ["a port"]
    assert seen == [read]


def test_description_that_txtorcon_cannot_read_fails_the_door(reactor):
    (error,) = outcome(TheirOnionEndpoint(reactor, "onion:8333:version=7").listen(Factory()))
    assert isinstance(error, ValueError)


def test_txtorcon_registers_what_we_rely_on():
    assert "onion" in {
        each.prefix for each in endpoints.getPlugins(endpoints.IStreamServerEndpointStringParser)
    }


def test_missing_package_is_named(reactor, monkeypatch):
    monkeypatch.setitem(sys.modules, "txtorcon.torcontrolprotocol", None)
    with pytest.raises(MissingExtra, match=r"bitpeer\[tor\]"):
        onion_endpoint(reactor, "onion:8333")
