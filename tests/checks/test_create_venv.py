"""The script that makes the virtual environment, on machines that lack something."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "checks/create-venv"

STAND_IN = """#!/bin/sh
case "$*" in
    *version_info*) exit {old} ;;
    *ensurepip*) exit {bare} ;;
    --version) echo "Python 3.99" ;;
    "-m venv "*) echo "$0 creates $3" ;;
    *) exit 99 ;;
esac
"""


class Machine:
    """A PATH with nothing on it but the Pythons that were put there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def put(self, name: str, *, old: bool = False, bare: bool = False) -> Path:
        """Put a Python there: too *old*, or *bare* of the modules that make environments."""
        program = self.path / name
        program.write_text(STAND_IN.format(old=int(old), bare=int(bare)))
        program.chmod(0o755)
        return program

    def run(self, python: str | Path = "") -> subprocess.CompletedProcess[str]:
        """Run the script as the Makefile does, with *python* for its variable PYTHON."""
        return subprocess.run(
            ["/bin/sh", SCRIPT, "here"],
            env={"PATH": str(self.path), "PYTHON": str(python)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bin")


def test_the_first_python_that_is_new_enough_is_taken(machine: Machine) -> None:
    machine.put("python3", old=True)
    machine.put("python3.11")
    expected = machine.put("python3.13")
    assert machine.run().stdout == f"{expected} creates here\n"


def test_python3_is_preferred(machine: Machine) -> None:
    machine.put("python3.13")
    expected = machine.put("python3")
    assert machine.run().stdout == f"{expected} creates here\n"


def test_a_python_may_be_named(machine: Machine) -> None:
    machine.put("python3")
    named = machine.put("mine")
    assert machine.run(named).stdout == f"{named} creates here\n"


def test_a_machine_without_a_new_python_is_told_so(machine: Machine) -> None:
    machine.put("python3", old=True)
    result = machine.run()
    assert "Python 3.11 or newer is needed" in result.stderr
    assert result.returncode == 1


def test_a_named_python_that_is_too_old_is_not_replaced(machine: Machine) -> None:
    machine.put("python3")
    named = machine.put("mine", old=True)
    result = machine.run(named)
    assert f"PYTHON={named} is not a Python 3.11 or newer" in result.stderr
    assert result.returncode == 1


def test_a_python_without_venv_is_told_what_to_install(machine: Machine) -> None:
    machine.put("python3", bare=True)
    result = machine.run()
    assert "Python 3.99 lacks its venv or ensurepip module" in result.stderr
    assert "apt install python3-venv" in result.stderr
    assert result.returncode == 1
