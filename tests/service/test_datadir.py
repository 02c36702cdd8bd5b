"""Tests of bitpeer.service.datadir."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bitpeer.errors import LocalError, StorageUnusable
from bitpeer.service.datadir import LOCK, DataDirectory, default_place
from tests import toy


@pytest.fixture
def directory(tmp_path):
    directory = DataDirectory(tmp_path / "home" / "bitpeer")
    yield directory
    directory.stopService()


def failing(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


def test_the_default_place_is_that_of_the_users_data():
    ours = Path.home() / ".local" / "share" / "bitpeer"
    assert default_place({}) == ours
    assert default_place({"XDG_DATA_HOME": ""}) == ours
    assert default_place({"XDG_DATA_HOME": "/srv/data"}) == Path("/srv/data/bitpeer")
    assert default_place({"XDG_DATA_HOME": "relative"}) == ours  # as its specification demands
    assert DataDirectory().place == default_place()


def test_it_is_made_at_the_start_for_its_owner_alone(directory):
    assert not directory.place.exists()
    directory.startService()
    assert directory.place.stat().st_mode & 0o777 == 0o700
    assert (directory.place / LOCK).stat().st_mode & 0o777 == 0o600
    assert directory.running


def test_one_that_is_there_is_used_as_it_is(directory):
    directory.place.mkdir(parents=True, mode=0o750)
    (directory.place / "notes").write_text("mine")
    directory.startService()
    assert (directory.place / "notes").read_text() == "mine"
    assert directory.place.stat().st_mode & 0o777 == 0o750


def test_each_network_has_a_folder_of_its_own(tmp_path):
    directory = DataDirectory(tmp_path)
    assert directory.path(toy.NETWORK, "a.sqlite") == tmp_path / "toy-nursery" / "a.sqlite"
    odd = replace(toy.NETWORK, name="../up and away")
    assert directory.path(odd, "a.sqlite") == tmp_path / "toy-..%2Fup%20and%20away" / "a.sqlite"


def test_whoever_comes_second_learns_who_was_first(directory):
    directory.startService()
    second = DataDirectory(directory.place)
    with pytest.raises(LocalError) as caught:
        second.startService()
    assert str(caught.value) == (
        f"{directory.place} cannot be used: it is in use by process {os.getpid()}"
    )
    assert not second.running
    second.stopService()  # and takes nothing away
    with pytest.raises(StorageUnusable):
        second.startService()


def test_a_holder_that_has_not_said_who_it_is_is_unknown(directory):
    directory.startService()
    (directory.place / LOCK).write_text("")
    with pytest.raises(StorageUnusable, match="in use by process unknown"):
        DataDirectory(directory.place).startService()


def test_whoever_stops_leaves_it_to_the_next(directory):
    directory.startService()
    directory.stopService()
    second = DataDirectory(directory.place)
    second.startService()
    assert (directory.place / LOCK).read_text() == f"{os.getpid()}\n"
    second.stopService()


HOLDER = """
import sys
from pathlib import Path
from bitpeer.service.datadir import DataDirectory

DataDirectory(Path(sys.argv[1])).startService()
print("mine", flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(60)
def test_another_process_has_it_until_it_is_killed(directory):
    command = [sys.executable, "-c", HOLDER, str(directory.place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout.readline() == b"mine\n"
        with pytest.raises(StorageUnusable, match=f"in use by process {holder.pid}"):
            directory.startService()
        holder.kill()
        holder.wait()
        directory.startService()


def test_what_is_no_directory_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnusable, match="file cannot be used: it is not a directory"):
        DataDirectory(tmp_path / "file").startService()
    with pytest.raises(StorageUnusable, match="file/below cannot be used: Not a directory"):
        DataDirectory(tmp_path / "file" / "below").startService()


def test_one_that_cannot_be_written_to_is_named(directory, monkeypatch):
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    with pytest.raises(StorageUnusable, match="bitpeer cannot be used: Permission denied"):
        directory.startService()


def test_a_full_disk_is_named_and_nothing_stays_locked(directory, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing(errno.ENOSPC))
        with pytest.raises(StorageUnusable, match="cannot be used: No space left on device"):
            directory.startService()
    directory.startService()


def test_where_nothing_can_be_locked_it_is_used_all_the_same(directory, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    directory.startService()
    second = DataDirectory(directory.place)
    second.startService()
    second.stopService()
