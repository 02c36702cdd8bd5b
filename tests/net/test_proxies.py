"""Tests of bitpeer.net.proxies."""

import pytest
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    clientFromString,
)
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.plugin import getPlugins

from bitpeer.errors import InvalidSetting
from bitpeer.net.proxies import endpoint_from_words, proxy_from_text
from bitpeer.net.socks import Proxy, Socks5Endpoint
from bitpeer.net.socks5 import Credentials

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


class Reactor(MemoryReactorClock):
    """Remembers what was dialled."""

    @property
    def dialled(self):
        clients = [client[:2] for client in self.tcpClients]
        return clients + [client[0] for client in self.unixClients]


def dialled(proxy_or_endpoint, reactor):
    proxy_or_endpoint.connect(Factory())
    return reactor.dialled


@pytest.mark.parametrize(
    ("text", "place", "kind"),
    [
        ("192.0.2.9", ("192.0.2.9", 1080), TCP4ClientEndpoint),
        ("192.0.2.9:9050", ("192.0.2.9", 9050), TCP4ClientEndpoint),
        ("[2001:db8::9]:9050", ("2001:db8::9", 9050), TCP4ClientEndpoint),
        ("socks5://tor:9050", ("tor", 9050), TCP4ClientEndpoint),
        ("localhost:9050", ("127.0.0.1", 9050), TCP4ClientEndpoint),
        ("socks5://192.0.2.9:9050", ("192.0.2.9", 9050), TCP4ClientEndpoint),
        ("socks5h://192.0.2.9:9050/", ("192.0.2.9", 9050), TCP4ClientEndpoint),
        ("SOCKS5://[2001:db8::9]", ("2001:db8::9", 1080), TCP4ClientEndpoint),
        ("tcp:192.0.2.9:9", ("192.0.2.9", 9), TCP4ClientEndpoint),
        ("unix:/run/tor/socks", "/run/tor/socks", UNIXClientEndpoint),
    ],
)
def test_a_proxy_is_named_as_people_name_one(text, place, kind):
    reactor = Reactor()
    proxy = proxy_from_text(reactor, text)
    assert isinstance(proxy.endpoint, kind | TCP6ClientEndpoint)
    assert proxy == Proxy(endpoint=proxy.endpoint)
    assert dialled(proxy.endpoint, reactor) == [place]


def test_credentials_may_be_in_a_url():
    proxy = proxy_from_text(Reactor(), "socks5://me%40home:s%3Acret@192.0.2.9:9050")
    assert proxy.credentials == Credentials("me@home", "s:cret")


def test_it_may_be_said_to_be_tor():
    assert proxy_from_text(Reactor(), "127.0.0.1:9050", is_tor=True).is_tor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host:port",
        "http://192.0.2.9:80",
        "socks5://",
        "socks5://a@b@c",
        "socks5://me@192.0.2.9",
        "socks5://:secret@192.0.2.9",
        "socks5://me:secret" + 250 * "." + "@192.0.2.9",
        "unix:/" + 107 * "x",
        "socks5://192.0.2.9/path",
        "socks5://me:secret@192.0.2.9/path",
        "socks5://me:secret@host:port",
        "nonsense:a=b",
    ],
)
def test_what_is_no_proxy_is_refused(text):
    with pytest.raises(InvalidSetting, match="expected") as caught:
        proxy_from_text(Reactor(), text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "place", "target"),
    [
        ("192.0.2.9:9050:node.example:8333", ("192.0.2.9", 9050), ("node.example", 8333)),
        (f"localhost:9050:{ONION}:8333", ("127.0.0.1", 9050), (ONION, 8333)),
        (r"\:\:1:9050:2001\:db8\:\:1:8333", ("::1", 9050), ("2001:db8::1", 8333)),
        ("192.0.2.9:9050:host=node.example:port=8", ("192.0.2.9", 9050), ("node.example", 8)),
        (r"node.example:8:proxy=unix\:/run/socks", "/run/socks", ("node.example", 8)),
        ("host=node.example:port=8:proxy=192.0.2.9", ("192.0.2.9", 1080), ("node.example", 8)),
        (r"port=8:host=a.example:proxy=tcp\:192.0.2.9\:9", ("192.0.2.9", 9), ("a.example", 8)),
    ],
)
def test_r_h4_every_twisted_program_can_say_socks5(words, place, target):
    reactor = Reactor()
    endpoint = clientFromString(reactor, f"socks5:{words}")
    assert isinstance(endpoint, Socks5Endpoint)
    endpoint.connect(Factory())
    assert reactor.dialled == [place]
    assert (endpoint.host, endpoint.port) == target
    assert endpoint.proxy == Proxy(endpoint=endpoint.proxy.endpoint)
    (call,) = reactor.getDelayedCalls()
    assert call.getTime() == 60


def test_what_a_proxy_should_know_follows_by_name():
    said = "socks5:192.0.2.9:9050:node.example:8333:user=me:password=secret:timeout=5"
    reactor = Reactor()
    endpoint = clientFromString(reactor, said)
    assert endpoint.proxy.credentials == Credentials("me", "secret")
    endpoint.connect(Factory())
    assert reactor.getDelayedCalls()[0].getTime() == 5
    plain = clientFromString(reactor, "socks5:192.0.2.9:1:node.example:1:isolate=no:tor=yes")
    assert plain.proxy.isolate is False
    assert plain.proxy.is_tor
    assert clientFromString(reactor, "socks5:192.0.2.9:1:node.example:1:isolate=yes").proxy.isolate


@pytest.mark.parametrize(
    "words",
    [
        "",
        "192.0.2.9:9050",
        "node.example:8333:proxy=",
        "192.0.2.9:9050:node.example",
        "192.0.2.9:9050:node.example:port=8333",
        "192.0.2.9:9050:node.example:8333:9",
        "192.0.2.9:9050:node.example:8333:host=node.example:port=8333",
        "192.0.2.9:9050:node.example:port",
        "192.0.2.9:9050:node.example:0",
        "192.0.2.9:9050:node.example:65536",
        "192.0.2.9:9050:node.example:99999999999999999999",
        "192.0.2.9:port:node.example:8333",
        "192.0.2.9:9050:b\xfccher.example:8333",
        "192.0.2.9:9050:node.example:8333:user=me",
        "192.0.2.9:9050:node.example:8333:password=me",
        "192.0.2.9:9050:node.example:8333:isolate=maybe",
        "192.0.2.9:9050:node.example:8333:user=me:password=secret:isolate=yes",
        "192.0.2.9:9050:node.example:8333:tor=1",
        "192.0.2.9:9050:node.example:8333:timeout=soon",
        "192.0.2.9:9050:node.example:8333:timeout=0",
        "192.0.2.9:9050:node.example:8333:timeout=nan",
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words):
    with pytest.raises(InvalidSetting) as caught:
        clientFromString(Reactor(), f"socks5:{words}")
    assert "secret" not in str(caught.value)


def test_words_may_be_given_without_a_description():
    reactor = Reactor()
    endpoint = endpoint_from_words(reactor, "192.0.2.9", "9", "node.example", "8", tor="no")
    assert repr(endpoint) == "socks5:node.example:8"


def test_the_parser_is_listed_without_a_reactor():
    from twisted.internet.interfaces import (  # noqa: PLC0415
        IStreamClientEndpointStringParserWithReactor as Parser,
    )

    assert "socks5" in {parser.prefix for parser in getPlugins(Parser)}
