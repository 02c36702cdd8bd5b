"""Debian's Chromium, driven through its WebDriver: for the one page that this project has."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PATIENCE = 30.0
"""Seconds that a loaded machine may take for what takes a healthy one no time."""
PROGRAMS = ("chromium", "chromedriver")


def missing() -> list[str]:
    """Return the programs that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Chromium:
    """One window of a browser.

    Args:
        driver: where the driver listens.
    """

    def __init__(self, driver: str) -> None:
        self._driver = driver
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]
        arguments.append("--hide-scrollbars")
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        wanted = {
            "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._post("/session", capabilities={"alwaysMatch": wanted})
        self._session = f"/session/{answer['sessionId']}"

    def open(self, url: str) -> None:
        """Go to *url*."""
        self._post(f"{self._session}/url", url=url)

    def run(self, script: str) -> Any:
        """Return what *script*, the body of a function, returns."""
        return self._post(f"{self._session}/execute/sync", script=script, args=[])

    def wait_for(self, script: str) -> Any:
        """Return what *script* returns once that is true."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.run(script)):
            assert time.monotonic() < deadline, f"never true: {script}"
        return found

    def look(self, width: int, height: int, colours: str, *, phone: bool = False) -> None:
        """Take on a size, in pixels, and prefer ``light`` or ``dark`` colours."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self._tell("Emulation.setDeviceMetricsOverride", **size)
        wish = {"name": "prefers-color-scheme", "value": colours}
        self._tell("Emulation.setEmulatedMedia", features=[wish])
        there = f"matchMedia('(prefers-color-scheme: {colours})').matches"
        self.wait_for(f"return innerWidth === {width} && {there}")

    def screenshot(self) -> bytes:
        """Return the window as PNG."""
        return base64.b64decode(self._tell("Page.captureScreenshot", format="png")["data"])

    def complaints(self) -> list[str]:
        """Return what the console has said since the last time."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that have been asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        """Close the browser."""
        self._ask(Request(self._driver + self._session, method="DELETE"))

    def _log(self, kind: str) -> Any:
        return self._post(f"{self._session}/se/log", type=kind)

    def _tell(self, command: str, **parameters: object) -> Any:
        path = f"{self._session}/goog/cdp/execute"
        return self._post(path, cmd=command, params=parameters)

    def _post(self, path: str, **content: object) -> Any:
        data = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        return self._ask(Request(self._driver + path, data, headers))

    def _ask(self, request: Request) -> Any:
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]


@contextmanager
def chromium(log: Path) -> Iterator[Chromium]:
    """Run a browser while the block lasts; its driver writes to *log*."""
    command = ["chromedriver", "--port=0", f"--log-path={log}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        try:
            started = next(line for line in driver.stdout if "started successfully on port" in line)
            port = started.rstrip(".\n").rpartition(" ")[2]
            browser = Chromium(f"http://127.0.0.1:{port}")
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.terminate()
