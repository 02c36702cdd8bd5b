"""The coverage rule, tried on a tiny project that breaks it in every way."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from checks import own_coverage
from checks.own_coverage import Gaps, Pair, only_imports, pairs, ranges

CHECKOUT = Path(own_coverage.__file__).parents[1]

TINY = {
    "pyproject.toml": """
        [tool.coverage.run]
        branch = true
        source = ["tiny"]
        [tool.pytest.ini_options]
        filterwarnings = ["error"]
    """,
    "tiny/__init__.py": '"""Only imports."""\nfrom tiny.whole import sign\n__all__ = ["sign"]\n',
    "tiny/whole.py": """
        def sign(number):
            if number < 0:
                return -1
            return 1
    """,
    "tests/test_whole.py": """
        import pytest
        from tiny.whole import sign

        @pytest.fixture
        def minus():
            return sign(-5)

        def test_signs(minus):
            assert (minus, sign(5)) == (-1, 1)
    """,
    # One branch, and one line, are run by somebody else's test only.
    "tiny/deep/__init__.py": "",
    "tiny/deep/half.py": """
        def clip(number):
            if number > 9:
                number = 9
            return number

        def half(number):
            return number // 2
    """,
    "tests/deep/test_half.py": """
        from tiny.deep.half import clip

        def test_clip():
            assert clip(10) == 9
    """,
    "tests/deep/test_other.py": """
        from tiny.deep import half, other

        def test_all():
            assert (half.clip(10), half.clip(1), half.half(8)) == (9, 1, 4)
            assert other.DOUBLED == 4
    """,
    # Run by an import only: that of its user, which proves nothing, and its own, which does.
    "tiny/deep/decorate.py": """
        def once(number):
            return number * 2

        def twice(number):
            return number * 2

        TWO = twice(1)
    """,
    "tests/deep/test_decorate.py": """
        from tiny.deep import other

        def test_it():
            assert other.DOUBLED == 4
    """,
    "tiny/deep/other.py": "from tiny.deep.decorate import once\nDOUBLED = once(2)\n",
    "tiny/orphan.py": "ORPHAN = True\n",
    # A package that does something is a module like any other.
    "tiny/busy/__init__.py": "def busy():\n    return True\n",
    "tests/test_busy.py": "from tiny.busy import busy\ndef test_busy():\n    assert busy()\n",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    for name, text in TINY.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return tmp_path


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "checks.own_coverage", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_its_own_test_file_counts(tiny: Path) -> None:
    result = check(tiny)
    assert result.stdout.splitlines()[-4:] == [
        "tiny/deep/decorate.py by tests/deep/test_decorate.py: lines 3",
        "tiny/deep/half.py by tests/deep/test_half.py: lines 8; branches 3->5",
        "tiny/orphan.py by tests/test_orphan.py: there is no such file",
        "own coverage: 6 modules, 3 not covered by their own test file",
    ]
    assert result.returncode == 1
    assert not result.stderr


def test_a_project_that_obeys_passes(tiny: Path) -> None:
    for name in ("deep/decorate.py", "deep/half.py", "deep/other.py", "orphan.py"):
        (tiny / "tiny" / name).unlink()
    for path in (tiny / "tests/deep").iterdir():
        path.unlink()
    result = check(tiny)
    assert result.stdout.endswith("own coverage: 2 modules, 0 not covered by their own test file\n")
    assert result.returncode == 0


def test_modules_may_be_chosen(tiny: Path) -> None:
    result = check(tiny, "tiny/whole.py", "--collect-only")
    assert "own coverage: 1 modules, 1 not covered by their own test file" in result.stdout
    assert "tests/test_whole.py" in result.stdout
    assert "tests/test_busy.py" not in result.stdout


def test_a_project_may_be_installed_and_bring_a_plugin(tiny: Path) -> None:
    (tiny / "plug.py").write_text("")
    facts = tiny / "tiny.egg-info"
    facts.mkdir()
    (facts / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
    (facts / "SOURCES.txt").write_text("checks/__init__.py\ntiny/whole.py\n")
    (facts / "entry_points.txt").write_text("[pytest11]\nplug = plug\n")
    result = check(tiny, "tiny/whole.py")
    assert result.returncode == 0, result.stderr


def test_failing_tests_prove_nothing(tiny: Path) -> None:
    (tiny / "tests/test_busy.py").write_text("def test_busy():\n    assert False\n")
    result = check(tiny)
    assert result.stdout.endswith("own coverage: the tests must pass first\n")
    assert result.returncode == 1


def test_each_module_has_one_test_file(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny)
    assert list(pairs(Path("tiny"))) == [
        Pair(Path(f"tiny/{module}.py"), Path(f"tests/{test}.py"))
        for module, test in [
            ("busy/__init__", "test_busy"),
            ("deep/decorate", "deep/test_decorate"),
            ("deep/half", "deep/test_half"),
            ("deep/other", "deep/test_other"),
            ("orphan", "test_orphan"),
            ("whole", "test_whole"),
        ]
    ]
    (tiny / "tiny/__init__.py").write_text("import os\nos.getcwd()\n")
    assert next(pairs(Path("tiny"))) == Pair(Path("tiny/__init__.py"), Path("tests/test_tiny.py"))


def test_a_module_has_a_dotted_name() -> None:
    assert Pair(Path("tiny/deep/half.py"), Path()).name == "tiny.deep.half"
    assert Pair(Path("tiny/deep/__init__.py"), Path()).name == "tiny.deep"


def test_runs_of_lines_are_drawn_together() -> None:
    assert list(ranges([])) == []
    assert list(ranges([3, 4, 5, 9, 11, 12])) == ["3-5", "9", "11-12"]


def test_gaps_read_well() -> None:
    assert not str(Gaps([], []))
    assert str(Gaps([1, 2], [(3, 5), (3, -1)])) == "lines 1-2; branches 3->5, 3->exit"


@pytest.mark.parametrize(
    ("source", "idle"),
    [
        ("", True),
        ('"""Title."""\nimport a\nfrom a import b\n__all__ = ["b"]', True),
        ("from a import b\nb()", False),
        ("LIMIT = 5", False),
        ("def f(): ...", False),
    ],
)
def test_a_package_that_only_imports_is_recognised(source: str, idle: bool) -> None:
    assert only_imports(source) == idle
