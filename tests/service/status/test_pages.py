"""Tests of bitpeer.service.status.pages."""

import re

import pytest

from bitpeer.service.status.guard import HEADERS
from bitpeer.service.status.pages import Pages
from bitpeer.service.status.stream import MAX_STREAMS
from tests import toy
from tests.service.fakes import visit
from tests.service.status.browsing import Browser, World, events_in


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture
def browse(world):
    browsers = []

    def browse(metrics=lambda: ("text/plain", b"up 1\n"), names=()):
        pages = Pages(world.board, world.stream, metrics, names)
        browsers.append(Browser(world.site(pages)))
        return browsers[-1]

    yield browse
    for browser in browsers:
        browser.leave()


def test_the_page_and_all_that_it_needs_are_here(browse):
    browser = browse()
    page = browser.ask("/")
    assert page.code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    wanted = re.findall(r'(?:src|href)="([^"#]+)"', page.body.decode())
    assert {"status.css", "status.js", "icon.svg", "metrics"} <= set(wanted)
    assert not [place for place in wanted if ":" in place or place.startswith("/")]
    for place in wanted:
        assert browser.ask(f"/{place}").code == 200
    script = browser.ask("/status.js").body.decode()
    for place in re.findall(r'from "\./(.+?)"', script):
        assert browser.ask(f"/{place}").headers["content-type"].startswith("text/javascript")


def test_the_page_has_nothing_inline(browse):
    page = browse().ask("/").body.decode()
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son\w+=", page)


def test_every_answer_carries_the_headers_that_protect_it(browse):
    browser = browse()
    for path in ("/", "/peers", "/nowhere"):
        headers = browser.ask(path).headers
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


def test_the_same_is_there_as_json(browse, world):
    visit(world.node).shake_hands()
    world.board.sample()
    browser = browse()
    assert browser.ask("/status").json["networks"][0]["chain"] == "toy-nursery"
    assert browser.ask("/peers").json[0]["subver"] == "/toy:1/"
    assert browser.ask("/events").json[0]["event"] == "peer.established"
    assert browser.ask("/history").json[0]["connections_in"] == 1
    assert browser.ask("/status?whatever").headers["content-type"] == "application/json"


def test_head_tells_the_length_and_nothing_else(browse):
    browser = browse()
    for path in ("/", "/icon.svg"):
        head = browser.ask(path, "HEAD")
        assert head.body == b""
        assert int(head.headers["content-length"]) == len(browser.ask(path).body)
    stream = browser.ask("/stream", "HEAD")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.body == b""


def test_what_is_not_there_is_404(browse):
    browser = browse()
    for path in ("/nowhere", "/status/", "/..%2f", "/%ff", "//"):
        assert browser.ask(path).code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(browse, method):
    answer = browse().ask("/peers", method, body=b"x" if method == "POST" else b"")
    assert answer.code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_another_sites_name_is_refused(browse):
    browser = browse(names=("node.lan",))
    assert browser.ask("/peers", host="evil.example").code == 403
    assert browser.ask("/peers", host="node.lan:8380").code == 200
    assert browser.ask("/peers", origin="http://evil.example").code == 403


def test_metrics_are_what_they_say(browse):
    answer = browse().ask("/metrics")
    assert (answer.code, answer.body) == (200, b"up 1\n")


def test_without_the_library_metrics_name_it(browse):
    answer = browse(metrics=None).ask("/metrics")
    assert answer.code == 501
    assert b"bitpeer[service]" in answer.body


def test_whoever_asks_for_the_stream_joins_it(browse, world):
    browser = browse()
    answer = browser.ask("/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events_in(answer.body)] == ["hello"]
    assert world.stream.clients == 1


def test_only_so_many_may_watch(browse):
    for _ in range(MAX_STREAMS):
        assert browse().ask("/stream").code == 200
    answer = browse().ask("/stream")
    assert answer.code == 503
    assert answer.headers["retry-after"] == "10"


def test_r_i2_what_a_peer_says_of_itself_reaches_the_page_as_harmless_text(browse, world):
    line = visit(world.node)
    agent = b"<script>\x1b]0;\r\n\xe2\x80\xae</script>"
    line.say(b"version", toy.Hello(2, 0, 0, 9, user_agent=agent).encode())
    line.say(b"verack")
    browser = browse()
    for path in ("/peers", "/events", "/stream"):
        body = browser.ask(path).body
        assert b"<script>\\\\x1b]0;\\\\x0d\\\\x0a" in body
        assert b"\x1b" not in body
    script = browse().ask("/status.js").body.decode()
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b", script)
