"""The page about running a node says what is."""

import re
import shlex
from pathlib import Path

import pytest

from bitpeer.command.options import Options
from bitpeer.command.settings import SETTINGS, Shape
from bitpeer.net.journal import Journal
from bitpeer.service import nodeservice
from tests.service.fakes import Reactor

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "service.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z-]+)` \| .* \| (now)? ?\|$", PAGE, re.MULTILINE))
"""What the tables of settings say: whether each changes now."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """Return the command lines that start *program*, each as a list of words."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(program)]


def options(arguments: list[str]) -> Options:
    options = Options()
    options.parseOptions(arguments)
    return options


def test_it_has_every_setting_and_knows_which_change_now() -> None:
    assert {setting.name: "now" if setting.reread else "" for setting in SETTINGS} == ROWS


def test_it_knows_what_may_be_said_several_times() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", PAGE, re.MULTILINE)
    several = {name for name, says in rows if "; several" in says}
    assert several == {setting.name for setting in SETTINGS if setting.shape is Shape.MANY}


def test_it_knows_the_defaults() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| .* \| `?([0-9]+h?|info)`? \| (?:now)? ?\|$", PAGE, re.MULTILINE
    )
    assert {"max-inbound", "max-per-host", "ban-time", "log-level", "chain"} <= dict(rows).keys()
    for setting in SETTINGS:
        if setting.name in dict(rows) and setting.shape is not Shape.WORDS:
            assert setting.read(dict(rows)[setting.name]) == setting.default, setting.name


@pytest.mark.parametrize("command", commands("twistd"), ids=" ".join)
def test_what_it_says_to_run_can_be_said(command: list[str]) -> None:
    assert command[:3] == ["twistd", "-n", "bitpeer"]
    sample = str(ROOT / "packaging" / "bitpeer.toml")
    wanted = [sample if word.endswith("bitpeer.toml") else word for word in command[3:]]
    assert options(wanted).plan.networks


def test_the_container_is_run_with_what_can_be_said() -> None:
    *_, run = commands("podman")
    assert options(run[run.index("bitpeer") + 1 :]).plan.networks[0].listen == ["8333"]


def test_the_file_that_it_shows_can_be_read(tmp_path: Path) -> None:
    [text] = blocks("toml")
    (tmp_path / "a.toml").write_text(text)
    plan = options(["--config", str(tmp_path / "a.toml")]).plan
    first, second = plan.networks
    assert plan.http == "8380"
    assert (first.listen, first.max_inbound, len(first.ban)) == (["8333"], 60, 2)
    assert (second.listen, second.max_inbound, second.outbound) == (["9108"], 60, 12)


def test_it_names_the_files_that_are_kept() -> None:
    named = set(re.findall(r"^\| `NETWORK/(.*?)` \|", PAGE, re.MULTILINE))
    ours = (nodeservice.BANS, nodeservice.ADDRESSES, nodeservice.HEADERS, nodeservice.ANCHORS)
    assert named == {*ours, "onion.key"}


def test_what_it_quotes_from_the_log_is_in_the_program() -> None:
    source = (ROOT / "bitpeer" / "command" / "rereading.py").read_text()
    [quoted] = blocks("text")
    for line in quoted.splitlines():
        assert line.rpartition(": ")[0] in source


def test_the_program_that_it_shows_works() -> None:
    [program] = blocks("python")
    names: dict = {"reactor": Reactor()}
    exec(program.replace("from twisted.internet import reactor\n", ""), names)
    assert isinstance(names["node"].journal, Journal)
    assert names["reactor"].dialled() == ["127.0.0.1"]
    assert names["service"].admission.limits.most == 20
    assert not names["service"].running


def test_where_it_leads_there_is_something() -> None:
    for name in re.findall(r"\]\(([\w.]+)\)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
    for name in re.findall(r"`(packaging/[\w.]+)`", PAGE):
        assert (ROOT / name).exists(), name
