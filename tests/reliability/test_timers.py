"""Nothing repeats itself by a bare `LoopingCall`, which one exception would end for ever."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bitpeer"
GUARDED = {"net/ticker.py", "service/every.py"}
"""Where a `LoopingCall` is made, and guarded: their own tests show it."""


def test_r_j3_only_guarded_timers_repeat() -> None:
    makers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bLoopingCall\(", path.read_text())
    }
    assert makers == GUARDED
