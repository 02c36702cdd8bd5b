"""Tests of `bitpeer.testing.ports`: doors, and those who knock."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone, ConnectionLost, NotConnectingError
from twisted.internet.interfaces import IConnector, IListeningPort
from zope.interface.verify import verifyObject

from tests.testing.stage import PORT, Pair, Talkers


def test_they_are_what_they_say():
    pair = Pair()
    assert verifyObject(IListeningPort, pair.port)
    assert pair.port.getHost() == IPv4Address("TCP", "0.0.0.0", PORT)
    assert pair.dial.getDestination() == IPv4Address("TCP", "20.0.0.2", PORT)
    assert verifyObject(IConnector, pair.dial, tentative=True)


def test_a_connection_is_made():
    pair = Pair()
    here, there = pair.meet()
    assert here.transport.getPeer() == IPv4Address("TCP", "20.0.0.2", PORT)
    assert here.transport.getHost() == IPv4Address("TCP", "20.0.0.1", 49152)
    assert pair.dial.state == "connected"
    assert pair.dialling.events == ["started"]
    pair.dial.disconnect()
    pair.wait()
    assert here.lost == there.lost == [ConnectionDone]


def test_nobody_listens():
    pair = Pair()
    assert pair.port.stopListening().called
    assert pair.port.stopListening().called
    pair.wait(1.9)
    assert pair.dialling.events == ["started"]
    pair.wait(0.2)
    assert pair.dialling.events == ["started", "ConnectionRefusedError"]


def test_a_door_that_was_closed_can_be_opened_again():
    pair = Pair()
    pair.port.stopListening()
    pair.port.startListening()
    pair.meet()
    assert pair.here.made


def test_who_is_in_stays_when_the_door_closes():
    pair = Pair()
    here, there = pair.meet()
    pair.port.stopListening()
    here.transport.write(b"x")
    pair.wait()
    assert there.heard == b"x"


def test_a_door_on_one_interface_opens_to_those_only_who_dial_it():
    pair = Pair()
    local = pair.other.listenTCP(1, Talkers(pair.other), interface="127.0.0.1")
    assert local.getHost().host == "127.0.0.1"
    strangers, oneself = Talkers(pair.one), Talkers(pair.other)
    pair.one.connectTCP("20.0.0.2", 1, strangers)
    pair.other.connectTCP("127.0.0.1", 1, oneself)
    pair.wait()
    assert strangers.events == ["started", "ConnectionRefusedError"]
    (talker,) = oneself.made
    assert talker.transport.getHost().host == "127.0.0.1"


def test_a_name_is_looked_up_and_may_not_be_found():
    pair = Pair()
    pair.simulation.name("other.example", "20.0.0.2")
    known, unknown = Talkers(pair.one), Talkers(pair.one)
    pair.one.connectTCP("other.example", PORT, known)
    pair.one.connectTCP("nobody.example", PORT, unknown)
    pair.wait()
    assert known.made[0].made
    assert unknown.events == ["started", "DNSLookupError"]


def test_addresses_of_version_six_are_addresses():
    pair = Pair()
    third = pair.simulation.host("2001:db8::3")
    listening = Talkers(third)
    third.listenTCP(PORT, listening, interface="::")
    dialling = Talkers(pair.one)
    pair.one.connectTCP("2001:db8::3", PORT, dialling)
    pair.wait()
    assert dialling.made[0].transport.getPeer() == IPv6Address("TCP", "2001:db8::3", PORT)


@pytest.mark.parametrize("why", ["nobody is there", "it is cut off", "it has no power"])
def test_silence_is_waited_out(why):
    pair = Pair()
    dialling = Talkers(pair.one)
    target = "20.0.0.99" if why == "nobody is there" else "20.0.0.2"
    if why == "it is cut off":
        pair.simulation.cut(pair.one, pair.other)
    if why == "it has no power":
        pair.other.crash()
    pair.one.connectTCP(target, PORT, dialling, timeout=30)
    pair.wait(29)
    assert dialling.events == ["started"]
    pair.wait(2)
    assert dialling.events == ["started", "TimeoutError"]
    pair.wait(1_000)
    assert dialling.events == ["started", "TimeoutError"]


def test_even_without_a_time_out_of_its_own_a_dial_ends():
    pair = Pair()
    dialling = Talkers(pair.one)
    pair.one.connectTCP("20.0.0.99", PORT, dialling, timeout=None)
    pair.wait(126)
    assert dialling.events == ["started"]
    pair.wait(2)
    assert dialling.events == ["started", "TimeoutError"]


def test_a_dial_gets_through_when_the_cut_heals():
    pair = Pair()
    pair.simulation.cut(pair.one, pair.other)
    pair.wait(5)
    assert not pair.dialling.made
    pair.simulation.heal()
    pair.wait(5)
    assert pair.here.made


def test_who_loses_power_while_somebody_knocks_does_not_open():
    pair = Pair()
    pair.wait(0.5)
    pair.other.crash()
    pair.wait()
    assert pair.dialling.events == ["started", "ConnectionRefusedError"]


def test_a_dial_can_be_given_up_at_any_time():
    pair = Pair()
    pair.dial.stopConnecting()
    with pytest.raises(NotConnectingError):
        pair.dial.stopConnecting()
    pair.wait()
    assert pair.dialling.events == ["started", "UserError"]
    assert not pair.listening.made


def test_who_was_let_in_after_giving_up_resets_the_connection():
    pair = Pair()
    pair.wait(1.5)
    pair.dial.disconnect()
    assert pair.dialling.events == ["started", "UserError"]
    pair.wait()
    assert not pair.dialling.made
    assert pair.there.lost == [ConnectionLost]


def test_a_refusal_that_comes_after_giving_up_is_not_heard():
    pair = Pair()
    pair.port.stopListening()
    pair.wait(1.5)
    pair.dial.stopConnecting()
    pair.wait()
    assert pair.dialling.events == ["started", "UserError"]


def test_a_dial_may_be_repeated():
    pair = Pair()
    _, there = pair.meet()
    there.transport.loseConnection()
    pair.wait()
    pair.dial.connect()
    pair.wait()
    assert len(pair.dialling.made) == len(pair.listening.made) == 2


def test_a_factory_may_not_want_the_connection():
    pair = Pair(there=None)
    here = pair.wait() or pair.here
    assert here.lost == [ConnectionDone]
    pair = Pair(here=None)
    pair.wait()
    assert pair.there.lost == [ConnectionDone]
    assert pair.dialling.events == ["started", "lost: ConnectionDone"]
