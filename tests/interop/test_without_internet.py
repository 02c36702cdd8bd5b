"""What `make run` starts, where there is no internet: the fence refuses even to look up a name."""

import json
import signal
import sys
from pathlib import Path
from time import monotonic
from urllib.request import urlopen

import pytest

from tests.interop.town import until
from tests.twistd import PATIENCE, running

SOON = 5.0
"""Seconds within which whoever is told to end has ended."""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_what_it_lacks_shows_its_page_and_ends_when_told(
    tmp_path: Path, number: signal.Signals
) -> None:
    record = tmp_path / "record"
    fence = (sys.executable, "-m", "tests.interop.fence", str(record), "")
    with running(*fence, "--nodaemon", "--pidfile=", "bitpeer", "--http", "127.0.0.1:0") as process:
        url = process.wait_for("status page at ").rpartition(" ")[2]
        lack = process.wait_for("no answer from any of the ")
        assert "without internet or DNS no peers can be found; trying again in " in lack
        with urlopen(url, timeout=PATIENCE) as answer:
            assert b"<title>bitpeer" in answer.read()
        with urlopen(f"{url}status", timeout=PATIENCE) as answer:
            [mainnet] = json.load(answer)["networks"]
        assert mainnet["chain"] == "bitcoin-mainnet"
        assert mainnet["network"]["connections_wanted"] == 10
        process.signal(number)
        began = monotonic()
        assert process.status() == 0
        assert monotonic() - began < SOON
    assert until(record.read_text).startswith("socket.getaddrinfo ")
    assert not any("Traceback" in line for line in process.lines)
