"""Tests of bitpeer.tap."""

import time

import pytest
from twisted.application.service import IService
from twisted.internet import reactor as the_reactor

from bitpeer import tap
from bitpeer.command.program import Program
from bitpeer.tap import Options, makeService
from tests import twistd


def parse(*arguments):
    options = Options()
    options.parseOptions(arguments)
    return options


def test_twistd_gets_a_program_with_its_own_reactor():
    program = makeService(parse("--network", "regtest", "--connect", "192.0.2.1"))
    assert IService.providedBy(program)
    assert isinstance(program, Program)
    assert program._reactor is the_reactor


def test_what_cannot_be_ends_in_one_line():
    with pytest.raises(SystemExit) as caught:
        makeService(parse("--connect", "host:port"))
    assert caught.value.code.startswith("bitpeer: --connect is 'host:port', expected host, ")
    assert caught.value.code.endswith("; see twistd bitpeer --help")
    assert "\n" not in caught.value.code


def test_beside_modules_of_another_distribution_nothing_starts(monkeypatch):
    monkeypatch.setattr(tap, "foreign_modules", lambda: ("node",))
    with pytest.raises(SystemExit) as caught:
        makeService(parse())
    assert "has installed node into the package bitpeer" in caught.value.code
    assert "\n" not in caught.value.code


# Real processes


def test_two_processes_meet_and_part():
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        port = twistd.port_of(listening)
        with twistd.bitpeer(
            *("--network", "regtest", "--connect", f"127.0.0.1:{port}", "--log-level", "trace")
        ) as dialling:
            dialling.wait_for("joins bitcoin-regtest as /bitpeer:0.1.0/")
            dialling.wait_for("sent version, 1")
            dialling.wait_for("user_agent=b'/bitpeer:0.1.0/'")
            dialling.wait_for("00000000  ")
            dialling.wait_for("(outbound) established: /bitpeer:0.1.0/")
            listening.wait_for("(inbound) established: /bitpeer:0.1.0/")
            started = time.monotonic()
            assert dialling.terminate() == 0
            assert time.monotonic() - started < 5
            assert any("lost: closed by this side" in line for line in dialling.lines)
        listening.wait_for("lost: closed by the peer")
        assert listening.terminate() == 0
        assert not any("sent version" in line for line in listening.lines)
        assert not any("Traceback" in line for line in dialling.lines + listening.lines)


def test_a_port_in_use_ends_the_process_with_one_line():
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        port = twistd.port_of(listening)
        second = twistd.run("--network", "regtest", "--listen", f"127.0.0.1:{port}")
    assert second.returncode == 1
    assert second.stderr == ""
    (line,) = (line for line in second.stdout.splitlines() if "#critical" in line)
    assert line.endswith(f"cannot listen on 127.0.0.1:{port}: Address already in use")
    assert "Traceback" not in second.stdout


def test_a_port_in_use_is_told_when_twistd_goes_to_the_background(tmp_path):
    with twistd.bitpeer("--network", "regtest", "--listen", "127.0.0.1:0") as listening:
        place = f"127.0.0.1:{twistd.port_of(listening)}"
        files = (f"--pidfile={tmp_path}/pid", f"--logfile={tmp_path}/log")
        listen = ("bitpeer", "--network", "regtest", "--listen", place)
        with twistd.running(*twistd.TWISTD, *files, *listen) as second:
            assert second.status() == 1
    assert f"listen is '{place}'" in second.lines[0]
    assert f"cannot listen on {place}" in (tmp_path / "log").read_text("utf-8")
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("wrong", ["--network=nowhere", "--connect=host:port", "--listen=http:80"])
def test_a_wrong_option_ends_the_process_with_one_line(wrong):
    ended = twistd.run(wrong)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"bitpeer: {wrong.replace('=', ' is ').split()[0]} is ")
