"""What `make run` would start."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def command(arguments: str) -> str:
    """Return the last line of what `make run` would do."""
    make = shutil.which("make")
    assert make is not None, "make is missing: apt install make"
    told = (make, "--dry-run", "--no-print-directory", "run", f"ARGS={arguments}")
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", ["", "--network regtest --listen 0", "--http-name tea.example"]
)
def test_there_is_a_page_unless_somebody_says_otherwise(arguments):
    assert command(arguments).endswith(f" bitpeer --http 8380 {arguments}".rstrip())


@pytest.mark.parametrize(
    "arguments", ["--http 9000", "--http=9000", "--config bitpeer.toml", "--config=bitpeer.toml"]
)
def test_whoever_says_where_it_is_is_obeyed(arguments):
    assert command(arguments).partition(" bitpeer ")[2].strip() == arguments
