"""Tests of bitpeer.net.routes."""

import pytest
from twisted.internet.endpoints import (
    HostnameEndpoint,
    SSL4ClientEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock

from bitpeer.config import PeerConfig
from bitpeer.errors import InvalidSetting, NoRoute
from bitpeer.net import routes as module
from bitpeer.net.routes import Routes, routes_for
from bitpeer.net.socks import Proxy, Socks5Endpoint
from tests.toy import NETWORK

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"
CJDNS, YGGDRASIL = "fc00::1", "200::1"
HOSTS = ["192.0.2.1", "2001:db8::1", "node.example"]


class Reactor(MemoryReactorClock):
    """Resolves nothing."""

    nameResolver = None  # noqa: N815


def proxy(port=9050):
    return Proxy(endpoint=TCP4ClientEndpoint(Reactor(), "192.0.2.99", port))


def routes(**how):
    return Routes(Reactor(), **how)


# Without a proxy


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("192.0.2.1", TCP4ClientEndpoint),
        ("2001:db8::1", TCP6ClientEndpoint),
        ("node.example", HostnameEndpoint),
    ],
)
def test_without_a_proxy_hosts_are_dialled_directly(host, kind):
    assert not routes().proxied
    assert routes().reaches(host)
    assert isinstance(routes().endpoint(host, 8333), kind)


def test_a_direct_dial_is_given_up_soon():
    reactor = Reactor()
    Routes(reactor).endpoint("192.0.2.1", 8333).connect(Factory())
    assert reactor.tcpClients[0][3] == module.TIMEOUT
    Routes(reactor, timeout=3).endpoint("2001:db8::1", 8333).connect(Factory())
    assert reactor.tcpClients[1][3] == 3


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (ONION, "through Tor only"),
        (ONION.upper() + ".", "no name of an onion service of version 3"),
        ("x.onion", "no name of an onion service of version 3"),
        ("expyuzz4wqqyqhjn.onion", "no name of an onion service of version 3"),
        (I2P, "I2P needs a router"),
        ("node.i2p", "I2P needs a router"),
        (CJDNS, "nobody said that CJDNS can be reached"),
        (YGGDRASIL, "nobody said that YGGDRASIL can be reached"),
    ],
)
def test_where_no_way_leads_nobody_is_asked(host, why):
    assert not routes().reaches(host)
    with pytest.raises(NoRoute, match=why):
        routes().endpoint(host, 8333)


@pytest.mark.parametrize("text", ["node.example", "tcp:node.example:7:timeout=5", "192.0.2.1:7"])
def test_without_a_proxy_a_description_is_twisteds(text):
    reactor = Reactor()
    Routes(reactor).client(text, 7).connect(Factory())
    ((host, port, _, timeout, _),) = reactor.tcpClients
    assert (host, port) == ("192.0.2.1" if "192" in text else "node.example", 7)
    assert timeout == (5 if "timeout" in text else 30)


def test_whom_somebody_names_on_purpose_is_reachable():
    reactor = Reactor()
    Routes(reactor).client(f"[{CJDNS}]:7", 8333).connect(Factory())
    assert reactor.tcpClients[0][:2] == (CJDNS, 7)


@pytest.mark.parametrize("host", [ONION, f"tcp:{ONION}:7", "x.onion", I2P, f"{I2P}:7"])
def test_r_f7_no_name_of_another_network_is_looked_up_in_this_one(host):
    with pytest.raises(InvalidSetting, match=r"connect is .*, expected something else: "):
        routes().client(host, 8333)


@pytest.mark.parametrize(
    "text",
    [
        f"tls:{ONION}:443",
        f"TLS:host={ONION.upper()}.:port=443",
        f"ssl:{ONION}:443",
        f"tls:{I2P}:443",
        f"plugin:option=1:place={ONION}",
    ],
)
@pytest.mark.parametrize("how", [{}, {"onion_proxy": proxy()}])
def test_r_f7_no_kind_of_endpoint_looks_such_a_name_up(text, how):
    with pytest.raises(InvalidSetting, match="which looks names up here"):
        routes(**how).client(text, 8333)


def test_an_endpoint_is_taken_as_it_is():
    endpoint = TCP4ClientEndpoint(Reactor(), "192.0.2.1", 7)
    assert routes().client(endpoint, 8333) is endpoint


@pytest.mark.parametrize("place", [None, 8333, b"192.0.2.1", object()])
def test_what_is_neither_text_nor_endpoint_is_refused(place):
    with pytest.raises(InvalidSetting, match="host, host:port or a client endpoint"):
        routes().client(place, 8333)


@pytest.mark.parametrize("text", ["tcp:", "host:port", "nonsense:a=1", "tcp:192.0.2.1:7:9:9:9:9:9"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidSetting, match="expected") as caught:
        routes().client(text, 8333)
    assert caught.value.value == text


@pytest.mark.parametrize("error", [NameError("SSL"), ImportError()])
def test_without_pyopenssl_there_is_no_tls(error, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(module, "clientFromString", fail)
    with pytest.raises(InvalidSetting, match="ssl: needs the package pyOpenSSL"):
        routes().client("ssl:192.0.2.1:1", 7)


# With one


@pytest.mark.parametrize("host", [*HOSTS, ONION])
def test_r_f5_with_a_proxy_everything_goes_through_it(host):
    way = proxy()
    through = routes(proxy=way)
    assert through.proxied
    assert through.reaches(host)
    text = f"[{host}]:7" if ":" in host else f"{host}:7"
    for endpoint in (through.endpoint(host, 7), through.client(text, 8333)):
        assert isinstance(endpoint, Socks5Endpoint)
        assert (endpoint.proxy, endpoint.host, endpoint.port) == (way, host, 7)


def test_r_f5_the_timeout_of_a_proxied_dial_is_a_longer_one():
    clock = Reactor()
    road = TCP4ClientEndpoint(clock, "192.0.2.99", 9050)
    Routes(clock, proxy=Proxy(endpoint=road)).endpoint(ONION, 7).connect(Factory())
    Routes(clock, proxy=Proxy(endpoint=road), proxy_timeout=7).endpoint(ONION, 7).connect(Factory())
    assert sorted(call.getTime() for call in clock.getDelayedCalls()) == [7, module.PROXY_TIMEOUT]


@pytest.mark.parametrize(
    "text",
    [
        "ssl:192.0.2.1:7",
        "tls:192.0.2.1:7",
        "haproxy:tcp:192.0.2.1:7",
        "plugin:option=1",
        "TLS:192.0.2.1:7",
        "tor:192.0.2.1:7",
        "tcp:192.0.2.1:7:timeout=5",
        "tcp:192.0.2.1:7:bindAddress=192.0.2.2",
        I2P,
    ],
)
@pytest.mark.parametrize("how", [{"proxy": proxy()}, {"direct": False}])
def test_r_f5_what_might_pass_the_proxy_by_is_refused(text, how):
    with pytest.raises(InvalidSetting, match="connect is"):
        routes(**how).client(text, 8333)


@pytest.mark.parametrize(
    "endpoint",
    [
        TCP4ClientEndpoint(Reactor(), "192.0.2.1", 7),
        TCP6ClientEndpoint(Reactor(), "2001:db8::1", 7),
        HostnameEndpoint(Reactor(), "node.example", 7),
        SSL4ClientEndpoint(Reactor(), "192.0.2.1", 7, None),
        wrapClientTLS(None, HostnameEndpoint(Reactor(), "node.example", 7)),
        wrapClientTLS(None, wrapClientTLS(None, TCP4ClientEndpoint(Reactor(), "192.0.2.1", 7))),
    ],
)
def test_r_f5_a_direct_endpoint_is_refused_behind_a_proxy(endpoint):
    with pytest.raises(InvalidSetting, match="pass the proxy by"):
        routes(proxy=proxy()).client(endpoint, 8333)


def test_other_endpoints_are_their_makers_business():
    for endpoint in (
        Socks5Endpoint(Reactor(), proxy(), ONION, 7),
        UNIXClientEndpoint(Reactor(), "/run/peers"),
        wrapClientTLS(None, Socks5Endpoint(Reactor(), proxy(), ONION, 7)),
    ):
        assert routes(proxy=proxy()).client(endpoint, 8333) is endpoint


@pytest.mark.parametrize("text", ["socks5:192.0.2.98:9:node.example:7", "unix:/run/peers"])
def test_what_cannot_be_direct_is_allowed(text):
    assert routes(proxy=proxy()).client(text, 8333)


def test_overlays_are_reached_if_somebody_says_so():
    for how in ({}, {"proxy": proxy()}):
        assert not routes(**how).reaches(CJDNS)
        assert routes(overlays=True, **how).reaches(CJDNS)
        assert routes(overlays=True, **how).reaches(YGGDRASIL)
    assert isinstance(routes(overlays=True).endpoint(CJDNS, 7), TCP6ClientEndpoint)


# With one for onions


def test_onion_services_may_have_a_proxy_of_their_own():
    tor, other = proxy(9050), proxy(1080)
    both = routes(proxy=other, onion_proxy=tor)
    assert both.endpoint(ONION, 7).proxy is tor
    assert both.endpoint("node.example", 7).proxy is other
    alone = routes(onion_proxy=tor)
    assert not alone.proxied
    assert alone.endpoint(ONION, 7).proxy is tor
    assert alone.client(ONION, 7).proxy is tor
    assert isinstance(alone.endpoint("192.0.2.1", 7), TCP4ClientEndpoint)


@pytest.mark.parametrize("host", HOSTS)
def test_r_f5_without_direct_connections_only_onion_services_are_left(host):
    closed = routes(onion_proxy=proxy(), direct=False)
    assert closed.proxied
    assert closed.reaches(ONION)
    assert not closed.reaches(host)
    with pytest.raises(NoRoute, match="nothing may be dialled without a proxy"):
        closed.endpoint(host, 7)


# Agreement


def test_settings_follow_from_the_routes():
    config = PeerConfig(network=NETWORK)
    assert routes().configured(config) is config
    assert routes(proxy=proxy()).configured(config).proxied
    assert routes(direct=False).configured(config).proxied
    assert routes(onion_proxy=proxy()).configured(config) is config


def test_without_routes_dials_are_direct_unless_there_should_be_a_proxy():
    assert not routes_for(PeerConfig(network=NETWORK), None, Reactor()).proxied
    closed = routes_for(PeerConfig(network=NETWORK, proxied=True), None, Reactor())
    assert closed.proxied
    assert not closed.reaches("192.0.2.1")


@pytest.mark.parametrize("proxied", [True, False])
def test_r_f5_settings_and_routes_must_agree(proxied):
    config = PeerConfig(network=NETWORK, proxied=proxied)
    agreed, other = routes(direct=not proxied), routes(direct=proxied)
    assert routes_for(config, agreed, Reactor()) is agreed
    with pytest.raises(InvalidSetting, match=f"proxied is {proxied}, expected {not proxied}"):
        routes_for(config, other, Reactor())
