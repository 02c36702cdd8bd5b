"""One target fuzzed in one process: by atheris where it is installed, by our own loop elsewhere.

Run as `python -m fuzz.engine TARGET --seconds N --runs N --seed N --findings FOLDER`; `python -m
fuzz` does that for many.  The last line that counts is ``tried N inputs``.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
import traceback
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import Any

from fuzz import targets
from fuzz.loop import run_loop
from fuzz.target import Target, Wrong, name_of_input

PATIENCE = 20
"""Seconds that a single input may take."""
MAX_MEMORY = 1_024
"""Megabytes that the process may have."""
FOUND = 77
"""Exit status when an input has found something; libFuzzer's."""


def has_atheris() -> bool:
    """Return whether there is a fuzzer that is led by coverage."""
    return find_spec("atheris") is not None


def load(name: str, *, instrument: bool) -> Target:
    """Return a target; with *instrument*, its imports tell atheris where they go."""
    if not instrument:
        return targets.load(name)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["bitpeer"], enable_loader_override=False):
        target = targets.load(name)
    records = importlib.import_module("bitpeer.wire.message").Record
    for kind in _below(records):  # what was made by `exec` while they were imported
        for made in vars(kind).values():
            function = getattr(made, "__func__", made)
            if isinstance(function, FunctionType):
                name_of_source = function.__code__.co_filename
                if name_of_source.startswith("<wire format"):
                    atheris.instrument_func(function)
    return target


def _below(kind: type) -> Iterator[type]:
    each: type
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def fuzz_with_atheris(
    target: Target, *, seconds: int, runs: int, seed: int, findings: Path
) -> None:
    """Fuzz until it is enough; does not return."""
    atheris: Any = importlib.import_module("atheris")
    with TemporaryDirectory() as folder:
        for data in target.first_inputs():
            Path(folder, name_of_input(data)).write_bytes(data)
        options = {
            "max_total_time": seconds,
            "runs": runs or -1,
            "seed": seed % (1 << 32) or 1,
            "max_len": target.max_size,
            "len_control": 10,
            "timeout": PATIENCE,
            "rss_limit_mb": MAX_MEMORY,
            "artifact_prefix": f"{findings}/",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        arguments = [f"-{name}={value}" for name, value in options.items()]

        def try_one(data: bytes) -> None:
            target.try_one(data)

        atheris.Setup([target.name, *arguments, folder], try_one)
        atheris.Fuzz()


def fuzz_with_loop(target: Target, *, seconds: int, runs: int, seed: int, findings: Path) -> int:
    """Fuzz until it is enough; return the exit status."""
    began = time.monotonic()
    count, latest = 0, b""

    def try_one(data: bytes) -> Hashable:
        nonlocal count, latest
        count, latest = count + 1, data
        with _patience():
            return target.try_one(data)

    def goes_on(done: int) -> bool:
        return (not runs or done < runs) and time.monotonic() - began < seconds

    try:
        run_loop(
            try_one,
            target.first_inputs(),
            seed=seed,
            max_size=target.max_size,
            goes_on=goes_on,
        )
    except Exception:
        traceback.print_exc()
        path = findings / f"crash-{name_of_input(latest)}"
        path.write_bytes(latest)
        print(f"Test unit written to {path}")
        return FOUND
    finally:
        print(f"tried {count} inputs")
    return 0


@contextmanager
def _patience() -> Iterator[None]:
    """Do not let one input take for ever."""

    def too_long(*_: object) -> None:
        raise Wrong(f"it took more than {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: list[str]) -> int:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.engine")
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--engine", choices=("atheris", "loop"), required=True)
    options = parser.parse_args(arguments)
    wanted = {
        "seconds": options.seconds,
        "runs": options.runs,
        "seed": options.seed,
        "findings": options.findings,
    }
    options.findings.mkdir(parents=True, exist_ok=True)
    if options.engine == "loop":
        return fuzz_with_loop(load(options.target, instrument=False), **wanted)
    fuzz_with_atheris(load(options.target, instrument=True), **wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
