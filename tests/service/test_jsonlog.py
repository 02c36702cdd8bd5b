"""Tests of bitpeer.service.jsonlog."""

import errno
import json
import os
import stat

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from bitpeer.errors import InvalidSetting
from bitpeer.net.journal import Journal
from bitpeer.service.events import Events
from bitpeer.service.jsonlog import JsonLog
from tests.service.fakes import LogLines


class World:
    """Events, a file for them, and what writes it."""

    def __init__(self, folder, **limits):
        self.clock = Clock()
        self.path = folder / "events.jsonl"
        self.events = Events(self.clock.seconds)
        journal = Journal(Logger("bitpeer.test"), self.clock.seconds)
        self.log = JsonLog(self.path, self.events, journal, **limits)

    def lines(self, suffix=""):
        text = self.path.with_name(self.path.name + suffix).read_text()
        assert text == "" or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.log.startService()
    yield world
    if world.log.running:
        world.log.stopService()


def test_each_event_is_a_line(world):
    world.events.emit("tea.ready", cups=2)
    world.events.murmur("knock")
    assert world.lines() == [
        {"event": "tea.ready", "version": 1, "number": 1, "time": 0.0, "cups": 2},
        {"event": "knock", "version": 1, "number": 2, "time": 0.0},
    ]
    world.log.stopService()
    world.events.emit("tea.gone")
    assert len(world.lines()) == 2


def test_only_the_owner_may_read_it(world):
    assert stat.S_IMODE(world.path.stat().st_mode) == 0o600


def test_a_second_run_goes_on_where_the_first_ended(world):
    world.events.emit("one")
    world.log.stopService()
    world.log.startService()
    world.events.emit("two")
    assert [line["event"] for line in world.lines()] == ["one", "two"]


def test_r_i2_no_peer_can_write_a_line_of_its_own(world):
    world.events.emit("peer.spoke", text='\x1b[2J\r\n{"event":"lie"}\n\u202e'.encode())
    (line,) = world.lines()
    assert line["text"].isprintable()
    assert world.path.read_bytes().count(b"\n") == 1


def test_r_i4_however_much_happens_the_directory_stays_under_the_cap(tmp_path):
    world = World(tmp_path, max_bytes=4_096, max_files=3)
    world.log.startService()
    for number in range(10_000):
        world.events.murmur("peer.failed", number_of_it=number)
        if number % 1_000 == 0:
            files = list(tmp_path.iterdir())
            assert len(files) <= 3
            assert all(file.stat().st_size <= 4_096 for file in files)
    world.log.stopService()
    assert len(list(tmp_path.iterdir())) == 3
    every = [*world.lines(".2"), *world.lines(".1"), *world.lines()]
    numbers = [line["number"] for line in every]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_a_single_file_begins_anew(tmp_path):
    world = World(tmp_path, max_bytes=4_096, max_files=1)
    world.log.startService()
    for _ in range(200):
        world.events.emit("tick")
    world.log.stopService()
    assert [file.name for file in tmp_path.iterdir()] == ["events.jsonl"]
    assert world.lines()[-1]["number"] == 200


def test_whoever_moved_the_file_away_gets_a_new_one(world):
    world.events.emit("one")
    world.path.rename(world.path.with_name("moved"))
    world.events.emit("two")
    world.log.reopen()
    world.events.emit("three")
    assert [line["event"] for line in world.lines()] == ["three"]


def test_a_place_that_is_gone_costs_lines_until_it_is_back(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    world = World(folder)
    world.log.startService()
    world.path.unlink()
    folder.rmdir()
    world.log.reopen()
    with LogLines() as lines:
        world.events.emit("one")
        world.events.emit("two")
    assert [line for line in lines if line] == [
        f"{world.path} cannot be written, so events are not: No such file or directory"
    ]
    folder.mkdir()
    world.events.emit("three")
    assert world.log.lost == 2
    gap, three = world.lines()
    assert gap == {"event": "events.unwritten", "version": 1, "count": 2}
    assert three["event"] == "three"
    world.log.stopService()


class FullDisk:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, file, room):
        self.file = file
        self.room = room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.file.write(data[: self.room])
        self.room -= written
        return written

    def truncate(self, size):
        return self.file.truncate(size)

    def close(self):
        self.file.close()
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("room", [0, 10])
def test_a_full_disk_costs_whole_lines_only(world, room):
    world.events.emit("one")
    world.log._file = FullDisk(world.log._file, room)
    with LogLines() as lines:
        world.events.emit("two")
    assert "cannot be written, so events are not: no space left" in lines[0].lower()
    world.events.emit("three")
    assert [line["event"] for line in world.lines()] == ["one", "events.unwritten", "three"]


def test_a_file_that_cannot_be_opened_is_refused_at_the_start(tmp_path):
    world = World(tmp_path / "nowhere")
    with pytest.raises(InvalidSetting, match=r"log-json is .*No such file"):
        world.log.privilegedStartService()
    world.log.stopService()


@pytest.mark.parametrize("limits", [{"max_bytes": 100}, {"max_files": 0}])
def test_limits_that_make_no_sense_are_refused(tmp_path, limits):
    with pytest.raises(InvalidSetting):
        World(tmp_path, **limits)


def test_twistd_opens_it_before_it_gives_up_its_rights(tmp_path):
    world = World(tmp_path)
    world.log.privilegedStartService()
    opened = world.path.stat().st_ino
    world.log.startService()
    world.events.emit("one")
    world.log.stopService()
    assert world.path.stat().st_ino == opened
    assert len(world.lines()) == 1
