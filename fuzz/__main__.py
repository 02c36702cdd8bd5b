"""`python -m fuzz`: fuzz some targets or all, a few at a time, and tell what came of it."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fuzz.engine import has_atheris
from fuzz.target import Target
from fuzz.targets import PLACES, load

ROOT = Path(__file__).parents[1]
FINDINGS = Path("fuzz", "findings")
"""Where inputs are put that find something, until somebody moves them to the corpus."""
_TRIED = re.compile(r"^(?:tried |stat::number_of_executed_units: )([0-9]+)", re.MULTILINE)
_WRITTEN = re.compile(r"Test unit written to (\S+)")
_SPARE = 120
"""Seconds that a target may take longer than it should: to begin, and for its last input."""


class Done(NamedTuple):
    """What came of fuzzing one target."""

    target: Target
    inputs: int
    seconds: float
    found: str
    """The file of the input that found something, or what else went wrong; or nothing."""
    output: str

    @property
    def told(self) -> str:
        """What was said, without the names of everything that was imported."""
        lines = self.output.splitlines()
        return "\n".join(line for line in lines if not line.startswith("INFO: Instrumenting"))

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        line = f"{self.target.name:18} {self.inputs:9,} inputs {rate:8,.0f} /s"
        return f"{line}  FOUND {self.found}" if self.found else line


def fuzz_one(
    target: Target, *, engine: str, seconds: int, runs: int, seed: int, findings: Path
) -> Done:
    """Fuzz one target in a process of its own."""
    folder = findings / target.name
    command = (
        sys.executable, "-m", "fuzz.engine", target.name, f"--engine={engine}",
        f"--seconds={seconds}", f"--runs={runs}", f"--seed={seed}", f"--findings={folder}",
    )  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    began = time.monotonic()
    try:
        child = subprocess.run(  # noqa: S603  # our own words
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + _SPARE,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode("utf-8", "replace")
        return Done(target, 0, time.monotonic() - began, "it does not end", output)
    took, output = time.monotonic() - began, child.stdout.decode("utf-8", "replace")
    tried = _TRIED.findall(output)
    written = _WRITTEN.search(output)
    found = written[1] if written else ""
    if not found and (child.returncode or not tried):
        found = f"nothing, but ended with status {child.returncode}"
    return Done(target, int(tried[-1]) if tried else 0, took, found, output)


def replay(target: Target, paths: Sequence[Path]) -> int:
    """Try the inputs in some files; what they find is raised."""
    for path in paths:
        outcome = target.try_one(path.read_bytes())
        print(f"{path}: {str(outcome)[:200]}")
    return 0


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to fuzz; all if none")
    parser.add_argument("--list", action="store_true", help="only tell which targets there are")
    parser.add_argument("--seconds", type=int, default=60, help="for each target [60]")
    parser.add_argument("--runs", type=int, default=0, help="at most so many inputs for each")
    parser.add_argument("--seed", type=int, help="to do the same again; random if not said")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time [2]")
    parser.add_argument("--engine", choices=("atheris", "loop"), help="atheris if it is there")
    parser.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="try only these")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.targets if name not in PLACES]
    if unknown:
        parser.error(f"there is no target {unknown[0]}; there are {', '.join(PLACES)}")
    targets = [load(name) for name in options.targets or PLACES]
    if options.list:
        for target in targets:
            print(f"{target.name:18} {target.says}")
        return 0
    if options.replay:
        if len(options.targets) != 1:
            parser.error("--replay wants one target")
        return replay(targets[0], options.replay)
    return _fuzz(targets, options)


def _fuzz(targets: Sequence[Target], options: argparse.Namespace) -> int:
    engine = options.engine or ("atheris" if has_atheris() else "loop")
    seed = secrets.randbelow((1 << 31) - 1) + 1 if options.seed is None else options.seed
    print(f"{len(targets)} targets, {options.seconds} s each, by {engine}, seed {seed}", flush=True)

    def fuzz(target: Target) -> Done:
        done = fuzz_one(
            target,
            engine=engine,
            seconds=options.seconds,
            runs=options.runs,
            seed=seed,
            findings=FINDINGS,
        )
        print(done, flush=True)
        return done

    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        all_done = list(pool.map(fuzz, targets))
    for done in all_done:
        if done.found:
            print(f"\n--- {done.target.name}: {done.found}\n{done.told[-6_000:]}")
            print(f"again: python -m fuzz {done.target.name} --replay {done.found}")
    print(f"{sum(done.inputs for done in all_done):,} inputs, seed {seed}")
    return 1 if any(done.found for done in all_done) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
