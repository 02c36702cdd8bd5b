"""Findings as lines for a terminal, and as a page."""

from __future__ import annotations

import os
import platform
import ssl
import sysconfig
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.findings import Finding
from bitpeer.hashes.blake256 import BLAKE256_BACKEND

TITLES = {
    1: "Pings answered",
    2: "Small messages received",
    3: "Beside Twisted's own ceiling",
    4: "Blocks received",
    5: "Blocks as views",
    6: "Blocks looked at in full",
    7: "The largest inventory",
    8: "Memory of a block",
    9: "Ten thousand idle peers",
    10: "Who knows of what",
    11: "Announcing",
    13: "Serving blocks",
    14: "Decred",
    15: "Following the chain",
    16: "A whole service, idle",
}

NATURE = {"c": "compiled", "python": "by Python, not compiled"}
"""What runs BLAKE-256, in words."""

INTRODUCTION = """\
# How fast it is

Written by `make bench`; do not edit.  Every number is a ratio of two things measured in the same
run, each the best of several turns, on synthetic traffic that is shaped like the real one and the
same in every run (`benchmarks/data.py`).  bitpeer takes part as it is used: whole `PeerProtocol`s
on a node, with a listener that hears of every message.  Others take part by their own shortest
way.  What runs in a process of its own is measured by the processor time of that process, but for
pings answered, which a client counts by the clock.
"""

NOTES = """\
## What stands beside

* *Its own sha256d*: the checksum that every receiver of the payload must compute, and nothing
  else.
* *Twisted's LineReceiver*: lines of 100 bytes, neither verified nor decoded; *bytes only*: a
  protocol that counts them.
* *p2pool's loop*: a transcription for Python 3 of the generator that p2pool receives with.
* *bcoin*: a full node in JavaScript, as npm installs it.  Its compiled hash functions do not build
  on current versions of Node.js; it then hashes with Node's own OpenSSL, slower for small messages
  than they were, and faster for blocks.
* *python-bitcoinlib, btclib, embit, bitcoinX*: libraries in Python; those that read frames run
  behind a blocking socket.
"""


def line(finding: Finding) -> str:
    """Return one finding as a line."""
    verdict = finding.verdict.strip("*")
    return (
        f"{finding.row:>2}  {finding.what}, beside {finding.beside}: "
        f"{finding.measured or 'not measured'}"
        + (f" (target {finding.target}: {verdict})" if finding.target else "")
        + (f"  [{finding.detail}]" if finding.detail else "")
    )


def page(findings: Iterable[Finding]) -> str:
    """Return the whole page."""
    found = list(findings)
    parts = [INTRODUCTION, f"{conditions()}\n", summary(found)]
    for row, title in TITLES.items():
        lines = [finding for finding in found if finding.row == row]
        if lines:
            parts.append(f"## {row}. {title}\n\n{_table(lines)}")
    return "\n".join([*parts, NOTES])


def summary(found: Iterable[Finding]) -> str:
    """Return how many targets were met, and name the others."""
    aimed = [finding for finding in found if finding.target]
    missed = [finding for finding in aimed if finding.verdict == "**missed**"]
    unknown = [finding for finding in aimed if finding.value is None]
    text = f"{len(aimed) - len(missed) - len(unknown)} of {len(aimed)} targets are met."
    if missed:
        text += "  Missed:\n\n" + "\n".join(
            f"* {each.row}. {each.what}, beside {each.beside}: {each.measured}, not {each.target}"
            + (f".  {each.why}" if each.why else "")
            for each in missed
        )
    return text + "\n"


def _table(lines: Iterable[Finding]) -> str:
    rows = [
        "| what | beside | target | measured | verdict | in numbers of this machine |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {each.what} | {each.beside} | {each.target} | {each.measured} | {each.verdict} "
        f"| {each.detail} |"
        for each in lines
    ]
    return "\n".join(rows) + "\n"


def conditions() -> str:
    """Return what the numbers depend on, in one line."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    build = "optimised build" if optimised else "build without profile-guided optimisation"
    packages = ", ".join(
        f"{name} {found}"
        for name in ("Twisted", "python-bitcoinlib", "btclib", "embit", "bitcoinX")
        if (found := _version(name))
    )
    return (
        f"Machine: {os.cpu_count()} processors of type {_processor()}, {platform.system()}; "
        f"{platform.python_implementation()} {platform.python_version()} ({build}), "
        f"{ssl.OPENSSL_VERSION.rsplit(' ', 3)[0]}, "
        f"BLAKE-256 {NATURE[BLAKE256_BACKEND]}; {packages}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [row.partition(":")[2].strip() for row in text.splitlines() if "model name" in row]
    return names[0] if names else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
