from pathlib import Path

from bitpeer.service.clash import OURS, foreign_modules, warning


def test_nothing_foreign_lies_beside_our_own_modules():
    assert foreign_modules() == ()


def test_every_module_of_ours_is_known_as_ours():
    folder = Path(__file__).parents[2] / "bitpeer"
    mine = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    assert mine - {"__init__"} <= OURS


def test_modules_of_the_other_bitpeer_are_reported(tmp_path):
    """features.md 0.1: PyPI's bitpeer.py installs a package of our name."""
    for name in ("__init__", "clients", "node", "networks", "serializers", "errors"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('must not be imported')")
    for name in ("net", "wire", "extras"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "py.typed").touch()
    assert foreign_modules([str(tmp_path)]) == (
        "clients",
        "extras",
        "networks",
        "node",
        "serializers",
    )
    assert foreign_modules([str(tmp_path / "nowhere")]) == ()


def test_the_warning_names_the_modules_and_a_way_out():
    assert "installed clients, node into" in warning(["clients", "node"])
    assert "a, b, c, d, e, ... into" in warning(list("abcdefgh"))
    assert "uninstall both" in warning(["node"])
