"""Each target notices when something is wrong: what is fuzzed is broken on purpose."""

import pytest

from bitpeer.command import configfile
from bitpeer.errors import Truncated
from bitpeer.messages.control import Ping, VerAck
from bitpeer.net.socks5 import Negotiation
from bitpeer.net.torcontrol import Control
from bitpeer.peer.inquiries import UNASKED, Inquiries
from bitpeer.peer.machine import PeerMachine
from bitpeer.service.anchors import Anchors
from bitpeer.service.headers import HeaderChain
from bitpeer.wire.framing import Framing
from fuzz import targets
from fuzz.target import Wrong
from fuzz.targets.messages import expect_little_memory, read


def try_all(name):
    """Try what a target begins with."""
    target = targets.load(name)
    for data in target.first_inputs():
        target.try_one(data)


class Broken(Exception):
    """What nothing should raise."""


def broken(*_, **__):
    raise Broken


@pytest.mark.parametrize(
    ("name", "owner", "method"),
    [
        ("framing", Framing, "_collected"),
        ("handshake", PeerMachine, "wake"),
        ("requests", Inquiries, "give_up"),
        ("headers", HeaderChain, "_append"),
        ("socks", Negotiation, "_verdict"),
        ("tor-control", Control, "close"),
        ("kept", Anchors, "take"),
        ("config", configfile, "_texts"),
    ],
)
def test_what_nobody_expects_is_a_finding(monkeypatch, logged_failures, name, owner, method):
    monkeypatch.setattr(owner, method, broken)
    with pytest.raises((Broken, Wrong)):
        try_all(name)
    logged_failures.claim()


def test_a_message_that_is_written_differently_is_a_finding(monkeypatch):
    monkeypatch.setattr(Ping, "encode", lambda _: bytes(8))
    with pytest.raises(Wrong, match="another message"):
        read(Ping, b"12345678")


def test_a_message_that_cannot_be_read_as_written_is_a_finding():
    class Mute(VerAck):
        """Something of which nothing is written."""

        @classmethod
        def decode(cls, payload):
            if not payload:
                raise Truncated(1, 0)
            return cls()

    Mute.max_size = 1
    with pytest.raises(Truncated):
        read(Mute, b"x")


def test_a_hungry_message_is_a_finding():
    class Hungry(VerAck):
        """Something that takes more memory than it should."""

        @classmethod
        def decode(cls, _):
            return [bytes(1_000_000)] and cls()

    with pytest.raises(Wrong, match="bytes of memory"):
        expect_little_memory(Hungry, b"")
    expect_little_memory(VerAck, b"")


def test_frames_that_depend_on_how_they_come_are_a_finding(monkeypatch):
    collect = Framing._collect
    monkeypatch.setattr(
        Framing, "_collect", lambda *given: collect(*given[:-1], given[-1][:-1] + b"?")
    )
    with pytest.raises(Wrong, match="in pieces it means something else"):
        try_all("framing")


def test_an_answer_that_nobody_gets_is_a_finding(monkeypatch):
    monkeypatch.setattr(Inquiries, "expire", lambda *_: ())
    with pytest.raises(Wrong):
        try_all("requests")


def test_an_answer_that_is_not_recognised_is_none():
    assert Inquiries({}, 1).take(object(), 1, 0.0) == UNASKED
