"""Programs that run in processes of their own: `python -m benchmarks.actors NAME SETTINGS`.

An actor says what it has to report in lines of JSON, and ends when its input does.
"""

from __future__ import annotations

import json
import sys


def say(**report: object) -> None:
    """Report something to whoever started this process."""
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()
