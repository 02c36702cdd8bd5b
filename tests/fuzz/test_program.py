"""Tests of `python -m fuzz`: processes and all, but for a moment only."""

import re

import pytest

from fuzz import __main__ as program, engine
from fuzz.target import Target, Wrong
from fuzz.targets import PLACES


@pytest.fixture(autouse=True)
def findings(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "FINDINGS", tmp_path)


def test_all_targets_are_listed(capsys):
    assert program.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PLACES)


def test_one_target_is_fuzzed_and_the_seed_is_told(capfd):
    assert program.main(["socks", "--runs", "500", "--seed", "7", "--engine", "loop"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "1 targets, 60 s each, by loop, seed 7"
    assert re.fullmatch(r"socks +500 inputs +[0-9,]+ /s", lines[1])
    assert lines[2] == "500 inputs, seed 7"


def test_without_a_seed_there_is_some(capsys, monkeypatch):
    monkeypatch.setattr(program, "fuzz_one", lambda target, **_: done(target))
    monkeypatch.setattr(program, "has_atheris", lambda: False)
    assert program.main(["socks"]) == 0
    assert re.search(r"by loop, seed [1-9][0-9]*\n", capsys.readouterr().out)


def test_atheris_is_used_where_it_is(capfd):
    best = "atheris" if engine.has_atheris() else "loop"
    assert program.main(["socks", "--runs", "1200", "--seed", "7"]) == 0
    told = capfd.readouterr().out
    assert f"by {best}, seed 7" in told
    assert re.search(r"^socks +[1-9][0-9,]* inputs", told, re.MULTILINE)


def done(target, found=""):
    return program.Done(target, 9, 3.0, found, "INFO: Instrumenting x\nall that was said")


def test_a_finding_is_told_with_the_way_to_see_it_again(capsys, monkeypatch):
    monkeypatch.setattr(program, "fuzz_one", lambda target, **_: done(target, "there/crash-1"))
    assert program.main(["socks", "--seed", "1"]) == 1
    told = capsys.readouterr().out
    assert "FOUND there/crash-1" in told
    assert "all that was said" in told
    assert "Instrumenting" not in told
    assert "again: python -m fuzz socks --replay there/crash-1" in told


def test_files_are_replayed(capsys, tmp_path):
    file = tmp_path / "input"
    file.write_bytes(b"")
    assert program.main(["framing", "--replay", str(file)]) == 0
    assert str(file) in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["--replay", "file"]])
def test_what_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        program.main(arguments)
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "found"),
    [("print('tried 3 inputs')", ""), ("raise SystemExit(3)", "ended with status 3")],
)
def test_a_process_that_ends_otherwise_is_a_finding(monkeypatch, tmp_path, command, found):
    real = program.subprocess.run

    def run(arguments, **settings):
        return real([arguments[0], "-c", command], **settings)

    monkeypatch.setattr(program.subprocess, "run", run)
    what = {"engine": "loop", "seconds": 1, "runs": 1, "seed": 1, "findings": tmp_path}
    outcome = program.fuzz_one(toy(len), **what)
    assert found in outcome.found
    assert bool(outcome.found) == bool(found)


def test_a_process_that_does_not_end_is_a_finding(monkeypatch, tmp_path):
    monkeypatch.setattr(program, "_SPARE", 0)
    what = {"engine": "loop", "seconds": 0, "runs": 1, "seed": 1, "findings": tmp_path}
    assert program.fuzz_one(toy(len), **what).found == "it does not end"


def toy(try_one):
    return Target(name="toy", says="something", try_one=try_one, seeds=lambda: [b"a"])


def fuzz(try_one, folder, runs=50):
    return engine.fuzz_with_loop(toy(try_one), seconds=60, runs=runs, seed=1, findings=folder)


def test_an_input_that_finds_something_is_kept(tmp_path, capsys):
    def try_one(data):
        if data == b"a":
            raise Wrong("it was a")

    assert fuzz(try_one, tmp_path) == engine.FOUND
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"a"
    told = capsys.readouterr()
    assert "it was a" in told.err
    assert f"Test unit written to {path}" in told.out
    assert "tried 2 inputs" in told.out


def test_an_input_that_takes_for_ever_is_a_finding(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(engine, "PATIENCE", 1)

    def try_one(data):
        while data:
            pass

    assert fuzz(try_one, tmp_path) == engine.FOUND
    assert "more than 1 seconds" in capsys.readouterr().err


def test_the_engine_fuzzes_one_target(tmp_path, capsys):
    folder = tmp_path / "findings"
    arguments = ["socks", "--runs=20", "--seed=1", f"--findings={folder}", "--engine=loop"]
    assert engine.main(arguments) == 0
    assert capsys.readouterr().out == "tried 20 inputs\n"
    assert list(folder.iterdir()) == []


def test_names_of_findings_are_ignored_by_git():
    assert "fuzz/findings/" in (program.ROOT / ".gitignore").read_text().splitlines()
