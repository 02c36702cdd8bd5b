"""Is each module covered, lines and branches, by its own test file alone?

`package/x/y.py` belongs to `tests/x/test_y.py`, `package/z.py` to `tests/test_z.py`, and the
package `package/x/__init__.py` to `tests/test_x.py` (unless it only imports: then it is exempt).
The package is the one that `[tool.coverage.run] source` names in `pyproject.toml`.

Theory of operation: all those test files run once, in one process, and coverage.py is told at
every moment on whose account the code runs.  Such an account, a *context* in its terms, is

* the test file that is being collected or run, fixtures included;
* or the module that is being imported: a decorator of `wire` that runs while `messages` is
  imported runs on the account of `messages`.

A module is then judged by two accounts: its own import and its own test file.  Whatever else ran
it, by chance, proves nothing about what it should do.

Run as `python -m checks.own_coverage [MODULE.py ...] [PYTEST OPTIONS]` at the top of the checkout;
with modules, it is about these only.
"""

import ast
import json
import re
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from coverage import Coverage

TESTS = Path("tests")


class Pair(NamedTuple):
    """A module and the test file that must cover it."""

    module: Path
    test: Path

    @property
    def name(self) -> str:
        """The module's dotted name."""
        parts = self.module.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Gaps(NamedTuple):
    """What a test file leaves uncovered in its module."""

    lines: list[int]
    branches: list[tuple[int, int]]
    """From line, to line; a negative line stands for the way out of a function."""

    def __str__(self) -> str:
        parts = []
        if self.lines:
            parts.append(f"lines {', '.join(ranges(self.lines))}")
        if self.branches:
            ways = (f"{start}->{end if end > 0 else 'exit'}" for start, end in self.branches)
            parts.append(f"branches {', '.join(ways)}")
        return "; ".join(parts)


def ranges(numbers: Sequence[int]) -> Iterator[str]:
    """Yield the ascending *numbers* with runs drawn together: 3, 4, 5, 9 becomes 3-5, 9."""
    for _, grouped in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in grouped]
        yield f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}"


def only_imports(source: str) -> bool:
    """Whether *source* holds nothing but a docstring, imports and `__all__`."""

    def idle(statement: ast.stmt) -> bool:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return True
        return False

    return all(idle(statement) for statement in ast.parse(source).body)


def pairs(package: Path) -> Iterator[Pair]:
    """Yield each module below *package* that needs a test file, and that file."""
    for module in sorted(package.rglob("*.py")):
        inner = module.relative_to(package)
        if module.name == "__init__.py":
            if only_imports(module.read_text("utf-8")):
                continue
            inner = inner.parent if inner.parent.name else Path(package.name)
        yield Pair(module, TESTS / inner.parent / f"test_{inner.stem}.py")


class Accounts:
    """Knows on whose account code runs, and tells coverage.py."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._current = ""

    def switch(self, account: str) -> None:
        """From now on code runs on this *account*."""
        if account != self._current:  # a switch costs coverage.py a write to its database
            self._coverage.switch_context(account)
            self._current = account

    @contextmanager
    def during(self, account: str) -> Iterator[None]:
        """Within the block code runs on this *account*."""
        before = self._current
        self.switch(account)
        try:
            yield
        finally:
            self.switch(before)


def import_account(name: str) -> str:
    """The account of the import of module *name*."""
    return f"import {name}"


class AccountedLoader(SourceFileLoader):
    """Loads a module on its own account."""

    def __init__(self, name: str, path: str, accounts: Accounts) -> None:
        super().__init__(name, path)
        self._accounts = accounts

    def exec_module(self, module: ModuleType) -> None:
        with self._accounts.during(import_account(module.__name__)):
            super().exec_module(module)


class AccountedFinder(MetaPathFinder):
    """Finds the modules of one package and has them loaded on their own accounts."""

    def __init__(self, package: str, accounts: Accounts) -> None:
        self._package = package
        self._accounts = accounts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != self._package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):  # not a compiled one
            spec.loader = AccountedLoader(fullname, spec.loader.path, self._accounts)
        return spec


class AccountedTests:
    """A pytest plugin: collects and runs each test file on that file's account."""

    def __init__(self, accounts: Accounts, root: Path) -> None:
        self._accounts = accounts
        self._root = root

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        with self._accounts.during(self._account(collector)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._accounts.switch(self._account(item))

    def _account(self, node: pytest.Item | pytest.Collector) -> str:
        return node.path.relative_to(self._root).as_posix() if node.path.is_file() else ""


def gaps(coverage: Coverage, pair: Pair) -> Gaps:
    """Return what the two accounts that count for *pair* leave uncovered."""
    accounts = (import_account(pair.name), pair.test.as_posix())
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        coverage.json_report(
            morfs=[str(pair.module)],
            outfile=str(report),
            contexts=[f"^{re.escape(account)}$" for account in accounts],
        )
        (found,) = json.loads(report.read_text("utf-8"))["files"].values()
    return Gaps(found["missing_lines"], [(a, b) for a, b in found["missing_branches"]])


def main(arguments: Sequence[str]) -> int:
    """Check the checkout in the current directory; return the exit status."""
    chosen = {Path(argument) for argument in arguments if argument.endswith(".py")}
    options = [argument for argument in arguments if not argument.endswith(".py")]
    root = Path.cwd()
    coverage = Coverage(data_file=None, config_file="pyproject.toml")
    source = coverage.get_option("run:source")
    assert isinstance(source, list), "pyproject.toml does not say what to measure"
    (package,) = source
    wanted = [pair for pair in pairs(Path(package)) if not chosen or pair.module in chosen]
    files = sorted({str(pair.test) for pair in wanted if pair.test.is_file()})

    accounts = Accounts(coverage)
    sys.meta_path.insert(0, AccountedFinder(package, accounts))
    coverage.start()
    # Otherwise pytest would import the package itself, past our accounts, where it is installed
    # with a plugin of its own.
    tests = [*files, "-q", "--assert=plain", *options]
    status = pytest.main(tests, plugins=[AccountedTests(accounts, root)])
    coverage.stop()
    if status != pytest.ExitCode.OK:
        print("own coverage: the tests must pass first")
        return 1

    offences = 0
    for pair in wanted:
        found = str(gaps(coverage, pair)) if pair.test.is_file() else "there is no such file"
        if found:
            offences += 1
            print(f"{pair.module} by {pair.test}: {found}")
    print(f"own coverage: {len(wanted)} modules, {offences} not covered by their own test file")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
