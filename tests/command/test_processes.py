"""`twistd bitpeer` as it really runs: its files, its signals, what it says when it cannot start."""

import json
import os
import signal
import sys

import pytest

from bitpeer.service.database import open_database
from tests import twistd

REGTEST = ("--network", "regtest", "--listen", "127.0.0.1:0")
WITHOUT = """
import sys
for name in ("OpenSSL", "prometheus_client", "service_identity", "tqdm", "txtorcon"):
    sys.modules[name] = None
from twisted.scripts.twistd import run
run()
"""
"""A `twistd` where nothing is installed that need not be."""


def critical(lines):
    """Return the only line of a log that tells why nothing started, without what is before it."""
    assert not any("Traceback" in line for line in lines)
    (line,) = (line for line in lines if "#critical" in line)
    return line.partition("] ")[2]


def test_sighup_makes_new_settings_count(tmp_path):
    settings, log = tmp_path / "a.toml", tmp_path / "events"
    settings.write_text("max-inbound = 3\n")
    with twistd.bitpeer(*REGTEST, f"--config={settings}", f"--log-json={log}") as process:
        place = f"127.0.0.1:{twistd.port_of(process)}"
        with twistd.bitpeer(*REGTEST) as other:
            settings.write_text(f"connect = ['127.0.0.1:{twistd.port_of(other)}']\n")
            log.rename(tmp_path / "events.1")
            process.signal(signal.SIGHUP)
            line = process.wait_for("settings have been read again")
            assert line.endswith("new: connect, max-inbound")
            process.wait_for("(outbound) established")
            settings.write_text("listen = 7.5\n")
            process.signal(signal.SIGHUP)
            line = process.wait_for("nothing is changed, because listen in ")
            assert line.endswith("is 7.5, expected a text or a whole number")
            settings.write_text("log-level = 'warn'\nuser-agent = 'a:1'\n")
            process.signal(signal.SIGHUP)
            line = process.wait_for("wait for the next start: user-agent")
            other.wait_for("lost: closed by the peer")
        assert process.terminate() == 0
        assert not any("told to stop" in line for line in process.lines)
    names = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert names.count("config.reread") == 2
    assert names.count("peer.established") == 1
    assert place


def test_paths_stay_what_they_are_when_twistd_goes_elsewhere(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "a.toml").write_text("log-json = '../events'\n")
    start = os.path.relpath(tmp_path, twistd.ROOT)
    options = (f"--config={start}/etc/a.toml", f"--data-dir={start}/data")
    command = (*twistd.TWISTD, "--nodaemon", "--pidfile=", "--rundir=/", "bitpeer", *REGTEST)
    with twistd.running(*command, *options) as process:
        twistd.port_of(process)
        process.signal(signal.SIGHUP)
        process.wait_for("settings have been read again; new: none")
        assert process.terminate() == 0
        assert not any("wait for the next start" in line for line in process.lines)
    assert (tmp_path / "events").exists()
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"lock", "bitcoin-regtest"}


def test_a_directory_that_somebody_else_uses_ends_the_process_with_one_line(tmp_path):
    data = f"--data-dir={tmp_path / 'data'}"
    with twistd.bitpeer(*REGTEST, data) as first:
        twistd.port_of(first)
        second = twistd.run(*REGTEST, data)
        files = (f"--pidfile={tmp_path}/pid", f"--logfile={tmp_path}/log")
        with twistd.running(*twistd.TWISTD, *files, "bitpeer", *REGTEST, data) as third:
            assert third.status() == 1
        holder = (tmp_path / "data" / "lock").read_text().strip()
        why = f"{tmp_path / 'data'} cannot be used: it is in use by process {holder}"
        assert first.terminate() == 0
    assert second.returncode == 1
    assert critical(second.stdout.splitlines()) == f"cannot start: {why}"
    assert f"CannotStart: {why}"[:90] in third.lines[0]
    assert critical((tmp_path / "log").read_text().splitlines()) == f"cannot start: {why}"
    assert not (tmp_path / "pid").exists()


def test_a_file_of_a_newer_version_ends_the_process_with_one_line(tmp_path):
    folder = tmp_path / "bitcoin-regtest"
    folder.mkdir()
    open_database(folder / "addresses.sqlite", [f"CREATE TABLE t{n} (a)" for n in range(9)]).close()
    ended = twistd.run(*REGTEST, f"--data-dir={tmp_path}")
    assert ended.returncode == 1
    line = critical(ended.stdout.splitlines())
    assert line.startswith(f"cannot start: {folder / 'addresses.sqlite'} cannot be used: a newer ")


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--data-dir={file}", "cannot start: {file} cannot be used: it is not a directory"),
        ("--data-dir={file}/a", "cannot start: {file}/a cannot be used: Not a directory"),
        ("--log-json={file}/a", "cannot start: log-json is '{file}/a', expected a file that can"),
    ],
)
def test_places_that_cannot_be_used_end_the_process_with_one_line(tmp_path, option, why):
    file = tmp_path / "file"
    file.touch()
    ended = twistd.run(*REGTEST, option.format(file=file))
    assert ended.returncode == 1
    assert critical(ended.stdout.splitlines()).startswith(why.format(file=file))


def test_a_port_of_the_page_that_is_in_use_ends_the_process_with_one_line():
    with twistd.bitpeer(*REGTEST, "--http", "0") as first:
        port = first.wait_for("status page at http://127.0.0.1:").rstrip("/").rpartition(":")[2]
        second = twistd.run(*REGTEST, "--http", port, "--data-dir", "memory")
    assert second.returncode == 1
    assert critical(second.stdout.splitlines()).startswith(f"cannot listen on {port}: ")


def test_it_runs_where_nothing_is_installed_that_need_not_be():
    twist = (sys.executable, "-c", WITHOUT, "--nodaemon", "--pidfile=", "bitpeer")
    with twistd.running(*twist, *REGTEST, "--http", "0") as process:
        twistd.port_of(process)
        process.wait_for("status page at ")
        assert process.terminate() == 0
        assert not any("#error" in line or "#warn" in line for line in process.lines)
    with twistd.running(*twist, *REGTEST, "--tor") as process:
        assert process.status() == 1
        (line,) = process.lines
        assert line.startswith("bitpeer: --tor cannot be used: ")
        assert "bitpeer[tor]" in line
