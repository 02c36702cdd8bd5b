"""Play one part."""

from __future__ import annotations

import json
import sys
from importlib import import_module

PARTS = {
    "bitpeer": "receivers:bitpeer",
    "generator loop": "receivers:generator_loop",
    "lines": "receivers:lines",
    "bytes": "receivers:raw_bytes",
    "python-bitcoinlib": "blocking:bitcoinlib",
    "btclib": "blocking:btclib",
    "crowd": "crowd:bitpeer",
    "bare crowd": "crowd:bare",
    "announcer": "announcer:play",
    "server": "server:play",
}

module, _, name = PARTS[sys.argv[1]].partition(":")
getattr(import_module(f"benchmarks.actors.{module}"), name)(**json.loads(sys.argv[2]))
