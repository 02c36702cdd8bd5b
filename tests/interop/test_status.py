"""The status page of a running node, in a real browser."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bitpeer.messages.onion import onion_name
from tests.interop.chromium import Chromium, chromium, missing
from tests.twistd import Running, bitpeer, running

ROWS = "return document.querySelectorAll('#rows tr').length === {}"
LIVE = "return document.getElementById('live').dataset.state === '{}'"
AGENTS = "return [...document.querySelectorAll('#rows .agent')].map((cell) => cell.textContent)"
AGENTS_OF_FRIENDS = [
    "/Satoshi:29.0.0/",
    "/bcoin:2.2.0/",
    "/btcwire:0.5.0/btcd:0.24.2/",
    "/tea:1.0/",
]
ADDRESSES = [
    *(f"{first}.20.30.40:8333" for first in range(60, 100)),
    *(f"[2a02:{group:x}::1]:8333" for group in range(1, 15)),
    *(f"{onion_name(bytes([number]) * 32)}:8333" for number in range(22)),
]
IMPOLITE = "/neutrino:0.12.0(an <b>impolite comment)/"
LOOKS = [(1280, 900, False), (800, 1000, False), (390, 844, True), (320, 568, True)]


class Node:
    """A `twistd bitpeer` with a page, another that has headers for it, and more that dial it.

    Args:
        stack: ends them.
        events: the file that its events are written to.
    """

    def __init__(self, stack: ExitStack, events: Path) -> None:
        self._stack = stack
        self._events = events
        source = stack.enter_context(running(sys.executable, "-m", "tests.interop.header_source"))
        self._source = source.wait_for("headers at ").rpartition(" ")[2]
        self.url = "http://127.0.0.1:0/"
        self.start()

    def start(self) -> None:
        """Start, where it was if it ever was somewhere."""
        place = self.url.split("/")[2]
        options = ["--network", "regtest", "--data-dir", "memory", "--services", "network,witness"]
        options += ["--listen", "127.0.0.1:0", "--connect", self._source]
        options += ["--http", place, "--log-json", str(self._events)]
        for address in ADDRESSES:
            options += ["--add-peer", address]
        self.process = self._stack.enter_context(bitpeer(*options))
        self._port = self.process.wait_for("listening on ").rpartition(":")[2]
        self.url = self.process.wait_for("status page at ").rpartition(" ")[2]

    def events(self) -> list[dict[str, Any]]:
        """Return the events in the file."""
        return [json.loads(line) for line in self._events.read_text().splitlines()]

    def befriend(self, agent: str) -> Running:
        """Let a `twistd bitpeer` connect."""
        here = ("--connect", f"127.0.0.1:{self._port}")
        options = ("--network", "regtest", "--data-dir", "memory")
        manner = ("--user-agent", agent, "--services", "network,witness")
        process = self._stack.enter_context(bitpeer(*here, *options, *manner))
        process.wait_for("established")
        return process


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if lacking := missing():
        pytest.skip(f"no browser to look with: {', '.join(lacking)} is missing")
    with chromium(tmp_path_factory.mktemp("chromium") / "driver.log") as browser:
        yield browser


@pytest.fixture(autouse=True)
def fresh(browser: Chromium) -> None:
    """Forget the page of the test before, and what was said about it."""
    browser.open("about:blank")
    browser.complaints()
    browser.requests()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with ExitStack() as stack:
        yield Node(stack, tmp_path / "events.jsonl")


def overflow(browser: Chromium) -> int:
    """Return by how many pixels the page is too wide."""
    return browser.run("return document.documentElement.scrollWidth - innerWidth")


def test_peers_come_and_go_on_the_page_of_a_running_node(browser: Chromium, node: Node) -> None:
    browser.open(node.url)
    browser.wait_for(LIVE.format("live"))
    browser.wait_for(ROWS.format(1))
    assert browser.run("return document.querySelector('#rows .direction').innerText.trim()")
    browser.wait_for("return document.querySelector('.tip .height').textContent === '2\u2009016'")

    for agent in AGENTS_OF_FRIENDS:
        node.befriend(agent)
    leaving = node.befriend(IMPOLITE)
    browser.wait_for(ROWS.format(2 + len(AGENTS_OF_FRIENDS)))
    assert {IMPOLITE, *AGENTS_OF_FRIENDS} <= set(browser.run(AGENTS))
    assert browser.run("return document.querySelector('#rows b')") is None
    browser.wait_for("return document.querySelector('#rows .ping').textContent.includes('ms')")
    browser.wait_for("return document.getElementById('f-peers').textContent === '6'")
    assert browser.run("return document.title") == "bitpeer: 6 peers"

    head = "document.querySelector('[data-column=agent]')"
    browser.run(f"{head}.click()")
    upwards = browser.run(AGENTS)
    assert upwards == sorted(upwards)
    browser.run(f"{head}.click()")
    assert browser.run(AGENTS) == upwards[::-1]
    assert browser.run(f"return {head}.parentNode.getAttribute('aria-sort')") == "descending"

    leaving.terminate()
    browser.wait_for(ROWS.format(1 + len(AGENTS_OF_FRIENDS)))
    browser.wait_for("return document.querySelector('#events .bad b').textContent === 'lost'")

    filter_ = "const field = document.getElementById('filter'); field.value = {!r};"
    browser.run(filter_.format("bcoin") + "field.dispatchEvent(new Event('input'))")
    assert browser.run(AGENTS) == ["/bcoin:2.2.0/"]
    browser.run(filter_.format("") + "field.dispatchEvent(new Event('input'))")
    browser.run("document.querySelector('[data-column=since]').click()")

    for width, height, phone in LOOKS:
        for colours in ("light", "dark"):
            browser.look(width, height, colours, phone=phone)
            assert overflow(browser) <= 0, (width, colours)

    browser.wait_for("return document.querySelectorAll('#traffic path').length > 0")
    browser.wait_for("return document.querySelectorAll('#rows .new').length === 0")
    browser.look(1160, 900, "light")
    browser.look(1160, browser.run("return document.documentElement.scrollHeight"), "light")
    picture = browser.screenshot()
    assert picture.startswith(b"\x89PNG")
    if target := os.environ.get("STATUS_SCREENSHOT"):
        Path(target).write_bytes(picture)

    told = [event["event"] for event in node.events()]
    assert {"peer.established", "peer.lost", "chain.tip", "listening.opened"} <= set(told)

    assert browser.complaints() == []
    hosts = {url.split("/")[2] for url in browser.requests() if url.startswith("http")}
    assert hosts == {node.url.split("/")[2]}


def test_the_colours_can_be_chosen(browser: Chromium, node: Node) -> None:
    browser.open(node.url)
    browser.wait_for(LIVE.format("live"))
    browser.run("document.getElementById('theme').click()")
    assert browser.run("return document.documentElement.dataset.theme") == "light"
    ink = "return getComputedStyle(document.body).color"
    light = browser.run(ink)
    browser.run("document.getElementById('theme').click()")
    assert browser.run(ink) != light
    browser.run("document.getElementById('theme').click()")
    assert browser.run("return localStorage.getItem('theme')") == "auto"
    assert browser.complaints() == []


def test_the_page_says_that_its_node_is_gone_and_finds_it_again(
    browser: Chromium, node: Node
) -> None:
    browser.open(node.url)
    browser.wait_for(LIVE.format("live"))
    node.process.terminate()
    browser.wait_for(LIVE.format("lost"))
    node.start()
    browser.wait_for(LIVE.format("live"))
