"""A fresh virtual environment, and what the tests want to know of it."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "dropin.cache", "node_modules", "*.so"
)

AS_ANYBODY = """
import ctypes, os, sys
if os.geteuid() == 0:
    # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: from the next exec on, root obeys the modes of files.
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Environment:
    """A virtual environment, and a folder that has nothing to do with it to run things in."""

    def __init__(self, path: Path) -> None:
        venv.create(path / "venv", symlinks=True)
        self.elsewhere = path / "elsewhere"
        self.elsewhere.mkdir()
        self.python = path / "venv/bin/python"
        self.twistd = path / "venv/bin/twistd"
        (self.site_packages,) = path.glob("venv/lib/python*/site-packages")

    def run(self, *command: str | Path, status: int = 0) -> str:
        """Run *command*; return all that it prints, once it has ended with *status*."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        result = subprocess.run(
            command,
            cwd=self.elsewhere,
            env=inherited,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == status, result.stdout
        return result.stdout

    def run_unprivileged(self, *command: str | Path, status: int = 0) -> str:
        """Run *command* as somebody whom the modes of files can stop, even if we are root."""
        return self.run(sys.executable, "-c", AS_ANYBODY, *command, status=status)

    def pip(self, *arguments: str | Path) -> None:
        """Run our pip on this environment, which has none of its own."""
        self.run(sys.executable, "-m", "pip", "--python", self.python, *arguments)

    def distribution(self, name: str) -> Distribution:
        """Return what is installed as *name*."""
        (found,) = distributions(name=name, path=[str(self.site_packages)])
        return found

    def digests(self, name: str) -> Mapping[str, str]:
        """Return the digest of every file that distribution *name* brought."""
        paths = [p for p in self.distribution(name).files or () if p.suffix != ".pyc"]
        return {str(path): sha256(path.read_binary()).hexdigest() for path in paths}


def copy_checkout(destination: Path) -> Path:
    """Copy what belongs to the project: building it leaves things in the folder."""
    return Path(shutil.copytree(CHECKOUT, destination, ignore=NOT_COPIED))


def commands(help_text: str) -> set[str]:
    """Return the commands that *help_text*, from `twistd --help`, lists."""
    _, _, listed = help_text.partition("\nCommands:\n")
    return {line.split()[0] for line in listed.splitlines() if line[4:5].strip()}
