"""The files of `packaging/`: what they start is there, and takes what they say."""

import json
import re
import shlex
from pathlib import Path

import pytest

from bitpeer.command.options import Options
from bitpeer.command.settings import SETTINGS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging"
UNIT = (FOLDER / "bitpeer.service").read_text()
CONTAINER = (FOLDER / "Containerfile").read_text().replace("\\\n", " ")
SAMPLE = FOLDER / "bitpeer.toml"


def plan(arguments):
    """Return what becomes of a command line that ends in options of ours."""
    assert arguments[:4] == ["twistd", "--nodaemon", "--pidfile=", "bitpeer"]
    options = Options()
    options.parseOptions(arguments[4:])
    return options.plan


def instructions(name):
    return re.findall(rf"^{name} (.*)$", CONTAINER, re.MULTILINE)


def test_the_unit_starts_what_there_is():
    (start,) = re.findall(r"^ExecStart=/opt/bitpeer/bin/(.*)$", UNIT, re.MULTILINE)
    start = start.replace("${CONFIGURATION_DIRECTORY}", str(FOLDER))
    wanted = plan(shlex.split(start.replace("${STATE_DIRECTORY}", "/var/lib/bitpeer")))
    assert wanted.data_dir == "/var/lib/bitpeer"


def test_the_unit_gives_nothing_away():
    for line in (
        *("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes"),
        *("CapabilityBoundingSet=", "StateDirectory=bitpeer", "UMask=0077"),
        "ExecReload=/bin/kill -HUP $MAINPID",
    ):
        assert line in UNIT.splitlines()


def test_the_container_copies_what_there_is():
    for copied in instructions("COPY"):
        if not copied.startswith("--from"):
            *sources, _ = copied.split()
            assert all((ROOT / source).exists() for source in sources)


def test_the_container_runs_as_nobody_in_particular():
    assert instructions("USER") == ["bitpeer"]
    assert all("/" not in image.split()[0] for image in instructions("FROM"))


def test_the_container_starts_what_there_is():
    (entry,) = instructions("ENTRYPOINT")
    program, *rest = json.loads(entry)
    assert program == "/opt/bitpeer/bin/twistd"
    assert plan(["twistd", *rest, "--listen", "8333"]).data_dir == "/data"


def test_the_sample_of_settings_can_be_used_as_it_is():
    options = Options()
    options.parseOptions(["--config", str(SAMPLE)])
    assert [network.base.title for network in options.plan.networks] == ["bitcoin-mainnet"]


def test_the_sample_names_every_setting():
    """Each is there, set or commented out, and what is commented out can be read, too."""
    lines = SAMPLE.read_text().splitlines()
    names = {found[1] for line in lines if (found := re.match(r"#?([a-z-]+) = ", line))}
    assert names == {setting.name for setting in SETTINGS} - {"config"}


@pytest.mark.parametrize("line", re.findall(r"^#([a-z-]+ = .*)$", SAMPLE.read_text(), re.MULTILINE))
def test_what_the_sample_suggests_can_be_said(tmp_path, line):
    path = tmp_path / "bitpeer.toml"
    jax = line.startswith(("chain", "serve", "address"))
    extra = 'network = "jaxnet-mainnet"\n' if jax else ""
    extra += "tor = true\n" if line.startswith("tor-password-file") else ""
    extra += 'address = "192.0.2.1"\n' if line.startswith("serve") else ""
    path.write_text(extra + line)
    options = Options()
    options.parseOptions(["--config", str(path)])
