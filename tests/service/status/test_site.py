"""Tests of bitpeer.service.status.site."""

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.web.resource import Resource

from bitpeer.service.status.site import MAX_BODY, TIMEOUT, StatusSite
from tests.service.status.browsing import Browser, parsed


class Echo(Resource):
    """Says what was asked for."""

    isLeaf = True  # noqa: N815  # Twisted's name

    def render(self, request):
        return request.method + b" " + request.path + b" " + request.content.read()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def site(clock):
    site = StatusSite(Echo(), reactor=clock, max_clients=2)
    site.doStart()
    yield site
    site.doStop()
    assert clock.getDelayedCalls() == []


@pytest.fixture
def browse(site):
    browsers = []

    def browse():
        browsers.append(Browser(site))
        return browsers[-1]

    yield browse
    for browser in browsers:
        browser.leave()
    assert site.clients == 0


def test_a_request_is_answered_and_the_next_on_the_same_connection(browse):
    browser = browse()
    assert browser.ask("/a").body == b"GET /a "
    assert browser.ask("/b").body == b"GET /b "


def test_a_short_body_is_thrown_away(browse):
    browser = browse()
    assert browser.ask("/a", "POST", b"x" * MAX_BODY).body == b"POST /a "
    assert browser.ask("/b").code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_no_form_is_read(browse, kind):
    answer = browse().ask("/a", "POST", b"x=1", **{"content-type": f"{kind}; boundary=b"})
    assert answer.code == 400 or answer.body == b"POST /a "


@pytest.mark.parametrize(
    "says",
    [
        f"content-length: {MAX_BODY + 1}",
        "content-length: 1" + "0" * 30,
        "transfer-encoding: chunked",
    ],
)
def test_a_long_body_is_refused_before_it_comes(browse, says):
    browser = browse()
    answer = parsed(browser.send(f"POST / HTTP/1.1\r\nhost: localhost\r\n{says}\r\n\r\n".encode()))
    assert answer.code == 413
    assert browser.wire.disconnecting
    if "chunked" in says:
        assert browser.send(b"4\r\nabcd\r\n0\r\n\r\n") == b""


def test_endless_headers_are_refused(browse):
    browser = browse()
    raw = browser.send(b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 100_000)
    assert raw.startswith(b"HTTP/1.1 400 ") or raw == b""
    assert browser.wire.disconnecting


def test_who_falls_silent_is_cut_off_without_a_word_in_the_log(browse, clock):
    logged = []
    globalLogPublisher.addObserver(logged.append)
    idle, halfway = browse(), browse()
    idle.ask("/")
    halfway.send(b"GET / HTTP/1.1\r\nhost")
    clock.pump([1] * int(TIMEOUT + 1))
    globalLogPublisher.removeObserver(logged.append)
    assert idle.wire.cut
    assert halfway.wire.cut
    assert logged == []


def test_who_is_one_too_many_is_turned_away(browse, site):
    first, _ = browse(), browse()
    assert site.clients == 2
    third = Browser(site)
    assert third.wire.cut
    assert site.clients == 2
    first.leave()
    third = Browser(site)
    assert not third.wire.cut
    third.leave()


def test_everybody_can_be_hung_up_on(browse, site):
    browsers = [browse(), browse()]
    site.hang_up()
    assert all(browser.wire.cut for browser in browsers)


def test_no_request_is_logged(browse):
    logged = []
    globalLogPublisher.addObserver(logged.append)
    browse().ask("/secret")
    globalLogPublisher.removeObserver(logged.append)
    assert logged == []


def test_a_unix_socket_has_clients_too(site):
    channel = site.buildProtocol(None)
    assert channel is not None
    assert site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1)) is not channel
