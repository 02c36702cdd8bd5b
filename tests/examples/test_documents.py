"""The programs in the documents are programs."""

import ast
import re
from pathlib import Path

import pytest

from bitpeer import PeerListener
from bitpeer.bitcoin import Block, Headers, Inv

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def without_calls(program: str) -> str:
    """Return *program* with its imports and definitions only: nothing of it runs."""
    tree = ast.parse(program)
    kept = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    tree.body = [
        each
        for each in tree.body
        if isinstance(each, kept) and "reactor" not in ast.unparse(each).split("import")[-1]
    ]
    return ast.unparse(tree)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_whatever_a_program_imports_is_there(program: str) -> None:
    exec(without_calls(program), {})


def test_the_watcher_listens_to_what_it_says() -> None:
    [program] = [each for each in PROGRAMS if "class Watcher" in each]
    names: dict = {}
    exec(program, names)
    watcher = names["Watcher"]()
    assert isinstance(watcher, PeerListener)
    assert all(watcher.receiver(kind) is not None for kind in (Headers, Inv, Block))


def test_files_that_the_readme_names_exist() -> None:
    for name in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / name).exists(), name


def test_what_the_guide_to_extending_shows_works() -> None:
    guide = (ROOT / "docs" / "extending.md").read_text()
    names: dict = {}
    for program in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        # From a file, so to say: what is declared looks its annotations up in its module.
        exec(compile(program, "extending.md", "exec"), names)
    message = names["GetProofs"](1, [bytes(32)])
    assert names["testbed"].dialect.registry.decode("getproofs", message.encode()) == message
    assert names["config"].network.title == "bitcoin-testbed"
