# ruff: noqa: N802  # names that Twisted gives
"""Tests of `bitpeer.testing.host`: a reactor, for those who need one."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, serverFromString
from twisted.internet.error import CannotListenError, DNSLookupError
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.internet.task import LoopingCall, deferLater
from zope.interface import implementer
from zope.interface.verify import verifyObject

from bitpeer.testing import Simulation
from tests.testing.stage import PORT, Pair, Talkers


@implementer(IResolutionReceiver)
class Answers:
    def __init__(self):
        self.addresses = []
        self.resolution = None
        self.complete = False

    def resolutionBegan(self, resolution):
        self.resolution = resolution

    def addressResolved(self, address):
        self.addresses.append(address)

    def resolutionComplete(self):
        self.complete = True


def test_it_is_a_reactor():
    host = Simulation().host("20.0.0.9")
    for interface in (IReactorTime, IReactorTCP, IReactorPluggableNameResolver):
        assert verifyObject(interface, host)
    assert repr(host) == "<host 20.0.0.9>"


def test_it_keeps_time():
    simulation = Simulation(now=50.0)
    host = simulation.host()
    told = []
    host.callLater(2, told.append, "later")
    assert [call.getTime() for call in host.getDelayedCalls()] == [52.0]
    loop = LoopingCall(lambda: told.append(host.seconds()))
    loop.clock = host
    loop.start(1.5, now=False)
    assert simulation.run(deferLater(host, 3, lambda: "done")) == "done"
    assert told[:2] == [51.5, "later"]
    loop.stop()


def test_a_port_is_listened_on_once():
    host = Simulation().host()
    port = host.listenTCP(PORT, Talkers(host))
    with pytest.raises(CannotListenError):
        host.listenTCP(PORT, Talkers(host))
    port.stopListening()
    host.listenTCP(PORT, Talkers(host))


def test_port_zero_is_any_that_is_free():
    host = Simulation().host()
    ports = {host.listenTCP(0, Talkers(host)).getHost().port for _ in range(3)}
    assert len(ports) == 3
    assert 0 not in ports


def test_its_endpoints_are_endpoints():
    simulation = Simulation()
    here, there = simulation.host(), simulation.host()
    listening = Talkers(there)
    simulation.run(there.server(PORT).listen(listening))
    talker = simulation.run(here.client(there.address, PORT).connect(Talkers(here)))
    assert (round(listening.made[0].made, 3), round(talker.made, 3)) == (0.05, 0.1)


def test_endpoints_may_be_described():
    simulation = Simulation()
    here, there = simulation.host(), simulation.host()
    simulation.name("there.example", there.address)
    simulation.run(serverFromString(there, "tcp:1234").listen(Talkers(there)))
    endpoint = clientFromString(here, "tcp:there.example:1234")
    assert simulation.run(endpoint.connect(Talkers(here))).made
    with pytest.raises(DNSLookupError):
        simulation.run(HostnameEndpoint(here, "nowhere.example", 1234).connect(Talkers(here)))


def test_names_are_resolved_after_a_while():
    simulation = Simulation()
    host = simulation.host()
    simulation.name("both.example", "20.0.0.7", "2001:db8::7")
    assert verifyObject(IHostnameResolver, host.nameResolver)
    everything, four, nothing = Answers(), Answers(), Answers()
    resolve = host.nameResolver.resolveHostName
    resolve(everything, "Both.example.", 9)
    resolve(four, "both.example", addressTypes=[IPv4Address])
    resolve(nothing, "nobody.example")
    assert not everything.complete
    simulation.advance(1)
    assert everything.addresses == [
        IPv4Address("TCP", "20.0.0.7", 9),
        IPv6Address("TCP", "2001:db8::7", 9),
    ]
    assert four.addresses == [IPv4Address("TCP", "20.0.0.7", 0)]
    assert (nothing.addresses, nothing.complete) == ([], True)


def test_a_look_up_can_be_cancelled():
    simulation = Simulation()
    host = simulation.host()
    simulation.name("a.example", "20.0.0.7")
    answers = Answers()
    host.nameResolver.resolveHostName(answers, "a.example")
    assert verifyObject(IHostResolution, answers.resolution)
    assert answers.resolution.name == "a.example"
    answers.resolution.cancel()
    simulation.advance(1)
    assert (answers.addresses, answers.complete) == ([], False)


def test_another_resolver_can_be_installed():
    host = Simulation().host()
    before, other = host.nameResolver, object()
    assert host.installNameResolver(other) is before
    assert host.nameResolver is other


def test_without_power_nothing_happens():
    pair = Pair()
    _, there = pair.meet()
    told = []
    pair.other.callLater(1, told.append, "never")
    pair.one.callLater(1, told.append, "still")
    waiting = Deferred()
    pair.other.callLater(1, waiting.callback, None)
    pair.other.crash()
    pair.wait(2_000)
    assert told == ["still"]
    assert not waiting.called
    assert not there.lost
    assert not pair.other.running
    pair.other.reboot()
    assert pair.other.running
    dialling = Talkers(pair.one)
    pair.one.connectTCP("20.0.0.2", PORT, dialling)
    pair.wait()
    assert dialling.events == ["started", "ConnectionRefusedError"]  # nobody has opened the door


def test_chance_differs_from_host_to_host():
    one, same = Simulation(seed=1), Simulation(seed=1)
    drawn = [host.random.random() for host in (one.host(), one.host(), same.host())]
    assert drawn[0] == drawn[2] != drawn[1]


def test_ports_of_those_who_dial_are_used_again():
    host = Simulation().host()
    seen = [host.new_connection("20.0.0.9")[1] for _ in range(16_385)]
    assert seen[0] == seen[-1] == 49152
    assert len(set(seen)) == 16_384
