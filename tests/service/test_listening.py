"""Tests of bitpeer.service.listening."""

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from bitpeer.errors import InvalidSetting
from bitpeer.service.listening import Listening
from tests.service.fakes import LogLines, Reactor, make_node


class Port:
    """A port that takes its time to close."""

    def __init__(self, host, closing=None):
        self.host = host
        self.closing = closing

    def getHost(self):  # noqa: N802
        return self.host

    def stopListening(self):  # noqa: N802
        return self.closing


class Endpoint:
    """Listens, or fails to, when the test says so."""

    def __init__(self, listening):
        self.listening = listening
        self.count = 0

    def listen(self, factory):
        self.count += 1
        return self.listening


HERE = IPv4Address("TCP", "127.0.0.1", 4711)
IN_USE = CannotListenError("", 7, OSError(98, "Address already in use"))


def listening(endpoint):
    return Listening("tcp:7", endpoint, Factory(), make_node(Reactor()).journal)


def test_the_door_opens_while_there_are_privileges_and_says_where():
    endpoint = Endpoint(succeed(Port(HERE)))
    door = listening(endpoint)
    assert door.address is None
    with LogLines() as lines:
        door.privilegedStartService()
        door.startService()
    assert lines == ["listening on 127.0.0.1:4711"]
    assert door.address == ("127.0.0.1", 4711)
    assert endpoint.count == 1


def test_the_door_opens_without_anybody_speaking_of_privileges():
    endpoint = Endpoint(succeed(Port(UNIXAddress("/run/peers"))))
    door = listening(endpoint)
    with LogLines() as lines:
        door.startService()
    assert lines == ["listening on /run/peers"]
    assert door.address is None
    assert endpoint.count == 1


def test_a_port_in_use_is_told_to_the_caller_and_to_the_log():
    door = listening(Endpoint(fail(IN_USE)))
    with LogLines() as lines, pytest.raises(InvalidSetting, match="Address already in use"):
        door.privilegedStartService()
    assert lines == ["cannot listen on tcp:7: Address already in use"]


def test_a_port_that_fails_before_all_is_started_is_told_to_the_caller_and_to_the_log():
    opening = Deferred()
    door = listening(Endpoint(opening))
    with LogLines() as lines:
        door.privilegedStartService()
        opening.errback(Failure(IN_USE))
        with pytest.raises(InvalidSetting, match="Address already in use"):
            door.startService()
    assert lines == ["cannot listen on tcp:7: Address already in use"]


def test_a_port_that_fails_later_is_told_to_the_log():
    opening = Deferred()
    door = listening(Endpoint(opening))
    door.startService()
    with LogLines() as lines:
        opening.errback(Failure(IN_USE))
    assert lines == ["cannot listen on tcp:7: Address already in use"]
    assert door.address is None
    done = []
    door.stopService().addCallback(done.append)
    assert done == [None]


def test_stopping_waits_until_the_door_is_closed():
    closing, done = Deferred(), []
    door = listening(Endpoint(succeed(Port(HERE, closing))))
    door.startService()
    door.stopService().addCallback(done.append)
    assert done == []
    assert door.address is None
    closing.callback("whatever")
    assert done == [None]


def test_a_door_that_closes_at_once_is_closed_at_once():
    done = []
    door = listening(Endpoint(succeed(Port(HERE))))
    door.startService()
    door.stopService().addCallback(done.append)
    assert done == [None]


def test_stopping_before_the_door_is_open_keeps_it_closed():
    opening, done = Deferred(), []
    door = listening(Endpoint(opening))
    door.startService()
    with LogLines() as lines:
        door.stopService().addCallback(done.append)
    assert lines == []
    assert done == [None]


def test_the_door_opens_again_after_a_pause():
    endpoint = Endpoint(succeed(Port(HERE)))
    door = listening(endpoint)
    door.startService()
    door.stopService()
    endpoint.listening = succeed(Port(HERE))
    door.startService()
    assert endpoint.count == 2
    assert door.address == ("127.0.0.1", 4711)


def test_stopping_what_was_never_started_changes_nothing():
    done = []
    listening(Endpoint(Deferred())).stopService().addCallback(done.append)
    assert done == [None]
