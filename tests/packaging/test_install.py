"""The `bitpeer` command of twistd, in a fresh virtual environment for each way of installing it."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.packaging.environment import Environment, commands, copy_checkout

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

OPTIONAL = {
    "blake3",
    "btclib_libsecp256k1",
    "cryptography",
    "mmh3",
    "prometheus_client",
    "siphashc",
    "txtorcon",
}

BACKEND = "from bitpeer.hashes import blake256; print(blake256.BLAKE256_BACKEND)"
PLUGINS = ["bitpeer_plugin", "bitpeer_endpoints"]
IMPORT_PLUGIN = """
import json, sys
from twisted.plugins import {plugin} as plugin
print(json.dumps({{"from": plugin.__file__, "modules": sorted(sys.modules)}}))
"""
READ_SOCKS5 = """
from twisted.internet.endpoints import clientFromString
from twisted.internet.testing import MemoryReactorClock
said = "socks5:127.0.0.1:9050:node.example:8333"
print(repr(clientFromString(MemoryReactorClock(), said)))
"""


def install_directory(environment: Environment, source: Path) -> Path:
    environment.pip("install", source)
    return environment.site_packages


def install_editable(environment: Environment, source: Path) -> Path:
    environment.pip("install", "--editable", source)
    return source


def install_wheel_from_sdist(environment: Environment, source: Path) -> Path:
    environment.run(sys.executable, "-m", "build", "--outdir", source / "dist", source)
    (wheel,) = source.glob("dist/*.whl")
    environment.pip("install", wheel)
    return environment.site_packages


WAYS = {
    "pip install .": install_directory,
    "pip install -e .": install_editable,
    "sdist to wheel": install_wheel_from_sdist,
}


class Installed:
    """An environment with `bitpeer` installed in one of the ways."""

    def __init__(self, path: Path, install: Callable[[Environment, Path], Path]) -> None:
        self.source = copy_checkout(path / "source")
        self.environment = Environment(path)
        self.root = install(self.environment, self.source)
        """The folder on sys.path through which Python finds it."""
        self.caches = [
            root / "twisted/plugins/dropin.cache"
            for root in {self.root, self.environment.site_packages}
        ]

    def listed(self) -> set[str]:
        """Return the commands that twistd lists."""
        return commands(self.environment.run(self.environment.twistd, "--help"))


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """The same for all tests below: each leaves it as it was, but for the last."""
    return Installed(tmp_path_factory.mktemp("installed"), request.param)


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Nobody may create anything in *folders*, for a while."""
    modes = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    for folder, mode in modes.items():
        folder.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)


def test_r_j5_the_command_is_listed_without_a_cache_and_with_one(installed: Installed) -> None:
    assert not any(cache.exists() for cache in installed.caches)
    assert "bitpeer" in installed.listed()
    assert all(cache.exists() for cache in installed.caches)
    assert "bitpeer" in installed.listed()


def test_r_j5_the_command_is_listed_where_nothing_can_be_written(installed: Installed) -> None:
    environment = installed.environment
    for cache in installed.caches:
        cache.unlink(missing_ok=True)
    with read_only(*(cache.parent for cache in installed.caches)):
        for cache in installed.caches:  # or else the test would prove nothing
            write = f"import pathlib; pathlib.Path({str(cache)!r}).touch()"
            assert "PermissionError" in environment.run_unprivileged(
                environment.python, "-c", write, status=1
            )
        told = environment.run_unprivileged(environment.twistd, "--help")
    assert "bitpeer" in commands(told)
    assert "Traceback" not in told
    assert not any(cache.exists() for cache in installed.caches)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_r_j5_the_plugin_imports_neither_the_reactor_nor_anything_optional(
    installed: Installed, plugin: str
) -> None:
    environment = installed.environment
    told = json.loads(
        environment.run(environment.python, "-c", IMPORT_PLUGIN.format(plugin=plugin))
    )
    assert Path(told["from"]).is_relative_to(installed.root)
    assert not {"bitpeer", "twisted.internet.reactor", *OPTIONAL} & set(told["modules"])


def test_r_j5_the_command_needs_nothing_optional(installed: Installed) -> None:
    environment = installed.environment
    told = environment.run(environment.twistd, "bitpeer", "--help")
    assert "--network" in told
    assert not [name for name in OPTIONAL if list(environment.site_packages.glob(f"{name}*"))]


def test_r_h4_every_twisted_program_can_say_socks5(installed: Installed) -> None:
    environment = installed.environment
    told = environment.run(environment.python, "-c", READ_SOCKS5)
    assert told == "socks5:node.example:8333\n"


def test_every_file_of_the_package_is_there(installed: Installed) -> None:
    package = installed.source / "bitpeer"
    kinds = {".py", ".html", ".css", ".js", ".svg"}
    files = {p.relative_to(installed.source) for p in package.rglob("*") if p.suffix in kinds}
    assert Path("bitpeer/service/status/status.html") in files
    files |= {Path("bitpeer/py.typed"), Path("pytest_bitpeer.py")}
    missing = [f for f in files if not (installed.root / f).is_file()]
    assert not missing


def test_blake256_was_compiled_and_its_source_stays_behind(installed: Installed) -> None:
    environment = installed.environment
    assert environment.run(environment.python, "-c", BACKEND) == "c\n"
    brought = {p.suffix for p in environment.distribution("bitpeer").files or ()}
    assert ".c" not in brought


def test_without_a_compiler_python_does_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "false")
    installed = Installed(tmp_path, install_directory)
    environment = installed.environment
    assert environment.run(environment.python, "-c", BACKEND) == "python\n"


def test_of_twisted_it_brings_its_plugins_only(installed: Installed) -> None:
    brought = {*(installed.environment.distribution("bitpeer").files or ())}
    in_twisted = {str(p) for p in brought if p.parts[0] == "twisted" and p.suffix == ".py"}
    ours = ("bitpeer_plugin.py", "bitpeer_endpoints.py")
    assert in_twisted <= {f"twisted/plugins/{name}" for name in ours}


def test_uninstalling_leaves_twisted_as_it_was(installed: Installed) -> None:
    environment = installed.environment
    before = environment.digests("twisted")
    assert "bitpeer" in installed.listed()
    environment.pip("uninstall", "--yes", "bitpeer")
    assert environment.digests("twisted") == before
    assert not list(environment.site_packages.glob("**/*bitpeer*"))
    listed = installed.listed()
    assert "bitpeer" not in listed
    assert {"dns", "web"} <= listed
