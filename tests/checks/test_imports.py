"""The rules about imports, tried on lines that break them and lines that do not."""

from pathlib import Path

import pytest

from checks.imports import PLUGIN, main, offences

NET = Path("bitpeer/net/connect.py")


@pytest.mark.parametrize(
    "source",
    [
        "from twisted.internet import reactor",
        "from twisted.internet import defer, reactor as r",
        "import twisted.internet.reactor",
        "from twisted.internet.reactor import callLater",
        "class A:\n    from twisted.internet import reactor",
        "if True:\n    from twisted.internet import reactor",
    ],
)
def test_r_j6_the_reactor_is_not_imported_at_module_level(source: str) -> None:
    (offence,) = offences(NET, source)
    assert "the reactor is imported at module level" in offence


@pytest.mark.parametrize(
    "source",
    [
        "def start():\n    from twisted.internet import reactor",
        "async def start():\n    if True:\n        from twisted.internet import reactor",
        "from twisted.internet import defer",
        "from twisted.internet.interfaces import IReactorTime",
        "reactor = None",
    ],
)
def test_a_function_may_import_it(source: str) -> None:
    assert not list(offences(NET, source))


@pytest.mark.parametrize(
    "source",
    ["import bitpeer", "from bitpeer import bitcoin", "def f():\n    from bitpeer import on"],
)
def test_the_bare_name_is_for_users(source: str) -> None:
    (offence,) = offences(NET, source)
    assert "bare name bitpeer" in offence
    assert not list(offences(Path("examples/ping.py"), source))


def test_modules_are_imported_by_their_names() -> None:
    assert not list(offences(NET, "import bitpeer.errors\nfrom bitpeer.wire import message"))


def test_the_plugin_imports_next_to_nothing() -> None:
    assert not list(offences(PLUGIN, "from twisted.application.service import ServiceMaker"))
    (offence,) = offences(PLUGIN, "\nfrom bitpeer.tap import Options")
    assert offence == f"{PLUGIN}:2: the plugin may not import bitpeer.tap.Options"


def test_a_checkout_is_judged_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, source in {PLUGIN: "", Path("bitpeer/wire/a.py"): "import ast\n"}.items():
        path.parent.mkdir(parents=True)
        path.write_text(source)
    assert main() == 0
    assert capsys.readouterr().out == "imports: 2 files, 0 offences\n"
    PLUGIN.write_text("import txtorcon\n")
    assert main() == 1
    assert "the plugin may not import txtorcon" in capsys.readouterr().out
