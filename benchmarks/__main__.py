"""Measure, show, and write ``docs/performance.md``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from benchmarks.findings import Finding
from benchmarks.measuring import FULL, TINY, Effort
from benchmarks.processes import PROJECT
from benchmarks.report import line, page
from benchmarks.rows import (
    answering,
    blocks,
    crowd,
    decred,
    headers,
    inventory,
    program,
    receiving,
    sending,
)
from bitpeer.hashes.blake256 import BLAKE256_BACKEND

PAGE = PROJECT / "docs" / "performance.md"
NOT_COMPILED = """BLAKE-256 is not compiled here, and the page would tell of slow Python.
Install a C compiler and run `make clean bench`, or leave the page as it is with --no-page."""

Measure = Callable[..., Iterator[Finding]]

GROUPS: dict[str, Measure] = {
    "answering": answering.measure,
    "receiving": receiving.measure,
    "blocks": blocks.measure,
    "inventory": inventory.measure,
    "crowd": crowd.measure,
    "sending": sending.measure,
    "decred": decred.measure,
    "headers": headers.measure,
    "program": program.measure,
}


def measured(groups: list[str], effort: Effort, *, with_bcoin: bool) -> Iterator[Finding]:
    """Yield what each of *groups* finds, as soon as it is found."""
    for name in groups:
        yield from GROUPS[name](effort, with_bcoin=with_bcoin)


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--tiny", action="store_true", help="see that everything runs, no more")
    parser.add_argument("--no-bcoin", action="store_true", help="do without Node.js")
    parser.add_argument("--no-page", action="store_true", help=f"leave {PAGE.name} as it is")
    options = parser.parse_args(arguments)
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    publish = not (options.groups or options.tiny or options.no_page)
    if publish and BLAKE256_BACKEND != "c":
        parser.error(NOT_COMPILED)
    groups = options.groups or list(GROUPS)
    effort = TINY if options.tiny else FULL
    findings = []
    for finding in measured(groups, effort, with_bcoin=not options.no_bcoin):
        findings.append(finding)
        print(line(finding), flush=True)
    if publish:
        PAGE.write_text(page(findings), encoding="utf-8")
        print(f"\nWritten to {PAGE.relative_to(PROJECT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
