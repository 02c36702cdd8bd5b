"""The configuration file: whatever is in it, there is a plan, or a sentence that says why not.

An input is the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path

from bitpeer.command.configfile import read_file
from bitpeer.command.plan import make_plan
from bitpeer.command.said import WrongSetting
from bitpeer.command.settings import SETTINGS, Scope, Shape
from fuzz.target import Target, expect

MAX_WORDS = 2_000
"""Characters of a complaint."""
VALUES = (
    "true", "false", "0", "8", "-1", '"x"', '""', '"8.8.8.8:8333"', '"socks5://u:p@[::1]:9050"',
    '["8.8.8.8"]', '["tcp:8333", "onion:8333"]', '["network", "witness"]', '"0x409"', '"24h"',
    "1979-05-27T07:32:00Z", "1.5", "{}", "[[]]", '"/name:1/"', '"name:1"', '"192.0.2.0/24"',
    '"1=18445"', '["1=18445"]', '"debug"', '"decred-simnet"', '["mainnet", "jaxnet-simnet"]',
)  # fmt: skip


def try_one(data: bytes) -> Hashable:
    """Read one file, and plan what to run."""
    path = place()
    path.write_bytes(data)
    try:
        plan = make_plan({}, read_file(str(path)))
    except WrongSetting as error:
        said = str(error)
        expect(0 < len(said) <= MAX_WORDS, f"a complaint of {len(said)} characters")
        expect(said.isprintable() or "is no TOML" in said, f"{said!r} is no sentence")
        return said.replace(str(path), "")[:24]
    expect(plan.networks, "there is nothing to run")
    return "fine", len(plan.networks), repr(plan)[:500]


@cache
def place() -> Path:
    """Return where the file is."""
    memory = Path("/dev/shm")  # noqa: S108  # where the machine has it, files need no disk
    folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
    _FOLDERS.append(folder)
    return Path(folder.name, "bitpeer.toml")


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []
"""Kept as long as the program runs."""


def seeds() -> Iterator[bytes]:
    """Return files that set everything to everything."""
    for setting in SETTINGS:
        for value in VALUES:
            if setting.scope is not Scope.PROGRAM:
                yield f"[networks.decred-simnet]\nlisten = 1\n{setting.name} = {value}\n".encode()
            elif setting.shape is Shape.MANY or value[0] != "[":
                yield f"{setting.name} = {value}\n".encode()
    yield b"a=" + b"[" * 1_500
    yield b"outbound = " + b"9" * 4_000


CONFIG = Target(
    name="config",
    says="the configuration file",
    try_one=try_one,
    seeds=seeds,
    max_size=6_000,
)
