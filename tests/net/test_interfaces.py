import pytest
from zope.interface import Interface
from zope.interface.verify import verifyClass, verifyObject

from bitpeer.net import interfaces
from bitpeer.net.interfaces import IPeer, IPeerListener, ITrafficListener
from bitpeer.net.listeners import PeerListener
from bitpeer.net.traffic import MessageLog
from tests.net.stage import Recorder, join, meet, node

ALL = [each for each in vars(interfaces).values() if isinstance(each, type(Interface))]


@pytest.mark.parametrize("interface", [each for each in ALL if each is not Interface])
def test_every_interface_and_each_of_its_members_says_what_it_means(interface):
    assert interface.__doc__
    assert interface.names()
    for _, member in interface.namesAndDescriptions():
        assert member.__doc__


def test_a_peer_is_one_at_every_stage():
    stage = node()
    peer = join(stage)
    assert verifyObject(IPeer, peer)
    established = meet(stage)
    assert verifyObject(IPeer, established)
    established.transport.lose()
    assert verifyObject(IPeer, established)


def test_listeners_are_what_they_say():
    assert verifyClass(IPeerListener, PeerListener)
    assert verifyClass(ITrafficListener, MessageLog)
    assert verifyObject(IPeerListener, Recorder())
    assert verifyObject(ITrafficListener, Recorder())
