"""Tests of bitpeer.service.doors."""

from bitpeer.service.compose import node_service
from bitpeer.service.doors import Doors
from tests.service.fakes import Reactor, make_node


def test_a_door_is_known_while_it_is_open():
    reactor = Reactor()
    service = node_service(make_node(reactor), listen=["7001", "7002"], reactor=reactor)
    doors = Doors()
    doors.add(3, service)
    assert doors.port(3) is None
    service.privilegedStartService()
    service.startService()
    assert doors.port(3) == 7001
    assert doors.port(4) is None
    service.stopService()
    assert doors.port(3) is None


def test_who_accepts_nobody_has_no_door():
    reactor = Reactor()
    doors = Doors()
    doors.add(0, node_service(make_node(reactor), connect=["192.0.2.1"], reactor=reactor))
    assert doors.port(0) is None
