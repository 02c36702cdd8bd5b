"""The unit of `packaging/`, as systemd itself reads it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging" / "bitpeer.service"
EXPOSURE = 1.5
"""Most that `systemd-analyze security` may find; ten is a program that may do anything."""


def analyze(*arguments: str) -> str:
    """Return what systemd-analyze says."""
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: install Debian's systemd"
    ended = subprocess.run((program, *arguments), capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


@pytest.fixture
def unit(tmp_path):
    """The unit, starting a program that this machine has."""
    path = tmp_path / UNIT.name
    program = shutil.which("true")
    path.write_text(UNIT.read_text().replace("/opt/bitpeer/bin/twistd", str(program)))
    return str(path)


def test_systemd_has_nothing_to_complain_about(unit):
    assert analyze("verify", unit) == ""


def test_systemd_would_find_a_mistake(unit):
    path = Path(unit)
    path.write_text(path.read_text().replace("[Service]", "[Service]\nNonsense=yes"))
    assert "Nonsense" in analyze("verify", unit)


def test_the_program_may_do_next_to_nothing(unit):
    said = analyze("security", "--offline=true", unit)
    exposure = re.search(r"exposure level for bitpeer.service: ([0-9.]+)", said)
    assert exposure, said
    assert float(exposure[1]) <= EXPOSURE
