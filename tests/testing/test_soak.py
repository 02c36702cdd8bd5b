"""Tests of `bitpeer.testing.soak`: a small town for a few hours."""

import re
from pathlib import Path
from runpy import run_path

import pytest
from twisted.logger import Logger

from bitpeer.errors import DisconnectReason
from bitpeer.testing import Simulation, soak
from bitpeer.testing.soak import Town, main, resident_bytes, slope

log = Logger()


def test_a_town_lives():
    with Simulation(seed=1) as simulation:
        town = Town(simulation, 20)
        town.open()
        (first, second) = town.hours(2)
    assert 15 <= first.peers <= 30
    assert second.ended > first.ended > 600  # a visitor and a rascal every ten seconds
    assert first.blocks > 100_000
    for reason in (
        DisconnectReason.CLOSED_BY_PEER,
        DisconnectReason.CONNECTION_BROKEN,
        DisconnectReason.WRONG_NETWORK,
        DisconnectReason.HANDSHAKE_TIMEOUT,
        DisconnectReason.FRAME_TIMEOUT,
        DisconnectReason.IDLE,
    ):
        assert town.node.lost[reason] > 10


def test_an_empty_town_stays_empty():
    with Simulation(seed=1) as simulation:
        town = Town(simulation, 0)
        town.open()
        (sample,) = town.hours(1)
        assert sample.peers < 20  # rascals, for as long as they are put up with


def test_rascals_who_are_thrown_out_too_early_are_no_failure(monkeypatch):
    async def be_too_slow(peer):
        await peer.expect_lost()
        await peer.shake_hands()

    async def never_leave(peer):
        peer.answer_pings()
        await peer.shake_hands()

    monkeypatch.setattr(soak, "RASCALS", (be_too_slow, never_leave))
    monkeypatch.setattr(soak, "CHANGE_EVERY", 600.0)
    with Simulation(seed=1) as simulation:
        town = Town(simulation, 1)
        town.open()
        list(town.hours(2))


def test_the_command_tells_each_hour_and_the_sum(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["soak", "--peers=3", "--hours=1", "--seed=9"])
    with pytest.raises(SystemExit) as left:
        run_path(soak.__file__, run_name="__main__")
    assert left.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 peers for 1 hours, seed 9"
    assert lines[2].split()[0] == "1"
    assert re.fullmatch(
        r"memory grows by 0 bytes and 0\.0 blocks an hour, 0 failures were logged; "
        r"\d+ events in \d+ s",
        lines[3],
    )


def test_a_failure_is_the_end_of_it(capsys, monkeypatch, logged_failures):
    def fail():
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            log.failure("it failed")
        return 0

    monkeypatch.setattr(soak, "resident_bytes", fail)
    assert main(["--peers=1", "--hours=1"]) == 1
    told = capsys.readouterr().out
    assert "ZeroDivisionError" in told
    assert "1 failures were logged" in told
    logged_failures.claim(ZeroDivisionError)


def test_memory_that_grows_is_a_failure(monkeypatch):
    sizes = iter(range(0, 1_000_000_000, 100_000))
    monkeypatch.setattr(soak, "resident_bytes", sizes.__next__)
    monkeypatch.setattr(soak, "WARM_UP", 0)
    assert main(["--peers=1", "--hours=2"]) == 1


def test_only_what_comes_after_the_first_hours_is_growth(monkeypatch):
    monkeypatch.setattr(soak, "WARM_UP", 2)
    assert slope([0, 1_000, 2_000, 2_010, 2_020]) == pytest.approx(10)
    assert slope([0, 1_000, 2_000]) == 0


def test_the_system_tells_what_is_in_memory(tmp_path):
    statm = tmp_path / "statm"
    assert resident_bytes(statm) == 0
    statm.write_text("100 25 3 4 5 6 7\n")
    assert resident_bytes(statm) == 25 * 4_096
    assert resident_bytes() > 1_000_000 or not Path("/proc/self/statm").exists()
