"""Every example runs, as whoever copies it would run it, against a node on loopback."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.bitcoin.vectors import GENESIS
from tests.twistd import ROOT, TWISTD, Running, port_of, running

EXAMPLES = ROOT / "examples"
SERVING = str(Path(__file__).with_name("serving.py"))

pytestmark = pytest.mark.timeout(120)


@contextmanager
def node(network: str = "regtest", dialect: str = "bitcoin") -> Iterator[str]:
    """Run a node with one block to give; the block gets its address."""
    command = (*TWISTD, "--nodaemon", "--pidfile=", "-y", SERVING)
    with running(*command, BITPEER_NETWORK=network, DIALECT=dialect) as process:
        yield f"127.0.0.1:{port_of(process)}"


def script(name: str, *arguments: str) -> Running:
    return running(sys.executable, str(EXAMPLES / name), *arguments)


def application(name: str, **environment: str) -> Running:
    command = (*TWISTD, "--nodaemon", "--pidfile=", "-y", str(EXAMPLES / name))
    return running(*command, **environment)


def test_nothing_is_forgotten_here():
    tested = {
        *("demo.py", "embed.py", "fetch_blocks.py", "ping.py", "print_block.py"),
        "watch_mainnet.tac",
    }
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".tac"}} == tested
    table = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"({name})" in table for name in tested)


def test_the_demonstration_tells_the_story_to_its_end():
    with script("demo.py") as demo:
        assert demo.status() == 0
        told = "\n".join(demo.lines)
    parts = [
        "alice  twistd -n bitpeer --network regtest --listen 127.0.0.1:0",
        "bob    twistd -n bitpeer --network regtest --connect 127.0.0.1:",
        "bob -> alice  version",
        "bob <- alice  version",
        "bob <- alice  verack",
        "bob -> alice  verack",
        "bob -> alice  ping",
        "bob <- alice  pong",
        "Bob's ping came back after",
        "carol -> alice  inv",
        "ends with status 0",
        "lost: closed by the peer",
        "ends with status 0",
        "That was all of it.",
    ]
    at = 0
    for part in parts:
        at = told.index(part, at)


def test_the_demonstration_fails_if_a_process_does(tmp_path, monkeypatch):
    broken = 'import os, sys\nif "--nodaemon" in sys.orig_argv:\n    os._exit(1)\n'
    (tmp_path / "sitecustomize.py").write_text(broken)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with script("demo.py") as demo:
        assert demo.status() == 1
    assert "The demonstration failed: alice ended too early, with status 1" in demo.lines


def test_ping_tells_who_answers_and_how_fast():
    with node() as address, script("ping.py", address, "regtest", "2") as ping:
        assert ping.status() == 0
    assert ping.lines[0] == f"{address} is /bitpeer:0.1.0/, protocol version 70017,"
    assert ping.lines[1] == "offers services 0x0 and knows 0 blocks"
    assert [line.split(":")[0] for line in ping.lines[2:4]] == ["pong 1", "pong 2"]
    assert ping.lines[4].startswith("at best ")


def test_ping_says_why_there_is_no_answer():
    with node("regtest") as address, script("ping.py", address, "signet") as ping:
        assert ping.status() == 1
    (line,) = ping.lines
    assert line.startswith(f"{address}: ")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ping.py", ()),
        ("ping.py", ("127.0.0.1:1", "nowhere")),
        ("ping.py", ("127.0.0.1:1", "regtest", "0")),
        ("ping.py", ("127.0.0.1:1", "regtest", "many")),
        ("ping.py", ("127.0.0.1:1", "regtest", "1", "more")),
        ("fetch_blocks.py", ()),
        ("fetch_blocks.py", ("127.0.0.1:1", "nowhere")),
        ("fetch_blocks.py", ("127.0.0.1:1", "regtest", "all")),
        ("print_block.py", ()),
        ("print_block.py", ("127.0.0.1:1", "nowhere")),
        ("print_block.py", ("127.0.0.1:1", "regtest", "more")),
    ],
)
def test_a_script_that_is_called_wrongly_says_how_in_one_line(name, arguments):
    with script(name, *arguments) as called:
        assert called.status() == 1
    (line,) = called.lines
    assert line.startswith(f"usage: {name} HOST:PORT [mainnet|")


@pytest.mark.parametrize("name", ["fetch_blocks.py", "ping.py", "print_block.py"])
@pytest.mark.parametrize("place", ["a..b:1", "127.0.0.1:1"])
def test_a_script_that_cannot_dial_says_why_in_one_line(name, place):
    with script(name, place, "regtest") as called:
        assert called.status() == 1
    (line,) = called.lines
    assert line.startswith(f"{place}: ")


def test_print_block_prints_the_transactions_of_the_block():
    with node() as address, script("print_block.py", address, "regtest") as printing:
        assert printing.status() == 0
    assert printing.lines == [f"{GENESIS['regtest'].merkle_root} 204 vbytes"]


@pytest.mark.parametrize("count", [2, 10])
def test_fetch_blocks_shows_them_in_order(count):
    with node() as address, script("fetch_blocks.py", address, "regtest", str(count)) as fetching:
        assert fetching.status() == 0
    *blocks, summary = fetching.lines
    assert [line.split()[0] for line in blocks] == ["1", "2", "3"][:count]
    assert all(line.endswith(" 285 bytes, 1 transactions") for line in blocks)
    assert len({line.split()[1] for line in blocks}) == len(blocks)
    assert summary.startswith(f"{len(blocks)} of 3 blocks, ")


def test_the_watcher_sees_a_block():
    with (
        node("mainnet") as address,
        application("watch_mainnet.tac", BITPEER_CONNECT=address) as watching,
    ):
        line = watching.wait_for("block ")
        assert f"block {GENESIS['mainnet'].hash} from peer 1 {address} (outbound)" in line
        watching.terminate()
    assert not any("Traceback" in line for line in watching.lines)


def test_a_program_that_exists_already_has_peers():
    with (
        node() as address,
        application(
            "embed.py",
            BITPEER_CONNECT=address,
            BITPEER_NETWORK="regtest",
            BITPEER_HTTP="tcp:0:interface=127.0.0.1",
        ) as program,
    ):
        port = program.wait_for("Site starting on").rpartition(" ")[2]
        program.wait_for("established")
        announced = 0
        while not announced:  # the announcement may come a moment after the handshake
            with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
                (peer,) = json.load(response)["peers"]
            announced = peer["announced"]
        assert peer == {
            "address": address,
            "inbound": False,
            "agent": "/bitpeer:0.1.0/",
            "height": 0,
            "announced": 1,
        }
        program.terminate()
    assert not any("Traceback" in line for line in program.lines)
