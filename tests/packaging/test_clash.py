"""The other distribution that installs a package `bitpeer`, in one environment with this one."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.packaging.environment import Environment, copy_checkout

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

# A stand-in for the real one, which puts a dozen modules there.
METADATA = "bitpeer.py-0.4.7.5.dist-info"
FOREIGN = {
    "bitpeer/__init__.py": "FOREIGN = True\n",
    "bitpeer/node.py": "",
    f"{METADATA}/METADATA": "Metadata-Version: 2.1\nName: bitpeer.py\nVersion: 0.4.7.5\n",
    f"{METADATA}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{METADATA}/RECORD": "",
}
NOTICED = "from bitpeer.service.clash import foreign_modules; print(*foreign_modules())"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A wheel of it."""
    path = tmp_path / "bitpeer.py-0.4.7.5-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        for name, text in FOREIGN.items():
            wheel.writestr(name, text)
    return path


def test_it_is_noticed_and_installing_again_without_it_helps(tmp_path: Path, foreign: Path) -> None:
    source = copy_checkout(tmp_path / "source")
    environment = Environment(tmp_path)

    environment.pip("install", source)
    assert environment.run(environment.python, "-c", NOTICED).split() == []

    environment.pip("install", foreign)  # pip says nothing of the file that it overwrites
    assert "FOREIGN" in (environment.site_packages / "bitpeer/__init__.py").read_text()
    assert environment.run(environment.python, "-c", NOTICED).split() == ["node"]

    environment.pip("uninstall", "--yes", "bitpeer", "bitpeer.py")
    environment.pip("install", source)
    assert environment.run(environment.python, "-c", NOTICED).split() == []
