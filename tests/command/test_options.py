"""The command line."""

import subprocess
import sys

import pytest

from bitpeer.command.options import Options
from bitpeer.command.settings import SETTINGS, Shape
from tests.twistd import PATIENCE, environment


def parse(*arguments):
    options = Options()
    options.parseOptions(arguments)
    return options


def complaint(*arguments):
    """Return the one line that wrong *arguments* end in."""
    with pytest.raises(SystemExit) as caught:
        parse(*arguments)
    line = caught.value.code
    assert isinstance(line, str)
    assert "\n" not in line
    return line


def test_options_are_settings():
    plan = parse("--network", "TestNet4", "--outbound=3", "--no-relay", "--log-level=warn").plan
    assert plan.networks[0].config.network.name == "testnet4"
    assert plan.networks[0].outbound == 3
    assert not plan.networks[0].config.relay
    assert plan.log_level == "warn"


def test_places_may_be_repeated_and_count_once():
    network = parse(
        *("--connect", "a", "--connect", "tcp:b:1", "--connect", "a"),
        *("--listen", "1", "--listen", "tcp:2", "--listen", "1"),
    ).plan.networks[0]
    assert network.connect == ["a", "tcp:b:1"]
    assert network.listen == ["1", "tcp:2"]


def test_a_file_says_more(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("outbound = 3\nmax-inbound = 7\n")
    options = parse("--config", str(path), "--outbound", "5")
    (network,) = options.plan.networks
    assert (network.outbound, network.max_inbound) == (5, 7)
    path.write_text("max-inbound = 9\n")
    assert options.make_plan().networks[0].max_inbound == 9
    path.write_text("max-inbound = -9\n")
    expected = f"bitpeer: max-inbound in {path} is '-9', expected a number, or 0 for no limit"
    assert complaint("--config", str(path)).startswith(expected)


def test_paths_are_those_of_the_place_where_the_program_was_started(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "a.toml").write_text(
        'log-json = "log"\ntor-control = 9051\ntor-password-file = "/b"\n'
    )
    monkeypatch.chdir(tmp_path)
    options = parse("--config", "etc/a.toml", "--data-dir", "data")
    monkeypatch.chdir("/")
    for plan in (options.plan, options.make_plan()):
        assert plan.data_dir == str(tmp_path / "data")
        assert plan.log_json == str(folder / "log")
        assert plan.tor_password_file == "/b"


def test_of_two_files_the_last_counts(tmp_path):
    (tmp_path / "a.toml").write_text("outbound = 3\n")
    (tmp_path / "b.toml").write_text("max-inbound = 7\n")
    files = [f"--config={tmp_path / name}.toml" for name in "ab"]
    (network,) = parse(*files).plan.networks
    assert (network.outbound, network.max_inbound) == (8, 7)


@pytest.mark.parametrize(
    "option", [f"--{setting.name}" for setting in SETTINGS if setting.shape is not Shape.FLAG]
)
def test_nothing_is_not_a_value(option):
    assert complaint(f"{option}=").startswith(f"bitpeer: {option} is ''")


def test_versions_are_shown(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--version")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("bitpeer 0.1.0 (Twisted ")


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--help")
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for option in (*(setting.name for setting in SETTINGS), "help", "version"):
        assert f"--{option}" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--outbound", "\u0663"], ["--outbound is", "a number from 0 to 1000"]),
        (["--user-agent", "explorer"], ["--user-agent is 'explorer'", "name:version"]),
        (["--speed", "9"], ["--speed"]),
        (["--connect"], ["--connect"]),
        (["regtest"], ["'regtest' belongs to no option"]),
    ],
)
def test_a_wrong_option_ends_in_one_line_that_says_what_is_right(arguments, parts):
    line = complaint(*arguments)
    for part in (*parts, "bitpeer: ", "see twistd bitpeer --help"):
        assert part in line


def test_help_needs_neither_the_reactor_nor_what_may_be_missing():
    program = """
import sys
from bitpeer.tap import Options
try:
    Options().parseOptions(["--help"])
except SystemExit as end:
    assert not end.code
names = {name.partition(".")[0] for name in sys.modules}
print(*names & {"prometheus_client", "tqdm", "txtorcon"})
print("twisted.internet.reactor" in sys.modules, "twisted.web.server" in sys.modules)
"""
    ended = subprocess.run(
        (sys.executable, "-c", program),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    shown, imported, others = ended.stdout.rstrip("\n").rsplit("\n", 2)
    assert "--connect=" in shown
    assert imported == ""
    assert others == "False False"
