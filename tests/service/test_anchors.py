"""Tests of bitpeer.service.anchors."""

import pytest

from bitpeer.service.anchors import Anchors
from bitpeer.service.seeds import Address
from tests.service.fakes import LogLines, Reactor, make_node

ADDRESSES = [Address("20.1.1.1", 8333), Address("2a01::1", 7), Address("20.2.1.1", 8333)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "anchors.txt"


@pytest.fixture
def anchors(path):
    return Anchors(path, make_node(Reactor()).journal)


def test_two_addresses_are_kept_and_taken_once(anchors, path):
    anchors.keep(ADDRESSES)
    assert path.read_text() == "20.1.1.1 8333\n2a01::1 7\n"
    assert anchors.take() == ADDRESSES[:2]
    assert not path.exists()
    assert anchors.take() == []


def test_the_latest_are_kept_and_nothing_else_is_left(anchors, path):
    anchors.keep(ADDRESSES[:1])
    anchors.keep(iter(ADDRESSES[1:]))
    assert list(path.parent.iterdir()) == [path]
    assert anchors.take() == ADDRESSES[1:]


def test_if_there_are_none_those_of_before_stay(anchors):
    anchors.keep(ADDRESSES[:1])
    anchors.keep([])
    assert anchors.take() == ADDRESSES[:1]


def test_without_a_file_nothing_is_kept():
    anchors = Anchors(None, make_node(Reactor()).journal)
    anchors.keep(ADDRESSES)
    assert anchors.take() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"20.1.1.1 70000\n20.1.1.1 -1\n",
        b"\xff\xfe 1\n20.1.1.1 \xb2\n",
        b"x 1\n 2",
        b"x" * 100_000,
    ],
)
def test_what_makes_no_sense_is_passed_over(anchors, path, content):
    path.write_bytes(content)
    assert anchors.take() == []
    assert not path.exists()


def test_what_cannot_be_read_or_written_is_told(anchors, path):
    path.mkdir()
    with LogLines() as lines:
        assert anchors.take() == []
        anchors.keep(ADDRESSES)
    assert lines == [
        f"{path} cannot be read: Is a directory",
        f"{path} cannot be written: Is a directory",
    ]
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_gone_is_told(path):
    anchors = Anchors(path.parent / "gone" / path.name, make_node(Reactor()).journal)
    with LogLines() as lines:
        anchors.keep(ADDRESSES)
    assert lines == [
        f"{path.parent / 'gone' / path.name} cannot be written: No such file or directory"
    ]
