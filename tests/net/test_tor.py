import sys

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import Logger, LogLevel, formatEvent

from bitpeer.errors import InvalidSetting, MissingExtra, TorUnavailable
from bitpeer.net.journal import Journal
from bitpeer.net.onion import Onion, new_key
from bitpeer.net.tor import (
    USUAL_PLACES,
    ControlPlace,
    Tor,
    TorState,
    control_place,
    usual_places,
)
from tests.net.fake_tor import NAME, STARTING, FakeTor, progress

KEY = new_key()


@pytest.fixture
def reactor():
    return MemoryReactorClock()


@pytest.fixture
def events():
    return []


@pytest.fixture
def journal(reactor, events):
    return Journal(Logger("tor", observer=events.append), reactor.seconds)


@pytest.fixture
def fake(reactor):
    return FakeTor(reactor)


@pytest.fixture
def start(reactor, journal):
    """Start a service that looks for Tor at these fake ones; the retry is after 10 s times n."""
    services = []

    def start(*fakes, process=None, password=None):
        places = [ControlPlace(f"port {n}", fake) for n, fake in enumerate(fakes, 1)]
        tor = Tor(
            reactor,
            journal,
            places=places,
            process=process,
            password=password,
            retry=lambda failures: 10.0 * failures,
        )
        services.append(tor)
        tor.startService()
        return tor

    yield start
    for tor in services:
        if tor.running:
            tor.stopService()


class Process:
    """A Tor that can be started, at a place of the test's choice."""

    def __init__(self, place="127.0.0.1:4321"):
        self.place = place
        self.starts = 0
        self.stopped = False

    async def start(self):
        self.starts += 1
        if isinstance(self.place, Exception):
            raise self.place
        return self.place

    def stop(self):
        self.stopped = True
        return succeed(None)


def outcome(deferred):
    results = []
    deferred.addBoth(results.append)
    return [getattr(result, "value", result) for result in results]


def lines(events, level=LogLevel.info):
    return [formatEvent(event) for event in events if event["log_level"] is level]


# Where a Tor may be


@pytest.mark.parametrize(
    ("text", "name", "dialled"),
    [
        ("9151", "127.0.0.1:9151", ("127.0.0.1", 9151)),
        ("192.0.2.1", "192.0.2.1:9051", ("192.0.2.1", 9051)),
        ("localhost:1", "127.0.0.1:1", ("127.0.0.1", 1)),
        ("tcp:127.0.0.1:1", "127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:9", "::1:9", ("::1", 9)),
    ],
)
def test_control_port_is_a_port_or_a_host_and_a_port(reactor, text, name, dialled):
    place = control_place(reactor, text)
    place.endpoint.connect(Factory())
    assert place.name == name
    assert reactor.tcpClients[0][:2] == dialled


def test_control_port_can_be_a_socket_of_unix(reactor):
    place = control_place(reactor, "unix:/run/tor/control")
    place.endpoint.connect(Factory())
    assert place.name == "unix:/run/tor/control"
    assert reactor.unixClients[0][0] == "/run/tor/control"


@pytest.mark.parametrize("text", ["", "unix:", "unix:/" + "x" * 107, "99999", "a b", "tcp:"])
def test_anything_else_is_no_control_port(reactor, text):
    with pytest.raises(InvalidSetting, match="a port, host:port or unix:/path"):
        control_place(reactor, text)


def test_usual_places_are_known(reactor):
    assert [place.name for place in usual_places(reactor)] == list(USUAL_PLACES)


# Being up


def test_tor_that_runs_is_joined(start, fake, events):
    tor = start(fake)
    assert tor.state is TorState.UP
    assert tor.progress == 100
    assert tor.version == "0.4.9.11"
    assert tor.why == ""
    assert lines(events) == [
        "Tor 0.4.9.11 found at port 1, with SOCKS at 127.0.0.1:9050",
        "Tor is up",
    ]


def test_second_place_is_asked_if_the_first_has_none(start, reactor):
    empty = FakeTor(reactor)
    empty.refuses = Refused()
    assert start(empty, FakeTor(reactor)).state is TorState.UP


def test_password_is_passed_on(start, reactor):
    fake = FakeTor(reactor, methods="METHODS=HASHEDPASSWORD")
    assert start(fake, password="x").state is TorState.UP


def test_proxy_connects_to_the_socks_port(start, reactor, fake):
    tor = start(fake)
    assert tor.proxy.is_tor
    assert tor.proxy.isolate
    assert repr(tor.proxy.endpoint) == "Tor"
    tor.proxy.endpoint.connect(Factory())
    assert reactor.tcpClients[0][:2] == ("127.0.0.1", 9050)


@pytest.mark.parametrize(
    ("told", "dialled"),
    [
        ('"127.0.0.1:9050" "127.0.0.1:9150"', ("127.0.0.1", 9050)),
        ('"0.0.0.0:9050"', ("192.168.1.1", 9050)),  # where the control port is
        ('"[::]:9050"', ("192.168.1.1", 9050)),
        ('"odd" "127.0.0.1:9150"', ("127.0.0.1", 9150)),
        ("127.0.0.1:9050", ("127.0.0.1", 9050)),
        ('"name.example:9050" "127.0.0.1:9150"', ("127.0.0.1", 9150)),  # looked up for nobody
    ],
)
def test_first_socks_port_that_can_be_used_is_taken(start, reactor, told, dialled):
    start(FakeTor(reactor, socks=told)).proxy.endpoint.connect(Factory())
    assert reactor.tcpClients[0][:2] == dialled


def test_socks_port_can_be_a_socket_of_unix(start, reactor):
    start(FakeTor(reactor, socks='"unix:/run/tor/socks"')).proxy.endpoint.connect(Factory())
    assert reactor.unixClients[0][0] == "/run/tor/socks"


def test_tor_without_a_socks_port_is_of_no_use(start, reactor):
    tor = start(FakeTor(reactor, socks=""))
    assert tor.why == "port 1: this Tor has no SOCKS port"


def test_names_are_looked_up_by_tor(start, reactor, fake):
    tor = start(fake)
    answer = tor.resolve("seed.example")
    assert reactor.tcpClients[0][:2] == ("127.0.0.1", 9050)
    answer.cancel()
    assert len(outcome(answer)) == 1


# On its way


def test_whoever_dials_waits_until_tor_is_up(start, reactor, events):
    fake = FakeTor(reactor, phase=STARTING)
    tor = start(fake)
    assert (tor.state, tor.progress) == (TorState.BOOTSTRAPPING, 5)
    tor.proxy.endpoint.connect(Factory())
    assert not reactor.tcpClients
    fake.say(progress(30, "Loading networkstatus"))
    fake.say(progress(30))
    fake.say(progress(45))
    assert (tor.state, tor.progress) == (TorState.BOOTSTRAPPING, 45)
    fake.say(progress(100))
    fake.say(progress(100))
    assert tor.state is TorState.UP
    assert len(reactor.tcpClients) == 1
    assert lines(events)[1:] == ["Tor is on its way: 30 %, Loading networkstatus", "Tor is up"]
    assert len(lines(events, LogLevel.debug)) == 2


def test_who_stops_waiting_is_forgotten(start, reactor):
    fake = FakeTor(reactor, phase=STARTING)
    waiting = start(fake).when_up()
    waiting.cancel()
    assert isinstance(outcome(waiting)[0], CancelledError)
    fake.say(progress(100))


@pytest.mark.parametrize("percent", [100, None])
def test_one_who_waits_may_make_another_give_up(start, reactor, percent):
    fake = FakeTor(reactor, phase=STARTING)
    tor = start(fake)
    first, second = tor.when_up(), tor.when_up()
    first.addBoth(lambda _: second.cancel())
    if percent:
        fake.say(progress(percent))
    else:
        fake.die()
    assert isinstance(outcome(second)[0], CancelledError)


def test_other_events_change_nothing(start, reactor):
    fake = FakeTor(reactor, phase=STARTING)
    tor = start(fake)
    fake.say("650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n")
    fake.say("650 STATUS_CLIENT NOTICE BOOTSTRAP TAG=x\r\n")
    fake.say("650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=7\r\n")
    assert (tor.state, tor.progress) == (TorState.BOOTSTRAPPING, 7)


# Gone


def test_without_tor_everybody_hears_why_at_once(start, fake, events):
    fake.refuses = Refused()
    tor = start(fake)
    assert tor.state is TorState.GONE
    assert tor.why == "port 1: nobody listens there"
    (error,) = outcome(tor.proxy.endpoint.connect(Factory()))
    assert isinstance(error, TorUnavailable)
    said = "without Tor: port 1: nobody listens there; looking for one again in 10 s"
    assert lines(events, LogLevel.warn) == [said]


def test_reasons_of_all_places_are_told(start, reactor):
    first, second = FakeTor(reactor), FakeTor(reactor, methods="METHODS=HASHEDPASSWORD")
    first.refuses = Refused()
    tor = start(first, second)
    reactor.advance(0)
    said = "port 1: nobody listens there; port 2: it wants a password, and none was given"
    assert tor.why == f"no Tor: {said}"


def test_nowhere_to_look_is_a_reason_too(start):
    assert start().why == "no Tor: nowhere to look for one"


def test_tor_is_looked_for_ever_more_seldom_and_one_complaint_will_do(start, reactor, fake, events):
    fake.refuses = Refused()
    tor = start(fake)
    reactor.pump([10, 20])
    assert len(lines(events, LogLevel.warn)) == 1
    assert len(lines(events, LogLevel.debug)) == 2
    fake.refuses = None
    reactor.advance(29)
    assert tor.state is TorState.GONE
    reactor.advance(1)
    assert tor.state is TorState.UP


def test_killed_tor_is_gone_and_found_again(start, reactor, fake, events):
    tor = start(fake)
    for _ in range(2):
        fake.die()
        assert tor.state is TorState.GONE
        assert tor.why == "port 1: it closed the connection"
        reactor.advance(10)
        assert tor.state is TorState.UP
    assert len(lines(events, LogLevel.warn)) == 2


def test_who_waited_for_a_tor_that_dies_hears_why(start, reactor):
    fake = FakeTor(reactor, phase=STARTING)
    waiting = start(fake).when_up()
    fake.die()
    assert str(outcome(waiting)[0]) == "port 1: it closed the connection"


def test_tor_that_stumbles_while_it_introduces_itself_is_let_go(start, reactor, fake):
    fake.replies["GETINFO net/listeners/socks"] = "551 Not now"
    tor = start(fake)
    assert tor.why == "port 1: 551 Not now"
    assert fake.wires[0].disconnecting
    reactor.advance(0)


def test_mistake_of_ours_is_logged_and_the_search_goes_on(start, reactor, fake, events):
    fake.refuses = ZeroDivisionError()
    tor = start(fake)
    assert tor.why == "Tor: a mistake in this program"
    assert lines(events, LogLevel.critical) == ["the search for a Tor failed; it goes on"]
    fake.refuses = None
    reactor.advance(10)
    assert tor.state is TorState.UP


# One of our own


def test_tor_is_started_where_none_runs(start, reactor, fake, monkeypatch):
    empty = FakeTor(reactor)
    empty.refuses = Refused()
    process = Process()
    places = []

    def place(_, text):
        places.append(text)
        return ControlPlace(text, fake)

    monkeypatch.setattr("bitpeer.net.tor.control_place", place)
    tor = start(empty, process=process)
    assert tor.state is TorState.UP
    assert places == ["127.0.0.1:4321"]
    stopped = tor.stopService()
    assert not process.stopped
    reactor.advance(0)
    assert outcome(stopped) == [None]
    assert process.stopped


def test_tor_is_not_started_where_one_runs(start, fake):
    process = Process()
    start(fake, process=process)
    assert process.starts == 0


def test_tor_that_does_not_start_is_told_with_the_others(start, fake):
    fake.refuses = Refused()
    tor = start(fake, process=Process(TorUnavailable("our own Tor", "no program")))
    assert tor.why == "no Tor: port 1: nobody listens there; our own Tor: no program"


# Stopping


def test_stopping_lets_go_of_tor(start, reactor, fake):
    tor = start(fake)
    stopped = tor.stopService()
    assert not stopped.called
    reactor.advance(100)
    assert fake.wires[0].disconnecting
    assert outcome(stopped) == [None]
    assert tor.state is TorState.OFF
    assert len(fake.wires) == 1


def test_stopping_ends_the_search_and_the_waiting(start, reactor):
    fake = FakeTor(reactor, phase=STARTING)
    tor = start(fake)
    waiting = tor.when_up()
    tor.stopService()
    reactor.pump([0, 0])
    assert str(outcome(waiting)[0]) == "Tor: this program ends"


@pytest.mark.parametrize("refuses", [None, Refused()])
def test_who_waits_for_tor_may_stop_it(start, reactor, refuses):
    """Called from within, so to say: by what ends with it."""
    fake = FakeTor(reactor, phase=STARTING)
    tor = start(fake)
    stopped = []
    tor.when_up().addBoth(lambda _: stopped.append(tor.stopService()))
    fake.refuses = refuses
    if refuses is None:
        fake.say(progress(100))
    else:
        fake.die()
    reactor.pump([0, 0, 100])
    assert outcome(stopped[0]) == [None]
    assert tor.state is TorState.OFF
    assert not reactor.getDelayedCalls()


def test_what_was_never_started_can_be_stopped(reactor, journal):
    tor = Tor(reactor, journal)
    waiting = tor.when_up()
    assert outcome(tor.stopService()) == [None]
    assert len(outcome(waiting)) == 1


def test_search_can_begin_again(start, fake, reactor):
    tor = start(fake)
    tor.stopService()
    reactor.pump([0, 0])
    tor.startService()
    assert tor.state is TorState.UP


def test_start_is_told_to_all_who_wait_for_it(reactor, journal, fake):
    tor = Tor(reactor, journal, places=[ControlPlace("port 1", fake)])
    waiting, cancelled = tor.when_started(), tor.when_started()
    cancelled.cancel()
    assert isinstance(outcome(cancelled)[0], CancelledError)
    assert not waiting.called
    tor.startService()
    assert outcome(waiting) == [None]
    assert outcome(tor.when_started()) == [None]
    tor.stopService()


def test_missing_package_is_named(reactor, journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "txtorcon.torcontrolprotocol", None)
    with pytest.raises(MissingExtra, match=r"Tor needs the package txtorcon: pip install"):
        Tor(reactor, journal)


# Onion services


def onion():
    return Onion(KEY, 8333, ("127.0.0.1", 5_000))


def test_onion_is_published_at_once_if_there_is_a_tor(start, fake):
    tor = start(fake)
    assert tor.onions == []
    assert outcome(tor.add_onion(onion())) == [None]
    assert tor.onions == [(f"{NAME}.onion", 8333)]


def test_onion_waits_for_a_tor_and_is_published_by_each(start, reactor, fake):
    fake.refuses = Refused()
    tor = start(fake)
    published = tor.add_onion(onion())
    fake.refuses = None
    assert not published.called
    reactor.advance(10)
    assert outcome(published) == [None]
    fake.die()
    reactor.advance(10)
    assert len(fake.said("ADD_ONION")) == 2


def test_refused_onion_is_told_to_who_wanted_it(start, fake):
    fake.replies["ADD_ONION"] = "550 Onion address collision"
    tor = start(fake)
    (error,) = outcome(tor.add_onion(onion()))
    assert str(error) == "port 1: 550 Onion address collision"
    assert tor.state is TorState.UP


def test_onion_refused_by_a_later_tor_is_logged(start, reactor, fake, events):
    tor = start(fake)
    outcome(tor.add_onion(onion()))
    fake.die()
    fake.replies["ADD_ONION"] = "550 no"
    reactor.advance(10)
    said = f"Tor does not publish {NAME}.onion again: port 1: 550 no"
    assert lines(events, LogLevel.error) == [said]


def test_tor_that_dies_over_an_onion_refuses_nothing(start, reactor, fake):
    reply = fake.replies.pop("ADD_ONION")
    fake.replies["ADD_ONION"] = None
    published = start(fake).add_onion(onion())
    fake.die()
    assert not published.called
    fake.replies["ADD_ONION"] = reply
    reactor.advance(10)
    assert outcome(published) == [None]


def test_onion_is_withdrawn(start, reactor, fake):
    tor = start(fake)
    door = onion()
    outcome(tor.add_onion(door))
    assert outcome(tor.remove_onion(door)) == [None]
    assert fake.said("DEL_ONION") == [f"DEL_ONION {NAME}"]
    fake.die()
    reactor.advance(10)
    assert len(fake.said("ADD_ONION")) == 1


def test_onion_can_be_withdrawn_without_tor(reactor, journal):
    tor = Tor(reactor, journal)
    door = onion()
    tor.add_onion(door)
    assert outcome(tor.remove_onion(door)) == [None]
    assert outcome(tor.remove_onion(door)) == [None]


def test_waiting_is_a_deferred_of_ones_own(start, reactor):
    tor = start(FakeTor(reactor, phase=STARTING))
    assert isinstance(tor.when_up(), Deferred)
    assert tor.when_up() is not tor.when_up()
    for waiting in list(tor._waiting):
        waiting.addErrback(lambda _: None)
